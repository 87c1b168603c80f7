"""A law-enforcement hold keeps a duty between two moments and gives the law's period after it."""

from datetime import UTC, date, datetime
from typing import Any

from incident_tracker.rules.duties import Duty, assess

FACTS: dict[str, Any] = {
    "personal_data_breach": True,
    "role": ["controller"],
    "entity.sectors": ["hipaa_covered_entity", "ca_licensed_clinic_health_facility_home_health_hospice"],
    "data.elements": ["name", "ssn", "phi"],
    "data.unsecured": True,
    "affected.by_place": {"US-NY": 600, "US-CA": 600},
    "organisation.zone": "America/New_York",
    "moments": {"discovery": {"on": "2026-11-06", "zone": "America/New_York"}},
}


def duty(key: str, *holds: dict[str, Any]) -> Duty:
    return next(one for one in assess({**FACTS, "holds": list(holds)}).duties if one.key == key)


INDIVIDUAL = "us-ny.breach.individual@people:US-NY"


def test_without_a_hold_nothing_is_held() -> None:
    free = duty(INDIVIDUAL)
    assert free.hold is None
    assert not free.is_held_at(datetime(2026, 12, 1, tzinfo=UTC))


def test_an_open_hold_forbids_until_it_ends_and_moves_no_date() -> None:
    held = duty(INDIVIDUAL, {"regime": "us-ny", "from": "2026-11-10T09:00:00-05:00", "until": None})
    assert not held.is_held_at(datetime(2026, 11, 10, 13, tzinfo=UTC))
    assert held.is_held_at(datetime(2030, 1, 1, tzinfo=UTC))
    assert held.held_until is None
    assert held.due
    assert held.due.conservative
    assert held.due.conservative.value == date(2026, 12, 6)
    assert "no end is recorded" in held.due.warnings[-1]


def test_a_hold_that_ends_after_the_limit_moves_it_to_its_end() -> None:
    held = duty(INDIVIDUAL, {"regime": "us-ny", "from": "2026-11-10", "until": "2026-12-20T12:00:00-05:00"})
    assert held.due
    assert held.due.conservative
    assert held.due.not_before
    assert held.due.conservative.at == held.due.not_before.at == datetime(2026, 12, 20, 17, tzinfo=UTC)
    assert "Gen. Bus. Law § 899-aa(4)" in held.due.steps[-1].cites


def test_a_hold_that_ends_before_the_limit_leaves_it() -> None:
    held = duty(INDIVIDUAL, {"regime": "us-ny", "from": "2026-11-10", "until": "2026-11-20"})
    assert held.due
    assert held.due.conservative
    assert held.due.conservative.value == date(2026, 12, 6)
    assert held.held_until == datetime(2026, 11, 21, 5, tzinfo=UTC)


def test_a_hold_concerns_its_own_law_only() -> None:
    assert duty(INDIVIDUAL, {"regime": "us-ca", "from": "2026-11-10"}).hold is None
    assert duty(INDIVIDUAL, {"obligation": "us-ny.breach.cra", "from": "2026-11-10"}).hold is None
    assert duty(INDIVIDUAL, {"obligation": "us-ny.breach.individual", "from": "2026-11-10"}).hold


def test_a_law_that_knows_no_hold_is_not_held() -> None:
    assert duty("us-ny.breach.cra@agency:US-CRA", {"regime": "us-ny", "from": "2026-11-10"}).hold is None


def test_after_a_hold_the_law_may_give_its_own_period() -> None:
    held = duty("us-ca.hsc1280_15.patient@people:US-CA", {"regime": "us-ca", "from": "2026-11-10", "until": "2026-12-01"})
    assert held.due
    assert held.due.conservative
    assert held.due.conservative.value == date(2026, 12, 22)


def test_an_oral_request_lapses_after_thirty_days() -> None:
    held = duty("us.hipaa.individual@people", {"regime": "us-hipaa", "from": "2026-12-01", "until": None, "oral": True})
    assert held.held_until == datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert held.is_held_at(datetime(2026, 12, 31, 12, tzinfo=UTC))
    assert not held.is_held_at(datetime(2027, 1, 1, 6, tzinfo=UTC))


def test_a_duty_without_a_number_gets_none_from_a_hold() -> None:
    held = duty("us-ny.breach.regulator.state_attorney_general@authority:US-NY", {"regime": "us-ny", "from": "2026-11-10", "until": "2026-12-01"})
    assert held.due
    assert held.due.conservative is None
    assert held.due.not_before is not None


def test_of_several_holds_the_one_that_ends_last_counts() -> None:
    first = {"regime": "us-ny", "from": "2026-11-10", "until": "2026-12-20"}
    second = {"regime": "us-ny", "from": "2026-11-12", "until": "2026-12-24"}
    assert duty(INDIVIDUAL, first, second).held_until == datetime(2026, 12, 25, 5, tzinfo=UTC)
    assert duty(INDIVIDUAL, first, {"regime": "us-ny", "from": "2026-11-12"}).held_until is None
