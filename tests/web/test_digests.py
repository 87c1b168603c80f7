"""On one's own account page one says how digests come."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from incident_tracker.models.base import db
from incident_tracker.models.digests import DigestChoice, choice_of
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.doors import field, text_of, trail
from tests.stories import person


@pytest.fixture(autouse=True)
def as_they_come(app: Flask) -> None:
    """Nobody has chosen anything yet."""
    with unit_of_work(CLOCKWORK) as work:
        work.session.execute(delete(DigestChoice))


def chosen(name: str) -> tuple[bool, bool, int, str | None, str | None]:
    db.session.rollback()
    one = choice_of(person(name).id)
    return one.daily, one.weekly, one.hour, one.quiet_from, one.quiet_to


def test_it_is_saved_and_stands_there_again(app: Flask, browse: Any) -> None:
    client = browse("mona")
    answer = client.post("/me/digests", data={"daily": "y", "hour": "17", "quiet_from": "21:30", "quiet_to": "7:00"})
    assert answer.location == "/me#digests"
    assert chosen("mona") == (True, False, 17, "21:30", "07:00")
    page = client.get("/me").text
    assert field(page, "quiet_from") == "21:30" and '<option selected value="17">' in page
    assert trail("account.choose_digests")[0].after == {"daily": True, "weekly": False, "hour": 17, "quiet": ["21:30", "07:00"]}
    client.post("/me/digests", data={"hour": "8", "weekly": "y", "quiet_from": "", "quiet_to": ""})
    assert chosen("mona") == (False, True, 8, None, None)


def test_only_managers_are_asked_about_the_week(app: Flask, browse: Any) -> None:
    assert 'name="weekly"' in browse("mona").get("/me").text
    client = browse("ravi")
    assert 'name="weekly"' not in client.get("/me").text
    client.post("/me/digests", data={"daily": "y", "hour": "9"})
    assert chosen("ravi") == (True, True, 9, None, None)


@pytest.mark.parametrize(("typed", "said"), [
    ({"quiet_from": "late", "quiet_to": "7:00"}, "Write a time such as 22:00."), ({"quiet_from": "22:00"}, "Write both times, or neither."),
    ({"hour": "23", "quiet_from": "22:00", "quiet_to": "6:00"}, "no digest could come"),
])
def test_what_cannot_be_is_said_beside_it_and_the_text_is_kept(app: Flask, browse: Any, typed: dict[str, str], said: str) -> None:
    answer = browse("ravi").post("/me/digests", data={"daily": "y", "hour": "8", **typed})
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    for name in ("quiet_from", "quiet_to"):
        if name in typed:
            assert field(answer.text, name) == typed[name]
    assert field(answer.text, "name") == "Ravi Menon"
    assert db.session.scalars(select(DigestChoice)).all() == []


def test_a_slip_in_the_other_form_leaves_this_one_as_it_was(app: Flask, browse: Any) -> None:
    client = browse("ravi")
    client.post("/me/digests", data={"daily": "y", "hour": "6"})
    answer = client.post("/me/profile", data={"name": "", "zone": "Europe/Berlin"})
    assert answer.status_code == 422 and '<option selected value="6">' in answer.text and 'checked id="daily"' in answer.text


def test_the_page_says_that_warnings_do_not_wait(browse: Any) -> None:
    page = text_of(browse("ines").get("/me").text)
    assert "Warnings of a deadline do not: they come at any hour." in page
    assert "E-mail is not set up here, so none is sent yet." in page
