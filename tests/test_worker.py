"""The worker: it wakes at the moment, survives what goes wrong, and is only called alive while warnings fire."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from incident_tracker import clock, worker
from incident_tracker.actions import alerts, clocks
from incident_tracker.channels import email
from incident_tracker.models.alerts import Heartbeat, Rung, newest_heartbeat
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import Job, Pass, Worker, run_once, worker_name
from tests.alarms import HOUR, a_duty, an_incident, waiting
from tests.post_office import open_office
from tests.stories import FRIDAY, person

#: far more than anything here takes, even on a busy machine
PATIENCE = 30.0


@pytest.fixture
def configure(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`configure(sweep_seconds=1)`: settings for this test alone."""
    return lambda **values: monkeypatch.setitem(app.extensions, "tracker", replace(app.extensions["tracker"], **values))


@contextmanager
def at_work(app: Flask) -> Iterator[Worker]:
    db.session.rollback()
    one = Worker(app)
    one.start()
    try:
        yield one
    finally:
        one.stop()


def soon(question: Callable[[], Any]) -> Any:
    """What `question` answers as soon as it answers anything."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        db.session.rollback()
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def fired() -> list[Rung]:
    return list(db.session.scalars(select(Rung).where(Rung.outcome == "fired").order_by(Rung.id)))


def beat_at() -> datetime | None:
    beat = newest_heartbeat()
    return beat.beat_at if beat else None


def test_it_fires_at_once_what_fell_due_while_nobody_was_at_work(app: Flask, configure: Any):
    configure(sweep_seconds=3000, stale_seconds=4000)
    a_duty(an_incident(), start=clock.now() - HOUR, plan_at=clock.now() - HOUR)
    with at_work(app):
        assert [rung.key for rung in soon(fired)] == ["start"]


def test_it_wakes_at_the_due_moment_and_does_not_wait_for_the_sweep(app: Flask, configure: Any):
    configure(sweep_seconds=3000, stale_seconds=4000)
    due = clock.now() + timedelta(seconds=2)
    a_duty(an_incident(), start=due, plan_at=clock.now())
    with at_work(app):
        (rung,) = soon(fired)
    assert due <= rung.ended_at < due + timedelta(seconds=5)


def test_it_mails_at_once_what_it_fired(app: Flask, configure: Any):
    with open_office() as office:
        configure(sweep_seconds=3000, stale_seconds=4000, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none")
        due = clock.now() + timedelta(seconds=2)
        a_duty(an_incident(), start=due, plan_at=clock.now())
        with at_work(app):
            soon(lambda: office.letters)
        assert len(office.letters) == 1


def test_a_mail_server_that_hangs_does_not_hold_up_the_bell(app: Flask, configure: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(email, "TIMEOUT", 4.0)
    with open_office() as office:
        office.on_data = "hang"
        configure(sweep_seconds=1, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none")
        a_duty(an_incident(), start=clock.now() - HOUR, plan_at=clock.now() - HOUR)
        with at_work(app):
            soon(lambda: office.letters)
            began = soon(beat_at)
            soon(lambda: beat_at() > began)
            assert db.session.scalars(select(Message.sent_at).where(Message.channel == "email")).all() == [None], "the server answered: nothing hung"


def test_it_beats_and_two_workers_have_two_names(app: Flask):
    with at_work(app) as first, at_work(app) as second:
        names = soon(lambda: {beat.worker for beat in db.session.scalars(select(Heartbeat)) if beat.beat_at} == {first.name, second.name})
    assert names and first.name != second.name
    assert len({worker_name() for _ in range(50)}) == 50


def test_a_worker_whose_firing_fails_does_not_count_as_alive(app: Flask, configure: Any, monkeypatch: pytest.MonkeyPatch):
    configure(sweep_seconds=1)
    ran: list[str] = []

    def fail(_one: Pass) -> None:
        raise OperationalError("SELECT a patient's name", {}, Exception("a patient's name"))

    monkeypatch.setattr(worker, "JOBS", (Job("fire", "clock", fail), Job("refresh", "clock", lambda _one: ran.append("refresh"))))
    with at_work(app):
        error = soon(lambda: (beat := newest_heartbeat()) and beat.last_error)
        soon(lambda: len(ran) > 1)
        assert beat_at() is None
        assert error.startswith("fire: OperationalError at test_worker.py:") and "patient" not in error
        monkeypatch.setattr(worker, "JOBS", (Job("fire", "clock", worker.fire),))
        soon(beat_at)
        assert soon(newest_heartbeat).last_error is None


def test_another_job_that_fails_is_noted_and_the_pulse_goes_on(app: Flask, monkeypatch: pytest.MonkeyPatch):
    def fail(_one: Pass) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(worker, "JOBS", (Job("fire", "clock", worker.fire), Job("refresh", "clock", fail)))
    with at_work(app):
        beat = soon(lambda: (found := newest_heartbeat()) and found.last_error and found)
        assert beat.beat_at is not None and beat.last_error.startswith("refresh: RuntimeError")


def test_a_database_that_fails_does_not_end_the_worker(app: Flask, configure: Any, monkeypatch: pytest.MonkeyPatch):
    configure(sweep_seconds=1)
    right = worker.unit_of_work
    broken = [True]

    def sometimes(*values: Any) -> Any:
        if broken[0]:
            raise OperationalError("BEGIN", {}, Exception("gone"))
        return right(*values)

    monkeypatch.setattr(worker, "unit_of_work", sometimes)
    with at_work(app):
        time.sleep(1.5)
        assert newest_heartbeat() is None
        broken[0] = False
        soon(beat_at)


def test_one_round_fires_delivers_recomputes_and_beats(app: Flask):
    incident = an_incident()
    a_duty(incident)
    with unit_of_work(person("ines"), FRIDAY) as work:
        work.session.get(Incident, incident.id).stale_since = FRIDAY
    done = run_once(app, FRIDAY)
    db.session.rollback()
    assert done.fired == 1
    assert db.session.get(Incident, incident.id).stale_since is None
    assert (beat_at(), newest_heartbeat().worker) == (FRIDAY, done.worker)


def test_one_round_watches_over_duties_that_nothing_waits_for(app: Flask):
    duty = a_duty(an_incident(), plan_at=None)
    run_once(app, FRIDAY)
    assert waiting(duty)[0] == "start"
    assert run_once(app, FRIDAY).fired == 1


def test_one_round_lets_errors_through(app: Flask, monkeypatch: pytest.MonkeyPatch):
    def fail(*_values: Any, **_more: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(clocks, "refresh_stale", fail)
    with pytest.raises(RuntimeError):
        run_once(app, FRIDAY)


def test_one_round_fires_more_than_a_batch(app: Flask, monkeypatch: pytest.MonkeyPatch):
    incident = an_incident()
    for _ in range(7):
        a_duty(incident)
    right = alerts.fire_due
    monkeypatch.setattr(alerts, "fire_due", lambda work, **values: right(work, 2, **values))
    assert run_once(app, FRIDAY).fired == 7


def test_workers_that_stopped_long_ago_are_forgotten(app: Flask):
    run_once(app, FRIDAY, "old")
    run_once(app, FRIDAY + 200 * HOUR, "new")
    db.session.rollback()
    assert db.session.scalars(select(Heartbeat.worker)).all() == ["new"]
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        assert work.now == FRIDAY
