"""The worker and the wall clock: it goes on whatever the clock does, and a worker that stopped leaves its letters to one that lives."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from incident_tracker import clock, diary
from incident_tracker.actions import deliveries
from incident_tracker.channels import email
from incident_tracker.delivery import Door
from incident_tracker.models import audit
from incident_tracker.models.alerts import Heartbeat, live, newest_heartbeat
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.clock_jumps import latest_jumps
from incident_tracker.models.messages import Message
from incident_tracker.rules import chains
from incident_tracker.work import CLOCKWORK, OPERATOR, unit_of_work
from tests.alarms import HOUR, a_duty, an_incident
from tests.post_office import open_office
from tests.stories import FRIDAY, person
from tests.test_worker import at_work, beat_at, fired, soon

MINUTE = timedelta(minutes=1)


@pytest.fixture
def configure(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda **values: monkeypatch.setitem(app.extensions, "tracker", replace(app.extensions["tracker"], **values))


# -- jumps ------------------------------------------------------------------------------------------------------------------


def test_it_beats_on_when_the_clock_is_put_back(app: Flask, configure: Any):
    """The scheduler sleeps by the wall clock: left alone it would sleep for the hour."""
    configure(sweep_seconds=1)
    start = FRIDAY + 24 * HOUR
    with time_machine.travel(start + HOUR) as traveller, at_work(app):
        soon(lambda: (beat_at() or start) >= start + HOUR)
        traveller.move_to(start)
        soon(lambda: (at := beat_at()) is not None and start <= at < start + HOUR / 2)
        a_duty(an_incident(), start=clock.now(), plan_at=clock.now())
        soon(fired)
        jumps = soon(latest_jumps)
    assert [-3605 <= one.seconds <= -3590 for one in jumps] == [True]


def test_it_fires_what_fell_due_when_the_clock_is_put_on(app: Flask, configure: Any):
    configure(sweep_seconds=3000, stale_seconds=4000)
    start = FRIDAY + 24 * HOUR
    with time_machine.travel(start) as traveller, at_work(app):
        soon(beat_at)
        a_duty(an_incident(), start=start + HOUR, plan_at=start)
        traveller.move_to(start + 2 * HOUR)
        assert [rung.key for rung in soon(fired)] == ["start"]
        (jump,) = soon(latest_jumps)
    assert 7190 <= jump.seconds <= 7205


def test_a_jump_is_noted_once_and_counted(app: Flask, configure: Any, monkeypatch: pytest.MonkeyPatch):
    configure(sweep_seconds=1)
    away = [timedelta(0)]
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right() + away[0])
    with at_work(app) as one:
        soon(beat_at)
        away[0] = -HOUR
        soon(latest_jumps)
        soon(lambda: newest_heartbeat().counts["jumps"] == 1)
        assert len(latest_jumps()) == 1 and latest_jumps()[0].worker == one.name
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "clock.jump")).all()
    assert [one.after["seconds"] // 10 for one in entries] == [-360]


def test_a_thread_that_was_held_up_between_two_clocks_sees_no_jump(monkeypatch: pytest.MonkeyPatch):
    elapsed = iter([0.0, 0.0, 0.0, 60.0, 60.0, 60.0])
    monkeypatch.setattr(clock, "now", lambda: FRIDAY)
    monkeypatch.setattr(clock, "elapsed", lambda: next(elapsed))
    diary.Diary("w")
    assert diary._read().elapsed == 60.0


def test_it_sees_at_its_start_that_the_record_is_ahead(app: Flask, configure: Any):
    configure(sweep_seconds=1)
    ahead = clock.now() + 5 * HOUR
    with unit_of_work(CLOCKWORK, ahead) as work:
        live(work.session, "gone", ahead, ahead, {"beat_at": ahead})
    with at_work(app) as one:
        (jump,) = soon(latest_jumps)
        soon(lambda: newest_heartbeat().worker == one.name and beat_at() is not None)
    assert jump.worker == one.name and -5 * 3600 <= jump.seconds <= -5 * 3600 + 60
    assert db.session.get_one(Heartbeat, "gone").beat_at is None


# -- letters of a worker that stopped ---------------------------------------------------------------------------------------


def a_letter(now: datetime = FRIDAY) -> int:
    with unit_of_work(CLOCKWORK, now) as work:
        deliveries.queue(work, "account_changed", person=person("olga"), content={"what": "Your password was changed."})
    return db.session.scalars(select(Message.id).where(Message.channel == "email")).one()


def take(worker: str, now: Any) -> list[int]:
    with unit_of_work(CLOCKWORK, now) as work:
        deliveries.take_over(work, worker, MINUTE)
        return deliveries.take(work, worker, "email")


def show_life(worker: str, now: Any) -> None:
    with unit_of_work(CLOCKWORK, now) as work:
        live(work.session, worker, FRIDAY, now, {})


def test_letters_of_a_worker_that_shows_no_life_are_taken_over_at_once(app: Flask):
    letter = a_letter()
    show_life("crashed", FRIDAY)
    assert take("crashed", FRIDAY) == [letter]
    assert take("other", FRIDAY + MINUTE) == []
    assert take("other", FRIDAY + MINUTE + timedelta(seconds=1)) == [letter]
    db.session.rollback()
    assert db.session.scalars(select(AuditEntry.after).where(AuditEntry.action == "message.take_over")).all() == [{"letters": 1}]


def test_a_worker_that_lives_keeps_its_letters_though_it_does_not_fire(app: Flask):
    letter = a_letter()
    show_life("slow", FRIDAY)
    assert take("slow", FRIDAY) == [letter]
    for seconds in range(0, 300, 15):
        show_life("slow", FRIDAY + timedelta(seconds=seconds))
        assert take("other", FRIDAY + timedelta(seconds=seconds + 14)) == []


def test_a_worker_that_never_said_anything_keeps_its_letters_until_the_lease_ends(app: Flask):
    letter = a_letter()
    assert take("silent", FRIDAY) == [letter]
    assert take("other", FRIDAY + deliveries.LEASE - timedelta(seconds=1)) == []
    assert take("other", FRIDAY + deliveries.LEASE) == [letter]


def test_a_letter_that_is_being_sent_slowly_is_not_sent_a_second_time(app: Flask, configure: Any, monkeypatch: pytest.MonkeyPatch):
    """The mail server takes longer to answer than a worker may be silent; another worker is at work beside it all the time."""
    monkeypatch.setattr(email, "TIMEOUT", 20.0)
    with open_office() as office:
        configure(sweep_seconds=1, stale_seconds=2, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none")
        hold = threading.Event()
        office.kept = lambda _letter: hold.wait(7)  # type: ignore[assignment, return-value]
        with at_work(app), at_work(app):
            a_letter(clock.now())
            soon(lambda: office.letters)
            soon(lambda: db.session.scalars(select(Message.sent_at).where(Message.channel == "email")).one())
        assert len(office.letters) == 1


def test_what_a_door_could_not_send_because_the_server_is_away_is_told_from_a_refusal(app: Flask, configure: Any):
    with open_office() as office:
        configure(smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none")
        office.to["olga@harbour.example"] = "450 later"
        a_letter()
        refused = Door(app.extensions["tracker"], app.jinja_env, "w", FRIDAY).deliver_due()
        office.to.clear()
        office.on_sender = "421 closing"
        down = Door(app.extensions["tracker"], app.jinja_env, "w", FRIDAY + MINUTE).deliver_due()
        office.on_sender = ""
        sent = Door(app.extensions["tracker"], app.jinja_env, "w", FRIDAY + 5 * MINUTE).deliver_due()
    assert [(one.sent, one.failed, one.went, one.down) for one in (refused, down, sent)] == [(0, 1, set(), set()), (0, 1, set(), {"email"}), (1, 0, {"email"}, set())]


# -- the very first entries -------------------------------------------------------------------------------------------------


def test_the_first_entries_of_all_may_be_written_at_once(app: Flask):
    assert audit.head() is None
    db.session.rollback()
    ready, failed = threading.Barrier(8), list[BaseException]()

    def write(number: int) -> None:
        try:
            with app.app_context():
                if db.engine.dialect.name == "sqlite":
                    # there the lock is taken before
                    ready.wait(10)
                with unit_of_work(OPERATOR, FRIDAY) as work:
                    work.record("test.write", f"writer {number}")
                    if db.engine.dialect.name != "sqlite":
                        ready.wait(10)
                db.session.remove()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert failed == []
    assert [entry.id for entry in audit.chain()] == list(range(1, 9))
    assert next(audit.chain()).previous_hash == chains.ROOT
