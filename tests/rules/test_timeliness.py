"""Published breaches come out as the authority found; nothing is judged finer than it was recorded."""

from datetime import timedelta

import pytest

from incident_tracker.rules.facts import Moment
from incident_tracker.rules.periods import due
from incident_tracker.rules.timeliness import Timeliness, timeliness

CHICAGO = "America/Chicago"


def found(obligation: str, trigger: str, done: str, country: str) -> Timeliness:
    start = Moment.parse(trigger, zone="UTC")
    return timeliness(start, due(obligation, {"trigger": start}, country=country), Moment.parse(done, zone="UTC"))


@pytest.mark.parametrize(
    ("case", "country", "aware", "filed", "days", "past"),
    [
        ("Booking.com, Netherlands", "NL", "2019-01-13", "2019-02-07", 25, 22),
        ("Air Europa, Spain", "ES", "2018-10-17", "2018-11-28", 42, 39),
        ("Argon Medical, Norway", "NO", "2021-07-19", "2021-09-24", 67, 64),
    ],
)
def test_it_finds_late_what_the_authority_found_late(case: str, country: str, aware: str, filed: str, days: int, past: int) -> None:
    finding = found("eu-gdpr-33-1", aware, filed, country)
    assert (finding.outcome, finding.days_from_trigger, finding.late_days) == ("late", days, past), case


@pytest.mark.parametrize(
    ("case", "country", "aware", "filed"),
    [("British Airways, United Kingdom", "GB", "2018-09-05", "2018-09-06"), ("Meta, Ireland", "IE", "2018-09-25", "2018-09-28")],
)
def test_it_finds_on_time_what_the_authority_let_pass(case: str, country: str, aware: str, filed: str) -> None:
    finding = found("eu-gdpr-33-1", aware, filed, country)
    assert (finding.outcome, finding.late_days) == ("on_time", 0), case


def test_on_the_last_day_it_says_that_the_hour_is_not_known() -> None:
    finding = found("eu-gdpr-33-1", "2018-09-25", "2018-09-28", "IE")
    assert finding.text == "On time by the day; the hour is not known."


@pytest.mark.parametrize(
    ("obligation", "done", "days", "past"),
    [
        ("us.hipaa.hhs_500plus", "2014-01-31", 101, 41),
        ("us.hipaa.individual", "2014-02-03", 104, 44),
        ("us.hipaa.media", "2014-02-05", 106, 46),
    ],
)
def test_presence_health_was_late_three_times(obligation: str, done: str, days: int, past: int) -> None:
    finding = found(obligation, "2013-10-22", done, "US-IL")
    assert (finding.outcome, finding.days_from_trigger, finding.late_days) == ("late", days, past)
    assert finding.against
    assert finding.against.day.isoformat() == "2013-12-21"


AWARE = "2026-11-24T14:37:00+01:00"


@pytest.mark.parametrize(
    ("done", "outcome"),
    [
        ("2026-11-27T14:36:00+01:00", "on_time"),
        ("2026-11-27T14:37:00+01:00", "on_time"),
        ("2026-11-27T14:50:00+01:00", "on_time"),
        ("2026-11-27T15:00:00+01:00", "on_time"),
        ("2026-11-27T15:00:01+01:00", "late"),
    ],
)
def test_instants_are_judged_to_the_second(done: str, outcome: str) -> None:
    assert found("eu-gdpr-33-1", AWARE, done, "DE").outcome == outcome


def test_between_the_readings_it_says_so() -> None:
    assert "statutory reading only" in found("eu-gdpr-33-1", AWARE, "2026-11-27T14:50:00+01:00", "DE").text


def test_it_says_by_how_much_it_was_late() -> None:
    finding = found("eu-gdpr-33-1", AWARE, "2026-11-28T17:10:00+01:00", "DE")
    assert (finding.late, finding.late_days) == (timedelta(days=1, hours=2, minutes=10), 1)
    assert finding.text.startswith("Late by 1 d 2 h 10 min")


def test_a_number_met_does_not_prove_that_there_was_no_undue_delay() -> None:
    assert "the number alone does not prove" in found("eu-gdpr-33-1", AWARE, "2026-11-25T10:00:00+01:00", "DE").text


@pytest.mark.parametrize(("done", "outcome"), [("2026-11-26", "on_time"), ("2026-11-27", "cannot_tell"), ("2026-11-28", "late")])
def test_a_filing_known_to_the_day_cannot_be_told_on_the_last_day(done: str, outcome: str) -> None:
    assert found("eu-gdpr-33-1", AWARE, done, "DE").outcome == outcome


@pytest.mark.parametrize(
    ("done", "outcome"),
    [("2026-11-26T23:00:00+01:00", "on_time"), ("2026-11-27T23:00:00+01:00", "cannot_tell"), ("2026-11-28T00:00:00+01:00", "late")],
)
def test_nor_can_an_instant_when_the_trigger_is_known_to_the_day(done: str, outcome: str) -> None:
    assert found("eu-gdpr-33-1", "2026-11-24", done, "DE").outcome == outcome


def test_days_end_where_the_deadline_runs() -> None:
    start = {"trigger": "2026-11-20"}
    result = due("us.hipaa.individual", start, zone="America/New_York")
    late_evening = Moment.parse("2027-01-20T04:30:00+00:00")
    assert timeliness(result.trigger, result, late_evening).outcome == "on_time"
    assert timeliness(result.trigger, result, Moment.parse("2027-01-20T05:00:00+00:00")).late_days == 1


def test_a_duty_without_a_number_is_never_on_time() -> None:
    finding = found("eu-gdpr-34-1", "2026-11-24", "2026-11-24", "DE")
    assert (finding.outcome, finding.late_days) == ("no_number", None)
    assert "without undue delay" in finding.text


def test_without_a_start_nothing_can_be_told() -> None:
    result = due("eu-gdpr-33-1", {})
    assert timeliness(None, result, Moment.parse("2026-11-24", zone="UTC")).outcome == "cannot_tell"


def test_before_the_earliest_possible_limit_is_on_time_even_without_holidays() -> None:
    start = {"trigger": "2099-12-28"}
    result = due("us.sec.8k_105", {"trigger": "2101-12-28"})
    assert result.statutory is None
    assert result.conservative is not None
    assert timeliness(result.trigger, result, Moment.parse("2101-12-29", zone="America/New_York")).outcome == "on_time"
    assert timeliness(result.trigger, result, Moment.parse("2102-01-20", zone="America/New_York")).outcome == "cannot_tell"
    assert due("us.sec.8k_105", start).statutory is not None
