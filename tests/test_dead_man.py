"""The sign of life to an outside monitor: sent while warnings fire, not too often, and waited for by nothing."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from incident_tracker import clock, worker
from incident_tracker.models.alerts import heartbeats
from incident_tracker.models.base import db
from incident_tracker.worker import Job, Pace, Pass
from tests.alarms import HOUR, a_duty, an_incident
from tests.receivers import Receiver, Reply, open_receiver
from tests.test_worker import at_work, beat_at, fired, soon


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


@pytest.fixture
def configure(app: Flask, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> Callable[..., None]:
    """Settings for this test alone, with the receiver as the monitor."""
    monkeypatch.delitem(app.extensions, "tracker_pace", raising=False)

    def change(**values: Any) -> None:
        usual = {"sweep_seconds": 1, "dead_man_url": f"{receiver.address}/ping/3f2a-secret", "allow_private_targets": "127.0.0.1"}
        monkeypatch.setitem(app.extensions, "tracker", replace(app.extensions["tracker"], **usual | values))

    change()
    return change


def counts() -> dict[str, int]:
    db.session.rollback()
    return {name: sum((one.counts or {}).get(name, 0) for one in heartbeats()) for name in ("pings", "pings_failed")}


def test_it_is_sent_once_a_minute_however_many_workers_fire(app: Flask, configure: Any, receiver: Receiver):
    with at_work(app), at_work(app):
        soon(lambda: receiver.requests)
        first = soon(beat_at)
        soon(lambda: (beat_at() - first).total_seconds() > 2)
        soon(lambda: counts()["pings"])
    (request,) = receiver.requests
    assert (request.method, request.path, request.body) == ("GET", "/ping/3f2a-secret", b"")
    assert any(one.pinged_at and one.ping_error is None for one in heartbeats())


def test_a_minute_later_it_is_sent_again():
    pace, elapsed = Pace(), iter([100.0, 159.9, 160.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "elapsed", lambda: next(elapsed))
        assert [pace.allows(worker.PING_SECONDS) for _ in range(3)] == [True, False, True]


def test_it_is_not_sent_while_nothing_fires(app: Flask, configure: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    done = threading.Event()

    def fail(_one: Pass) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(worker, "JOBS", (Job("fire", "clock", fail), Job("refresh", "clock", lambda _one: done.set())))
    with at_work(app):
        assert done.wait(30)
        soon(lambda: any(one.last_error for one in heartbeats()))
    assert receiver.requests == []


def test_a_monitor_that_hangs_holds_up_no_warning_and_is_noted(app: Flask, configure: Any, receiver: Receiver):
    receiver.reply = Reply(0)
    with at_work(app):
        soon(lambda: receiver.requests)
        began = clock.now()
        a_duty(an_incident(), start=began - HOUR, plan_at=began - HOUR)
        (rung,) = soon(fired)
        assert (rung.ended_at - began).total_seconds() < 4
        soon(lambda: counts()["pings_failed"])
        assert "did not answer in time" in next(one.ping_error for one in heartbeats() if one.ping_error)


@pytest.mark.parametrize(("reply", "said"), [(Reply(503), "HTTP 503"), (Reply(404, b"no such check: 3f2a-secret"), "HTTP 404"), (Reply(302, headers={"Location": "/x"}), "redirect")])
def test_a_refusal_is_noted_without_the_secret_address(app: Flask, configure: Any, receiver: Receiver, reply: Reply, said: str):
    receiver.reply = reply
    with at_work(app):
        error = soon(lambda: next((one.ping_error for one in heartbeats() if one.ping_error), None))
    assert said in error and "3f2a" not in error
    assert len(receiver.requests) == 1 and not any(one.pinged_at for one in heartbeats())


def test_it_goes_to_no_private_address_unless_that_is_allowed(app: Flask, configure: Any, receiver: Receiver):
    configure(allow_private_targets="")
    with at_work(app):
        error = soon(lambda: next((one.ping_error for one in heartbeats() if one.ping_error), None))
    assert "not on the public internet" in error
    assert receiver.requests == []


def test_without_an_address_nothing_is_sent(app: Flask, configure: Any, receiver: Receiver):
    configure(dead_man_url="")
    with at_work(app):
        soon(beat_at)
    assert (receiver.requests, counts()) == ([], {"pings": 0, "pings_failed": 0})
