"""Periods are counted in two readings, each step in words with its article."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from incident_tracker.rules.periods import Due, DueError, due
from tests.rules.laws import HEAD, OBLIGATION, trial_law, with_period


def counted(folder: Path, period: str, events: dict[str, str], more: str = "", **how: object) -> Due:
    return due("trial.one", events, law=trial_law(folder, with_period(period, more)), **how)  # type: ignore[arg-type]


def texts(result: Due) -> str:
    return " ".join(step.text for step in result.steps)


def test_hours_are_elapsed_time_over_a_change_of_the_clocks(tmp_path: Path) -> None:
    spring = counted(tmp_path, "{within: {hours: 24}}", {"aware": "2027-03-27T16:00:00+01:00"})
    assert spring.conservative
    assert spring.conservative.value.isoformat() == "2027-03-28T17:00:00+02:00"
    assert "by the clock face it would be Sun 28 Mar 2027, 16:00" in spring.warnings[0]
    autumn = counted(tmp_path, "{within: {hours: 24}}", {"aware": "2026-10-24T16:00:00+02:00"})
    assert autumn.conservative
    assert autumn.conservative.value.isoformat() == "2026-10-25T15:00:00+01:00"


@pytest.mark.parametrize(
    ("counting", "conservative", "statutory"),
    [
        ("calendar", date(2026, 12, 4), date(2026, 12, 4)),
        ("including_first", date(2026, 12, 3), date(2026, 12, 3)),
        ("eu1182", date(2026, 12, 4), date(2026, 12, 4)),
    ],
)
def test_it_counts_calendar_days_in_three_ways(tmp_path: Path, counting: str, conservative: date, statutory: date) -> None:
    result = counted(tmp_path, f"{{within: {{days: 7, counting: {counting}}}}}", {"aware": "2026-11-27T10:00:00+01:00"})
    assert result.conservative
    assert result.conservative.value == conservative
    assert result.statutory
    assert result.statutory.value == statutory


def test_a_day_ends_at_the_first_instant_of_the_next_one_in_its_zone(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {days: 1}}", {"aware": "2026-11-27T23:30:00+00:00"})
    assert result.conservative
    assert result.conservative.value == date(2026, 11, 29)
    assert result.conservative.at == datetime(2026, 11, 29, 23, tzinfo=UTC)


def test_european_days_move_off_a_weekend_by_the_statutory_reading_only(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {days: 8, counting: eu1182}}", {"aware": "2026-11-27T10:00:00+01:00"})
    assert result.conservative
    assert result.conservative.value == date(2026, 12, 5)
    assert result.statutory
    assert result.statutory.value == date(2026, 12, 7)
    assert [step.cites for step in result.steps if step.reading == "statutory"] == ["Reg. (EEC, Euratom) 1182/71 art. 3(4)"]


def test_european_days_include_two_working_days(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {days: 3, counting: eu1182}}", {"aware": "2026-11-27T10:00:00+01:00"})
    assert result.conservative
    assert result.conservative.value == date(2026, 11, 30)
    assert result.statutory
    assert result.statutory.value == date(2026, 12, 1)
    assert "two working days" in texts(result)


def test_the_holidays_are_those_of_the_authority(tmp_path: Path) -> None:
    period = "{within: {days: 7, counting: eu1182, calendar: authority}}"
    law = trial_law(tmp_path, with_period(period).replace("calendar: DE\n", "calendar: authority\n"))
    for country, expected in (("DE-BE", date(2027, 3, 9)), ("DE-BY", date(2027, 3, 8))):
        result = due("trial.one", {"aware": "2027-03-01T10:00:00+01:00"}, country=country, law=law)
        assert result.statutory
        assert result.statutory.value == expected


def test_without_a_place_the_statutory_date_is_not_known(tmp_path: Path) -> None:
    law = trial_law(tmp_path, with_period("{within: {days: 8, counting: eu1182}}").replace("calendar: DE\n", ""))
    result = due("trial.one", {"aware": "2026-11-27T10:00:00+01:00"}, law=law)
    assert result.conservative
    assert result.conservative.value == date(2026, 12, 5)
    assert result.statutory is None
    assert "holiday calendar, is not known" in result.warnings[0]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [("2026-10-31", 1, date(2026, 11, 30)), ("2027-01-31", 1, date(2027, 2, 28)), ("2028-01-31", 1, date(2028, 2, 29)), ("2026-12-15", 2, date(2027, 2, 15)), ("2026-12-15", 1, date(2027, 1, 15))],
)
def test_a_month_without_that_day_ends_on_its_last_day(tmp_path: Path, start: str, months: int, end: date) -> None:
    result = counted(tmp_path, f"{{within: {{months: {months}}}}}", {"aware": start})
    assert result.conservative
    assert result.conservative.value == end


def test_weeks_and_years_are_counted_too(tmp_path: Path) -> None:
    weeks = counted(tmp_path, "{within: {weeks: 2}}", {"aware": "2026-11-27"})
    years = counted(tmp_path, "{within: {years: 1}}", {"aware": "2028-02-29"})
    assert weeks.conservative
    assert weeks.conservative.value == date(2026, 12, 11)
    assert years.conservative
    assert years.conservative.value == date(2029, 2, 28)


def test_working_days_leave_out_holidays_and_name_them(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {working_days: 3, calendar: us-federal}}", {"aware": "2026-11-24"})
    assert result.conservative
    assert result.conservative.value == date(2026, 11, 30)
    assert "Thu 26 Nov 2026" in texts(result)


def test_brazil_counts_working_days_from_the_day_after(tmp_path: Path) -> None:
    period = "{within: {working_days: 3, calendar: BR}}"
    result = counted(tmp_path, period, {"aware": "2026-11-27T10:00:00-03:00"}, zone="America/Sao_Paulo")
    assert result.conservative
    assert result.conservative.at == datetime(2026, 12, 3, 3, tzinfo=UTC)


def test_full_working_days_must_have_passed(tmp_path: Path) -> None:
    result = counted(tmp_path, "{not_before: {working_days: 7, counting: full, calendar: us-federal}}", {"aware": "2026-11-20"})
    assert result.not_before
    assert result.not_before.value == date(2026, 12, 2)
    assert result.conservative is None


def test_the_first_day_may_count_as_a_working_day(tmp_path: Path) -> None:
    result = counted(tmp_path, "{within: {working_days: 2, counting: including_first, calendar: DE}}", {"aware": "2026-11-26"})
    assert result.conservative
    assert result.conservative.value == date(2026, 11, 27)


def test_a_state_holiday_lengthens_the_statutory_reading_only(tmp_path: Path) -> None:
    period = "{within: {working_days: 2, calendar: us-federal, statutory_calendar: US-CA}}"
    result = counted(tmp_path, period, {"aware": "2026-11-25"})
    assert result.conservative
    assert result.conservative.value == date(2026, 11, 30)
    assert result.statutory
    assert result.statutory.value == date(2026, 12, 1)


CALENDARS = """own:
  title: an office of our own
  days: {2026: [2026-11-30]}
  part_days: {"2026-12-01": "12:00"}
"""


def test_an_office_that_closes_early_ends_the_day_early_for_warnings(tmp_path: Path) -> None:
    law = trial_law(tmp_path, with_period("{within: {working_days: 2, calendar: own}}"), calendars=CALENDARS)
    result = due("trial.one", {"aware": "2026-11-26"}, law=law)
    assert result.conservative
    assert result.conservative.value.isoformat() == "2026-12-01T12:00:00+01:00"
    assert result.statutory
    assert result.statutory.value == date(2026, 12, 1)


def test_a_year_without_holiday_data_is_not_a_year_without_holidays(tmp_path: Path) -> None:
    law = trial_law(tmp_path, with_period("{within: {working_days: 2, calendar: own}}"), calendars=CALENDARS)
    result = due("trial.one", {"aware": "2027-11-26"}, law=law)
    assert result.conservative
    assert result.conservative.value == date(2027, 11, 30)
    assert result.statutory is None
    assert "no holiday data" in result.warnings[-1]


def test_it_ends_at_a_time_of_day(tmp_path: Path) -> None:
    result = counted(tmp_path, '{within: {days: 1, until: "17:00"}}', {"aware": "2026-11-27"})
    assert result.conservative
    assert result.conservative.value.isoformat() == "2026-11-28T17:00:00+01:00"


DORA = HEAD.replace("judged_at: [aware]", "judged_at: [aware, classified_major]") + """rolls:
  noon:
    days: [saturday, sunday, holiday]
    calendar: DE
    to: "12:00"
    cites: RTS 2025/301 art. 5(4)
    when: {not: {fact: entity.sectors, op: contains, value: hipaa_covered_entity}}
obligations:
- id: trial.in-time
  title: Send the initial notification
  recipient: {type: authority, authority: DE, name: them}
  trigger: {event: classified_major}
  period: {within: {earlier_of: [{hours: 4, roll: noon}, {hours: 24, from: aware, roll: noon}]}}
- id: trial.final
  title: Send the final report
  recipient: {type: authority, authority: DE, name: them}
  trigger: {event: intermediate_sent}
  period: {within: {months: 1, keep_time: true, roll: noon}}
"""
BANK = {"entity.sectors": ["hipaa_covered_entity"]}
OTHER = {"entity.sectors": ["none_of_these"]}


def test_the_earlier_of_two_limits_counts(tmp_path: Path) -> None:
    law = trial_law(tmp_path, DORA)
    events = {"aware": "2026-11-27T09:00:00+01:00", "classified_major": "2026-11-27T15:00:00+01:00"}
    result = due("trial.in-time", events, law=law, facts=BANK)
    assert result.conservative
    assert result.conservative.value.isoformat() == "2026-11-27T19:00:00+01:00"
    late = due("trial.in-time", {**events, "classified_major": "2026-11-28T08:00:00+01:00"}, law=law, facts=BANK)
    assert late.statutory
    assert late.statutory.value.isoformat() == "2026-11-28T09:00:00+01:00"


def test_the_move_to_noon_is_for_those_who_have_it(tmp_path: Path) -> None:
    law = trial_law(tmp_path, DORA)
    events = {"aware": "2026-11-27T09:00:00+01:00", "classified_major": "2026-11-28T08:00:00+01:00"}
    result = due("trial.in-time", events, law=law, facts=OTHER)
    assert result.conservative
    assert result.conservative.value.isoformat() == "2026-11-28T09:00:00+01:00"
    assert result.statutory
    assert result.statutory.value.isoformat() == "2026-11-30T12:00:00+01:00"


def test_a_move_that_cannot_be_decided_is_not_made_and_is_said(tmp_path: Path) -> None:
    events = {"aware": "2026-11-27T09:00:00+01:00", "classified_major": "2026-11-28T08:00:00+01:00"}
    result = due("trial.in-time", events, law=trial_law(tmp_path, DORA))
    assert result.statutory
    assert result.statutory.value.isoformat() == "2026-11-28T09:00:00+01:00"
    assert "is not known yet" in result.warnings[0]


def test_a_month_may_keep_the_hour_and_end_at_noon(tmp_path: Path) -> None:
    result = due("trial.final", {"intermediate_sent": "2027-01-31T10:00:00+01:00"}, law=trial_law(tmp_path, DORA), facts=BANK | {"entity.sectors": []})
    assert result.conservative
    assert result.conservative.value.isoformat() == "2027-02-28T10:00:00+01:00"
    assert result.statutory
    assert result.statutory.value.isoformat() == "2027-03-01T12:00:00+01:00"


def test_while_one_of_two_limits_has_no_start_the_other_runs(tmp_path: Path) -> None:
    result = due("trial.in-time", {"aware": "2026-11-27T09:00:00+01:00"}, law=trial_law(tmp_path, DORA), facts=BANK)
    assert result.conservative
    assert result.conservative.value.isoformat() == "2026-11-28T09:00:00+01:00"
    assert result.trigger is not None


def test_the_later_of_two_is_not_known_while_one_is_not(tmp_path: Path) -> None:
    period = "{within: {later_of: [{days: 3}, {days: 1, from: incident_handled}]}}"
    open_end = counted(tmp_path, period, {"aware": "2026-11-27"})
    assert open_end.conservative
    assert open_end.conservative.value == date(2026, 11, 30)
    assert open_end.statutory is None
    both = counted(tmp_path, period, {"aware": "2026-11-27", "incident_handled": "2026-12-03"})
    assert both.statutory
    assert both.statutory.value == date(2026, 12, 4)


RELATED = HEAD + OBLIGATION.replace("{standard: soon}", "{within: {days: 30}}") + """- id: trial.two
  title: Tell the authority
  recipient: {type: authority, authority: DE-BE, name: them}
  trigger: {event: individuals_notified, after: [trial.one]}
  period: {within: {RELATION}}
"""


@pytest.mark.parametrize("relation", ["before", "with", "not_later_than"])
def test_a_duty_that_hangs_on_another_has_at_most_its_time(tmp_path: Path, relation: str) -> None:
    law = trial_law(tmp_path, RELATED.replace("RELATION", f"{relation}: trial.one"))
    result = due("trial.two", {"aware": "2026-11-27"}, law=law)
    assert result.conservative
    assert result.conservative.value == date(2026, 12, 27)
    assert result.trigger is not None


def test_telling_people_early_pulls_the_authority_with_it(tmp_path: Path) -> None:
    done = {"aware": "2026-11-27", "trial.one": "2026-12-01T09:00:00+01:00"}
    before = due("trial.two", done, law=trial_law(tmp_path, RELATED.replace("RELATION", "before: trial.one")))
    assert before.statutory
    assert before.statutory.value.isoformat() == "2026-12-01T09:00:00+01:00"
    same = due("trial.two", done, law=trial_law(tmp_path, RELATED.replace("RELATION", "with: trial.one")))
    assert same.statutory
    assert same.statutory.value == date(2026, 12, 1)


def test_a_term_may_count_from_when_another_duty_was_done(tmp_path: Path) -> None:
    law = trial_law(tmp_path, RELATED.replace("RELATION", "days: 15, after: trial.one"))
    waiting = due("trial.two", {"aware": "2026-11-27"}, law=law)
    assert (waiting.conservative, waiting.trigger) == (None, None)
    running = due("trial.two", {"aware": "2026-11-27", "trial.one": "2026-12-01"}, law=law)
    assert running.conservative
    assert running.conservative.value == date(2026, 12, 16)


def test_a_filing_earns_more_time(tmp_path: Path) -> None:
    text = RELATED.replace("{RELATION}", "{days: 30}").replace("id: trial.one", "id: trial.one\n  modifiers:\n  - {kind: extension, cites: Act s. 2, filing: trial.two, adds: {days: 15}}")
    law = trial_law(tmp_path, text)
    plain = due("trial.one", {"aware": "2026-11-22"}, law=law)
    assert plain.conservative
    assert plain.conservative.value == date(2026, 12, 22)
    longer = due("trial.one", {"aware": "2026-11-22", "trial.two": "2026-12-20"}, law=law)
    assert longer.conservative
    assert longer.conservative.value == date(2027, 1, 6)


def test_words_without_a_number_make_no_date() -> None:
    result = due("eu-gdpr-34-1", {"risk_determined_high": "2026-11-27T10:00:00+01:00"})
    assert (result.conservative, result.statutory, result.has_number) == (None, None, False)
    assert result.standard == "without undue delay"
    assert "no date" in texts(result)


def test_a_clock_that_has_not_started_has_no_trigger() -> None:
    result = due("eu-gdpr-33-1", {})
    assert (result.trigger, result.conservative, result.has_number) == (None, None, True)


def test_a_moment_that_stands_in_for_another_is_said() -> None:
    result = due("us-ny.breach.individual", {"aware": "2026-11-06"}, zone="America/New_York")
    assert result.conservative
    assert result.conservative.value == date(2026, 12, 6)
    assert result.warnings[0] == '"Discovered" is not recorded: the clock runs from "Became aware".'


def test_a_day_without_an_hour_runs_from_its_start() -> None:
    result = due("eu-gdpr-33-1", {"aware": "2018-09-25"}, country="IE")
    assert result.conservative
    assert result.conservative.value.isoformat() == "2018-09-28T00:00:00+01:00"
    assert any("Only the day is known" in warning for warning in result.warnings)


def test_the_own_trigger_may_be_given_as_such() -> None:
    assert due("eu-gdpr-33-1", {"trigger": "2026-11-24T14:37:00+01:00"}).conservative == due("eu-gdpr-33-1", {"aware": "2026-11-24T14:37:00+01:00"}).conservative


def test_a_contract_without_its_number_says_what_is_missing() -> None:
    result = due("contract.processor_notice", {"processor_aware": "2026-11-27T17:30:00+01:00"})
    assert result.conservative is None
    assert result.missing == ("contract.processor_notice_hours",)


def test_each_step_has_its_article_and_the_first_says_what_happened() -> None:
    result = due("eu-gdpr-33-1", {"aware": "2026-11-27T17:30:00+01:00"}, country="DE")
    assert result.steps[0].text == "Became aware: Fri 27 Nov 2026, 17:30 (UTC+01:00)."
    assert all(step.cites for step in result.steps)
    assert {step.reading for step in result.steps} == {"both", "conservative", "statutory"}
    assert any("Mon 30 Nov 2026, 18:00" in step.text for step in result.steps if step.reading == "statutory")


def test_it_keeps_the_versions_it_was_computed_with() -> None:
    document = due("eu-gdpr-33-1", {"aware": "2026-11-27T17:30:00+01:00"}).to_json()
    assert set(document["versions"]) == {"law", "tzdata", "holidays"}
    assert document["conservative"] == "2026-11-30T17:30:00+01:00"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"obligation": "eu-gdpr-99"}, "the id of an obligation"),
        ({"events": {"awareness": "2026-11-27"}}, "name of a moment"),
        ({"events": {"aware": "yesterday"}}, "ISO 8601"),
        ({"events": {"aware": "2026-11-27T10:00:00"}}, "offset"),
        ({"zone": "Europe/Atlantis"}, "IANA"),
        ({"country": "Narnia"}, "places.yaml"),
        ({"options": {"art_3_5": "D"}}, "art_3_5"),
        ({"options": {"on_day": "strict"}}, "on_hour"),
        ({"facts": {"risk_level": "huge"}}, "risk_level"),
    ],
)
def test_it_says_in_one_line_what_was_expected(arguments: dict[str, object], expected: str) -> None:
    call: dict[str, object] = {"obligation": "eu-gdpr-33-1", "events": {"aware": "2026-11-27"}, **arguments}
    with pytest.raises(DueError, match=expected) as refused:
        due(**call)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
