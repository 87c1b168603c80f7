"""Mattermost gets a post in which nothing that was typed is Markdown or calls people."""

import pytest

from incident_tracker.channels.mattermost import body, escape
from tests.alarms import a_duty, an_incident
from tests.channels import samples
from tests.channels.shapes import MATTERMOST, problems
from tests.channels.test_webhook import Tick
from tests.destined import a_destination, posts, state
from tests.receivers import Receiver
from tests.stories import FRIDAY


@pytest.mark.parametrize("name", samples.LETTERS)
def test_it_is_a_post_as_mattermost_wants_it(name: str) -> None:
    assert problems(body(samples.LETTERS[name]), MATTERMOST) == []


def test_nothing_that_was_typed_is_markup_or_calls_people() -> None:
    assert escape("*now* [x](y) @all # `rm` _so_ ~~x~~ <b>") == r"\*now\* \[x\](y) @" + "\u200b" + r"all \# \`rm\` \_so\_ \~\~x\~\~ \<b\>"
    said = body(samples.a_letter(samples.an_item(samples.NASTY + "\n# A heading")))["text"]
    assert "@channel" not in said and "[x](" not in said and "\n# A" not in said


def test_a_room_hears_what_is_due_with_a_link(receiver: Receiver, tick: Tick) -> None:
    a_destination("mattermost", f"{receiver.address}/hooks/abc", "")
    duty = a_duty(an_incident(), title="Notify the supervisory authority")
    tick(FRIDAY)
    (request,) = receiver.requests
    text = request.json["text"]
    assert request.path == "/hooks/abc" and text.startswith(f"#### Deadline {duty.incident.reference}: 72 h left\n")
    assert f"- [Notify the supervisory authority](https://breaches.example/incidents/{duty.incident.reference}/duties/{duty.id})\n  Due: Mon 30 Nov 2026" in text
    assert [state(one) for one in posts()] == ["sent"]
