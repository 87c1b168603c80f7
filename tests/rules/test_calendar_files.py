"""Calendars of our own: their weekly rest, their days by year, early closing, and what is not known of them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from incident_tracker.rules import calendars
from incident_tracker.rules.calendars import Calendar, Calendars, YearUnknown, at_time, end_of_day, read_calendars
from incident_tracker.rules.sources import RegimeError

#: a week that begins on a Monday
WEEK = [date(2026, 11, 23) + timedelta(days=ahead) for ahead in range(7)]
NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def read(folder: Path, text: str) -> Calendar:
    (folder / "calendars.yaml").write_text(text, encoding="utf-8")
    return read_calendars(folder, folder / "none").get("own")


@pytest.mark.parametrize(("name", "day"), zip(NAMES, WEEK, strict=True))
def test_each_day_of_the_week_may_be_the_one_of_rest(tmp_path: Path, name: str, day: date) -> None:
    own = read(tmp_path, f"own: {{title: ours, weekend: [{name}]}}")
    assert [one for one in WEEK if own.is_weekend(one)] == [day]


def test_the_weekly_rest_is_saturday_and_sunday_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    own = read(tmp_path, "own: {title: ours}")
    assert [one for one in WEEK if own.is_weekend(one)] == WEEK[5:]
    assert [one for one in WEEK if Calendar("x", "x").is_weekend(one)] == WEEK[5:]
    assert [one for one in WEEK if Calendars({}).get("XX").is_weekend(one)] == WEEK[5:]


def test_own_days_stand_alone_or_join_those_of_a_country(tmp_path: Path) -> None:
    alone = read(tmp_path, 'own: {title: ours, days: {2026: [2026-11-24]}, part_days: {"2026-11-25": "12:30"}, source: us}')
    assert alone.holidays_of(2026) == {date(2026, 11, 24)}
    assert (alone.title, alone.country, alone.part, alone.part_days) == ("ours", None, None, {date(2026, 11, 25): time(12, 30)})
    with pytest.raises(YearUnknown, match="no holiday data for ours in 2027"):
        alone.holidays_of(2027)
    joined = read(tmp_path, "own: {title: ours, country: DE, part: BE, days: {2026: [2026-11-24]}}")
    assert {date(2026, 11, 24), date(2026, 3, 8), date(2026, 12, 25)} <= joined.holidays_of(2026)
    assert date(2027, 3, 8) in joined.holidays_of(2027)
    assert {day.year for day in joined.holidays_of(2027)} == {2027}


def test_own_days_are_all_there_is_where_the_country_or_the_year_has_no_data() -> None:
    days = {2026: frozenset({date(2026, 11, 24)}), 1700: frozenset({date(1700, 1, 1)})}
    assert Calendar("x", "x", country="XX", days=days).holidays_of(2026) == days[2026]
    assert Calendar("x", "x", country="DE", days=days).holidays_of(1700) == days[1700]
    germany = Calendar("x", "x", country="DE")
    assert [bool(germany.holidays_of(year)) for year in (1991, 2100)] == [True, True]
    for year in (1990, 2101):
        with pytest.raises(YearUnknown):
            germany.holidays_of(year)


def test_the_next_working_day_is_looked_for_no_further_than_sixty_days() -> None:
    closed = frozenset(date(2026, 3, 1) + timedelta(days=ahead) for ahead in range(200))
    found = Calendar("x", "a closed house", weekend=frozenset(), days={2026: closed - {date(2026, 4, 29)}})
    assert found.next_working_day(date(2026, 3, 1)) == date(2026, 4, 29)
    assert found.next_working_day(date(2026, 4, 29)) == date(2026, 4, 29)
    too_far = Calendar("x", "a closed house", weekend=frozenset(), days={2026: closed - {date(2026, 4, 30)}})
    with pytest.raises(YearUnknown, match="no working day within 60 days of 2026-03-01 for a closed house"):
        too_far.next_working_day(date(2026, 3, 1))


def test_without_holidays_the_weekly_rest_stays_for_all_years_that_are_counted() -> None:
    bare = Calendar("x", "a house", weekend=frozenset({4}), days={2026: frozenset(WEEK)}).without_holidays()
    assert (bare.name, bare.title) == ("x", "a house")
    assert [one for one in WEEK if not bare.is_working_day(one)] == [WEEK[4]]
    assert [bare.holidays_of(year) for year in (1970, 2199)] == [frozenset(), frozenset()]
    for year in (1969, 2200):
        with pytest.raises(YearUnknown):
            bare.holidays_of(year)


def test_a_place_has_a_calendar_by_its_code_however_it_is_written() -> None:
    made = Calendars({"own": Calendar("own", "ours")})
    assert ("own" in made, "de-by" in made) == (True, False)
    bavaria = made.get("de-by")
    assert (bavaria.country, bavaria.part) == ("DE", "BY")
    assert made.get("de-by") is bavaria
    assert made.get("DE-XX").part is None
    assert made.get("DE-XX").country == "DE"
    assert [one for one in WEEK if made.get("EG").is_weekend(one)] == WEEK[4:6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("own: {title: ours, weekend: [someday]}", "'someday' is not one of monday"),
        ("own: {title: ours, days: {2026: [~]}}", "expected a day"),
        ("own: {weekend: [monday]}", "the key 'title' is missing"),
    ],
)
def test_a_calendar_that_cannot_be_read_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RegimeError, match=f"calendars.yaml:1: {message}"):
        read(tmp_path, text)


def test_days_end_and_hours_strike_on_the_clocks_of_the_zone() -> None:
    assert end_of_day(date(2026, 10, 25), "Europe/Berlin") == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert at_time(date(2026, 10, 25), time(12, 30), "Europe/Berlin") == datetime(2026, 10, 25, 11, 30, tzinfo=UTC)


def test_the_zone_data_are_those_of_the_system_else_those_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tzdata.zi").write_text("# version 2026z\n# more\n", encoding="ascii")
    for path, expected in (((str(tmp_path / "none"), str(tmp_path)), "^system 2026z$"), ((), r"^tzdata \d{4}\.\d+$")):
        monkeypatch.setattr(calendars.zoneinfo, "TZPATH", path)
        calendars.tzdata_version.cache_clear()
        assert re.match(expected, calendars.tzdata_version())
    monkeypatch.undo()
    calendars.tzdata_version.cache_clear()


def test_a_calendar_is_the_same_whatever_was_asked_of_it() -> None:
    asked, fresh = Calendar("x", "x", country="DE"), Calendar("x", "x", country="DE")
    asked.holidays_of(2026)
    assert asked == fresh


def test_it_says_which_holiday_data_it_uses() -> None:
    assert re.match(r"^holidays \d+\.\d+", calendars.holidays_version())
