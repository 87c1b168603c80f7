"""Signing in with a password and a second proof, and out again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask_security import hash_password
from passlib.totp import TOTP

from incident_tracker import clock
from incident_tracker.config import Config
from incident_tracker.factory import create_app
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from incident_tracker.web.identity import identity
from tests.cast import PASSWORD
from tests.doors import (
    WRONG,
    code,
    enter_code,
    enter_password,
    field,
    forget_codes,
    give_app,
    give_password,
    is_in,
    look,
    other_code,
    secret_on,
    text_of,
    trail,
    walk_in,
)
from tests.stories import person


def test_a_password_and_a_code_let_somebody_in(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    assert walk_in(client, "ines", secret).status_code == 302
    assert is_in(client)
    assert trail("sign_in.succeed")[-1].after["with"] == "password and code"
    assert look("ines").signed_in_at is not None


def test_a_password_alone_opens_nothing(browse: Any) -> None:
    give_app("ines")
    client = browse()
    enter_password(client, "ines")
    assert client.get("/incidents").location.startswith("/sign-in")
    assert not is_in(client)


def test_a_wrong_password_an_unknown_address_and_a_person_who_left_look_the_same(browse: Any) -> None:
    give_app("ines")
    give_app("otto")
    otto = person("otto")
    otto.active = False
    db.session.commit()
    answers = [enter_password(browse(), name, password) for name, password in (("ines", WRONG), ("nobody", WRONG), ("otto", PASSWORD), ("mona", WRONG))]
    assert {answer.status_code for answer in answers} == {422}
    shown = {text_of(answer.text) for answer in answers}
    assert len(shown) == 1
    assert "The e-mail address or the password is not right." in shown.pop()


def test_it_hashes_for_an_unknown_address_too(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this, the answer for an unknown address would come sooner and give it away."""
    give_app("ines")
    context, counted = identity().pwd_context, []
    for name in ("hash", "verify"):
        real = getattr(context, name)
        monkeypatch.setattr(context, name, lambda *args, real=real, **kwargs: (counted.append(1), real(*args, **kwargs))[1])
    work = []
    for name in ("ines", "nobody", "mona"):
        counted.clear()
        enter_password(browse(), name, WRONG)
        work.append(len(counted))
    assert work == [1, 1, 1]


def test_it_keeps_the_address_and_not_the_password(browse: Any) -> None:
    answer = enter_password(browse(), "nobody", WRONG)
    assert 'value="nobody@harbour.example"' in answer.text
    assert WRONG not in answer.text


def test_upper_case_and_spaces_in_the_address_do_not_matter(browse: Any) -> None:
    give_app("ines")
    client = browse()
    assert client.post("/sign-in", data={"email": "  INES@Harbour.Example ", "password": PASSWORD}).location == "/sign-in/code"


def test_a_wrong_code_is_refused_beside_the_field(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    enter_password(client, "ines")
    answer = enter_code(client, other_code(secret))
    assert answer.status_code == 422
    assert 'id="code-error"' in answer.text
    assert not is_in(client)
    assert "wrong code" in trail("sign_in.fail")[-1].summary


def test_the_same_code_lets_in_once(browse: Any) -> None:
    secret, first, second = give_app("ines"), browse(), browse()
    digits = code(secret)
    for client in (first, second):
        enter_password(client, "ines")
    assert enter_code(first, digits).status_code == 302
    assert enter_code(second, digits).status_code == 422
    assert is_in(first)
    assert not is_in(second)
    assert len(trail("sign_in.refuse_replay")) == 1


def test_an_older_code_is_refused_after_a_newer_one(browse: Any) -> None:
    secret = give_app("ines")
    now = clock.now()
    newer, older = code(secret, now + timedelta(seconds=30)), code(secret, now)
    first, second = browse(), browse()
    with time_machine.travel(now, tick=False):
        for client in (first, second):
            enter_password(client, "ines")
        assert enter_code(first, newer).status_code == 302
        assert enter_code(second, older).status_code == 422


def test_a_code_counts_half_a_minute_early_or_late_and_no_more(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    now = clock.now()
    with time_machine.travel(now, tick=False):
        enter_password(client, "ines")
        assert enter_code(client, code(secret, now - timedelta(seconds=90))).status_code == 422
        assert enter_code(client, code(secret, now - timedelta(seconds=30))).status_code == 302


def test_the_second_proof_has_ten_minutes(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    enter_password(client, "ines")
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        answer = enter_code(client, code(secret))
        assert answer.location == "/sign-in"
        assert not is_in(client)


def test_a_code_without_a_password_leads_to_the_sign_in(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    assert enter_code(client, code(secret)).location == "/sign-in"
    assert not is_in(client)


def test_somebody_switched_off_between_password_and_code_stays_out(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    enter_password(client, "ines")
    ines = look("ines")
    ines.active = False
    db.session.commit()
    assert enter_code(client, code(secret)).location == "/sign-in"


def test_the_first_sign_in_sets_up_a_second_factor(browse: Any) -> None:
    give_password("ines")
    client = browse()
    assert enter_password(client, "ines", then="/incidents").location == "/sign-in/second-factor"
    page = client.get("/sign-in/second-factor").text
    assert "data:image/svg+xml" in page
    digits = TOTP(key=secret_on(page)).generate().token
    answer = client.post("/sign-in/second-factor", data={"code": digits, "sealed_state": field(page, "sealed_state")})
    assert answer.status_code == 200
    assert answer.text.count("<li>") == 10
    assert 'href="/incidents"' in answer.text
    assert is_in(client)
    assert client.get("/me").text.count("10 unused codes") == 1


def test_a_wrong_first_code_keeps_the_same_picture(browse: Any) -> None:
    give_password("ines")
    client = browse()
    enter_password(client, "ines")
    page = client.get("/sign-in/second-factor").text
    answer = client.post("/sign-in/second-factor", data={"code": "000000", "sealed_state": field(page, "sealed_state")})
    assert answer.status_code == 422
    assert secret_on(answer.text) == secret_on(page)
    assert not is_in(client)


def test_nobody_sets_up_a_secret_that_the_page_did_not_give(browse: Any) -> None:
    """A secret made for somebody else, or by somebody else, is not taken."""
    for name in ("ines", "ravi"):
        give_password(name)
    ines, ravi = browse(), browse()
    enter_password(ines, "ines")
    enter_password(ravi, "ravi")
    page = ravi.get("/sign-in/second-factor").text
    answer = ines.post("/sign-in/second-factor", data={"code": TOTP(key=secret_on(page)).generate().token, "sealed_state": field(page, "sealed_state")})
    assert answer.status_code == 422
    assert look("ines").tf_totp_secret is None


def test_whoever_has_a_second_factor_cannot_set_up_another_with_the_password_alone(browse: Any) -> None:
    give_app("ines")
    client = browse()
    enter_password(client, "ines")
    assert client.get("/sign-in/second-factor").location == "/sign-in"


def test_a_recovery_code_lets_in_once(browse: Any, app: Flask) -> None:
    give_app("ines")
    plain, sealed = identity().mf_recovery_codes_util.make()
    person("ines").mf_recovery_codes = sealed
    db.session.commit()
    first, second = browse(), browse()
    for client in (first, second):
        enter_password(client, "ines")
    assert first.post("/sign-in/recovery-code", data={"code": plain[3].upper() + " "}).status_code == 302
    assert second.post("/sign-in/recovery-code", data={"code": plain[3]}).status_code == 422
    assert "9 recovery codes left" in first.get("/me").text
    assert len(look("ines").mf_recovery_codes or []) == 9
    assert plain[3] not in str([entry.content() for entry in trail()])


def test_passwords_secrets_and_codes_are_not_readable_in_the_database(app: Flask) -> None:
    give_app("ines")
    plain, sealed = identity().mf_recovery_codes_util.make()
    ines = person("ines")
    ines.mf_recovery_codes = sealed
    db.session.commit()
    assert (ines.password or "").startswith("$argon2id$")
    key = identity().totp_factory.get_totp_b32_key(ines.tf_totp_secret)
    kept = str({column.name: getattr(ines, column.name) for column in Person.__table__.columns})
    assert key not in kept
    assert not any(one in kept for one in plain)


def test_passwords_are_hashed_with_argon2id_at_full_cost(config: Config) -> None:
    """The tests hash cheaply; what is run does not."""
    with create_app(replace(config, testing=False)).app_context():
        assert identity().pwd_context.schemes() == ("argon2",)
        cost = dict(part.split("=") for part in hash_password(PASSWORD).split("$")[3].split(","))
        assert hash_password(PASSWORD).startswith("$argon2id$v=19$")
        assert (int(cost["m"]), int(cost["t"])) >= (19456, 2)


def test_signing_out_ends_a_copy_of_the_cookie_too(browse: Any) -> None:
    secret, client, thief = give_app("ines"), browse(), browse()
    walk_in(client, "ines", secret)
    thief.set_cookie("tracker", client.get_cookie("tracker").value, domain="localhost")
    assert is_in(thief)
    assert client.post("/sign-out").location == "/sign-in"
    assert not is_in(client)
    assert not is_in(thief)


def test_a_link_alone_does_not_sign_out(browse: Any) -> None:
    client = browse("ines")
    assert "Sign out?" in client.get("/sign-out").text
    assert is_in(client)


def test_a_form_without_its_token_does_nothing(browse: Any) -> None:
    give_app("ines")
    answer = browse().post("/sign-in", data={"email": "ines@harbour.example", "password": PASSWORD, "csrf_token": ""})
    assert answer.status_code == 400
    assert PASSWORD not in answer.text
    client = browse("ines")
    assert client.post("/sign-out", data={"csrf_token": ""}).status_code == 400
    assert is_in(client)


def test_nothing_of_the_session_before_survives_the_sign_in(browse: Any) -> None:
    """A cookie that somebody else planted, or a form token they know, is worth nothing afterwards."""
    secret, client = give_app("ines"), browse()
    with client.session_transaction() as session:
        session["csrf_token"] = "0" * 40
        session["planted"] = "yes"
    walk_in(client, "ines", secret)
    with client.session_transaction() as session:
        assert session.get("csrf_token") != "0" * 40
        assert "planted" not in session
        assert "pending" not in session


def test_a_token_in_the_address_or_a_header_is_no_way_in(browse: Any) -> None:
    token = person("ines").get_auth_token()
    assert browse().get(f"/me?auth_token={token}").status_code == 302
    assert browse().get("/me", headers={"Authentication-Token": token}).status_code == 302


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "/%09/evil.example", "javascript:alert(1)", "/sign-out", "evil", "///evil.example/x"])
def test_it_leads_on_to_pages_of_ours_only(browse: Any, then: str) -> None:
    secret, client = give_app("ines"), browse()
    assert walk_in(client, "ines", secret, then=then).location == "/"


def test_it_leads_on_to_the_page_that_was_asked_for(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    asked = client.get("/incidents?stage=all&q=lost%20laptop").location
    assert asked.startswith("/sign-in?next=")
    client.post(asked, data={"email": "ines@harbour.example", "password": PASSWORD})
    assert enter_code(client, code(secret)).location == "/incidents?stage=all&q=lost%20laptop"


def test_each_sign_in_and_failure_is_in_the_record_without_what_was_typed(browse: Any) -> None:
    secret = give_app("ines")
    enter_password(browse(), "ines", WRONG)
    enter_password(browse(), "my-secret-typed-as-a-name", WRONG)
    client = browse()
    walk_in(client, "ines", secret)
    forget_codes("ines")
    client.post("/sign-out")
    assert [entry.action for entry in trail()] == ["sign_in.fail", "sign_in.fail", "sign_in.prove", "sign_in.succeed", "sign_in.end"]
    said = str([entry.content() for entry in trail()])
    assert WRONG not in said
    assert "my-secret-typed-as-a-name" not in said
    assert "nobody by that name" in said
