"""PagerDuty: one alert a duty and deadline, acknowledged when somebody takes the duty, resolved when it needs nobody any more, in this order."""

from datetime import timedelta
from typing import Any

import pytest

from incident_tracker.actions import deliveries, rooms
from incident_tracker.channels.letters import Target
from incident_tracker.channels.pagerduty import PagerDuty
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.work import unit_of_work
from tests.alarms import HOUR, a_duty, acknowledge, an_incident, change, fire
from tests.channels import samples
from tests.channels.shapes import PAGERDUTY, problems
from tests.channels.test_webhook import Tick
from tests.destined import a_destination, posts, state
from tests.receivers import Receiver, Reply
from tests.stories import FRIDAY, person

KEY = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def service(app: Any, receiver: Receiver) -> Any:
    receiver.reply = Reply(202, b'{"status":"success"}')
    return a_destination("pagerduty", f"{receiver.address}/v2/enqueue", KEY)


def events(receiver: Receiver) -> list[str]:
    assert [said for body in receiver.bodies for said in problems(body, PAGERDUTY)] == []
    return [body["event_action"] for body in receiver.bodies]


@pytest.mark.parametrize("name", samples.LETTERS)
@pytest.mark.parametrize("kind", ["warning", "taken", "settled"])
def test_it_is_an_event_as_published(name: str, kind: str) -> None:
    letter = samples.LETTERS[name]
    found = PagerDuty().posts(letter if letter.kind == "test" else samples.replace(letter, kind=kind), Target("https://x", KEY))
    assert [problems(one.body, PAGERDUTY) for one in found] == [[]] * len(found)


def test_a_test_opens_an_alert_and_closes_it_again() -> None:
    opened, closed = (one.body for one in PagerDuty().posts(samples.a_test(), Target("https://x", KEY)))
    assert isinstance(opened, dict) and isinstance(closed, dict)
    assert (opened["event_action"], opened["payload"]["severity"], closed["event_action"]) == ("trigger", "info", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]


def test_the_shape_would_notice_what_is_no_event() -> None:
    (good,) = PagerDuty().posts(samples.a_letter(), Target("https://x", KEY))
    assert isinstance(good.body, dict)
    for wrong in ({"dedup_key": "x" * 256}, {"event_action": "open"}, {"routing_key": "short"}, {"payload": {**good.body["payload"], "severity": "loud"}}):
        assert problems({**good.body, **wrong}, PAGERDUTY)


def test_all_warnings_of_a_deadline_are_one_alert(service: Any, receiver: Receiver, tick: Tick) -> None:
    incident = an_incident()
    duty, other = a_duty(incident, title="Notify the supervisory authority"), a_duty(incident)
    for hours in (0, 48, 71):
        tick(FRIDAY + hours * HOUR)
    keys = [body["dedup_key"] for body in receiver.bodies]
    assert set(events(receiver)) == {"trigger"} and set(keys) == {f"{incident.reference}:{one.id}:2026-11-30T16:30Z" for one in (duty, other)}
    first, last = ([body for body in receiver.bodies if body["dedup_key"].split(":")[1] == str(duty.id)][index] for index in (0, -1))
    assert first["payload"]["summary"] == f"Deadline {incident.reference}: 72 h left: Notify the supervisory authority"
    assert (first["payload"]["severity"], last["payload"]["severity"], first["payload"]["source"]) == ("warning", "critical", "breaches.example")


def test_taking_a_duty_acknowledges_and_settling_it_resolves(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    tick(FRIDAY)
    acknowledge(duty, "ines", FRIDAY + MINUTE)
    tick(FRIDAY + MINUTE)
    change(duty, FRIDAY + 2 * MINUTE, state="met", done_at=FRIDAY + 2 * MINUTE)
    tick(FRIDAY + 2 * MINUTE)
    assert events(receiver) == ["trigger", "acknowledge", "resolve"]
    assert len({body["dedup_key"] for body in receiver.bodies}) == 1
    change(duty, FRIDAY + 3 * MINUTE)
    tick(FRIDAY + 3 * MINUTE)
    assert len(receiver.requests) == 3, "it was resolved twice"


@pytest.mark.parametrize("state_after", ["met", "met_late", "withdrawn", "not_required", "does_not_apply", "held", "not_started"])
def test_every_state_that_is_not_warned_of_resolves(service: Any, receiver: Receiver, tick: Tick, state_after: str) -> None:
    duty = a_duty(an_incident())
    tick(FRIDAY)
    change(duty, FRIDAY + MINUTE, state=state_after)
    tick(FRIDAY + MINUTE)
    assert events(receiver) == ["trigger", "resolve"]


def test_a_deadline_that_moved_closes_its_alert_and_the_new_one_opens_another(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    tick(FRIDAY + HOUR)
    change(duty, FRIDAY + 2 * HOUR, conservative_at=FRIDAY + 50 * HOUR)
    tick(FRIDAY + 2 * HOUR)
    tick(FRIDAY + 49 * HOUR)
    actions = events(receiver)
    assert actions[0] == "trigger" and actions.count("resolve") == 1
    resolved = receiver.bodies[actions.index("resolve")]["dedup_key"]
    assert resolved == receiver.bodies[0]["dedup_key"] != receiver.bodies[-1]["dedup_key"] and actions[-1] == "trigger"


def test_a_duty_that_runs_again_opens_its_alert_again_and_closes_it_again(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    tick(FRIDAY)
    for hours, after in ((1, "met"), (2, "running"), (48, "running"), (49, "met")):
        change(duty, FRIDAY + hours * HOUR, state=after)
        tick(FRIDAY + hours * HOUR)
    assert events(receiver) == ["trigger", "resolve", "trigger", "resolve"]


def test_a_warning_that_was_never_sent_is_withdrawn_and_nothing_follows_it(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    fire(FRIDAY)
    acknowledge(duty, "ines", FRIDAY)
    change(duty, FRIDAY, state="met", done_at=FRIDAY)
    tick(FRIDAY)
    assert receiver.requests == [] and {state(one) for one in posts()} == {"withdrawn"}


def test_a_resolve_is_never_sent_before_its_trigger(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    receiver.reply = Reply(429, headers={"Retry-After": "60"})
    tick(FRIDAY)
    receiver.reply = Reply(202)
    acknowledge(duty, "ines", FRIDAY + 10 * timedelta(seconds=1))
    tick(FRIDAY + 2 * MINUTE)
    tick(FRIDAY + 3 * MINUTE)
    assert events(receiver) == ["trigger", "trigger", "acknowledge"]


def test_one_that_is_on_its_way_is_followed_by_its_resolve(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    receiver.reply = Reply(0)
    receiver.by_request = lambda request: Reply(202) if b"resolve" in request.body else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("incident_tracker.channels.outgoing.READ_SECONDS", 0.2)
        tick(FRIDAY)
    # it may have arrived: nobody knows
    change(duty, FRIDAY + MINUTE, state="met", done_at=FRIDAY + MINUTE)
    receiver.reply = Reply(202)
    for minutes in (1, 2, 3):
        tick(FRIDAY + minutes * MINUTE)
    assert [state(one) for one in posts(kind="warning")] == ["withdrawn"]
    assert events(receiver) == ["trigger", "resolve"]


def test_who_takes_it_twice_is_told_of_once(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    tick(FRIDAY)
    for name in ("ines", "ravi", "ines"):
        acknowledge(duty, name, FRIDAY + MINUTE)
    tick(FRIDAY + MINUTE)
    assert events(receiver) == ["trigger", "acknowledge"]


def test_a_given_up_trigger_that_is_sent_again_stays_out_if_the_duty_is_settled(service: Any, receiver: Receiver, tick: Tick) -> None:
    duty = a_duty(an_incident())
    receiver.reply = Reply(400, b"invalid key")
    tick(FRIDAY)
    change(duty, FRIDAY + MINUTE, state="met", done_at=FRIDAY + MINUTE)
    assert [state(one) for one in posts()] == ["dead"], "something follows a warning that never arrived"
    with unit_of_work(person("mona"), FRIDAY + MINUTE) as work:
        deliveries.send_again(work, work.session.get(Message, posts()[0].id))
    receiver.requests.clear()
    tick(FRIDAY + MINUTE)
    assert receiver.requests == [] and [state(one) for one in posts()] == ["withdrawn"]


def test_only_receivers_that_follow_duties_are_told_more_than_warnings(receiver: Receiver, tick: Tick) -> None:
    a_destination("slack", receiver.address, "")
    a_destination("webhook", receiver.address)
    duty = a_duty(an_incident())
    tick(FRIDAY)
    acknowledge(duty, "ines", FRIDAY)
    change(duty, FRIDAY, state="met", done_at=FRIDAY)
    tick(FRIDAY + MINUTE)
    assert {one.kind for one in posts()} == {"warning"} and rooms.FOLLOWING == ("pagerduty",) and db.session is not None
