"""After an outage a room hears once what still matters, whatever the incidents; programs hear of each incident by itself; nobody of what was closed to them."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from incident_tracker.actions import incidents as incident_acts
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.work import unit_of_work
from incident_tracker.worker import Pass
from tests.alarms import HOUR, a_duty, an_incident, fire
from tests.channels.shapes import MATTERMOST, SLACK, TEAMS, problems
from tests.destined import a_destination, posts, state
from tests.receivers import Receiver
from tests.stories import FRIDAY, person

DEADLINE = FRIDAY + 72 * HOUR
Tick = Callable[[datetime], Pass]


def restrict(incident: Any, now: datetime) -> None:
    with unit_of_work(person("ines"), now) as work:
        incident_acts.restrict(work, work.session.get_one(Incident, incident.id), True)


@pytest.mark.parametrize(("kind", "shape"), [("slack", SLACK), ("mattermost", MATTERMOST), ("teams", TEAMS)], ids=["slack", "mattermost", "teams"])
def test_after_an_outage_a_room_gets_one_summary_of_all_incidents(app: Flask, receiver: Receiver, tick: Tick, kind: str, shape: dict[str, Any]) -> None:
    duties = [a_duty(an_incident()) for _ in range(3)]
    tick(FRIDAY)
    room = a_destination(kind, f"{receiver.address}/room", "")
    tick(DEADLINE - 5 * HOUR)
    (body,) = receiver.bodies
    assert problems(body, shape) == []
    said = json.dumps(body)
    assert "Catching up: 3 deadlines in 3 incidents" in said and "what still matters" in said
    for duty in duties:
        assert f"{duty.incident.reference} {duty.title}" in said.replace("\\\\-", "-").replace("\\\\", "")
        assert f"/incidents/{duty.incident.reference}/duties/{duty.id}" in said
    assert sorted(state(one) for one in posts(room)) == ["sent"] * 3


def test_a_program_gets_an_event_for_each_incident(app: Flask, receiver: Receiver, tick: Tick) -> None:
    duties = [a_duty(an_incident()) for _ in range(3)]
    tick(FRIDAY)
    a_destination("webhook", f"{receiver.address}/hook")
    tick(DEADLINE - 5 * HOUR)
    assert sorted(one["data"]["incident"] for one in receiver.bodies) == sorted(duty.incident.reference for duty in duties)


def test_what_is_fired_in_time_is_told_by_incident(app: Flask, receiver: Receiver, tick: Tick) -> None:
    a_destination("slack", f"{receiver.address}/room", "")
    for _ in range(2):
        a_duty(an_incident())
    tick(FRIDAY)
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("hidden", [0, 1])
def test_of_an_incident_that_was_restricted_meanwhile_the_summary_says_nothing(app: Flask, receiver: Receiver, tick: Tick, hidden: int) -> None:
    duties = [a_duty(an_incident(members=("ines",))) for _ in range(2)]
    tick(FRIDAY)
    room = a_destination("slack", f"{receiver.address}/room", "")
    fire(DEADLINE - 5 * HOUR)
    restrict(duties[hidden].incident, DEADLINE - 5 * HOUR)
    secret, told = duties[hidden].incident.reference, duties[1 - hidden].incident.reference
    db.session.rollback()
    tick(DEADLINE - 5 * HOUR)
    (body,) = receiver.bodies
    said = json.dumps(body)
    assert told in said, "the other incident is not silenced"
    assert secret not in said and duties[hidden].title not in said
    assert "sent" in {state(one) for one in posts(room)}
