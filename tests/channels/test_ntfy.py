"""ntfy gets a message under its topic, short enough to stay one."""

import pytest

from incident_tracker.channels.letters import Target
from incident_tracker.channels.ntfy import LONGEST, Ntfy, body
from tests.alarms import HOUR, a_duty, an_incident
from tests.channels import samples
from tests.channels.shapes import NTFY, problems
from tests.channels.test_webhook import Tick
from tests.destined import a_destination, posts, state
from tests.receivers import Receiver
from tests.stories import FRIDAY


@pytest.mark.parametrize("name", samples.LETTERS)
def test_it_is_a_message_as_ntfy_wants_it(name: str) -> None:
    found = body(samples.LETTERS[name], "breaches-7f3a")
    assert problems(found, NTFY) == [] and len(found["message"].encode()) <= LONGEST


@pytest.mark.parametrize("token", ["", "tk_abc"])
def test_a_message_goes_to_the_server_with_its_topic(receiver: Receiver, tick: Tick, token: str) -> None:
    a_destination("ntfy", f"{receiver.address}/push/breaches-7f3a", token)
    duty = a_duty(an_incident(), title="Notify the supervisory authority")
    tick(FRIDAY)
    (request,) = receiver.requests
    assert (request.path, request.headers.get("authorization")) == ("/push/", f"Bearer {token}" if token else None)
    assert request.json["topic"] == "breaches-7f3a" and request.json["title"] == f"Deadline {duty.incident.reference}: 72 h left"
    assert "Notify the supervisory authority\nDue: Mon 30 Nov 2026" in request.json["message"] and request.json["priority"] == 3
    assert [state(one) for one in posts()] == ["sent"]


def test_a_loud_warning_rings_through(receiver: Receiver, tick: Tick) -> None:
    a_destination("ntfy", f"{receiver.address}/breaches-7f3a", "", use="loud")
    a_duty(an_incident())
    tick(FRIDAY)
    assert receiver.requests == []
    tick(FRIDAY + 71 * HOUR)
    assert [one["priority"] for one in receiver.bodies] == [5]


@pytest.mark.parametrize(("address", "is_good"), [
    ("https://ntfy.example/breaches", True), ("https://ntfy.example/a/b_c-1", True), ("https://ntfy.example/", False), ("https://ntfy.example/a.b", False),
    ("https://ntfy.example/topic?auth=x", False), ("https://ntfy.example/" + "a" * 65, False),
])
def test_the_address_ends_in_a_topic(address: str, is_good: bool) -> None:
    assert ("address" not in Ntfy().check(Target(address))) is is_good
