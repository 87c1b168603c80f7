"""One storm over one database: what is planted, what is broken meanwhile, and what has arrived in the end."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import func, select, text

from incident_tracker import clock, library
from incident_tracker.actions import alerts
from incident_tracker.config import from_environment
from incident_tracker.factory import create_app
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.work import unit_of_work
from tests import cast, postgres
from tests.bench.servers import free_port
from tests.stories import person

ROOT = Path(__file__).parents[2]
OWNERS = ("ines", "ravi", "otto", "laura", "mona")
#: a worker without a sign of life for so many seconds counts as gone, and the others take its letters over
STALE, SWEEP = 6, 2
#: clocks are off by at most so many seconds: two moves are less than the minute by which a warning must have come too early to be given again
WRONG = 25


@dataclass(frozen=True)
class Storm:
    """How much is planted and how long it blows: warnings, the seconds within which they fall due, and the seconds of breaking things."""

    kind: str
    workers: int
    warnings: int = 2000
    due_within: float = 60
    seconds: float = 180
    patience: float = 420
    seed: int = 7


@dataclass
class Damage:
    """What was done, by kind."""

    kills: int = 0
    offices: int = 0
    cuts: int = 0
    jumps: int = 0

    @property
    def total(self) -> int:
        return self.kills + self.offices + self.cuts


@dataclass
class Outcome:
    """What the mail server counted, and what the database says of it."""

    storm: Storm
    damage: Damage
    planted: int
    arrived: int
    mails: int
    lost: list[str] = field(default_factory=list)
    #: mails that came again under the same Message-ID
    repeated: int = 0
    #: incidents warned of under more than one Message-ID: said twice without a way to tell
    doubled: list[str] = field(default_factory=list)
    dead: int = 0
    seconds: float = 0


def blow(storm: Storm) -> Outcome:
    """Plant, break, wait until nothing is on its way, count."""
    chance = random.Random(storm.seed)
    folder = Path(tempfile.mkdtemp(prefix="tracker-chaos-"))
    try:
        with database(storm.kind, folder) as url, ground(folder, url) as app:
            return _storm(storm, app, folder, url, chance)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _storm(storm: Storm, app: Flask, folder: Path, url: str, chance: random.Random) -> Outcome:
    mails, offset, port = folder / "mails", folder / "offset", free_port()
    settings = json.dumps({
        "instance": str(folder), "database_url": url, "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none",
        "mail_from": "tracker@harbour.example", "sweep_seconds": SWEEP, "stale_seconds": STALE,
    })
    office = Program([sys.executable, "-m", "tests.chaos.office", str(port), str(mails)])
    workers = [Program([sys.executable, "-m", "tests.chaos.worker", settings, str(offset)]) for _ in range(storm.workers)]
    programs = [office, *workers]
    try:
        for one in programs:
            one.wait()
        references = plant(app, storm, clock.now() + timedelta(seconds=3))
        began = time.monotonic()
        damage = _break(storm, app, office, workers, offset, chance)
        offset.write_text("0", encoding="utf-8")
        _drain(app, began + storm.seconds + storm.patience)
        return _count(storm, app, references, mails, damage, time.monotonic() - began)
    finally:
        for one in programs:
            one.kill()


class Program:
    """A process that can be killed without a chance to tidy up, and started again."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.is_ready = False

    def wait(self) -> None:
        """Until it says that it is at work."""
        if not self.is_ready:
            assert self.process.stdout is not None
            assert self.process.stdout.readline() == "ready\n", f"{self.command[2]} did not start"
            self.is_ready = True

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _break(storm: Storm, app: Flask, office: Program, workers: list[Program], offset: Path, chance: random.Random) -> Damage:
    """Something every second or so, until the time is over. At most one worker is down at once, and each gets to begin."""
    damage, ends = Damage(), time.monotonic() + storm.seconds

    def kill_a_worker() -> None:
        one = chance.choice(workers)
        one.wait()
        time.sleep(chance.random())
        one.kill()
        one.start()
        damage.kills += 1

    def restart_the_office() -> None:
        office.wait()
        office.kill()
        time.sleep(chance.random() * 2)
        office.start()
        damage.offices += 1

    def cut_the_database() -> None:
        # workers that write without a pause may not let anybody else hold the file
        with suppress(sqlite3.OperationalError):
            _cut(app, chance)
            damage.cuts += 1

    def move_the_clock() -> None:
        offset.write_text(str(chance.randint(-WRONG, WRONG)), encoding="utf-8")
        damage.jumps += 1

    deeds: list[Callable[[], None]] = [kill_a_worker] * 5 + [restart_the_office] * 2 + [cut_the_database] * 2 + [move_the_clock]
    # each of them once at least, in whatever order
    first = [kill_a_worker, restart_the_office, cut_the_database, move_the_clock]
    chance.shuffle(first)
    while time.monotonic() < ends:
        (first.pop() if first else chance.choice(deeds))()
        time.sleep(chance.uniform(0.2, 1.5))
    for one in (office, *workers):
        one.wait()
    return damage


def _cut(app: Flask, chance: random.Random) -> None:
    """PostgreSQL ends every connection; a SQLite file cannot be cut off, so it is held by somebody else for a while."""
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect() as connection:
                connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))
            return
        path = db.engine.url.database
    holder = sqlite3.connect(str(path), timeout=30, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(chance.random() * 2)
        holder.execute("ROLLBACK")
    finally:
        holder.close()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database; a SQLite file lies in `folder`."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'tracker.sqlite3'}"
        return
    server = postgres.server()
    yield server.url(server.create(f"chaos_{os.getpid()}_{folder.name[-6:].lower()}"))


@contextmanager
def ground(folder: Path, url: str) -> Iterator[Flask]:
    """The tables, the cast, and an application to plant and to count with."""
    app = create_app(from_environment({}, instance=folder, database_url=url, testing=True, log_level="CRITICAL"))
    with app.app_context():
        db.create_all()
        with db.engine.begin() as connection:
            MigrationContext.configure(connection).stamp(ScriptDirectory(str(files("incident_tracker.migrations"))), "head")
        cast.hire()
        db.session.remove()
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


def plant(app: Flask, storm: Storm, first: datetime) -> list[str]:
    """An incident each warning, so that each has its own mail: the first rung of a duty's ladder, due when its clock starts."""
    with app.app_context(), unit_of_work(person("ines"), clock.now()) as work:
        owners = [person(name).id for name in OWNERS]
        incidents = [
            Incident(
                reference=f"INC-2026-{number:05d}", title="Laptop of the ward lost", zone="Europe/Berlin", reported_at=work.now,
                reported_by_id=work.actor.id, pack=library.shelf().law.pack.name,
            ) for number in range(storm.warnings)
        ]
        work.session.add_all(incidents)
        work.session.flush()
        duties = []
        for number, incident in enumerate(incidents):
            start = first + timedelta(seconds=storm.due_within * number / storm.warnings)
            duties.append(Duty(
                state="running", title="Notify the authority", recipient_name="Berlin authority", zone="Europe/Berlin", conservative_at=start + timedelta(hours=72),
                incident_id=incident.id, obligation_id="planted", recipient_key="authority:DE-BE", jurisdiction="EU", citation="GDPR art. 33(1)",
                owner_id=owners[number % len(owners)], missing=[], because=[], steps=[], warnings=[], trigger_at=start, law_version="planted", versions={},
                computed_at=work.now,
            ))
        work.session.add_all(duties)
        work.session.flush()
        alerts.plan_all(work, [duty.id for duty in duties])
        work.record("test.plant", "planted")
        return [incident.reference for incident in incidents]


def _drain(app: Flask, until: float) -> None:
    """Wait until every planted warning has fired and nothing is on its way any more."""
    soon = select(func.count()).select_from(alerts.Rung).where(alerts.Rung.ended_at.is_(None), alerts.Rung.key == "start")
    on_its_way = select(func.count()).select_from(Message).where(Message.next_attempt_at.is_not(None))
    while time.monotonic() < until:
        with app.app_context():
            left = db.session.scalar(soon), db.session.scalar(on_its_way)
            db.session.remove()
        if left == (0, 0):
            return
        time.sleep(0.5)


def _count(storm: Storm, app: Flask, references: list[str], mails: Path, damage: Damage, seconds: float) -> Outcome:
    came = [tuple(line.split(" ", 2)) for line in mails.read_text(encoding="utf-8").splitlines()] if mails.exists() else []
    by_id = Counter(came)
    ids: dict[str, set[Any]] = {}
    for reference, to, message_id in by_id:
        ids.setdefault(reference, set()).add((to, message_id))
    with app.app_context():
        dead = db.session.scalar(select(func.count()).select_from(Message).where(Message.dead_at.is_not(None))) or 0
        db.session.remove()
    return Outcome(
        storm, damage, len(references), len(ids.keys() & set(references)), len(came), sorted(set(references) - ids.keys()),
        sum(count - 1 for count in by_id.values()), sorted(reference for reference, found in ids.items() if len(found) > 1), dead, seconds,
    )
