"""Each step of a count is said in words with its article, and what cannot be counted is said too."""

from datetime import date
from pathlib import Path

import pytest

from incident_tracker.rules.periods import Due, due
from tests.rules.laws import trial_law, with_period

FRIDAY = {"aware": "2026-11-27T10:20:00+01:00"}
FULL_HOUR = {"aware": "2026-11-27T10:00:00+01:00"}
OWN = """own:
  title: our office
  days: {2026: [2026-12-29, 2026-12-30]}
sunday_only:
  title: a shop
  weekend: [sunday]
  days: {2026: [2026-11-30]}
long_friday:
  title: a house that rests on Fridays
  weekend: [friday]
  days: {2026: []}
"""


def counted(folder: Path, period: str, events: dict[str, str], **how: object) -> Due:
    return due("trial.one", events, law=trial_law(folder, with_period(period), calendars=OWN), **how)  # type: ignore[arg-type]


def said(result: Due) -> list[tuple[str, str]]:
    """The steps without the first, which names the trigger."""
    return [(step.text, step.cites) for step in result.steps[1:]]


@pytest.mark.parametrize(
    ("events", "on_hour", "begins"),
    [
        (FRIDAY, "strict", "The hour in which it happened is not counted: the first hour begins Fri 27 Nov 2026, 11:00 (UTC+01:00)."),
        (FRIDAY, "lenient", "The hour in which it happened is not counted: the first hour begins Fri 27 Nov 2026, 11:00 (UTC+01:00)."),
        (FULL_HOUR, "strict", "The hour in which it happened is not counted: the first hour begins Fri 27 Nov 2026, 11:00 (UTC+01:00)."),
        (FULL_HOUR, "lenient", "It happened on the full hour, which counts: the first hour begins Fri 27 Nov 2026, 10:00 (UTC+01:00)."),
    ],
)
def test_it_says_whether_the_hour_of_the_event_counts(tmp_path: Path, events: dict[str, str], on_hour: str, begins: str) -> None:
    result = counted(tmp_path, "{within: {hours: 24, counting: eu1182}}", events, options={"on_hour": on_hour})
    assert (begins, "Reg. (EEC, Euratom) 1182/71 art. 3(1)") in said(result)


def test_a_law_that_cites_the_regulation_in_its_own_way_is_quoted_so(tmp_path: Path) -> None:
    for period in ("{hours: 24, counting: eu1182, cites: Retained Reg.}", "{days: 3, counting: eu1182, cites: Retained Reg.}"):
        cites = [cites for _, cites in said(counted(tmp_path, f"{{within: {period}}}", FRIDAY))]
        assert "Retained Reg. art. 3(1)" in cites
        assert not [one for one in cites if "1182/71" in one]


def test_without_a_place_the_two_working_days_cannot_be_counted_and_the_72_hours_can(tmp_path: Path) -> None:
    period = "{within: {hours: 72, counting: eu1182, calendar: authority}}"
    law = trial_law(tmp_path, with_period(period).replace("calendar: DE\n", ""))
    result = due("trial.one", FRIDAY, law=law, options={"art_3_5": "C"})
    assert result.conservative
    assert result.conservative.value.isoformat() == "2026-11-30T10:20:00+01:00"
    assert result.statutory is None
    assert "the two working days of art. 3(5) cannot be counted" in result.warnings[-1]


@pytest.mark.parametrize(
    ("counting", "begins", "ends", "cites"),
    [
        ("calendar", "The day itself, Fri 27 Nov 2026, is not counted.", "7 days end with Fri 4 Dec 2026.", ("Trial Act", "Trial Act")),
        ("including_first", "The day itself is day 1: Fri 27 Nov 2026.", "7 days end with Thu 3 Dec 2026.", ("Trial Act", "Trial Act")),
        (
            "eu1182",
            "The day itself, Fri 27 Nov 2026, is not counted.",
            "7 days end with Fri 4 Dec 2026.",
            ("Reg. (EEC, Euratom) 1182/71 art. 3(1)", "Reg. (EEC, Euratom) 1182/71 art. 3(2)"),
        ),
    ],
)
def test_it_says_which_day_is_the_first_and_which_the_last(tmp_path: Path, counting: str, begins: str, ends: str, cites: tuple[str, str]) -> None:
    result = counted(tmp_path, f"{{within: {{days: 7, counting: {counting}}}}}", FRIDAY)
    assert said(result) == [(begins, cites[0]), (ends, cites[1])]


def test_a_last_day_with_an_hour_is_said_with_its_hour(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {months: 1, keep_time: true}}", FRIDAY)
    assert said(result)[-1][0] == "1 month end Sun 27 Dec 2026, 10:20 (UTC+01:00)."


def test_a_calendar_that_the_law_names_goes_before_that_of_the_place(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {days: 7, counting: eu1182, calendar: DE-BE}}", {"aware": "2027-03-01T10:00:00+01:00"}, country="DE-BY")
    assert result.statutory
    assert result.statutory.value == date(2027, 3, 9)


def test_a_single_day_need_not_include_two_working_days(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {days: 1, counting: eu1182}}", FRIDAY)
    assert result.statutory
    assert result.statutory.value == date(2026, 11, 30)


def test_two_days_must_include_two_working_days(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {days: 2, counting: eu1182}}", FRIDAY)
    assert result.statutory
    assert result.statutory.value == date(2026, 12, 1)


def test_a_second_working_day_in_a_year_without_data_is_not_known(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {days: 3, counting: eu1182, calendar: own}}", {"aware": "2026-12-28"})
    assert result.conservative
    assert result.conservative.value == date(2026, 12, 31)
    assert result.statutory is None
    assert result.warnings[1:] == ("no holiday data for our office in 2027.",)


def test_where_holidays_are_not_known_the_weekly_rest_days_still_are(tmp_path: Path) -> None:
    own = counted(tmp_path, "{within: {working_days: 2, calendar: sunday_only}}", {"aware": "2027-11-26"}, country="DE")
    assert own.conservative
    assert own.conservative.value == date(2027, 11, 29)
    place = trial_law(tmp_path, with_period("{within: {working_days: 2, calendar: authority}}").replace("calendar: DE\n", "calendar: authority\n"))
    nowhere = due("trial.one", {"aware": "2026-11-26"}, law=place)
    assert nowhere.conservative
    assert nowhere.conservative.value == date(2026, 11, 30)
    assert nowhere.statutory is None
    assert "leaves out weekends only" in nowhere.warnings[-1]


def test_it_says_that_an_office_closes_early(tmp_path: Path) -> None:
    calendars = OWN.replace("  title: our office\n", '  title: our office\n  part_days: {"2026-12-01": "12:00"}\n')
    law = trial_law(tmp_path, with_period("{within: {working_days: 2, calendar: own}}"), calendars=calendars)
    steps = due("trial.one", {"aware": "2026-11-27"}, law=law).steps
    assert [step.text for step in steps if step.reading == "conservative"] == ["Offices close early that day: Tue 1 Dec 2026, 12:00 (UTC+01:00)."]


def test_a_state_without_holiday_data_leaves_the_statutory_date_open(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {working_days: 2, calendar: us-federal, statutory_calendar: own}}", {"aware": "2027-11-25"})
    assert result.conservative
    assert result.conservative.value == date(2027, 11, 29)
    assert result.statutory is None
    assert result.warnings[1:] == ("no holiday data for our office in 2027: the statutory date is not known.",)


def test_the_statutory_count_is_shown_only_where_it_differs(tmp_path: Path) -> None:
    period = "{within: {working_days: 2, calendar: us-federal, statutory_calendar: US-CA}}"
    later = counted(tmp_path, period, {"aware": "2026-11-25"})
    shown = [step.text for step in later.steps if step.reading == "statutory"]
    assert shown[-1].startswith("2 working days end on Tue 1 Dec 2026 (")
    assert "holidays left out: Thu 26 Nov 2026, Fri 27 Nov 2026" in shown[-1]
    assert not [step for step in counted(tmp_path, period, {"aware": "2026-11-16"}).steps if step.reading == "statutory"]


def test_a_day_on_which_the_other_office_rests_is_named(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {working_days: 2, calendar: us-federal, statutory_calendar: long_friday}}", {"aware": "2026-11-18"})
    assert "holidays left out: Fri 20 Nov 2026" in result.steps[-1].text


@pytest.mark.parametrize(
    ("counting", "aware", "begins", "ends"),
    [
        ("sec", "2026-11-28", "Counting starts on the first business day. Day of the event: Sat 28 Nov 2026.", "4 working days end on Thu 3 Dec 2026 ("),
        ("sec", "2026-11-30", "The day itself is not counted. Day of the event: Mon 30 Nov 2026.", "4 working days end on Fri 4 Dec 2026 ("),
        ("excluding_first", "2026-11-28", "The day itself is not counted. Day of the event: Sat 28 Nov 2026.", "4 working days end on Thu 3 Dec 2026 ("),
        ("including_first", "2026-11-30", "Counting starts on the first business day. Day of the event: Mon 30 Nov 2026.", "4 working days end on Thu 3 Dec 2026 ("),
        ("full", "2026-11-30", "The day itself is not counted. Day of the event: Mon 30 Nov 2026.", "4 working days have passed in full at Fri 4 Dec 2026 ("),
    ],
)
def test_it_says_how_business_days_are_counted(tmp_path: Path, counting: str, aware: str, begins: str, ends: str) -> None:
    result = counted(tmp_path, f"{{within: {{working_days: 4, counting: {counting}, calendar: us-federal}}}}", {"aware": aware})
    (first, _), (last, _) = said(result)
    assert first == begins
    assert last.startswith(ends)
