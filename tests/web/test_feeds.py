"""The calendar feed: its page, and the address that a calendar program reads without signing in."""

import html
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from werkzeug.test import TestResponse

from incident_tracker import clock
from incident_tracker.actions import people
from incident_tracker.models.base import db
from incident_tracker.models.feeds import CalendarFeed
from incident_tracker.work import unit_of_work
from tests.doors import text_of
from tests.drafts import approved, breach, file
from tests.stories import FRIDAY, person

Read = Callable[..., TestResponse]


@pytest.fixture
def read(app: Flask) -> Read:
    """A calendar program: no cookies, no script, just the address."""
    client = FlaskClient(app, app.response_class, use_cookies=False)

    def open_it(path: str, method: str = "GET", **headers: str) -> TestResponse:
        db.session.rollback()
        with app.app_context():
            return client.open(path, method=method, headers=headers)

    return open_it


def make(client: Any) -> str:
    """The path of a new feed, as its page shows it."""
    answer = client.post("/me/calendar")
    found = re.search(r'id="address">([^<]+)<', answer.text)
    assert found is not None, text_of(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    address = html.unescape(found[1])
    assert address.startswith("http://127.0.0.1:8000/calendar/") and address.endswith(".ics")
    return address.removeprefix("http://127.0.0.1:8000")


def the_feed(name: str = "ines") -> CalendarFeed:
    db.session.rollback()
    return db.session.query(CalendarFeed).filter_by(revoked_at=None, person_id=person(name).id).one()


def test_it_says_that_it_is_no_alarm_and_who_can_read_it(browse: Any) -> None:
    ines = browse("ines")
    page = text_of(ines.get("/me/calendar").text)
    assert "It is not the alarm" in page and "It is off" in page
    assert "Whoever has this address can read the calendar" in text_of(ines.post("/me/calendar").text)
    assert "/me/calendar" in ines.get("/me").text


def test_it_shows_the_address_once(browse: Any) -> None:
    ines = browse("ines")
    path = make(ines)
    page = ines.get("/me/calendar").text
    assert path not in page and "It is on" in page and "nothing has read it yet" in page


def test_it_asks_once_more_who_it_is_before_making_one(browse: Any) -> None:
    ines = browse("ines")
    with time_machine.travel(clock.now() + timedelta(minutes=20)):
        assert "/me/confirm" in ines.post("/me/calendar").location


def test_a_calendar_program_reads_the_deadlines_without_signing_in(browse: Any, read: Read) -> None:
    incident = breach()
    answer = read(make(browse("ines")))
    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    events = Calendar.from_ical(answer.data).walk("VEVENT")
    assert f"Deadline {incident.reference}" in {event["SUMMARY"] for event in events}
    assert "Set-Cookie" not in answer.headers


def test_it_offers_the_same_as_things_to_do(browse: Any, read: Read) -> None:
    breach()
    path = make(browse("ines"))
    todos = Calendar.from_ical(read(f"{path}?kind=todo").data).walk("VTODO")
    assert len(todos) == len(Calendar.from_ical(read(path).data).walk("VEVENT")) > 0
    assert read(f"{path}?kind=journal").status_code == 404


def test_what_has_not_changed_is_not_sent_again(browse: Any, read: Read) -> None:
    incident = breach()
    path = make(browse("ines"))
    first = read(path)
    again = read(path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    file(approved(incident), FRIDAY + timedelta(hours=20))
    moved = read(path, **{"If-None-Match": first.headers["ETag"]})
    assert (moved.status_code, moved.headers["ETag"] != first.headers["ETag"]) == (200, True)
    assert b"STATUS:CANCELLED" in moved.data


def test_the_head_alone_can_be_asked_for(browse: Any, read: Read) -> None:
    path = make(browse("ines"))
    answer = read(path, "HEAD")
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (200, b"", read(path).headers["ETag"])
    assert read(path, "POST").status_code == 405


def test_whatever_is_wrong_there_is_nothing_and_all_answers_are_alike(browse: Any, read: Read) -> None:
    ines, ravi = browse("ines"), browse("ravi")
    replaced = make(ines)
    make(ines)
    stopped = make(ravi)
    ravi.post("/me/calendar/stop")
    left = make(browse("laura"))
    with unit_of_work(person("adam")) as work:
        people.switch_off(work, person("laura"))
    wrong = (replaced, stopped, left, "/calendar/never.ics", f"/calendar/{the_feed('ines').token_hash}.ics", "/calendar/ä.ics")
    with time_machine.travel(clock.now(), tick=False):
        answers = [read(path) for path in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1
    assert len({tuple(sorted((name, value) for name, value in answer.headers if name != "Date")) for answer in answers}) == 1


def test_nul_in_the_address_is_a_plain_refusal(read: Read) -> None:
    assert read("/calendar/a%00b.ics").status_code in (400, 404)
    assert read("/calendar/a.ics?kind=%00").status_code in (400, 404)


def test_it_notes_that_it_was_read_once_a_minute(browse: Any, read: Read) -> None:
    ines = browse("ines")
    path, start = make(ines), clock.now()
    for seconds, noted in ((1, 1), (50, 1), (62, 62)):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            read(path)
            assert the_feed().last_read_at == start + timedelta(seconds=noted)
    assert "last read" in text_of(ines.get("/me/calendar").text)


def test_what_was_not_there_is_not_noted(browse: Any, read: Read) -> None:
    path = make(browse("ines"))
    read(f"{path}?kind=journal")
    assert the_feed().last_read_at is None


def test_a_session_does_not_read_anybodys_calendar(browse: Any, read: Read) -> None:
    make(browse("ines"))
    assert browse("ines").get("/calendar/.ics").status_code == 404
    assert browse("ines").get(f"/calendar/{the_feed().id}.ics").status_code == 404


def test_its_secret_stands_in_no_log(browse: Any, read: Read, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    path = make(browse("ines"))
    read(path)
    read(path + "x")
    assert path.split("/")[-1].removesuffix(".ics") not in caplog.text + "".join(capfd.readouterr())


def test_one_who_made_none_has_nothing_to_stop(browse: Any) -> None:
    assert browse("ines").post("/me/calendar/stop").status_code == 409
