"""The law of the United States: thresholds keep their operators, every obligation of the research stands somewhere."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tracker.rules.duties import Assessment, Duty, assess
from incident_tracker.rules.periods import due
from incident_tracker.rules.regimes import PACKAGE_FOLDER, default_law

LAW = default_law()
IDS = (Path(__file__).parent / "data" / "us-ids.txt").read_text(encoding="utf-8").split()
AMERICAN = [one for one in LAW.obligations.values() if one.regime.jurisdiction.startswith("US")]
OWNER: dict[str, Any] = {
    "personal_data_breach": True,
    "role": ["owner"],
    "entity.sectors": ["none_of_these"],
    "data.elements": ["name", "ssn"],
    "data.unsecured": True,
    "affected.places_complete": True,
}
BERLIN: dict[str, Any] = {
    "organisation.zone": "Europe/Berlin",
    "organisation.establishments": ["DE"],
    "organisation.lead_authority": "DE-BE",
    "entity.sectors": ["none_of_these"],
    "entity.ny_dfs_covered": False,
    "personal_data_breach": True,
    "role": ["controller"],
    "risk_level": "risk",
    "affected.by_place": {"DE": {"value": 1200, "certainty": "about"}},
    "affected.places_complete": True,
    "moments": {"aware": {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin"}},
}


def state(obligation: str, facts: dict[str, Any]) -> str:
    return next((one.state for one in assess(facts).duties if one.obligation.id == obligation), "none")


def duty(found: Assessment, obligation: str) -> Duty:
    return next(one for one in found.duties if one.obligation.id == obligation)


# -- completeness


@pytest.mark.parametrize("identity", IDS)
def test_every_obligation_of_the_research_stands_somewhere(identity: str) -> None:
    left_out = (PACKAGE_FOLDER / "LEFT-OUT.md").read_text(encoding="utf-8")
    assert identity in LAW.obligations or f"`{identity}`" in left_out


def test_the_list_of_the_research_is_whole() -> None:
    assert len(IDS) == len(set(IDS)) == 316


def test_every_obligation_cites_its_law_and_says_where_it_was_read() -> None:
    for one in AMERICAN:
        assert one.citation, one.id
        assert one.source, one.id
        assert one.last_checked == date(2026, 11, 22), one.id
        assert len(one.title) < 100, one.title


def test_the_states_keep_their_own_profiles() -> None:
    places = {place for place in LAW.profiles if place.startswith("US-")}
    assert len(places) == 54
    assert places == LAW.places.members("US-STATES", None) - {"US-AS", "US-MP"}


# -- thresholds: (state, obligation, operator, number)

MORE_THAN = [
    *((place, "regulator", 500) for place in ("CA", "DE", "IL", "IA", "PA", "RI", "WA")),
    *((place, "regulator", 1000) for place in ("AL", "AZ", "AR", "HI", "MO", "NM", "SC")),
    *((place, "regulator", 250) for place in ("ND", "OR", "SD")),
    *((place, "cra", 1000) for place in ["AK", "AL", "AZ", "CO", "DC", "FL", "HI", "IN", "KS", "KY", "ME", "MI", "MO", "NC", "NH", "NJ", "NM", "NV", "OH", "OR", "SC", "TN", "VA", "VT", "WV"]),
    *((place, "cra", 500) for place in ("MN", "PA", "RI")),
    *((place, "cra", 10_000) for place in ("GA", "TX")),
    ("NY", "cra", 5000),
]
AT_LEAST = [
    *((place, "regulator", 500) for place in ("CO", "FL", "OK", "UT")),
    ("TX", "regulator", 250),
    ("DC", "regulator", 50),
    *((place, "cra", 1000) for place in ("MD", "UT", "WI")),
    *((place, "regulator", 1) for place in ["CT", "IN", "LA", "MD", "MA", "ME", "MT", "NE", "NH", "NJ", "NY", "NC", "PR", "VT", "VA"]),
    ("SD", "cra", 1),
]


def threshold_states(place: str, kind: str, people: int) -> set[str]:
    facts = {**OWNER, "affected.by_place": {f"US-{place}": people}}
    if place == "GA":
        facts["entity.sectors"] = ["ga_information_broker"]
    prefix = f"us-{place.lower()}.breach.{kind}"
    special = ("ny_department_of_financial_services",)
    return {
        one.state
        for one in assess(facts).duties
        if (one.obligation.id == prefix or one.obligation.id.startswith(f"{prefix}.")) and not one.obligation.id.endswith(special)
    }


@pytest.mark.parametrize(("place", "kind", "number"), MORE_THAN)
def test_more_than_a_number_begins_one_above_it(place: str, kind: str, number: int) -> None:
    assert threshold_states(place, kind, number) == {"does_not_apply"}
    assert threshold_states(place, kind, number + 1) == {"applies"}


@pytest.mark.parametrize(("place", "kind", "number"), AT_LEAST)
def test_at_least_a_number_begins_at_it(place: str, kind: str, number: int) -> None:
    assert threshold_states(place, kind, number - 1) == {"does_not_apply"}
    assert threshold_states(place, kind, number) == {"applies"}


def test_the_media_are_told_of_500_people_by_the_ftc_and_of_501_by_hipaa() -> None:
    facts = {**OWNER, "data.elements": ["name", "phi", "phr_identifiable_health_information"], "affected.by_place": {"US-OH": 500}}
    assert state("us.ftc_hbnr.media", {**facts, "entity.sectors": ["phr_vendor"]}) == "applies"
    assert state("us.hipaa.media", {**facts, "entity.sectors": ["hipaa_covered_entity"]}) == "does_not_apply"


# -- dates

WORKED = [
    ("ex01", "us.sec.8k_105", "2026-11-19", "2026-11-25T17:30-05:00", "2026-11-25T17:30-05:00"),
    ("ex02", "us.sec.8k_105", "2026-11-23", "2026-11-30T17:30-05:00", "2026-11-30T17:30-05:00"),
    ("ex03", "us.sec.8k_105", "2026-11-28", "2026-12-03T17:30-05:00", "2026-12-03T17:30-05:00"),
    ("ex04", "us.sec.8k_105", "2026-06-30", "2026-07-07T17:30-04:00", "2026-07-07T17:30-04:00"),
    ("ex05", "us.hipaa.individual", "2028-01-15", "2028-03-15", "2028-03-15"),
    ("ex06", "us.hipaa.individual", "2027-01-15", "2027-03-16", "2027-03-16"),
    ("ex07", "us.hipaa.individual", "2026-10-21", "2026-12-20", "2026-12-20"),
    ("ex08", "us.hipaa.hhs_under500", "2026-03-10", "2027-03-01", "2027-03-01"),
    ("ex09", "us.hipaa.hhs_under500", "2027-08-02", "2028-02-29", "2028-02-29"),
    ("ex10", "us-ny.breach.individual", "2026-11-06", "2026-12-06", "2026-12-07"),
    ("ex11", "us-ca.breach.individual", "2026-11-22", "2026-12-22", "2026-12-22"),
    ("ex12", "us-ca.breach.regulator.state_attorney_general", "2026-12-10", "2026-12-25", "2026-12-26"),
    ("ex13", "us-tx.breach.regulator.state_attorney_general", "2026-11-13", "2026-12-13", "2026-12-14"),
    ("ex14", "us-tx.breach.individual", "2026-11-13", "2027-01-12", "2027-01-12"),
    ("ex15", "us-fl.breach.individual", "2026-11-22", "2026-12-22", "2026-12-22"),
    ("ex16", "us-vt.breach.regulator.state_attorney_general_or_dfr", "2026-11-09", "2026-12-01", "2026-12-01"),
]


@pytest.mark.parametrize(("example", "obligation", "trigger", "conservative", "statutory"), WORKED)
def test_the_worked_examples_come_out(example: str, obligation: str, trigger: str, conservative: str, statutory: str) -> None:
    found = due(obligation, {"trigger": trigger}, zone="America/New_York")
    for got, wanted in ((found.conservative, conservative), (found.statutory, statutory)):
        assert got, example
        assert got.at == datetime.fromisoformat(wanted) if "T" in wanted else got.value == date.fromisoformat(wanted), example


def test_maine_gives_seven_business_days_after_clearance() -> None:
    facts = {
        **OWNER,
        "organisation.zone": "America/New_York",
        "affected.by_place": {"US-ME": 3},
        "moments": {"scope_identified": "2026-11-20"},
        "holds": [{"regime": "us-me", "from": "2026-12-01", "until": "2026-12-22"}],
    }
    held = duty(assess(facts), "us-me.breach.individual").due
    assert held
    assert held.conservative
    assert held.conservative.value == date(2027, 1, 4)


def test_an_oral_request_holds_a_hipaa_notice_for_thirty_days() -> None:
    facts = {
        **OWNER,
        "organisation.zone": "America/New_York",
        "entity.sectors": ["hipaa_covered_entity"],
        "data.elements": ["name", "phi"],
        "affected.by_place": {"US-OH": 3},
        "moments": {"discovery_imputed": "2026-10-05"},
        "holds": [{"regime": "us-hipaa", "from": "2026-12-01", "oral": True}],
    }
    held = duty(assess(facts), "us.hipaa.individual")
    assert held.held_until == datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert held.due
    assert held.due.conservative
    assert held.due.conservative.at == datetime(2027, 1, 1, 5, tzinfo=UTC)


def test_the_days_that_louisiana_allows_are_asked_for_once_the_reasons_are_filed() -> None:
    facts = {
        **OWNER,
        "affected.by_place": {"US-LA": 3},
        "plan.individual_notice_after_day_60": {"US-LA": True},
        "moments": {"discovery": "2026-11-02"},
        "completed": {"us-la.breach.delay_reasons_ag": "2026-12-28"},
    }
    found = duty(assess(facts), "us-la.breach.individual")
    assert found.missing == ("plan.extension_days.US-LA",)
    assert found.due
    assert found.due.conservative
    assert found.due.conservative.value == date(2027, 1, 1)
    longer = duty(assess({**facts, "plan.extension_days": {"US-LA": 30}}), "us-la.breach.individual").due
    assert longer
    assert longer.conservative
    assert longer.conservative.value == date(2027, 1, 31)


def test_the_attorney_general_of_maryland_is_told_before_the_people() -> None:
    facts = {**OWNER, "organisation.zone": "America/New_York", "affected.by_place": {"US-MD": 3}, "moments": {"discovery": "2026-11-18"}}
    found = assess(facts)
    first, then = (duty(found, f"us-md.breach.{name}").due for name in ("regulator.state_attorney_general", "individual"))
    assert first
    assert then
    assert first.conservative == then.conservative
    told = assess({**facts, "completed": {"us-md.breach.individual": "2026-12-01T12:00:00-05:00"}})
    late = duty(told, "us-md.breach.regulator.state_attorney_general").due
    assert late
    assert late.conservative
    assert late.conservative.at == datetime(2026, 12, 1, 17, tzinfo=UTC)


# -- what the law does not say


@pytest.mark.parametrize("identity", ["us-ct.breach.cra", "us-wa.breach.cra", "us-la.breach.cra", "us-ok.breach.cra"])
def test_some_states_ask_for_no_notice_to_the_consumer_reporting_agencies(identity: str) -> None:
    assert identity not in LAW.obligations


@pytest.mark.parametrize("place", ["mt", "ma", "mn", "nc", "nj", "mi"])
def test_some_states_name_no_number_of_days_for_telling_people(place: str) -> None:
    period = LAW.obligations[f"us-{place}.breach.individual"].period
    assert period.within is None
    assert period.standard


def test_defence_contractors_have_72_hours_and_not_eight() -> None:
    within = LAW.obligations["us.dfars.7012"].period.within
    assert within
    assert (within.kind, within.number) == ("hours", 72)


def test_only_covered_entities_tell_the_financial_department_of_new_york() -> None:
    facts = {**OWNER, "affected.by_place": {"US-NY": 3}}
    name = "us-ny.breach.regulator.ny_department_of_financial_services"
    assert state(name, {**facts, "entity.ny_dfs_covered": False}) == "does_not_apply"
    assert state(name, {**facts, "entity.ny_dfs_covered": True}) == "applies"


@pytest.mark.parametrize("identity", ["us.circia.incident", "us.fcc.2024_customers", "us.far.cui_proposed"])
def test_what_is_not_law_yet_makes_no_duty(identity: str) -> None:
    sectors = ["circia_covered_entity", "telecom_carrier", "federal_contractor_cui"]
    facts = {**OWNER, "entity.sectors": sectors, "moments": {"aware": "2026-11-20"}}
    assert state(identity, facts) == "none"


def test_pennsylvania_lowered_its_threshold_in_september_2024() -> None:
    facts = {**OWNER, "affected.by_place": {"US-PA": 800}}
    before = {**facts, "moments": {"determination": "2024-09-25"}}
    after = {**facts, "moments": {"determination": "2024-09-26"}}
    assert (state("us-pa.breach.cra.v2006", before), state("us-pa.breach.cra", before)) == ("does_not_apply", "none")
    assert (state("us-pa.breach.cra.v2006", after), state("us-pa.breach.cra", after)) == ("none", "applies")


# -- whom it does not concern


def test_a_company_in_berlin_hears_nothing_of_american_law() -> None:
    american = [one for one in assess(BERLIN).duties if one.obligation.regime.jurisdiction.startswith("US")]
    assert len(american) > 290
    assert {one.state for one in american} == {"does_not_apply"}


def test_a_known_total_settles_the_states_as_well() -> None:
    facts = {**BERLIN, "affected.places_complete": None, "affected.total": 1200, "affected.by_place": {"DE": 1200}}
    states = {one.state for one in assess(facts).duties if one.obligation.id.startswith("us-")}
    assert states == {"does_not_apply"}


def test_federal_rules_hang_on_the_sector() -> None:
    facts = {**OWNER, "affected.by_place": {"US-OH": 900}}
    federal = [one for one in assess(facts).duties if one.obligation.regime.jurisdiction == "US"]
    assert {one.state for one in federal} == {"does_not_apply"}


def test_one_person_in_ohio_is_no_concern_of_michigan() -> None:
    facts = {**OWNER, "affected.by_place": {"US-OH": 1}}
    assert state("us-oh.breach.individual", facts) == "applies"
    assert state("us-mi.breach.individual", facts) == "does_not_apply"


# -- what counts as personal information, state by state


@pytest.mark.parametrize(
    ("place", "elements", "counts"),
    [
        ("us-dc", ["online_credentials"], False),
        ("us-dc", ["email_account_credentials"], True),
        ("us-ca", ["email_account_credentials"], True),
        ("us-in", ["ssn"], True),
        ("us-oh", ["ssn"], False),
        ("us-co", ["fin_acct_with_code"], True),
        ("us-nd", ["name", "dob"], True),
        ("us-ma", ["name", "fin_acct"], True),
        ("us-ma", ["name", "passport"], False),
        ("us-pr", ["name", "voter_id"], True),
        ("us-pa", ["name", "medical"], False),
    ],
)
def test_each_state_has_its_own_personal_information(place: str, elements: list[str], counts: bool) -> None:
    facts = {**OWNER, "data.elements": elements, "affected.by_place": {place.upper(): 5}}
    assert state(f"{place}.breach.individual", facts) == ("applies" if counts else "does_not_apply")


def test_health_data_count_in_the_hands_of_an_agency_of_pennsylvania() -> None:
    facts = {**OWNER, "entity.sectors": ["pa_state_agency"], "data.elements": ["name", "medical"], "affected.by_place": {"US-PA": 5}}
    assert state("us-pa.agency.individual_7bd", facts) == "applies"


def test_encryption_does_not_help_in_wyoming_but_redaction_does() -> None:
    facts = {**OWNER, "data.unsecured": False, "affected.by_place": {"US-WY": 5}}
    assert state("us-wy.breach.individual", facts) == "applies"
    assert state("us-wy.breach.individual", {**facts, "data.redacted": True}) == "does_not_apply"


def test_paper_counts_in_massachusetts_and_not_in_ohio() -> None:
    facts = {**OWNER, "data.media": ["paper"], "affected.by_place": {"US-MA": 5, "US-OH": 5}}
    assert state("us-ma.breach.individual", facts) == "applies"
    assert state("us-oh.breach.individual", facts) == "does_not_apply"

