"""Who is let in: a live token of somebody who is here, for what it was made for; everybody else reads why not."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from incident_tracker import clock
from incident_tracker.actions import people, tokens
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.tokens import ApiToken
from incident_tracker.rules import throttles
from incident_tracker.work import unit_of_work
from tests.api.conftest import Program, make_token, problem
from tests.doors import trail
from tests.stories import person

Caller = Callable[..., Program]


def the_token() -> ApiToken:
    db.session.rollback()
    return db.session.query(ApiToken).one()


def test_it_lets_a_live_token_in_and_says_whose_it_is(program: Caller) -> None:
    answer = program("ines", "law:read").get("/me")
    said = answer.get_json()
    assert answer.status_code == 200
    assert (said["person"], said["roles"], said["token"], said["scopes"]) == ("Ines Vargas", ["officer"], "monitoring", ["law:read"])
    assert said["hint"] == the_token().hint


def test_it_asks_a_stranger_for_a_token_and_never_leads_them_elsewhere(program: Caller) -> None:
    for path in ("/me", "/law/obligations", "/incidents/INC-2026-0001/duties", "/openapi.json"):
        answer = program().get(path)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="incident tracker"'
        assert "Location" not in answer.headers and "Set-Cookie" not in answer.headers


def test_it_takes_no_session_for_a_token(app: Flask, browse: Any) -> None:
    problem(browse("ines").get("/api/v1/me"), 401)
    problem(browse("ines").post("/api/v1/law/due", json={}), 401)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic aW5lczp4", "Token bt_x", "bt_x"])
def test_it_takes_nothing_else_for_a_token(program: Caller, header: str) -> None:
    problem(program().call("GET", "/me", headers={"Authorization": header}), 401)


def test_it_takes_no_token_from_the_address_or_a_cookie(program: Caller) -> None:
    text = make_token("ines")
    problem(program().get("/me", access_token=text, token=text), 401)
    problem(program().call("GET", "/me", headers={"Cookie": f"token={text}; access_token={text}"}), 401)


def test_a_wrong_token_is_refused_and_named_so(program: Caller, app: Flask) -> None:
    right = program("ines").text
    for wrong in ("bt_" + "x" * 43, right[:-1] + ("a" if right[-1] != "a" else "b"), right[3:], right + "\u00e4", "ä", the_token().token_hash):
        answer = Program(app, wrong).get("/me")
        problem(answer, 401)
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_an_expired_token_is_refused(program: Caller) -> None:
    one = program("ines")
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=-5)):
        assert one.get("/me").status_code == 200
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=5)):
        problem(one.get("/me"), 401)


def test_a_revoked_token_is_refused(program: Caller) -> None:
    one = program("ines")
    with unit_of_work(person("ines")) as work:
        tokens.revoke_token(work, the_token())
    problem(one.get("/me"), 401)


def test_the_token_of_somebody_who_left_is_refused(program: Caller) -> None:
    one = program("ines")
    with unit_of_work(person("adam")) as work:
        people.switch_off(work, person("ines"))
    problem(one.get("/me"), 401)
    with unit_of_work(person("adam")) as work:
        people.switch_on(work, person("ines"))
    assert one.get("/me").status_code == 200


def test_the_refusal_does_not_say_whether_there_is_such_a_token(program: Caller, app: Flask) -> None:
    one = program("ines")
    with unit_of_work(person("ines")) as work:
        tokens.revoke_token(work, the_token())
    dead, never = one.get("/me"), Program(app, "bt_" + "x" * 43).get("/me")
    assert (dead.json, dead.headers["WWW-Authenticate"]) == (never.json, never.headers["WWW-Authenticate"])


def test_a_token_does_only_what_it_was_made_for(program: Caller) -> None:
    one = program("ines", "incidents:read")
    answer = one.get("/law/obligations")
    assert "law:read" in problem(answer, 403)["detail"]
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="incident tracker", error="insufficient_scope", scope="law:read"'
    problem(program("ravi", "law:read").get("/duties"), 403)
    problem(program("laura", "law:read", "incidents:read").post("/incidents/INC-2026-0001/duties/1/acknowledgement"), 403)


def test_the_scope_is_asked_for_before_the_body_is_read(program: Caller) -> None:
    problem(program("ines", "incidents:read").post("/law/due", data=b"{", content_type="application/json"), 403)


def test_who_shows_too_many_wrong_tokens_has_to_wait(program: Caller, app: Flask) -> None:
    wrong = Program(app, "bt_" + "x" * 43)
    for _ in range(throttles.LIMITS["token"]):
        problem(wrong.get("/me"), 401)
    answer = wrong.get("/me")
    problem(answer, 429)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert len(trail("token.refuse")) == throttles.LIMITS["token"]
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        problem(wrong.get("/me"), 401)


def test_a_neighbours_wrong_tokens_keep_no_good_one_out(program: Caller, app: Flask) -> None:
    one = program("ines")
    for _ in range(throttles.LIMITS["token"] + 2):
        Program(app, "bt_" + "x" * 43).get("/me")
    assert one.get("/me").status_code == 200


def test_it_leaves_a_trace_of_a_dead_token_and_not_its_text(program: Caller) -> None:
    one = program("ines")
    with unit_of_work(person("ines")) as work:
        tokens.revoke_token(work, the_token())
    one.get("/me")
    entry = trail("token.refuse")[-1]
    assert entry.summary == "refused the API token “monitoring” of Ines Vargas, which is dead"
    assert entry.subject == f"token:{the_token().id}"


def test_neither_text_nor_hash_stands_in_trail_or_log(program: Caller, app: Flask, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    one = program("ines")
    one.get("/me")
    one.get("/no-such")
    Program(app, one.text + "x").get("/me")
    with unit_of_work(person("ines")) as work:
        tokens.revoke_token(work, the_token())
    one.get("/me")
    token = the_token()
    said = caplog.text + "".join(capfd.readouterr()) + "".join(str(entry.content()) for entry in db.session.query(AuditEntry))
    for secret in (one.text, one.text[3:], token.token_hash):
        assert secret not in said


def test_it_notes_the_use_of_a_token_once_a_minute(program: Caller) -> None:
    one, start = program("ines"), clock.now()
    with time_machine.travel(start, tick=False):
        one.get("/me")
        first = the_token().last_used_at
        assert first == start
    with time_machine.travel(start + timedelta(seconds=50), tick=False):
        one.get("/me")
        assert the_token().last_used_at == first
    with time_machine.travel(start + timedelta(seconds=61), tick=False):
        one.get("/me")
        assert the_token().last_used_at == start + timedelta(seconds=61)


def test_it_has_nothing_at_another_address(program: Caller) -> None:
    for caller in (program(), program("ines")):
        for path in ("/no-such", "/law/", "//law", "/law/obligations/"):
            problem(caller.get(path), 404)


def test_it_says_which_method_an_address_knows(program: Caller) -> None:
    answer = program("ines").post("/law")
    problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_nul_in_an_address_or_a_query_is_a_plain_refusal(program: Caller) -> None:
    one = program("ines")
    problem(one.call("GET", "/law/obligations/eu%00"), 404)
    problem(one.call("GET", "/incidents/INC%00/duties"), 404)
    problem(one.call("GET", "/law/obligations?q=%00"), 400)


def test_it_tells_nothing_of_what_broke(program: Caller, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("Ms Muster, born 1970")

    monkeypatch.setitem(app.view_functions, "api_me.show_me", broken)
    answer = program("ines").get("/me")
    problem(answer, 500)
    assert "Muster" not in answer.text and "RuntimeError" not in answer.text


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_it_says_when_the_database_is_away(program: Caller, app: Flask) -> None:
    one = program("ines")
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE api_token RENAME TO elsewhere")
    answer = one.get("/me")
    problem(answer, 503)
    assert answer.headers["Retry-After"] == "60"


def test_no_answer_is_kept_by_anything_between_us(program: Caller) -> None:
    answer = program("ines").get("/me")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_looking_without_the_body_works_too(program: Caller) -> None:
    answer = program("ines").call("HEAD", "/me")
    assert (answer.status_code, answer.data) == (200, b"")
    problem_answer = program().call("HEAD", "/me")
    assert problem_answer.status_code == 401
