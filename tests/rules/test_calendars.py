"""Holidays are known or not known; a year without data is never a year without holidays."""

from datetime import UTC, date, datetime

import pytest

from incident_tracker.rules.calendars import YearUnknown, default_calendars, end_of_day, tzdata_version

CALENDARS = default_calendars()
FEDERAL = {
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
    2028: "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25",
}


@pytest.mark.parametrize("year", FEDERAL)
def test_federal_holidays_are_the_observed_dates(year: int) -> None:
    observed = {day for day in CALENDARS.get("us-federal").holidays_of(year) if day.weekday() < 5}
    assert observed == {date.fromisoformat(f"{year}-{day}") for day in FEDERAL[year].split()}


@pytest.mark.parametrize(
    ("calendar", "day", "works"),
    [
        ("DE", date(2027, 3, 26), False),
        ("IE", date(2027, 3, 26), True),
        ("IE", date(2027, 3, 29), False),
        ("DE-BE", date(2027, 3, 8), False),
        ("DE", date(2027, 3, 8), True),
        ("DE-BY-PUBLIC", date(2027, 3, 8), True),
        ("gb", date(2026, 12, 28), False),
        ("us-sec", date(2025, 1, 9), False),
        ("us-federal", date(2025, 1, 9), True),
        ("us-sec", date(2026, 4, 3), True),
        ("eu-institutions", date(2026, 12, 28), False),
        ("eu-institutions", date(2026, 12, 23), True),
    ],
)
def test_each_place_keeps_its_own_holidays(calendar: str, day: date, works: bool) -> None:
    assert CALENDARS.get(calendar).is_working_day(day) is works


@pytest.mark.parametrize(("calendar", "year"), [("eu-institutions", 2031), ("US", 2101), ("XX", 2026)])
def test_a_year_without_data_is_unknown(calendar: str, year: int) -> None:
    with pytest.raises(YearUnknown, match="no holiday data"):
        CALENDARS.get(calendar).is_working_day(date(year, 6, 1) if date(year, 6, 1).weekday() < 5 else date(year, 6, 3))


def test_the_weekly_rest_is_that_of_the_country() -> None:
    assert CALENDARS.get("DE").is_weekend(date(2026, 11, 28))
    assert CALENDARS.get("EG").is_weekend(date(2026, 11, 27))
    assert not CALENDARS.get("EG").is_weekend(date(2026, 11, 29))


def test_the_next_working_day_jumps_over_the_holidays() -> None:
    assert CALENDARS.get("DE").next_working_day(date(2026, 12, 25)) == date(2026, 12, 28)


def test_a_day_has_its_own_length_when_the_clocks_change() -> None:
    assert end_of_day(date(2027, 3, 28), "Europe/Berlin") - end_of_day(date(2027, 3, 27), "Europe/Berlin") == datetime(2026, 1, 1, 23, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC)


def test_it_knows_which_zone_data_it_uses() -> None:
    assert tzdata_version().split()[0] in ("system", "tzdata")
    assert tzdata_version().split()[1][:4].isdigit()
