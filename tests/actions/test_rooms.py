"""Who hears of a warning beside the people: rooms, never of what is restricted; each person's own way; and nobody twice."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from incident_tracker.actions import deliveries, postings, rooms
from incident_tracker.actions import incidents as incident_acts
from incident_tracker.errors import Conflict
from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import db
from incident_tracker.models.destinations import Destination
from incident_tracker.models.incidents import Incident, Membership
from incident_tracker.models.messages import Message
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import run_once
from tests.alarms import HOUR, a_duty, acknowledge, an_incident, fire
from tests.bench.statements import listening
from tests.destined import a_destination, posts, state
from tests.stories import FRIDAY, person

MINUTE = timedelta(minutes=1)


def test_a_room_hears_of_each_warning_once(app: Flask) -> None:
    slack, hook = a_destination("slack"), a_destination("webhook")
    duties = [a_duty(an_incident()) for _ in range(3)]
    fire(FRIDAY)
    for room in (slack, hook):
        assert [(one.duty_id, one.person_id, one.channel, one.kind) for one in posts(room)] == [(duty.id, None, room.kind, "warning") for duty in duties]
    assert len({one.message_id for one in posts()}) == 6
    fire(FRIDAY + MINUTE)
    assert len(posts()) == 6


def test_ringing_again_writes_nothing_twice(app: Flask) -> None:
    room = a_destination("slack")
    duty = a_duty(an_incident())
    fire(FRIDAY)
    rung = db.session.scalars(select(Rung).where(Rung.duty_id == duty.id, Rung.outcome == "fired")).one()
    fired, mine = (rung.id, duty.id, duty.incident_id), (rung.id, duty.id, duty.incident_id, person("ines").id)
    for _ in range(2):
        with unit_of_work(CLOCKWORK, FRIDAY) as work:
            rooms.ring(work, [fired], [mine], {})
    assert len(posts(room)) == 1
    with pytest.raises(Conflict), unit_of_work(CLOCKWORK, FRIDAY) as work:
        work.session.add(Message(rung_id=rung.id, destination_id=room.id, channel="slack", kind="warning", content={}, message_id="other", created_at=FRIDAY))


def test_a_restricted_incident_never_goes_to_a_room(app: Flask) -> None:
    a_destination("slack")
    a_duty(an_incident(members=("ines",), restricted=True))
    open_one = a_duty(an_incident())
    for hours in (0, 48, 71, 73, 100):
        fire(FRIDAY + hours * HOUR)
    assert {one.incident_id for one in posts()} == {open_one.incident_id}


def test_one_that_is_restricted_before_it_is_sent_does_not_go_either(app: Flask) -> None:
    a_destination("slack", "http://127.0.0.1:9/x", "")
    duty = a_duty(an_incident(members=("ines",)))
    fire(FRIDAY)
    with unit_of_work(person("ines"), FRIDAY) as work:
        incident_acts.restrict(work, work.session.get_one(Incident, duty.incident_id), True)
    tick(app, FRIDAY)
    assert [(state(one), "restricted by now" in str(one.last_error)) for one in posts()] == [("withdrawn", True)]


def test_a_persons_own_way_gets_what_the_person_gets(app: Flask) -> None:
    ravis, monas = a_destination("ntfy", to="ravi"), a_destination("ntfy", to="mona")
    duty = a_duty(an_incident(), owner="ravi")
    told = fire(FRIDAY)
    assert told == {next(iter(told)): ["ravi"]}
    assert [(one.person_id, one.duty_id) for one in posts(ravis)] == [(person("ravi").id, duty.id)] and posts(monas) == []
    restricted = a_duty(an_incident(members=("mona", "ravi"), restricted=True), owner="mona")
    fire(FRIDAY)
    assert [one.duty_id for one in posts(monas)] == [restricted.id] and len(posts(ravis)) == 1


def test_who_may_no_longer_know_is_not_told_by_their_own_way(app: Flask) -> None:
    own = a_destination("ntfy", "http://127.0.0.1:9/topic", "", to="ravi")
    duty = a_duty(an_incident(members=("ines", "ravi"), restricted=True), owner="ravi")
    fire(FRIDAY)
    with unit_of_work(person("ines"), FRIDAY) as work:
        work.session.delete(work.session.scalars(select(Membership).where(Membership.incident_id == duty.incident_id, Membership.person_id == person("ravi").id)).one())
    tick(app, FRIDAY)
    assert [(state(one), one.last_error) for one in posts(own)] == [("withdrawn", "The person may no longer know of the incident.")]


def test_loud_ones_hear_loud_warnings_alone_and_those_for_the_worst_case_none(app: Flask) -> None:
    loud, spare, off = a_destination("slack", use="loud"), a_destination("ntfy", to="ines", use="fallback"), a_destination("webhook", active=False)
    a_duty(an_incident())
    fire(FRIDAY)
    assert posts() == []
    fire(FRIDAY + 71 * HOUR)
    assert len(posts(loud)) == 1 and posts(spare) == posts(off) == []


def test_rooms_are_quiet_while_somebody_has_the_duty_and_hear_of_it_once_the_deadline_passed(app: Flask) -> None:
    room = a_destination("slack")
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    acknowledge(duty, "ravi", FRIDAY + MINUTE)
    fire(FRIDAY + 48 * HOUR)
    assert len(posts(room)) == 1
    fire(FRIDAY + 72 * HOUR)
    assert len(posts(room)) == 2


def test_without_destinations_a_batch_costs_one_question_more_and_with_them_a_few(app: Flask) -> None:
    def cost() -> int:
        with listening(db.engine) as heard:
            fire(FRIDAY)
        return len([one for one in heard if "destination" in str(one).lower()])

    for _ in range(30):
        a_duty(an_incident())
    assert cost() <= 2
    a_destination("slack")
    a_destination("webhook")
    for _ in range(30):
        a_duty(an_incident())
    assert cost() <= 5 and len(posts()) == 60


def test_a_destination_keeps_what_was_sent_to_it(app: Flask) -> None:
    room = a_destination("slack")
    a_duty(an_incident())
    fire(FRIDAY)
    with pytest.raises(Conflict), unit_of_work(CLOCKWORK, FRIDAY) as work:
        work.session.delete(work.session.get_one(Destination, room.id))


def tick(app: Flask, now: Any) -> None:
    """One round of the worker."""
    db.session.rollback()
    run_once(app, now, "worker-of-the-test")
    db.session.rollback()


def test_two_workers_never_take_the_same_message(app: Flask) -> None:
    room = a_destination("slack")
    for _ in range(3):
        a_duty(an_incident())
    fire(FRIDAY)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        taken = postings.take(work, "slow", room.id, gathers=True, limit=2)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        others = postings.take(work, "other", room.id, gathers=True)
    assert (len(taken), len(others)) == (2, 1) and not set(taken) & set(others)
    with unit_of_work(CLOCKWORK, FRIDAY + deliveries.LEASE) as work:
        assert set(postings.take(work, "third", room.id, gathers=True)) == {*taken, *others}, "what a lost worker had is not sent by another"


def test_a_room_that_could_not_be_reached_hears_how_things_stand_and_not_what_was(app: Flask) -> None:
    room = a_destination("slack")
    a_duty(an_incident())
    for hours in (0, 48, 60):
        fire(FRIDAY + hours * HOUR)
    with unit_of_work(CLOCKWORK, FRIDAY + 61 * HOUR) as work:
        (newest,) = postings.take(work, "one", room.id, gathers=True)
    assert [state(one) for one in posts(room)] == ["withdrawn", "withdrawn", "waiting"] and posts(room)[-1].id == newest
