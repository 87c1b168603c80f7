"""A hundred thousand warnings due at the same instant, the mails of a few hundred, one warning on an idle system, and ticks over a full store."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, text, update

from incident_tracker import clock, library
from incident_tracker.delivery import LANES
from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import run_once
from tests.bench.lateness import raw_rate
from tests.bench.servers import Weight, free_port, spent, weigh
from tests.bench.tables import doing, median, note, share, table, title
from tests.chaos.run import OWNERS, ROOT, Program, Storm, database, ground, plant
from tests.storage import store
from tests.stories import person

INCIDENTS = 1000
MAILS = 2000
SINGLES, APART = 160, 0.25
IDLE_SECONDS = 20


def measure(kind: str, count: int) -> None:
    """Everything of this module on one database; `count` is how many warnings fall due together."""
    rows = [_fire(kind, workers, count) for workers in ((1, 4) if kind == "postgresql" else (1,))]
    title(f"{count:,} warnings due at the same instant, {kind}")
    table(("workers", "fired/s", "p50", "p99", "last", "CPU s", "RSS MB each", "raw commits/s", "rungs a raw commit"), rows)
    note("aim: 10,000 fired a second; lateness is from the word to begin to the beginning of the batch in which a warning fired")
    _send(kind)
    _alone(kind)
    _stored(kind)


def _fire(kind: str, workers: int, count: int) -> tuple[object, ...]:
    doing(f"{kind}: {count:,} warnings, {workers} at work")
    with _place(kind) as (app, settings):
        _plant(app, count)
        with _programs(settings, workers) as programs:
            _say(programs[0], "commit")
            commits = json.loads(_hear(programs[0]))["commits"]
            began, word = time.monotonic(), clock.now()
            for one in programs:
                _say(one, "fire")
            answers = [json.loads(_hear(one)) for one in programs]
            took = time.monotonic() - began
        with app.app_context():
            left = db.session.scalar(select(func.count()).select_from(Rung).where(Rung.ended_at.is_(None), Rung.key == "start"))
            batches = db.session.execute(select(Rung.ended_at, func.count()).where(Rung.outcome == "fired").group_by(Rung.ended_at)).all()
            late = [(at - word).total_seconds() for at, size in batches for _ in range(size)]
            db.session.remove()
        assert (left, sum(one["fired"] for one in answers)) == (0, count), "not every warning was fired once"
        return (
            workers, f"{count / took:,.0f}", *(f"{share(late, percent):.1f} s" for percent in (50, 99, 100)), f"{sum(one['cpu'] for one in answers):.1f}",
            f"{max(one['rss'] for one in answers):.0f}", f"{commits:,.0f}", f"{count / took / commits:.1f}",
        )


def _send(kind: str) -> None:
    doing(f"{kind}: {MAILS} mails")
    with _place(kind) as (app, settings), ExitStack() as stack:
        port, folder = free_port(), Path(settings["instance"])
        office = Program([sys.executable, "-m", "tests.chaos.office", str(port), str(folder / "mails")])
        stack.callback(office.kill)
        office.wait()
        mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "mail_from": "tracker@harbour.example"}
        plant(app, Storm(kind, 1, MAILS, due_within=0), clock.now() - timedelta(seconds=1))
        raw, rates, cpu = [], [], []
        with _programs(settings | mail, 1) as (one,):
            raw.append(raw_rate(port))
            _say(one, "fire")
            _hear(one)
            _say(one, "deliver")
            answer = json.loads(_hear(one))
            assert answer["sent"] == MAILS, answer
            rates.append(MAILS / answer["seconds"])
            cpu.append(answer["cpu"] / MAILS * 1000)
            raw.append(raw_rate(port))
        title(f"Mails to a server on this machine over {LANES} reused connections, {kind}")
        limit = median(raw)
        table(("mails/s", "raw mails/s over one", "of the raw rate", "CPU ms a mail"), [(f"{rates[0]:,.0f}", f"{limit:,.0f}", f"{rates[0] / limit:.0%}", f"{cpu[0]:.1f}")])
        note("each mail is rendered from what stands at that moment, noted on the disk once it is taken, and marked with others; aim: 60 % of the raw rate")


def _alone(kind: str) -> None:
    doing(f"{kind}: single warnings on an idle system")
    with _place(kind) as (app, settings), ExitStack() as stack:
        offset = Path(settings["instance"]) / "offset"
        worker = Program([sys.executable, "-m", "tests.chaos.worker", json.dumps(settings), str(offset)])
        stack.callback(worker.kill)
        worker.wait()
        time.sleep(3)
        before, began = spent(worker.process.pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        idle = (spent(worker.process.pid) - before) / (time.monotonic() - began)
        weight: Weight = weigh(worker.process.pid)
        # known before the sweep that comes before them, as deadlines are
        first = clock.now() + timedelta(seconds=20)
        plant(app, Storm(kind, 1, SINGLES, due_within=SINGLES * APART), first)
        late = _watch(app, [first + timedelta(seconds=APART * number) for number in range(SINGLES)])
        title(f"One warning at a time on an idle system, {kind}")
        table(
            ("warnings", "p50", "p99", "max", "idle CPU", "RSS MB"),
            [(len(late), *(f"{share(late, percent) * 1000:.0f} ms" for percent in (50, 99, 100)), f"{idle:.2%} of a core", f"{weight.rss:.0f}")],
        )
        note("from the due moment until others see that it fired; aim: under 50 ms at p99, under 1 % of a core")


def _stored(kind: str) -> None:
    costs = []
    for stored in (1000, 1_000_000):
        doing(f"{kind}: ticks over {stored:,} stored warnings")
        with _place(kind) as (app, _settings):
            plant(app, Storm(kind, 1, 60, due_within=0), clock.now() + timedelta(hours=1))
            with app.app_context():
                with db.engine.begin() as connection:
                    duty = connection.execute(select(Duty.id, Duty.incident_id).limit(1)).one()
                    store(connection, stored, duty=duty.id, incident=duty.incident_id, person=person("ines").id, at="2026-01-05 09:00:00")
                db.session.remove()
            costs.append((f"{stored:,}", f"{median(_tick(app, number) for number in range(6)) * 1000:.1f} ms"))
    title(f"A tick with 10 warnings due, {kind}")
    table(("warnings stored", "one round of every job"), costs)


def _tick(app: Flask, number: int) -> float:
    with app.app_context():
        with db.engine.begin() as connection:
            ten = connection.scalars(select(Rung.id).where(Rung.key == "start", Rung.ended_at.is_(None)).order_by(Rung.id).limit(10)).all()
            connection.execute(update(Rung).where(Rung.id.in_(ten)).values(due_at=clock.now()))
        db.session.remove()
    began = time.perf_counter()
    assert run_once(app).fired == 10, number
    return time.perf_counter() - began


def _watch(app: Flask, moments: list[Any]) -> list[float]:
    """Seconds from each moment until a second connection sees that its warning fired."""
    late: list[float] = []
    waiting = text("SELECT count(*) FROM rung WHERE key = 'start' AND ended_at IS NOT NULL")
    until = time.monotonic() + len(moments) * APART + 60
    with app.app_context(), db.engine.connect() as connection:
        while len(late) < len(moments) and time.monotonic() < until:
            seen, now = connection.scalar(waiting) or 0, clock.now()
            connection.rollback()
            late += [(now - moment).total_seconds() for moment in moments[len(late):seen]]
            time.sleep(0.002)
    assert len(late) == len(moments), f"only {len(late)} fired"
    return late


def _plant(app: Flask, count: int) -> None:
    """A hundred duties an incident, each with the first warning of its ladder due a second ago."""
    due = clock.now() - timedelta(seconds=1)
    with app.app_context():
        owners = [person(name).id for name in OWNERS]
        with unit_of_work(CLOCKWORK) as work:
            same = {"title": "Laptop of the ward lost", "zone": "Europe/Berlin", "reported_at": due, "reported_by_id": owners[0], "pack": library.shelf().law.pack.name}
            work.session.execute(insert(Incident), [{"reference": f"INC-2026-{number:05d}", **same} for number in range(INCIDENTS)])
            incidents = list(work.session.scalars(select(Incident.id).order_by(Incident.id)))
            shared = {
                "state": "running", "title": "Notify the authority", "recipient_name": "Berlin authority", "zone": "Europe/Berlin", "trigger_at": due,
                "conservative_at": due + timedelta(hours=72), "recipient_key": "authority:DE-BE", "jurisdiction": "EU", "citation": "GDPR art. 33(1)", "missing": [],
                "because": [], "steps": [], "warnings": [], "law_version": "planted", "versions": {}, "computed_at": due,
            }
            work.session.execute(insert(Duty), [
                {**shared, "incident_id": incidents[number % INCIDENTS], "obligation_id": f"planted-{number}", "owner_id": owners[number % len(owners)]}
                for number in range(count)
            ])
            rung = {
                "key": "start", "due_at": due, "planned_at": due, "deadline_at": due + timedelta(hours=72), "audience": ["owner"], "loudness": "normal",
                "channels": [], "late": False, "overtaken_count": 0,
            }
            duties = work.session.execute(select(Duty.id, Duty.incident_id)).all()
            work.session.execute(insert(Rung), [{**rung, "duty_id": duty, "incident_id": incident} for duty, incident in duties])
            if work.session.get_bind().dialect.name == "postgresql":
                work.session.execute(text("ANALYZE"))
        db.session.remove()


@contextmanager
def _place(kind: str) -> Iterator[tuple[Flask, dict[str, Any]]]:
    folder = Path(tempfile.mkdtemp(prefix="tracker-bench-"))
    try:
        with database(kind, folder) as url, ground(folder, url) as app:
            yield app, {"instance": str(folder), "database_url": url}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _programs(settings: dict[str, Any], count: int) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.bench.firing", json.dumps(settings)]
    found = [subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        for one in found:
            assert _hear(one) == "ready\n"
        yield found
    finally:
        for one in found:
            one.communicate(timeout=30)


def _say(program: subprocess.Popen[str], word: str) -> None:
    assert program.stdin is not None
    program.stdin.write(word + "\n")
    program.stdin.flush()


def _hear(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline()
