"""One's own account: name, zone, password, second factor, recovery codes, look, sessions."""

import html
import re
from typing import Any

import pytest
from flask import Flask
from passlib.totp import TOTP

from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.web.identity import identity
from tests.cast import PASSWORD
from tests.doors import WRONG, enter_password, field, forget_codes, give_app, give_password, is_in, look, secret_on, text_of, trail, walk_in
from tests.stories import person

NEW = "marmalade tractor umbrella 31 fjord"


def change(client: Any, present: str = PASSWORD, new: str = NEW, again: str | None = None) -> Any:
    return client.post("/me/password", data={"current_password": present, "password": new, "password_again": new if again is None else again})


def errors_beside(page: str, name: str) -> str:
    found = re.search(rf'id="{name}-error">(.*?)</p>', page, re.DOTALL)
    return text_of(found[1]) if found else ""


def test_it_shows_who_one_is_and_what_one_may_do(browse: Any) -> None:
    page = text_of(browse("laura").get("/me").text)
    assert "laura@harbour.example" in page
    assert "legal : reviews notices" in page


def test_name_and_zone_can_be_changed(browse: Any) -> None:
    client = browse("ines")
    assert client.post("/me/profile", data={"name": "  Ines   Vargas Lund ", "zone": "America/New_York"}).status_code == 302
    assert (look("ines").name, look("ines").zone) == ("Ines Vargas Lund", "America/New_York")
    assert trail("account.change_profile")[-1].before["zone"] == "Europe/Berlin"


@pytest.mark.parametrize(("data", "where"), [({"name": "", "zone": "UTC"}, "name"), ({"name": "Ines", "zone": "Mars/Olympus"}, "zone"), ({"name": "x" * 121, "zone": "UTC"}, "name")])
def test_what_cannot_be_taken_is_said_beside_its_field(browse: Any, data: dict[str, str], where: str) -> None:
    answer = browse("ines").post("/me/profile", data=data)
    assert answer.status_code == 422
    assert errors_beside(answer.text, where)
    assert look("ines").name == "Ines Vargas"


def test_a_new_password_works_and_the_old_one_no_longer(browse: Any) -> None:
    secret, client = give_app("ines"), browse("ines")
    assert change(client).location == "/me"
    client.post("/sign-out")
    assert enter_password(client, "ines", PASSWORD).status_code == 422
    enter_password(client, "ines", NEW)
    assert secret
    assert trail("account.change_password")


def test_changing_the_password_ends_every_other_session(browse: Any) -> None:
    give_app("ines")
    here, elsewhere = browse("ines"), browse("ines")
    change(here)
    assert is_in(here)
    assert not is_in(elsewhere)


def test_the_present_password_is_asked_for(browse: Any) -> None:
    give_app("ines")
    answer = change(browse("ines"), present=WRONG)
    assert answer.status_code == 422
    assert errors_beside(answer.text, "current_password") == "That is not your present password."
    assert NEW not in answer.text


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaaaa", "password1234", "ines@harbour.example", "InesVargas2026", "x" * 129])
def test_a_password_that_is_easy_to_guess_is_refused(browse: Any, new: str) -> None:
    give_app("ines")
    answer = change(browse("ines"), new=new)
    assert answer.status_code == 422
    assert errors_beside(answer.text, "password")


def test_a_long_password_is_fine(browse: Any) -> None:
    """The library that rates them refuses more than 72 letters; people who use a password manager have longer ones."""
    give_app("ines")
    assert change(browse("ines"), new="k9#Lw2!vQz7^" * 10).status_code == 302


def test_a_slip_of_the_finger_is_caught(browse: Any) -> None:
    give_app("ines")
    assert errors_beside(change(browse("ines"), again=NEW + "x").text, "password_again") == "The two are not the same."


def test_one_is_told_by_mail_when_the_password_changed(browse: Any) -> None:
    give_app("ines")
    change(browse("ines"))
    db.session.rollback()
    message = db.session.query(Message).filter_by(channel="email").one()
    assert message.kind == "account_changed"
    assert "password was changed" in message.content["what"]


def test_moving_to_another_app_replaces_secret_and_recovery_codes(browse: Any) -> None:
    give_app("ines")
    client, before = browse("ines"), look("ines").tf_totp_secret
    page = client.get("/me/second-factor").text
    answer = client.post("/me/second-factor", data={"code": TOTP(key=secret_on(page)).generate().token, "sealed_state": field(page, "sealed_state")})
    assert len(re.findall(r"<li>[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}</li>", answer.text)) == 10
    assert look("ines").tf_totp_secret not in (None, before)
    assert trail("account.set_up_second_factor")[-1].summary.endswith("again")


def test_the_old_app_stays_until_the_new_one_has_shown_a_code(browse: Any) -> None:
    give_app("ines")
    client, before = browse("ines"), look("ines").tf_totp_secret
    page = client.get("/me/second-factor").text
    assert client.post("/me/second-factor", data={"code": "000000", "sealed_state": field(page, "sealed_state")}).status_code == 422
    assert look("ines").tf_totp_secret == before


def test_new_recovery_codes_are_shown_once_and_replace_the_old(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    old, sealed = identity().mf_recovery_codes_util.make()
    person("ines").mf_recovery_codes = sealed
    db.session.commit()
    walk_in(client, "ines", secret)
    codes = re.findall(r"<li>([0-9a-f-]{14})</li>", client.post("/me/recovery-codes").text)
    assert len(codes) == 10
    assert codes[0] not in client.get("/me").text
    client.post("/sign-out")
    forget_codes("ines")
    enter_password(client, "ines")
    assert client.post("/sign-in/recovery-code", data={"code": old[0]}).status_code == 422
    assert client.post("/sign-in/recovery-code", data={"code": codes[0]}).status_code == 302


def test_signing_out_everywhere_leaves_this_session(browse: Any) -> None:
    here, elsewhere = browse("ines"), browse("ines")
    assert here.post("/me/sign-out-everywhere").status_code == 302
    assert is_in(here)
    assert not is_in(elsewhere)
    assert trail("account.sign_out_everywhere")


@pytest.mark.parametrize(("chosen", "shown"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"'), ("auto", '<html lang="en">'), ('"><b>', '<html lang="en">')])
def test_the_look_is_kept_in_this_browser(browse: Any, chosen: str, shown: str) -> None:
    client = browse("ines")
    client.post("/me/theme", data={"theme": chosen})
    assert shown in client.get("/me").text


def test_a_proof_makes_the_session_fresh_again(browse: Any) -> None:
    give_password("ines")
    client = browse("ines")
    with client.session_transaction() as session:
        session["fs_paa"] = 0
    assert client.post("/me/confirm?next=/me/second-factor", data={"password": PASSWORD}).location == "/me/second-factor"
    assert client.get("/me/second-factor").status_code == 200
    assert trail("sign_in.confirm")[-1].summary == "confirmed with a password"


def test_a_proof_leads_to_pages_of_ours_only(browse: Any) -> None:
    give_password("ines")
    assert browse("ines").post("/me/confirm?next=//evil.example", data={"password": PASSWORD}).location == "/"


def test_passkeys_are_explained_where_the_address_is_a_number(browse: Any, app: Flask) -> None:
    client = browse("ines")
    assert "Passkeys are bound to a name" in client.get("/me").text
    assert "data-passkey" not in browse().get("/sign-in").text


def test_an_auditor_who_changes_nothing_may_change_their_own_account(browse: Any) -> None:
    assert browse("olga").post("/me/profile", data={"name": "Olga Lind-Berg", "zone": "UTC"}).status_code == 302


def test_a_name_is_shown_as_it_was_typed_and_runs_nothing(browse: Any) -> None:
    client = browse("ines")
    client.post("/me/profile", data={"name": "<script>alert(1)</script>", "zone": "UTC"})
    page = client.get("/me").text
    assert "<script>alert(1)" not in page
    assert html.escape("<script>alert(1)</script>") in page
