"""The pages of API tokens: making one, seeing it once, taking it back."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from incident_tracker import clock
from incident_tracker.models.base import db
from incident_tracker.models.tokens import ApiToken
from tests.api.conftest import Program, make_token
from tests.doors import look, text_of
from tests.stories import person

FORM = {"name": "monitoring", "scopes": ["law:read", "incidents:read"], "days": "30"}


def shown(page: str) -> str:
    found = re.search(r'id="token">([^<]+)<', page)
    assert found is not None, text_of(page)
    return html.unescape(found[1])


def the_tokens() -> list[ApiToken]:
    db.session.rollback()
    return db.session.query(ApiToken).order_by(ApiToken.id).all()


def test_it_says_that_there_is_none_yet_and_how_to_make_one(browse: Any) -> None:
    page = browse("ines").get("/me/tokens")
    assert "No token yet" in page.text
    assert "/me/tokens/new" in page.text
    assert "/me/tokens" in browse("ines").get("/me").text


def test_it_shows_a_new_token_once_on_a_page_that_nobody_keeps(browse: Any, app: Flask) -> None:
    ines = browse("ines")
    answer = ines.post("/me/tokens/new", data=FORM)
    plain = shown(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert Program(app, plain).get("/me").get_json()["scopes"] == ["incidents:read", "law:read"]
    assert plain not in ines.get("/me/tokens").text
    assert the_tokens()[0].token_hash not in ines.get("/me/tokens").text


def test_it_lists_what_there_is(browse: Any, app: Flask) -> None:
    plain = make_token("ines", "law:read")
    Program(app, plain).get("/me")
    make_token("ravi", what="of another")
    page = text_of(browse("ines").get("/me/tokens").text)
    assert "monitoring" in page and f"ends in {plain[-4:]}" in page and "law:read" in page
    assert "of another" not in page
    assert "never" not in page


@pytest.mark.parametrize(("data", "words"), [
    ({"name": ""}, "Say what it is for."), ({"scopes": []}, "Choose what it may be used for."), ({"scopes": ["everything"]}, "not a valid choice"), ({"days": "9999"}, "Not a valid choice"),
])
def test_what_is_missing_is_said_and_what_was_typed_stays(browse: Any, data: dict[str, Any], words: str) -> None:
    answer = browse("ines").post("/me/tokens/new", data=FORM | data)
    assert answer.status_code == 422
    assert words in html.unescape(answer.text)
    assert data.get("name", "monitoring") in answer.text
    assert the_tokens() == []


def test_a_name_that_is_taken_is_said_beside_the_field(browse: Any) -> None:
    make_token("ines")
    answer = browse("ines").post("/me/tokens/new", data=FORM)
    assert answer.status_code == 422
    assert "You have a live token named" in answer.text


def test_it_asks_once_more_who_it_is_before_making_one(browse: Any) -> None:
    ines = browse("ines")
    with time_machine.travel(clock.now() + timedelta(minutes=20)):
        answer = ines.post("/me/tokens/new", data=FORM)
    assert "/me/confirm" in answer.location
    assert the_tokens() == []


def test_one_takes_back_ones_own_and_nobody_elses(browse: Any, app: Flask) -> None:
    plain = make_token("ines")
    number = the_tokens()[0].id
    for name in ("ravi", "adam"):
        assert browse(name).post(f"/me/tokens/{number}/revoke").status_code == 404
    assert Program(app, plain).get("/me").status_code == 200
    ines = browse("ines")
    assert ines.post(f"/me/tokens/{number}/revoke").location == "/me/tokens"
    assert Program(app, plain).get("/me").status_code == 401
    assert "revoked" in text_of(ines.get("/me/tokens").text)
    assert ines.post(f"/me/tokens/{number}/revoke").status_code == 409


def test_an_administrator_sees_and_takes_back_anybodys(browse: Any, app: Flask) -> None:
    plain = make_token("ines")
    number, ines = the_tokens()[0].id, person("ines").id
    adam = browse("adam")
    assert "monitoring" in adam.get(f"/people/{ines}").text
    assert adam.post(f"/people/{person('ravi').id}/tokens/{number}/revoke").status_code == 404
    assert adam.post(f"/people/{ines}/tokens/{number}/revoke").status_code == 302
    assert Program(app, plain).get("/me").status_code == 401
    assert "API tokens" not in text_of(adam.get(f"/people/{ines}").text)
    assert look("ines").active


def test_everybody_can_read_what_the_api_does(browse: Any) -> None:
    page = text_of(browse("olga").get("/help/api").text)
    for words in ("POST /api/v1/law/due", "incidents:read", "curl -X POST", "bt_…", "RFC 9457", "Take the warnings of one duty"):
        assert words in page
