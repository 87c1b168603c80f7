"""Deadlines as a calendar, read again by a program that reads calendars."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from incident_tracker.documents.ics import DONE, GONE, MAY_CHANGE, STANDS, Entry, calendar_of

DUE = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
CHANGED = datetime(2026, 11, 27, 16, 31, tzinfo=UTC)
ENTRY = Entry("17@localhost", "Deadline INC-2026-0042", "https://tracker.example/x\nA, b; c", "https://tracker.example/x", DUE, STANDS, 3, CHANGED)


def read(*entries: Entry, as_todos: bool = False) -> tuple[Any, list[Any]]:
    calendar = Calendar.from_ical(calendar_of(entries, "Deadlines", as_todos=as_todos))
    return calendar, list(calendar.walk("VTODO" if as_todos else "VEVENT"))


def test_an_instant_is_an_event_in_utc_without_an_end() -> None:
    _, (event,) = read(ENTRY)
    assert event.decoded("dtstart") == DUE
    assert "DTSTART:20261130T163000Z" in event.to_ical().decode()
    assert "DTEND" not in event and "DURATION" not in event
    assert (event["SUMMARY"], event["UID"], event["SEQUENCE"], event["STATUS"]) == ("Deadline INC-2026-0042", "deadline-17@localhost", 3, "CONFIRMED")
    assert (event["CLASS"], event["TRANSP"]) == ("PRIVATE", "TRANSPARENT")
    assert event.decoded("dtstamp") == event.decoded("last-modified") == CHANGED
    assert event["DESCRIPTION"] == "https://tracker.example/x\nA, b; c"


def test_a_day_is_a_whole_day() -> None:
    _, (event,) = read(replace(ENTRY, due=date(2026, 12, 23)))
    assert "DTSTART;VALUE=DATE:20261223" in event.to_ical().decode()
    assert event.decoded("dtstart") == date(2026, 12, 23)


def test_it_reminds_a_day_and_two_hours_before_an_instant_and_at_nine_around_a_day() -> None:
    _, (event, whole_day) = read(ENTRY, replace(ENTRY, due=date(2026, 12, 23)))
    assert [alarm.decoded("trigger") for alarm in event.walk("VALARM")] == [timedelta(hours=-24), timedelta(hours=-2)]
    assert [alarm.decoded("trigger") for alarm in whole_day.walk("VALARM")] == [timedelta(hours=-15), timedelta(hours=9)]
    assert {(alarm["ACTION"], alarm["DESCRIPTION"]) for alarm in event.walk("VALARM")} == {("DISPLAY", "Deadline INC-2026-0042")}


@pytest.mark.parametrize(("state", "event_status", "todo_status", "alarms"), [
    (STANDS, "CONFIRMED", "NEEDS-ACTION", 2), (MAY_CHANGE, "TENTATIVE", "NEEDS-ACTION", 2), (DONE, "CANCELLED", "COMPLETED", 0), (GONE, "CANCELLED", "CANCELLED", 0),
])
def test_it_says_how_a_deadline_stands(state: str, event_status: str, todo_status: str, alarms: int) -> None:
    entry = replace(ENTRY, state=state, done_at=CHANGED if state == DONE else None)
    for as_todos, status in ((False, event_status), (True, todo_status)):
        _, (found,) = read(entry, as_todos=as_todos)
        assert found["STATUS"] == status
        assert len(found.walk("VALARM")) == alarms


def test_a_thing_to_do_is_due_and_its_reminders_count_from_there() -> None:
    _, (todo,) = read(ENTRY, as_todos=True)
    assert (todo.decoded("due"), "DTSTART" in todo, todo["UID"]) == (DUE, False, "todo-17@localhost")
    assert {alarm["TRIGGER"].params["RELATED"] for alarm in todo.walk("VALARM")} == {"END"}
    _, (done,) = read(replace(ENTRY, state=DONE, done_at=CHANGED), as_todos=True)
    assert done.decoded("completed") == CHANGED


def test_it_asks_to_be_read_again_every_quarter_of_an_hour() -> None:
    raw = calendar_of([ENTRY], "Deadlines").decode()
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT15M\r\n" in raw
    assert "X-PUBLISHED-TTL:PT15M\r\n" in raw
    assert raw.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert raw.endswith("END:VCALENDAR\r\n")


def test_the_same_entries_give_the_same_bytes() -> None:
    assert calendar_of([ENTRY, ENTRY], "Deadlines") == calendar_of([ENTRY, ENTRY], "Deadlines")
    assert calendar_of([ENTRY], "Deadlines") != calendar_of([replace(ENTRY, sequence=4)], "Deadlines")


def test_a_calendar_without_deadlines_is_one_all_the_same() -> None:
    calendar, events = read()
    assert (events, calendar["X-WR-CALNAME"]) == ([], "Deadlines")
