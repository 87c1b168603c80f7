"""Teams gets an Adaptive Card of the published shape, under its limit, in which nothing is read as Markdown."""

import json

import pytest

from incident_tracker.channels.letters import Target
from incident_tracker.channels.teams import Teams
from tests.alarms import a_duty, an_incident
from tests.channels import samples
from tests.channels.shapes import TEAMS, problems
from tests.channels.test_webhook import Tick
from tests.destined import a_destination, posts, state
from tests.receivers import Receiver, Reply
from tests.stories import FRIDAY


def message(letter: samples.Letter) -> dict[str, object]:
    (post,) = Teams().posts(letter, Target("https://x.logic.azure.com/workflows/1"))
    assert isinstance(post.body, dict)
    return post.body


@pytest.mark.parametrize("name", samples.LETTERS)
def test_it_is_a_card_as_published_and_never_too_large(name: str) -> None:
    found = message(samples.LETTERS[name])
    assert problems(found, TEAMS) == []
    assert len(json.dumps(found).encode()) <= 28 * 1024


def test_a_card_that_would_be_too_large_lists_fewer_duties_and_says_so() -> None:
    huge = samples.a_letter(*(samples.an_item("é" * 300, number) for number in range(60)))
    said = json.dumps(message(huge))
    assert len(said.encode()) <= 28 * 1024 and "more, in the tracker" in said


def test_the_shape_would_notice_what_is_no_card() -> None:
    found = message(samples.a_letter())
    found["attachments"][0]["content"]["body"][0]["type"] = "TextBlock"  # type: ignore[index]
    assert problems(found, TEAMS)


def test_nothing_is_read_as_markdown() -> None:
    said = json.dumps(message(samples.LETTERS["nasty"]))
    assert "TextBlock\"" in said.replace("RichTextBlock", "TextBlock") and '"TextBlock"' not in said and "FactSet" not in said


def test_accepted_is_taken(receiver: Receiver, tick: Tick) -> None:
    a_destination("teams", f"{receiver.address}/workflows/abc?sig=xyz", "")
    duty = a_duty(an_incident(), title="Notify the supervisory authority")
    receiver.reply = Reply(202, b"")
    tick(FRIDAY)
    (request,) = receiver.requests
    assert request.path == "/workflows/abc?sig=xyz" and problems(request.json, TEAMS) == []
    said = request.body.decode()
    assert "Notify the supervisory authority" in said and f"/duties/{duty.id}" in said and "Laptop" not in said
    assert [state(one) for one in posts()] == ["sent"]
