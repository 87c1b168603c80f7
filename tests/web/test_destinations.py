"""The administrator sets up where warnings go: what is asked, what is refused, what is never shown again, and what a test really answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import select

from incident_tracker.config import Config
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.destinations import Destination, Seal, Unreadable
from tests import rows
from tests.alarms import a_duty, an_incident, fire
from tests.conftest import test_config
from tests.destined import SECRET, a_destination
from tests.receivers import Receiver, Reply, open_receiver
from tests.stories import FRIDAY, person

HOOK = "/services/T0AAAA/B0BBBB/s3cr3tpath"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    return test_config(tmp_path, database_url, allow_private_targets="127.0.0.0/8")


def the_one() -> Destination:
    db.session.rollback()
    return db.session.scalars(select(Destination)).one()


def add(browse: Any, channel: str, **entered: str) -> Any:
    return browse("adam").post(f"/channels/new/{channel}", data={"name": "Privacy room", "use": "always", "person": "", **entered})


def everything_kept() -> str:
    with db.engine.connect() as connection:
        return repr(rows.contents(connection))


def test_there_is_something_to_do_where_nothing_is_set_up(app: Flask, browse: Any) -> None:
    page = browse("adam").get("/channels").text
    assert "No channel yet" in page and "/channels/new" in page
    for label in ("Slack", "Microsoft Teams", "Mattermost", "Matrix", "ntfy", "PagerDuty", "Webhook"):
        assert label in browse("adam").get("/channels/new").text


@pytest.mark.parametrize("name", ["ines", "laura", "mona", "olga"])
def test_channels_are_for_administrators(app: Flask, browse: Any, name: str) -> None:
    number = a_destination().id
    for path in ("/channels", "/channels/new", "/channels/new/slack", f"/channels/{number}"):
        assert browse(name).get(path).status_code == 403
    for path in ("/channels/new/slack", f"/channels/{number}", *(f"/channels/{number}/{act}" for act in ("test", "switch-off", "switch-on", "delete"))):
        assert browse(name).post(path).status_code == 403


def test_a_room_is_set_up_and_its_address_never_shown_again(app: Flask, browse: Any, receiver: Receiver) -> None:
    answer = add(browse, "slack", address_secret=receiver.address + HOOK)
    assert answer.status_code == 302
    found = the_one()
    assert (found.kind, found.name, found.person_id, found.use, found.active) == ("slack", "Privacy room", None, "always", True)
    assert found.shown == f"127.0.0.1:{receiver.port}, ends in path"
    for path in ("/channels", f"/channels/{found.id}"):
        page = browse("adam").get(path).text
        assert "ends in path" in page and "T0AAAA" not in page and "s3cr3tpath" not in page
    assert "T0AAAA" not in everything_kept() and "s3cr3tpath" not in everything_kept()
    assert [one.action for one in db.session.scalars(select(AuditEntry).where(AuditEntry.subject == f"destination:{found.id}"))] == ["destination.add"]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_no_secret_lies_in_the_database_file(app: Flask, browse: Any, receiver: Receiver, tmp_path: Path, database_url: str) -> None:
    add(browse, "webhook", address_secret=receiver.address + HOOK, secret=SECRET)
    browse("adam").post(f"/channels/{the_one().id}/test")
    db.session.rollback()
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(path.read_bytes() for path in Path(database_url.removeprefix("sqlite:///")).parent.glob("tracker.sqlite3*"))
    assert b"Privacy room" in kept and b"s3cr3tpath" not in kept and SECRET.encode() not in kept
    seal = Seal.of(app.extensions["tracker"].instance)
    assert (seal.open(the_one().address), seal.open(the_one().secret)) == (receiver.address + HOOK, SECRET)


def test_a_signing_secret_is_made_and_shown_once(app: Flask, browse: Any, receiver: Receiver) -> None:
    answer = add(browse, "webhook", address_secret=receiver.address)
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]{40,}", answer.text)
    assert Seal.of(app.extensions["tracker"].instance).open(the_one().secret) == secret
    for path in ("/channels", f"/channels/{the_one().id}"):
        assert secret not in browse("adam").get(path).text


@pytest.mark.parametrize(("address", "said"), [
    ("", "Webhook URL is missing"), ("hooks.slack.com/services/x", "Write the whole address"), ("https://169.254.169.254/latest", "not on the public internet"),
    ("https://10.0.0.1/hook", "ALLOW_PRIVATE_TARGETS"), ("https://no-such-host.invalid/x", "There is no host"), ("https://me:word@hooks.example.org/", "Leave name and password out"),
])
def test_an_address_that_cannot_be_used_is_refused_when_it_is_saved(app: Flask, browse: Any, address: str, said: str) -> None:
    answer = add(browse, "slack", address_secret=address)
    assert answer.status_code == 422 and said in answer.text
    assert db.session.scalar(select(Destination.id)) is None


def test_what_else_is_missing_stands_beside_its_field(app: Flask, browse: Any, receiver: Receiver) -> None:
    page = add(browse, "matrix", name=" ", address_secret=receiver.address, room="#privacy:example.org").text
    for said in ("Give it a name", "Access token is missing", "begins with an exclamation mark"):
        assert said in page
    assert "An integration key has 32 letters" in add(browse, "pagerduty", secret="short").text
    assert "ends in the topic" in add(browse, "ntfy", address_secret=f"{receiver.address}/").text
    assert "A signing secret is whsec_" in add(browse, "webhook", address_secret=receiver.address, secret="mine").text


def test_a_persons_own_way_is_one_a_kind_and_may_wait_for_another_to_fail(app: Flask, browse: Any, receiver: Receiver) -> None:
    ravi = str(person("ravi").id)
    topic = f"{receiver.address}/breaches-7f3a"
    assert add(browse, "ntfy", address_secret=topic, person=ravi, use="fallback").status_code == 302
    assert (the_one().person_id, the_one().use) == (int(ravi), "fallback")
    assert "Ravi Menon has a way by ntfy already" in add(browse, "ntfy", address_secret=topic, person=ravi).text
    assert "Only a person" in add(browse, "ntfy", address_secret=topic, use="fallback").text


def test_what_is_left_empty_is_kept(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "matrix", address_secret=receiver.address, secret="syt_token", room="!abc:example.org")
    found = the_one()
    data = {"name": "Renamed", "address_secret": "", "secret": "", "room": "!other:example.org", "use": "loud", "version": str(found.version)}
    assert browse("adam").post(f"/channels/{found.id}", data=data).status_code == 302
    seal, found = Seal.of(app.extensions["tracker"].instance), the_one()
    assert (found.name, found.use, found.options) == ("Renamed", "loud", {"room": "!other:example.org"})
    assert (seal.open(found.address), seal.open(found.secret)) == (receiver.address, "syt_token")


def test_a_kept_secret_does_not_go_to_another_host(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "matrix", address_secret=receiver.address, secret="syt_token", room="!abc:example.org")
    found = the_one()
    with open_receiver() as other:
        data = {"name": "Mine now", "address_secret": other.address, "secret": "", "room": "!abc:example.org", "use": "always", "version": str(found.version)}
        answer = browse("adam").post(f"/channels/{found.id}", data=data)
        assert answer.status_code == 422 and "enter the secret for it too" in answer.text
        assert browse("adam").post(f"/channels/{found.id}", data={**data, "secret": "syt_other"}).status_code == 302
    assert Seal.of(app.extensions["tracker"].instance).open(the_one().secret) == "syt_other"


def test_a_secret_that_is_not_needed_can_be_forgotten(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "ntfy", address_secret=f"{receiver.address}/breaches", secret="tk_token")
    found = the_one()
    assert "Forget the one that is stored" in browse("adam").get(f"/channels/{found.id}").text
    data = {"name": "Phones", "address_secret": "", "secret": "", "use": "always", "version": str(found.version), "forget": "y"}
    assert browse("adam").post(f"/channels/{found.id}", data=data).status_code == 302
    assert the_one().secret is None
    browse("adam").post(f"/channels/{found.id}/test")
    assert "Authorization" not in receiver.requests[-1].headers
    assert "Forget" not in browse("adam").get(f"/channels/{found.id}").text


def test_one_that_was_made_can_be_made_anew(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "webhook", address_secret=receiver.address)
    seal, found = Seal.of(app.extensions["tracker"].instance), the_one()
    before = seal.open(found.secret)
    data = {"name": "Our program", "address_secret": "", "secret": "", "use": "always", "version": str(found.version), "forget": "y"}
    shown = browse("adam").post(f"/channels/{found.id}", data=data)
    after = seal.open(the_one().secret)
    assert shown.status_code == 200 and after in shown.text and after != before


def test_one_that_is_needed_is_not_forgotten(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "matrix", address_secret=receiver.address, secret="syt_token", room="!abc:example.org")
    found = the_one()
    data = {"name": "Renamed", "address_secret": "", "secret": "", "room": "!abc:example.org", "use": "always", "version": str(found.version), "forget": "y"}
    assert browse("adam").post(f"/channels/{found.id}", data=data).status_code == 302
    assert Seal.of(app.extensions["tracker"].instance).open(the_one().secret) == "syt_token"


def test_two_who_change_it_at_once_do_not_undo_each_other(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "slack", address_secret=receiver.address + HOOK)
    found = the_one()
    data = {"name": "First", "use": "always", "version": str(found.version)}
    assert browse("adam").post(f"/channels/{found.id}", data=data).status_code == 302
    assert browse("adam").post(f"/channels/{found.id}", data={**data, "name": "Second"}).status_code == 409
    assert the_one().name == "First"


def test_a_test_shows_what_was_really_answered(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "slack", address_secret=receiver.address + HOOK)
    number = the_one().id
    page = browse("adam").post(f"/channels/{number}/test").text
    assert "The test was taken" in page and "HTTP 200: ok" in page
    assert "This is a test. Nothing is due" in str(receiver.bodies[0])
    receiver.reply = Reply(404, b"no_service /services/T0AAAA/B0BBBB/s3cr3tpath <b>")
    page = browse("adam").post(f"/channels/{number}/test").text
    assert "The test was not taken" in page and "HTTP 404: no_service" in page and "s3cr3tpath" not in page and "<b>" not in page.partition("HTTP 404")[2][:60]
    assert the_one().is_failing and the_one().active
    said = [one.summary for one in db.session.scalars(select(AuditEntry).where(AuditEntry.action == "destination.test"))]
    assert any("taken" in one for one in said) and "s3cr3tpath" not in everything_kept()


def test_a_test_of_a_receiver_that_is_gone_switches_nothing_off(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "slack", address_secret=receiver.address + HOOK)
    receiver.reply = Reply(410)
    assert "gone for good" in browse("adam").post(f"/channels/{the_one().id}/test").text
    assert the_one().active


def test_it_is_switched_off_and_on_and_deleted_only_while_nothing_was_sent(app: Flask, browse: Any, receiver: Receiver) -> None:
    add(browse, "slack", address_secret=receiver.address + HOOK)
    number = the_one().id
    browse("adam").post(f"/channels/{number}/switch-off")
    assert not the_one().active
    browse("adam").post(f"/channels/{number}/switch-on")
    a_duty(an_incident())
    fire(FRIDAY)
    assert browse("adam").post(f"/channels/{number}/delete").status_code == 409
    assert the_one().id == number and "Delete" not in browse("adam").get(f"/channels/{number}").text
    add(browse, "slack", address_secret=receiver.address + HOOK, name="Unused")
    unused = db.session.scalar(select(Destination.id).where(Destination.name == "Unused"))
    assert browse("adam").post(f"/channels/{unused}/delete").status_code == 302
    assert the_one().id == number


def test_with_another_key_one_is_told_to_enter_it_again(app: Flask, browse: Any, receiver: Receiver) -> None:
    number = a_destination("slack", receiver.address + HOOK, "").id
    (app.extensions["tracker"].instance / "secrets.json").unlink()
    answer = browse("adam").post(f"/channels/{number}/test")
    assert answer.status_code == 409 and "Enter the address and the secret again" in answer.text
    data = {"name": "Mended", "address_secret": receiver.address + HOOK, "use": "always", "version": str(the_one().version)}
    assert browse("adam").post(f"/channels/{number}", data=data).status_code == 302
    assert "The test was taken" in browse("adam").post(f"/channels/{number}/test").text


def test_a_typed_address_and_secret_are_not_kept_when_a_session_ends(app: Flask, browse: Any, receiver: Receiver) -> None:
    client = browse("adam")
    with client.session_transaction() as session:
        session["fs_paa"] = 0
    answer = client.post("/channels/new/webhook", data={"name": "Privacy room", "address_secret": receiver.address + HOOK, "secret": SECRET, "use": "always", "person": ""})
    assert answer.status_code == 302 and db.session.scalar(select(Destination.id)) is None
    page = client.get("/kept-text").text
    assert "s3cr3tpath" not in page and SECRET not in page


def test_a_new_key_in_front_seals_and_the_old_one_still_opens() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Seal(old).close("https://hooks.example.org/s3cr3t")
    both = Seal(f"{new}, {old}")
    assert both.open(sealed) == "https://hooks.example.org/s3cr3t" == Seal(new).open(both.close("https://hooks.example.org/s3cr3t"))
    assert both.open(None) == ""
    with pytest.raises(Unreadable):
        Seal(new).open(sealed)
