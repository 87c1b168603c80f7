"""Slack gets blocks that it takes, in which nothing that was typed is markup."""

import json
from typing import Any

import pytest

from incident_tracker.channels.slack import Slack, body, escape
from tests.alarms import a_duty, an_incident
from tests.channels import samples
from tests.channels.shapes import SLACK, problems
from tests.channels.test_webhook import Tick
from tests.destined import a_destination, posts, state
from tests.receivers import Receiver, Reply
from tests.stories import FRIDAY


@pytest.mark.parametrize("name", samples.LETTERS)
def test_it_is_a_message_as_slack_wants_it(name: str) -> None:
    assert problems(body(samples.LETTERS[name]), SLACK) == []


def test_the_shape_would_notice_what_slack_does_not_take() -> None:
    good = body(samples.a_letter())
    assert problems({**good, "blocks": good["blocks"] * 30}, SLACK) and problems({"blocks": good["blocks"]}, SLACK)
    good["blocks"][0]["text"]["text"] = "x" * 151
    assert problems(good, SLACK)


def test_nothing_that_was_typed_calls_people_or_becomes_a_link() -> None:
    said = json.dumps(body(samples.a_letter(samples.an_item(samples.NASTY))))
    assert "<!here>" not in said and "<https://evil" not in said and "<b>" not in said and "&lt;!here&gt;" in said
    assert escape("a < b & c > d") == "a &lt; b &amp; c &gt; d"


def test_a_room_hears_what_is_due_with_a_link(receiver: Receiver, tick: Tick) -> None:
    a_destination("slack", f"{receiver.address}/services/T0/B0/abc", "")
    duty = a_duty(an_incident(), title="Notify the supervisory authority")
    tick(FRIDAY)
    (request,) = receiver.requests
    assert request.path == "/services/T0/B0/abc" and problems(request.json, SLACK) == []
    header, lead, item = request.json["blocks"]
    assert header["text"]["text"] == f"Deadline {duty.incident.reference}: 72 h left"
    assert lead["text"]["text"] == "This has to be done before its deadline."
    assert item["text"]["text"].startswith(f"<https://breaches.example/incidents/{duty.incident.reference}/duties/{duty.id}|Notify the supervisory authority>\nDue: Mon 30 Nov 2026")
    assert "Laptop" not in request.body.decode()


def test_a_channel_that_was_archived_is_switched_off(receiver: Receiver, tick: Tick) -> None:
    room = a_destination("slack", f"{receiver.address}/services/T0/B0/s3cr3tkey", "")
    a_duty(an_incident())
    receiver.reply = Reply(410, b"channel_is_archived")
    tick(FRIDAY)
    (message,) = posts(room)
    assert state(message) == "dead" and "channel_is_archived" in str(message.last_error) and "s3cr3tkey" not in str(message.last_error)


def test_it_needs_an_address_and_nothing_else() -> None:
    setup: Any = Slack.setup
    assert setup.secret is None and not setup.options
