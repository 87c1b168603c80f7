"""What a hold does to a due of each kind, and how it is said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tracker.rules.duties import Duty, assess
from tests.rules.laws import trial_law, with_period

AWARE = {"aware": {"on": "2026-11-06", "zone": "Europe/Berlin"}}
SINCE = "2026-11-10T09:00:00+01:00"


def held(folder: Path, period: str, *holds: dict[str, Any], more: str = "", moments: dict[str, Any] = AWARE) -> Duty:
    modifier = f"  modifiers: [{{kind: law_enforcement_hold, cites: Act s. 9{more}}}]\n"
    document = {"organisation.zone": "Europe/Berlin", "moments": moments, "holds": [{"from": SINCE, **hold} for hold in holds]}
    return assess(document, law=trial_law(folder, with_period(period, modifier))).duties[0]


def dates(duty: Duty) -> tuple[str | None, str | None, str | None]:
    assert duty.due
    found = (duty.due.conservative, duty.due.statutory, duty.due.not_before)
    return tuple(one.to_json() if one else None for one in found)  # type: ignore[return-value]


LONG = {"until": "2026-12-20T12:00:00+01:00"}


def test_a_hold_without_an_end_is_said_and_moves_nothing(tmp_path: Path) -> None:
    duty = held(tmp_path, "{within: {days: 30}}", {})
    assert dates(duty) == ("2026-12-06", "2026-12-06", None)
    assert duty.due
    assert duty.due.warnings[-1] == "Held for law enforcement since Tue 10 Nov 2026; no end is recorded (Act s. 9)."


def test_after_a_hold_it_is_due_at_once_or_after_the_period_that_the_law_gives(tmp_path: Path) -> None:
    at_once = held(tmp_path, "{within: {days: 30}}", LONG)
    assert dates(at_once) == ("2026-12-20T12:00:00+01:00",) * 3
    assert at_once.due
    assert at_once.due.steps[-1].text == "Held for law enforcement until Sun 20 Dec 2026, 12:00 (UTC+01:00); from then on without delay."
    assert at_once.due.steps[-1].cites == "Act s. 9"
    later = held(tmp_path, "{within: {days: 30}}", LONG, more=", resume: {days: 5}")
    assert dates(later) == ("2026-12-25", "2026-12-25", "2026-12-20T12:00:00+01:00")
    assert later.due
    assert "Held for law enforcement until Sun 20 Dec 2026, 12:00 (UTC+01:00)." in [step.text for step in later.due.steps]
    assert later.due.steps[-1].text == "5 days end with Fri 25 Dec 2026."


def test_a_period_after_a_hold_takes_nothing_away_from_the_first_one(tmp_path: Path) -> None:
    duty = held(tmp_path, "{within: {days: 30}, not_before: {days: 20}}", {"until": "2026-11-12"}, more=", resume: {days: 5}")
    assert dates(duty) == ("2026-12-06", "2026-12-06", "2026-11-26")


def test_a_duty_in_words_gets_a_date_from_the_law_s_own_period_alone(tmp_path: Path) -> None:
    assert dates(held(tmp_path, "{standard: soon}", LONG)) == (None, None, "2026-12-20T12:00:00+01:00")
    assert dates(held(tmp_path, "{standard: soon}", LONG, more=", resume: {days: 5}")) == ("2026-12-25", "2026-12-25", "2026-12-20T12:00:00+01:00")


def test_a_statutory_date_that_was_not_known_stays_so(tmp_path: Path) -> None:
    period = "{within: {later_of: [{days: 3}, {days: 1, from: incident_handled}]}}"
    assert dates(held(tmp_path, period, LONG)) == ("2026-12-20T12:00:00+01:00", None, "2026-12-20T12:00:00+01:00")


def test_a_clock_that_has_not_started_is_not_moved_by_a_hold(tmp_path: Path) -> None:
    assert dates(held(tmp_path, "{within: {days: 30}}", LONG, moments={})) == (None, None, None)


def test_warnings_of_the_period_after_the_hold_are_passed_on(tmp_path: Path) -> None:
    duty = held(tmp_path, "{within: {days: 30}}", {"until": "2101-12-20"}, more=", resume: {working_days: 2, calendar: us-sec}")
    assert duty.due
    assert "leaves out weekends only" in duty.due.warnings[-1]


@pytest.mark.parametrize(
    ("hold", "bound"),
    [
        ({}, True),
        ({"regime": "trial"}, True),
        ({"regime": "us-ny"}, False),
        ({"obligation": "trial.one"}, True),
        ({"obligation": "trial.one@authority:DE-BE"}, True),
        ({"obligation": "trial.two", "regime": "trial"}, False),
    ],
)
def test_a_hold_binds_the_duty_the_law_or_everything(tmp_path: Path, hold: dict[str, Any], bound: bool) -> None:
    assert (held(tmp_path, "{within: {days: 30}}", hold).hold is not None) is bound


@pytest.mark.parametrize(
    ("hold", "ends"),
    [
        ({"oral": True}, "2026-12-10T23:00:00+00:00"),
        ({"oral": True, "until": "2026-12-01T12:00:00+01:00"}, "2026-12-01T11:00:00+00:00"),
        ({"oral": True, "until": "2026-12-10T00:00:00+01:00"}, "2026-12-09T23:00:00+00:00"),
        ({"oral": True, "until": "2026-12-10"}, "2026-12-10T23:00:00+00:00"),
        ({"oral": True, "until": "2026-12-24"}, "2026-12-10T23:00:00+00:00"),
        ({"oral": False, "until": "2026-12-24"}, "2026-12-24T23:00:00+00:00"),
        ({"oral": False}, None),
    ],
)
def test_an_oral_hold_lapses_unless_it_ends_before(tmp_path: Path, hold: dict[str, Any], ends: str | None) -> None:
    until = held(tmp_path, "{within: {days: 30}}", hold, more=", oral_lapses_after: 30").held_until
    assert (until.astimezone(UTC).isoformat() if until else None) == ends


def test_an_oral_hold_does_not_lapse_where_the_law_names_no_number(tmp_path: Path) -> None:
    assert held(tmp_path, "{within: {days: 30}}", {"oral": True}).held_until is None


def test_of_several_holds_the_last_end_counts_whenever_they_began_and_of_open_ones_the_first(tmp_path: Path) -> None:
    ended = held(tmp_path, "{within: {days: 30}}", {"until": "2026-12-24"}, {"from": "2026-11-12", "until": "2026-12-20"}).held_until
    assert ended
    assert ended.isoformat() == "2026-12-24T23:00:00+00:00"
    both_open = held(tmp_path, "{within: {days: 30}}", {}, {"from": "2026-11-12"}).hold
    assert both_open
    assert both_open.since.to_json()["at"] == SINCE


def test_a_hold_binds_from_its_first_instant_to_just_before_its_last(tmp_path: Path) -> None:
    duty = held(tmp_path, "{within: {days: 30}}", LONG)
    first, last, second = datetime.fromisoformat(SINCE), datetime.fromisoformat(LONG["until"]), timedelta(seconds=1)
    assert [duty.is_held_at(at) for at in (first - second, first, last - second, last)] == [False, True, True, False]


def test_a_duty_goes_out_with_its_standard_in_words(tmp_path: Path) -> None:
    assert held(tmp_path, "{standard: soon}").to_json()["standard"] == "soon"
