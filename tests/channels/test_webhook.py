"""Signed events to a program of one's own: what they say, whether they can be trusted, and what happens when nobody takes them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from incident_tracker.channels import outgoing
from incident_tracker.channels.letters import Target
from incident_tracker.channels.webhook import Webhook, new_secret
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.destinations import Destination
from incident_tracker.models.messages import Message
from incident_tracker.rules import retries
from tests.alarms import HOUR, a_duty, an_incident, change, fire
from tests.destined import SECRET, a_destination, posts, state
from tests.receivers import Receiver, Reply, Request
from tests.stories import FRIDAY, person

DEADLINE = FRIDAY + 72 * HOUR
MINUTE = timedelta(minutes=1)
Tick = Callable[[datetime], Any]


def verified(request: Request, secret: str = SECRET, at: datetime = FRIDAY) -> Any:
    """The event, if its signature holds for whoever reads it at that moment."""
    with time_machine.travel(at, tick=False):
        return Verifier(secret).verify(request.body, request.headers)


def test_an_event_says_what_is_due_and_where_to_look_and_no_more(receiver: Receiver, tick: Tick):
    a_destination(address=f"{receiver.address}/hook")
    duty = a_duty(an_incident(), owner="ravi", title="Notify the supervisory authority")
    tick(FRIDAY)
    (request,) = receiver.requests
    reference = duty.incident.reference
    assert (request.method, request.path, request.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert verified(request) == {
        "type": "duty.warning", "timestamp": "2026-11-27T16:30:00+00:00",
        "data": {
            "incident": reference, "urgent": False, "link": f"https://breaches.example/incidents/{reference}",
            "duties": [{
                "title": "Notify the supervisory authority", "deadline": "2026-11-30T17:30:00+01:00", "is_overdue": False, "is_own_target": False,
                "link": f"https://breaches.example/incidents/{reference}/duties/{duty.id}", "key": f"{reference}:{duty.id}:2026-11-30T16:30Z",
            }],
        },
    }
    assert b"Laptop" not in request.body and b"Ravi" not in request.body and b"Berlin authority" not in request.body


def test_a_signature_holds_for_one_body_one_key_and_five_minutes(receiver: Receiver, tick: Tick):
    a_destination(address=receiver.address)
    a_duty(an_incident())
    tick(FRIDAY)
    (request,) = receiver.requests
    assert verified(request, at=FRIDAY + 4 * MINUTE)
    forged = Request(request.method, request.path, request.headers, request.body.replace(b"INC", b"INK"))
    for bad, secret, at in ((forged, SECRET, FRIDAY), (request, new_secret(), FRIDAY), (request, SECRET, FRIDAY + 6 * MINUTE)):
        with pytest.raises(WebhookVerificationError):
            verified(bad, secret, at)


def test_a_try_after_a_failure_has_the_same_id_and_a_signature_of_its_own(receiver: Receiver, tick: Tick):
    a_destination(address=receiver.address)
    a_duty(an_incident())
    receiver.reply = Reply(500)
    tick(FRIDAY)
    (message,) = posts()
    assert (state(message), message.attempts) == ("waiting", 1)
    assert timedelta(seconds=15) <= message.next_attempt_at - FRIDAY <= timedelta(seconds=19)
    receiver.reply = Reply()
    tick(FRIDAY + MINUTE)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == message.message_id
    assert second.headers["webhook-timestamp"] == str(int((FRIDAY + MINUTE).timestamp())) and verified(second, at=FRIDAY + MINUTE)
    assert state(posts()[0]) == "sent"


def test_a_receiver_that_asks_for_a_rest_gets_it_for_everything(receiver: Receiver, tick: Tick):
    a_destination(address=receiver.address)
    for _ in range(3):
        a_duty(an_incident())
    receiver.reply = Reply(429, headers={"Retry-After": "600"})
    tick(FRIDAY)
    assert len(receiver.requests) == 1, "it was asked again although it had asked for a rest"
    assert all(one.next_attempt_at >= FRIDAY + 10 * MINUTE for one in posts())
    receiver.reply = Reply()
    a_duty(an_incident(), 80, start=FRIDAY + 5 * MINUTE)
    tick(FRIDAY + 6 * MINUTE)
    assert len(receiver.requests) == 1, "a new warning broke the rest"
    tick(FRIDAY + 14 * MINUTE)
    assert [state(one) for one in posts()] == ["sent"] * 4


def test_a_receiver_that_is_gone_is_switched_off_and_everything_shows_as_not_delivered(receiver: Receiver, tick: Tick):
    destination = a_destination(address=receiver.address)
    for _ in range(2):
        a_duty(an_incident())
    receiver.reply = Reply(410, b"this hook was removed")
    tick(FRIDAY)
    assert len(receiver.requests) == 1 and [state(one) for one in posts()] == ["dead", "dead"]
    found = db.session.get_one(Destination, destination.id)
    assert (found.active, found.is_failing) == (False, True) and "410: this hook was removed" in str(found.last_error)
    assert [one.subject for one in db.session.scalars(select(AuditEntry).where(AuditEntry.action == "destination.switch_off"))] == [f"destination:{destination.id}"]
    (rang,) = db.session.scalars(select(Message).where(Message.kind == "channel_gone", Message.channel == "bell"))
    assert (rang.person_id, rang.content["name"]) == (person("adam").id, "webhook of all")
    a_duty(an_incident())
    tick(FRIDAY)
    assert len(posts()) == 2 and len(receiver.requests) == 1


def test_administrators_find_on_their_bell_that_a_channel_is_gone(receiver: Receiver, tick: Tick, browse: Any):
    a_destination(address=receiver.address, name="Our <program>")
    a_duty(an_incident())
    receiver.reply = Reply(410)
    tick(FRIDAY)
    page = browse("adam").get("/warnings").text
    assert "A channel was switched off: Our &lt;program&gt;" in page and "It is gone for good: HTTP 410" in page
    assert "switched off" not in browse("ines").get("/warnings").text


def test_a_refusal_for_good_stops_one_event_and_not_the_next(receiver: Receiver, tick: Tick):
    a_destination(address=receiver.address)
    refused = a_duty(an_incident()).incident.reference.encode()
    a_duty(an_incident())
    receiver.by_request = lambda request: Reply(400, b"unknown incident") if refused in request.body else None
    tick(FRIDAY)
    assert [state(one) for one in posts()] == ["dead", "sent"]
    assert posts()[0].last_error == "it was refused: HTTP 400: unknown incident"


def test_after_the_last_try_an_event_is_given_up_in_the_open(receiver: Receiver, tick: Tick, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retries, "TRIES", 2)
    a_destination(address=receiver.address)
    a_duty(an_incident())
    receiver.reply = Reply(503)
    for minutes in (0, 5, 10):
        tick(FRIDAY + minutes * MINUTE)
    assert (state(posts()[0]), len(receiver.requests)) == ("dead", 2)


def test_a_receiver_that_hangs_holds_up_nobody_else(receiver: Receiver, tick: Tick, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outgoing, "READ_SECONDS", 0.3)
    slow, quick = a_destination(address=f"{receiver.address}/slow"), a_destination(address=f"{receiver.address}/quick", name="Quick")
    for _ in range(4):
        a_duty(an_incident())
    receiver.by_request = lambda request: Reply(0) if request.path == "/slow" else None
    tick(FRIDAY)
    assert [state(one) for one in posts(quick)] == ["sent"] * 4
    assert [state(one) for one in posts(slow)] == ["waiting"] * 4
    assert [one.path for one in receiver.requests].count("/slow") == 2, "a receiver that hangs was waited for with every event"
    receiver.by_request = lambda request: None
    tick(FRIDAY + MINUTE)
    assert [state(one) for one in posts(slow)] == ["sent"] * 4


def test_several_warnings_of_an_incident_are_one_event(receiver: Receiver, tick: Tick):
    a_destination(address=receiver.address)
    incident = an_incident()
    a_duty(incident, 200, title="Tell the people")
    a_duty(incident, 20, title="Tell the authority")
    tick(FRIDAY)
    (request,) = receiver.requests
    assert [one["title"] for one in request.json["data"]["duties"]] == ["Tell the authority", "Tell the people"]
    assert [state(one) for one in posts()] == ["sent", "sent"]


def test_a_warning_of_a_duty_that_was_met_meanwhile_is_not_sent(receiver: Receiver, tick: Tick):
    a_destination(address=receiver.address)
    duty = a_duty(an_incident())
    fire(FRIDAY)
    change(duty, FRIDAY + MINUTE, state="met", done_at=FRIDAY + MINUTE)
    tick(FRIDAY + 2 * MINUTE)
    assert receiver.requests == [] and state(posts()[0]) == "withdrawn"


def test_a_destination_that_was_switched_off_is_sent_nothing_that_still_waits(receiver: Receiver, tick: Tick):
    destination = a_destination(address=receiver.address)
    a_duty(an_incident())
    fire(FRIDAY)
    db.session.get_one(Destination, destination.id).active = False
    db.session.commit()
    tick(FRIDAY)
    assert receiver.requests == [] and (state(posts()[0]), posts()[0].last_error) == ("withdrawn", "The destination is switched off.")


@pytest.mark.parametrize("secret", [SECRET, new_secret()], ids=["one of the tests", "a new one"])
def test_a_good_signing_secret_is_taken(secret: str):
    assert Webhook().check(Target("https://x", secret)) == {}


@pytest.mark.parametrize("secret", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", SECRET.removeprefix("whsec_"), "whsec_" + "QUFB" * 22])
def test_a_signing_secret_that_receivers_could_not_use_is_refused(secret: str):
    assert "whsec_" in Webhook().check(Target("https://x", secret))["secret"]
