"""Matrix gets the same event under the same id on every try, with text and HTML."""

from datetime import timedelta

import pytest

from incident_tracker.channels.letters import Target
from incident_tracker.channels.matrix import Matrix, body
from tests.alarms import a_duty, an_incident
from tests.channels import samples
from tests.channels.shapes import MATRIX, problems
from tests.channels.test_webhook import Tick
from tests.destined import a_destination, posts, state
from tests.receivers import Receiver, Reply
from tests.stories import FRIDAY

ROOM = {"room": "!abc:matrix.example"}


@pytest.mark.parametrize("name", samples.LETTERS)
def test_it_is_a_message_as_the_specification_has_it(name: str) -> None:
    assert problems(body(samples.LETTERS[name]), MATRIX) == []


def test_what_was_typed_is_text_in_the_html() -> None:
    html = body(samples.LETTERS["nasty"])["formatted_body"]
    assert "<b>" not in html and "&lt;b&gt;everybody" in html and "<!here>" not in html


def test_a_repetition_is_the_same_event(receiver: Receiver, tick: Tick) -> None:
    a_destination("matrix", f"{receiver.address}/", "syt_token", options=ROOM)
    a_duty(an_incident())
    receiver.reply = Reply(502)
    tick(FRIDAY)
    receiver.reply = Reply(200, b'{"event_id":"$x"}')
    tick(FRIDAY + timedelta(minutes=1))
    first, second = receiver.requests
    assert first.method == "PUT" and first.path == second.path
    assert first.path == f"/_matrix/client/v3/rooms/%21abc%3Amatrix.example/send/m.room.message/{posts()[0].message_id}"
    assert first.headers["authorization"] == "Bearer syt_token" and state(posts()[0]) == "sent"


def test_an_older_server_says_in_its_body_how_long_to_wait(receiver: Receiver, tick: Tick) -> None:
    a_destination("matrix", receiver.address, "syt_token", options=ROOM)
    a_duty(an_incident())
    receiver.reply = Reply(429, b'{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests","retry_after_ms":600000}')
    tick(FRIDAY)
    assert posts()[0].next_attempt_at >= FRIDAY + timedelta(minutes=10)


def test_a_token_that_was_taken_back_is_a_refusal_for_good(receiver: Receiver, tick: Tick) -> None:
    a_destination("matrix", receiver.address, "syt_token", options=ROOM)
    a_duty(an_incident())
    receiver.reply = Reply(401, b'{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token syt_token"}')
    tick(FRIDAY)
    assert state(posts()[0]) == "dead" and "M_UNKNOWN_TOKEN" in str(posts()[0].last_error) and "syt_token" not in str(posts()[0].last_error)


@pytest.mark.parametrize(("room", "secret", "wrong"), [
    ("!abc:example.org", "syt_x", set()), ("!abcdef", "syt_x", set()), ("#abc:example.org", "syt_x", {"room"}), ("", "syt_x", {"room"}), ("!a b", "syt x", {"room", "secret"}),
])
def test_a_room_is_named_by_its_id(room: str, secret: str, wrong: set[str]) -> None:
    assert set(Matrix().check(Target("https://matrix.example", secret, {"room": room}))) == wrong
