"""On whose clocks a period runs, from which moment, and what is said of it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tracker.rules.calendars import Calendars
from incident_tracker.rules.conditions import ALWAYS
from incident_tracker.rules.duties import assess
from incident_tracker.rules.periods import Due, DueError, due
from incident_tracker.rules.spans import Setting
from incident_tracker.rules.terms import Roll
from tests.rules.laws import HEAD, OBLIGATION, trial_law, with_period

LATE_IN_UTC = {"aware": {"at": "2026-11-27T23:30:00+00:00", "zone": "UTC"}}
RELATED = HEAD + OBLIGATION.replace("{standard: soon}", "{within: {days: 30}}") + """- id: trial.two
  title: Tell the authority
  recipient: {type: authority, authority: DE-BE, name: them}
  trigger: {event: individuals_notified, after: [trial.one]}
  period: {within: {RELATION}}
"""


def run(folder: Path, period: str, events: dict[str, Any], of_law: str = "Europe/Berlin", **how: Any) -> Due:
    return due("trial.one", events, law=trial_law(folder, with_period(period).replace("zone: Europe/Berlin", f"zone: {of_law}")), **how)


def related(folder: Path, relation: str, events: dict[str, Any]) -> Due:
    return due("trial.two", events, law=trial_law(folder, RELATED.replace("RELATION", relation)))


@pytest.mark.parametrize(
    ("zone", "how", "expected"),
    [
        ("Europe/Berlin", {}, "Europe/Berlin"),
        ("Europe/Berlin", {"country": "US-NY"}, "Europe/Berlin"),
        ("Europe/Berlin", {"zone": "Asia/Kolkata"}, "Asia/Kolkata"),
        ("authority", {}, "UTC"),
        ("authority", {"country": "US-NY"}, "America/New_York"),
        ("authority", {"country": "US-NY", "facts": {"organisation.zone": "Asia/Tokyo"}}, "America/New_York"),
        ("notifier", {"country": "US-NY", "facts": {"organisation.zone": "Asia/Tokyo"}}, "Asia/Tokyo"),
        ("notifier", {"country": "US-NY"}, "America/New_York"),
        ("notifier", {"zone": "Asia/Kolkata", "facts": {"organisation.zone": "Asia/Tokyo"}}, "Asia/Kolkata"),
    ],
)
def test_a_day_ends_on_the_clocks_that_the_law_means(tmp_path: Path, zone: str, how: dict[str, Any], expected: str) -> None:
    result = run(tmp_path, "{within: {days: 1}}", LATE_IN_UTC, zone, **how)
    assert result.conservative
    assert result.conservative.zone == expected


@pytest.mark.parametrize(("zone", "expected"), [("Asia/Tokyo", "Asia/Tokyo"), ("authority", "UTC")])
def test_a_plain_day_is_one_of_the_law_s_own_zone(tmp_path: Path, zone: str, expected: str) -> None:
    result = run(tmp_path, "{within: {days: 1}}", {"aware": "2026-11-27"}, zone)
    assert result.trigger
    assert result.trigger.zone == expected


def test_a_country_lends_its_own_calendar_and_a_state_has_one_by_its_code(tmp_path: Path) -> None:
    text = with_period("{within: {working_days: 2, calendar: authority}}").replace("calendar: DE\n", "calendar: authority\n")
    law = trial_law(tmp_path, text)
    titles = {country: law.calendars.get(calendar).title for country, calendar in (("US", "us-federal"), ("US-CA", "US-CA"), ("DE-BY", "DE-BY"))}
    for country, title in titles.items():
        assert f"({title})" in due("trial.one", {"aware": "2026-11-16"}, country=country, law=law).steps[-1].text


def test_a_zone_that_does_not_exist_is_refused_by_its_name() -> None:
    with pytest.raises(DueError, match=r"^zone: expected an IANA time zone such as Europe/Berlin, not 'Mars'"):
        due("eu-gdpr-33-1", {}, zone="Mars")


def test_what_was_done_for_one_recipient_counts_for_the_duty_that_hangs_on_it(tmp_path: Path) -> None:
    result = related(tmp_path, "before: trial.one", {"aware": "2026-11-27", "trial.one@authority:DE-BE": "2026-12-01T09:00:00+01:00"})
    assert result.statutory
    assert result.statutory.value.isoformat() == "2026-12-01T09:00:00+01:00"


def test_a_clock_without_its_number_does_not_run_though_its_start_is_recorded(tmp_path: Path) -> None:
    period = "{within: {hours: {fact: contract.processor_notice_hours}, from: incident_handled}}"
    waiting = run(tmp_path, period, {"incident_handled": "2026-12-01T09:00:00+01:00"})
    assert (waiting.conservative, waiting.trigger) == (None, None)
    running = run(tmp_path, period, {"incident_handled": "2026-12-01T09:00:00+01:00"}, facts={"contract.processor_notice_hours": 24})
    assert running.conservative
    assert running.trigger


@pytest.mark.parametrize(
    ("relation", "events", "words"),
    [
        ("before: trial.one", {"aware": "2026-11-27"}, 'Due before "Tell them", which is itself due by the end of Sun 27 Dec 2026.'),
        ("with: trial.one", {"trial.one": "2026-12-01T09:00:00+01:00"}, 'Due at the same time as "Tell them", which was done Tue 1 Dec 2026, 09:00 (UTC+01:00).'),
        ("not_later_than: trial.one", {"trial.one": "2026-12-01"}, 'Due not later than "Tell them", which was done Tue 1 Dec 2026.'),
        ("before: trial.one", {}, 'Due before "Tell them", which has no fixed date.'),
    ],
)
def test_it_says_on_what_a_duty_hangs(tmp_path: Path, relation: str, events: dict[str, Any], words: str) -> None:
    assert words in [step.text for step in related(tmp_path, relation, events).steps]


def test_a_due_goes_out_whole(tmp_path: Path) -> None:
    result = run(tmp_path, "{standard: soon, within: {days: 2}, not_before: {days: 1}}", {"aware": "2026-11-26"})
    document = result.to_json()
    assert {name: document[name] for name in ("obligation", "citation", "standard", "has_number", "missing", "warnings")} == {
        "obligation": "trial.one", "citation": "Trial Act", "standard": "soon", "has_number": True, "missing": [],
        "warnings": ["Only the day is known: the clock runs from the start of that day."],
    }
    assert (document["conservative"], document["statutory"], document["not_before"]) == ("2026-11-28", "2026-11-28", "2026-11-27")
    assert document["trigger"] == {"on": "2026-11-26", "zone": "Europe/Berlin", "precision": "day"}
    assert document["steps"][0] == {"text": "Became aware: Thu 26 Nov 2026.", "cites": "Trial Act", "reading": "both"}
    open_ended = run(tmp_path, "{standard: soon}", {}).to_json()
    assert [open_ended[name] for name in ("conservative", "statutory", "not_before", "trigger", "has_number")] == [None, None, None, None, False]


def test_a_move_without_a_condition_is_always_allowed() -> None:
    setting = Setting("UTC", Calendars({}), None, "Act")
    plain = Roll(frozenset({"sunday"}), "DE", "Act s. 2")
    assert setting.may_roll(plain) is True
    assert setting.may_roll(Roll(frozenset({"sunday"}), "DE", "Act s. 2", when=ALWAYS)) is False


def test_time_ends_with_the_day_it_falls_on() -> None:
    result = due("eu-gdpr-33-1", {"aware": "2026-11-27T17:30:00+01:00"}, country="DE")
    assert result.conservative
    assert (result.conservative.day, result.conservative.at) == (date(2026, 11, 30), datetime(2026, 11, 30, 16, 30, tzinfo=UTC))


NINE = "2026-12-01T09:00:00+01:00"


@pytest.mark.parametrize(
    ("relation", "done", "conservative", "statutory"),
    [
        ("before", NINE, NINE, NINE),
        ("with", NINE, NINE, "2026-12-01"),
        ("not_later_than", NINE, NINE, NINE),
        ("before", "2026-12-01", "2026-12-01T00:00:00+01:00", "2026-12-01"),
        ("with", "2026-12-01", "2026-12-01", "2026-12-01"),
        ("not_later_than", "2026-12-01", "2026-12-01", "2026-12-01"),
    ],
)
def test_what_hangs_on_a_duty_done_is_judged_as_finely_as_that_was_recorded(tmp_path: Path, relation: str, done: str, conservative: str, statutory: str) -> None:
    result = related(tmp_path, f"{relation}: trial.one", {"trial.one": done})
    assert result.conservative
    assert result.statutory
    assert (result.conservative.to_json(), result.statutory.to_json()) == (conservative, statutory)


@pytest.mark.parametrize("period", ["{with: trial.two}", "{before: trial.one}"])
def test_duties_that_hang_on_each_other_or_on_themselves_have_no_date(tmp_path: Path, period: str) -> None:
    law = trial_law(tmp_path, RELATED.replace("RELATION", "with: trial.one").replace("{days: 30}", period))
    assert [due(name, {"aware": "2026-11-27"}, law=law).conservative for name in ("trial.one", "trial.two")] == [None, None]


def test_each_link_of_a_chain_of_duties_has_its_date(tmp_path: Path) -> None:
    text = RELATED.replace("RELATION", "with: trial.one") + """- id: trial.three
  title: Tell the public
  recipient: {type: public, name: everybody}
  trigger: {event: individuals_notified, after: [trial.two]}
  period: {within: {not_later_than: trial.two}}
"""
    duties = assess({"moments": {"aware": "2026-11-27"}, "organisation.zone": "Europe/Berlin"}, law=trial_law(tmp_path, text)).duties
    assert [duty.due.conservative.to_json() for duty in duties if duty.due and duty.due.conservative] == ["2026-12-27"] * 3


def test_a_clock_that_hangs_on_a_duty_done_runs_from_when_it_was_done(tmp_path: Path) -> None:
    text = RELATED.replace("{event: individuals_notified, after: [trial.one]}", "{event: incident_handled}").replace("RELATION", "with: trial.one")
    result = due("trial.two", {"trial.one": NINE}, law=trial_law(tmp_path, text))
    assert result.trigger
    assert result.trigger.to_json()["at"] == NINE


EXTENDED = RELATED.replace("{within: {RELATION}}", "{standard: soon}")
BY_DAYS = "{kind: extension, cites: Act s. 2, filing: trial.two, adds: {days: 15}}"
BY_FACT = "{kind: extension, cites: Act s. 3, filing: trial.two, adds: {days: {fact: contract.processor_notice_hours}}}"


def extended(folder: Path, period: str, *modifiers: str, facts: dict[str, Any] | None = None, filed: str = "trial.two") -> Due:
    text = EXTENDED.replace("{within: {days: 30}}", period).replace("id: trial.one", f"id: trial.one\n  modifiers: [{', '.join(modifiers)}]", 1)
    return due("trial.one", {"aware": "2026-11-27", filed: "2026-12-01"}, law=trial_law(folder, text), facts=facts)


def ends(result: Due) -> tuple[str | None, str | None]:
    return (result.conservative.to_json() if result.conservative else None, result.statutory.to_json() if result.statutory else None)


def test_an_extension_lengthens_each_reading_from_its_own_end(tmp_path: Path) -> None:
    result = extended(tmp_path, "{within: {days: 8, counting: eu1182}}", BY_DAYS)
    assert ends(result) == ("2026-12-20", "2026-12-22")
    assert (result.steps[-1].text, result.steps[-1].cites) == ("Extended by a filing to the end of Sun 20 Dec 2026.", "Act s. 2")


def test_an_extension_leaves_a_statutory_date_open_that_was_not_known(tmp_path: Path) -> None:
    period = "{within: {later_of: [{days: 3}, {days: 1, from: incident_handled}]}}"
    assert ends(extended(tmp_path, period, BY_DAYS)) == ("2026-12-15", None)


def test_an_extension_by_an_agreed_number_waits_for_the_number_and_stops_no_other(tmp_path: Path) -> None:
    waiting = extended(tmp_path, "{within: {days: 8}}", BY_FACT, BY_DAYS)
    assert ends(waiting) == ("2026-12-20", "2026-12-20")
    assert waiting.missing == ("contract.processor_notice_hours",)
    agreed = extended(tmp_path, "{within: {days: 8}}", BY_FACT, BY_DAYS, facts={"contract.processor_notice_hours": 2})
    assert ends(agreed) == ("2026-12-22", "2026-12-22")


def test_an_extension_is_earned_by_its_own_filing_alone_and_lengthens_nothing_that_has_no_number(tmp_path: Path) -> None:
    assert ends(extended(tmp_path, "{within: {days: 8}}", BY_DAYS, filed="trial.one")) == ("2026-12-05", "2026-12-05")
    assert ends(extended(tmp_path, "{standard: soon, not_before: {days: 1}}", BY_DAYS)) == (None, None)


@pytest.mark.parametrize(("status", "warned"), [("future", True), ("in_force", False)])
def test_law_that_was_still_to_start_says_so(tmp_path: Path, status: str, warned: bool) -> None:
    law = trial_law(tmp_path, with_period("{within: {days: 8}}").replace("status: in_force", f"status: {status}"))
    said = due("trial.one", {"aware": LATE_IN_UTC["aware"]}, law=law).warnings
    assert [one.startswith("Recorded as law that was still to start") for one in said] == [True] * warned


def test_of_two_limits_it_names_the_one_that_counts_once_both_run(tmp_path: Path) -> None:
    period = "{within: {earlier_of: [{days: 3}, {days: 9, from: incident_handled}]}}"
    one = [step.text for step in run(tmp_path, period, {"aware": "2026-11-27"}).steps]
    events = {"aware": "2026-11-27", "incident_handled": "2026-11-28"}
    both = run(tmp_path, period, events).steps[-1]
    assert not [text for text in one if "one counts" in text]
    assert (both.text, both.cites) == ("The earlier one counts: the end of Mon 30 Nov 2026.", "Trial Act")
    later = run(tmp_path, period.replace("earlier_of: [", "cites: Act s. 4, later_of: ["), events).steps[-1]
    assert (later.text, later.cites) == ("The later one counts: the end of Mon 7 Dec 2026.", "Act s. 4")


def test_what_hangs_on_another_moment_is_counted_anew_for_each_incident(tmp_path: Path) -> None:
    law = trial_law(tmp_path, with_period("{within: {days: 3, from: incident_handled}}"))
    found = [due("trial.one", {"aware": "2026-11-27", "incident_handled": handled}, law=law) for handled in ("2026-12-01", "2026-12-02")]
    assert [ends(one)[0] for one in found] == ["2026-12-04", "2026-12-05"]
