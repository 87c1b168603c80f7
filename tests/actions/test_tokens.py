"""API tokens: the actions themselves, on both databases."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import text

from incident_tracker.actions import people, tokens
from incident_tracker.errors import Conflict, Invalid, NotAllowed
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.models.tokens import ApiToken, tokens_of
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Mechanism, unit_of_work
from tests.doors import trail
from tests.stories import FRIDAY, person

pytestmark = pytest.mark.usefixtures("app")


def make(name: str = "ines", what: str = "monitoring", scopes: tuple[str, ...] = ("law:read",), days: int = 30) -> tuple[int, str]:
    with unit_of_work(person(name), FRIDAY) as work:
        token, plain = tokens.make_token(work, what, scopes, days)
        return token.id, plain


def revoke(by: str, token_id: int) -> None:
    with unit_of_work(person(by), FRIDAY) as work:
        tokens.revoke_token(work, db.session.get_one(ApiToken, token_id))


def test_a_token_is_long_random_and_kept_as_a_hash_alone() -> None:
    token_id, plain = make()
    assert plain.startswith("bt_") and len(plain) == 46
    assert make(what="other")[1] != plain
    token = db.session.get_one(ApiToken, token_id)
    assert token.token_hash == hashlib.sha256(plain.encode()).hexdigest()
    assert (token.hint, token.expires_at, token.scopes) == (plain[-4:], FRIDAY + timedelta(days=30), ["law:read"])
    rows = db.session.execute(text("SELECT * FROM api_token")).all() + db.session.execute(text("SELECT * FROM message")).all() + db.session.execute(text("SELECT * FROM audit_entry")).all()
    assert plain not in str(rows) and plain[3:] not in str(rows)


def test_making_and_revoking_leave_a_trace_without_a_secret() -> None:
    token_id, plain = make()
    revoke("ines", token_id)
    made, gone = trail("token.make")[0], trail("token.revoke")[0]
    assert (made.summary, made.after["scopes"]) == ("made the API token “monitoring”", ["law:read"])
    assert gone.summary == "revoked their API token “monitoring”"
    assert hashlib.sha256(plain.encode()).hexdigest() not in str([made.content(), gone.content()])


def test_its_owner_is_told_by_mail_that_it_was_made() -> None:
    make()
    (message,) = db.session.query(Message).filter_by(channel="email")
    assert message.person_id == person("ines").id
    assert "“monitoring” was made" in message.content["what"]


@pytest.mark.parametrize(("what", "scopes", "days", "field"), [
    ("", ("law:read",), 30, "name"), ("x" * 61, ("law:read",), 30, "name"), ("a\x07b", ("law:read",), 30, "name"), ("ok", (), 30, "scopes"), ("ok", ("everything",), 30, "scopes"),
    ("ok", ("law:read", "everything"), 30, "scopes"), ("ok", ("law:read",), 0, "days"), ("ok", ("law:read",), 367, "days"),
])
def test_what_cannot_be_is_said_beside_its_field(what: str, scopes: tuple[str, ...], days: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        make("ines", what, scopes, days)
    assert list(refused.value.fields) == [field]
    assert tokens_of(person("ines").id) == []


def test_two_live_ones_do_not_share_a_name_and_a_dead_one_frees_it() -> None:
    token_id, _ = make()
    with pytest.raises(Invalid):
        make()
    make("ravi")
    revoke("ines", token_id)
    make()


def test_there_are_twenty_live_ones_at_most() -> None:
    for number in range(tokens.MOST):
        make(what=f"program {number}")
    with pytest.raises(Invalid):
        make(what="one more")


def test_nobody_revokes_what_is_another_persons_but_who_manages_people() -> None:
    token_id, plain = make()
    for name in ("ravi", "laura", "mona", "olga"):
        with pytest.raises(NotAllowed):
            revoke(name, token_id)
    assert tokens.holder_of(plain, FRIDAY)[0] is not None
    revoke("adam", token_id)
    assert tokens.holder_of(plain, FRIDAY)[0] is None
    assert trail("token.revoke")[0].summary == "revoked Ines Vargas’s API token “monitoring”"


def test_a_token_is_revoked_once() -> None:
    token_id, _ = make()
    revoke("ines", token_id)
    with pytest.raises(Conflict):
        revoke("ines", token_id)


def test_whoever_has_no_account_makes_none() -> None:
    with pytest.raises(NotAllowed), unit_of_work(Mechanism("nobody", frozenset({Permission.ENTER}))) as work:
        tokens.make_token(work, "x", ["law:read"], 1)


def test_a_holder_is_its_person_for_the_time_of_the_token() -> None:
    _, plain = make("laura", scopes=("law:read", "alerts:acknowledge"))
    holder, _ = tokens.holder_of(plain, FRIDAY + timedelta(days=29))
    assert holder is not None
    assert (holder.id, holder.role_names, holder.scopes) == (person("laura").id, {"legal"}, {"law:read", "alerts:acknowledge"})
    assert holder.name == "Laura Beck, by the token “monitoring”"
    assert tokens.holder_of(plain, FRIDAY + timedelta(days=30))[0] is None
    with unit_of_work(person("adam"), FRIDAY) as work:
        people.change_roles(work, person("laura"), ["auditor"])
    changed, _ = tokens.holder_of(plain, FRIDAY)
    assert changed is not None and changed.role_names == {"auditor"}
    with unit_of_work(person("adam"), FRIDAY) as work:
        people.switch_off(work, person("laura"))
    assert tokens.holder_of(plain, FRIDAY)[0] is None


def test_a_long_name_still_fits_into_the_trail() -> None:
    with unit_of_work(person("ines"), FRIDAY):
        person("ines").name = "x" * 120
    _, plain = make("ines", "y" * 60)
    holder, _ = tokens.holder_of(plain, FRIDAY)
    assert holder is not None
    assert len(holder.name) == 120
