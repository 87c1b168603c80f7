"""Regulation 1182/71, Article 3(5): any period of two days or more includes at least two working days, in three readings."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident_tracker.rules.calendars import Calendar
from incident_tracker.rules.eu1182 import second_working_day, with_two_working_days
from incident_tracker.rules.regimes import default_law

BERLIN = "Europe/Berlin"
GERMANY: Calendar = default_law().calendars.get("DE")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


def extended(start: str, hours: int, reading: str) -> datetime:
    began = local(start)
    return with_two_working_days(began, began + timedelta(hours=hours), reading, BERLIN, GERMANY)


@pytest.mark.parametrize(("reading", "end"), [("A", "2026-11-24T00:00"), ("B", "2026-11-24T18:00"), ("C", "2026-11-25T00:00")])
def test_a_period_of_exactly_two_days_must_include_two_working_days(reading: str, end: str) -> None:
    assert extended("2026-11-20T18:00", 48, reading) == local(end)


@pytest.mark.parametrize("reading", ["A", "B", "C"])
def test_a_period_of_less_than_two_days_need_not(reading: str) -> None:
    assert extended("2026-11-20T18:00", 47, reading) == local("2026-11-22T17:00")


def test_a_day_that_begins_when_the_period_ends_lies_outside_of_it() -> None:
    assert extended("2026-11-20T00:00", 72, "A") == local("2026-11-24T00:00")
    assert extended("2026-11-20T00:00", 73, "A") == local("2026-11-23T01:00")


def test_48_working_hours_that_end_with_friday_do_not_run_into_monday() -> None:
    assert extended("2026-11-19T00:00", 48, "B") == local("2026-11-21T00:00")


@pytest.mark.parametrize(("last", "end"), [(date(2026, 11, 23), date(2026, 11, 24)), (date(2026, 11, 24), date(2026, 11, 24)), (date(2026, 11, 28), date(2026, 11, 28))])
def test_a_period_in_days_runs_to_its_second_working_day_and_never_ends_before_its_own_last_day(last: date, end: date) -> None:
    assert second_working_day(date(2026, 11, 21), last, GERMANY) == end
