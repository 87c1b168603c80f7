"""Duties follow from regimes and facts; a missing fact never silences one."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tracker.rules.duties import Assessment, Duty, assess
from incident_tracker.rules.facts import FactError
from incident_tracker.rules.regimes import default_law
from tests.rules.laws import HEAD, OBLIGATION, trial_law

BERLIN: dict[str, Any] = {
    "personal_data_breach": True,
    "role": ["controller"],
    "risk_level": "high",
    "organisation.establishments": ["DE"],
    "organisation.lead_authority": "DE-BE",
    "organisation.zone": "Europe/Berlin",
    "moments": {"aware": "2026-11-27T17:30:00+01:00"},
}


def of(assessment: Assessment, identity: str) -> list[Duty]:
    return [duty for duty in assessment.duties if duty.obligation.id == identity]


def the(assessment: Assessment, identity: str) -> Duty:
    (duty,) = of(assessment, identity)
    return duty


def test_a_duty_has_its_recipient_its_clock_and_its_reasons() -> None:
    duty = the(assess(BERLIN), "eu-gdpr-33-1")
    assert (duty.key, duty.state, duty.missing) == ("eu-gdpr-33-1@authority:DE-BE", "applies", ())
    assert duty.recipient.portal == "https://www.datenschutz-berlin.de/"
    assert duty.recipient.language == "de"
    assert duty.due
    assert duty.due.conservative
    assert duty.due.conservative.at == datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
    assert {reason.truth for reason in duty.because} == {"true"}


def test_nothing_known_silences_nothing() -> None:
    assessment = assess({})
    assert all(duty.missing for duty in assessment.duties if duty.state == "unknown")
    numbered = {duty.obligation.id for duty in assessment.duties if duty.state != "does_not_apply"}
    assert {"eu-gdpr-33-1", "eu-gdpr-33-1-no-eu-establishment", "uk-gdpr-33-1", "us.hipaa.individual", "us.sec.8k_105", "us-ny.breach.individual"} <= numbered


def test_an_undecided_duty_has_its_clock_all_the_same() -> None:
    duty = the(assess({"moments": {"aware": "2026-11-27T17:30:00+01:00"}}), "eu-gdpr-33-1")
    assert duty.state == "unknown"
    assert duty.due
    assert duty.due.conservative
    assert duty.due.trigger


def test_a_duty_that_does_not_apply_says_why_and_has_no_clock() -> None:
    duty = the(assess({**BERLIN, "risk_level": "unlikely"}), "eu-gdpr-33-1")
    assert (duty.state, duty.due) == ("does_not_apply", None)
    assert duty.because[0].text == "Risk to people: unlikely (the question is: at least a risk?)"


def test_a_clock_without_its_moment_has_not_started() -> None:
    duty = the(assess({**BERLIN, "moments": {}}), "eu-gdpr-33-1")
    assert duty.due
    assert duty.due.trigger is None


def test_without_a_chosen_authority_the_only_one_of_the_country_is_taken() -> None:
    french = {**BERLIN, "organisation.establishments": ["FR"], "organisation.lead_authority": None}
    assert the(assess(french), "eu-gdpr-33-1").recipient.key == "authority:FR"


@pytest.mark.parametrize("places", [["DE"], ["FR", "IT"], {"known": ["FR"], "complete": False}])
def test_where_several_could_lead_it_asks(places: object) -> None:
    duty = the(assess({**BERLIN, "organisation.establishments": places, "organisation.lead_authority": None}), "eu-gdpr-33-1")
    assert (duty.key, duty.state) == ("eu-gdpr-33-1@authority:lead", "applies")
    assert duty.missing == ("organisation.lead_authority",)
    assert duty.due
    assert duty.due.conservative


ABROAD: dict[str, Any] = {**BERLIN, "organisation.establishments": ["US"], "organisation.lead_authority": None, "gdpr.art_3_2_applies": True}


def test_without_an_establishment_each_member_state_is_told() -> None:
    facts = {**ABROAD, "affected.by_place": {"DE-BE": 3, "FR": 2, "US": 10}, "affected.places_complete": True}
    keys = [duty.recipient.key for duty in of(assess(facts), "eu-gdpr-33-1-no-eu-establishment")]
    assert keys == ["authority:DE", "authority:FR"]


def test_places_that_may_still_come_keep_a_duty_open() -> None:
    duties = of(assess({**ABROAD, "affected.by_place": {"FR": 2}}), "eu-gdpr-33-1-no-eu-establishment")
    assert [(duty.recipient.key, duty.state) for duty in duties] == [("authority:FR", "applies"), ("authority:others", "unknown")]
    assert duties[1].missing == ("affected.places_complete",)


def test_where_nobody_lives_in_the_group_nobody_is_told() -> None:
    duty = the(assess({**ABROAD, "affected.by_place": {"US": 2}, "affected.places_complete": True}), "eu-gdpr-33-1-no-eu-establishment")
    assert duty.state == "does_not_apply"


HOSPITAL: dict[str, Any] = {
    "entity.sectors": ["hipaa_covered_entity"],
    "data.elements": ["name", "phi"],
    "data.unsecured": True,
    "moments": {"discovery": {"on": "2026-10-21", "zone": "America/New_York"}},
}


def test_media_are_told_where_more_than_500_live() -> None:
    facts = {**HOSPITAL, "affected.by_place": {"US-NY": 500, "US-CA": 501, "US-TX": {"value": 400, "certainty": "about"}}, "affected.places_complete": True}
    states = {duty.recipient.key: duty.state for duty in of(assess(facts), "us.hipaa.media")}
    assert states == {"media:US-CA": "applies", "media:US-NY": "does_not_apply", "media:US-TX": "unknown"}


def test_a_total_too_small_for_any_state_settles_the_media() -> None:
    duty = the(assess({**HOSPITAL, "affected.total": 500}), "us.hipaa.media")
    assert (duty.key, duty.state) == ("us.hipaa.media@media:others", "does_not_apply")


def test_each_agency_of_a_state_has_its_own_duty() -> None:
    facts = {**BERLIN, "data.elements": ["name", "ssn"], "data.unsecured": True, "affected.by_place": {"US-NY": 1}}
    keys = {duty.key for duty in assess(facts).duties if duty.obligation.regime.id == "us-ny" and duty.state == "applies"}
    assert {
        "us-ny.breach.individual@people:US-NY",
        "us-ny.breach.regulator.state_attorney_general@authority:US-NY",
        "us-ny.breach.regulator.ny_department_of_state@agency:US-NY-DOS",
        "us-ny.breach.regulator.ny_division_of_state_police@agency:US-NY-NYSP",
    } <= keys


NIS2: dict[str, Any] = {
    "entity.sectors": ["nis2_entity"],
    "nis2.significant_incident": True,
    "nis2.trust_service_provider": False,
    "nis2.member_states": ["DE", "FR"],
    "moments": {"aware": "2026-11-27T17:30:00+01:00"},
}


def test_the_final_report_runs_from_when_the_notification_was_sent() -> None:
    waiting = of(assess(NIS2), "eu-nis2-23-final")
    assert [duty.recipient.key for duty in waiting] == ["csirt:DE", "csirt:FR"]
    assert all(duty.due and duty.due.trigger is None for duty in waiting)
    sent = {**NIS2, "completed": {"eu-nis2-23-notification@csirt:DE": "2026-11-29T15:00:00+01:00"}}
    german = of(assess(sent), "eu-nis2-23-final")[0]
    assert german.due
    assert german.due.conservative
    assert german.due.conservative.value == date(2026, 12, 29)


def test_each_law_is_judged_at_the_moment_it_names() -> None:
    facts = {**BERLIN, "data.elements": ["name", "ssn"], "data.unsecured": True, "affected.by_place": {"US-CA": 1}}
    early = assess({**facts, "moments": {"discovery": {"on": "2025-12-31", "zone": "America/Los_Angeles"}}})
    assert not of(early, "us-ca.breach.individual")
    assert the(early, "us-ca.breach.individual.v2025").state == "applies"
    late = assess({**facts, "moments": {"discovery": {"on": "2026-01-01", "zone": "America/Los_Angeles"}}})
    assert the(late, "us-ca.breach.individual").state == "applies"
    assert not of(late, "us-ca.breach.individual.v2025")


def test_without_a_moment_the_given_time_judges_the_law() -> None:
    facts = {key: value for key, value in BERLIN.items() if key != "moments"}
    assert not of(assess(facts, at=datetime(2018, 5, 24, tzinfo=UTC)), "eu-gdpr-33-1")
    assert of(assess(facts, at=datetime(2018, 5, 25, 12, tzinfo=UTC)), "eu-gdpr-33-1")


def test_proposed_law_never_makes_a_duty() -> None:
    proposed = {one.id for one in default_law().obligations.values() if one.status == "proposed"}
    assert proposed
    for at in (None, datetime(2026, 11, 22, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)):
        assert not proposed & {duty.obligation.id for duty in assess({}, at=at).duties}


def test_it_asks_first_what_settles_the_most_urgent() -> None:
    facts = {**BERLIN, **NIS2, "nis2.significant_incident": None, "risk_level": None, "affected.places_complete": True}
    questions = assess(facts).questions
    assert questions[0].fact == "nis2.significant_incident"
    assert "eu-nis2-23-early@csirt:DE" in questions[0].settles
    assert questions[0].text.startswith("Did or could the incident")
    second = next(one for one in questions if one.fact == "risk_level")
    assert "eu-gdpr-33-1@authority:DE-BE" in second.settles


def test_some_answer_settles_each_duty_that_a_question_promises() -> None:
    open_risk = {**BERLIN, "risk_level": None}
    question = next(one for one in assess(open_risk).questions if one.fact == "risk_level")
    outcomes = [{duty.key: duty.state for duty in assess({**open_risk, "risk_level": answer}).duties} for answer in ("unlikely", "risk", "high")]
    assert all(any(states[key] != "unknown" for states in outcomes) for key in question.settles)
    alone = {duty.key for duty in assess(open_risk).duties if duty.missing == ("risk_level",)}
    assert alone
    assert all(states[key] != "unknown" for states in outcomes for key in alone)


def test_an_open_count_is_asked_for_its_place() -> None:
    facts = {**BERLIN, "data.elements": ["name", "ssn"], "data.unsecured": True, "affected.by_place": {"US-CA": {"value": 400, "certainty": "about"}}}
    question = next(one for one in assess(facts).questions if one.fact == "affected.by_place.US-CA")
    assert question.text == "How many affected people live in California?"
    assert "us-ca.breach.regulator.state_attorney_general@authority:US-CA" in question.settles


def test_the_contract_asks_for_its_hours() -> None:
    facts = {**BERLIN, "contract.processor_breach": True, "moments": {"processor_aware": "2026-11-27T17:30:00+01:00"}}
    duty = the(assess(facts), "contract.processor_notice")
    assert (duty.state, duty.missing) == ("applies", ("contract.processor_notice_hours",))
    known = the(assess({**facts, "contract": {"processor_notice_hours": 24}}), "contract.processor_notice")
    assert known.due
    assert known.due.conservative
    assert known.due.conservative.at == datetime(2026, 11, 28, 16, 30, tzinfo=UTC)


def test_facts_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(FactError, match="risk_level"):
        assess({"risk_level": "huge"})


def test_hours_between_two_moments_can_decide(tmp_path: Path) -> None:
    facts = "trial.hours: {kind: number, label: Hours to classification, derive: [hours_between, moments.aware, moments.classified_major], unit: hours}\n"
    text = HEAD + """obligations:
- id: trial.late
  title: Classified late
  recipient: {type: authority, authority: DE-BE, name: them}
  trigger: {event: classified_major}
  applies_when: {fact: trial.hours, op: gt, value: "24"}
  period: {within: {hours: 4}}
"""
    law = trial_law(tmp_path, text, facts=facts)
    aware = {"aware": "2026-11-27T09:00:00+01:00"}
    unknown = the(assess({"moments": aware}, law=law), "trial.late")
    assert (unknown.state, unknown.missing) == ("unknown", ("moments.classified_major",))
    for classified, state in (("2026-11-28T09:00:00+01:00", "does_not_apply"), ("2026-11-28T09:01:00+01:00", "applies")):
        assert the(assess({"moments": {**aware, "classified_major": classified}}, law=law), "trial.late").state == state


@pytest.mark.parametrize(
    ("zone", "at", "bound"),
    [
        ("America/New_York", datetime(2024, 12, 21, 4, 59, tzinfo=UTC), True),
        ("America/New_York", datetime(2024, 12, 21, 5, tzinfo=UTC), False),
        ("authority", datetime(2024, 12, 20, 23, 59, tzinfo=UTC), True),
        ("authority", datetime(2024, 12, 21, tzinfo=UTC), False),
    ],
)
def test_superseded_law_ends_with_its_last_day_on_its_own_clocks(tmp_path: Path, zone: str, at: datetime, bound: bool) -> None:
    text = (HEAD + OBLIGATION).replace("status: in_force", "status: superseded\neffective_to: 2024-12-20").replace("zone: Europe/Berlin", f"zone: {zone}")
    assert bool(assess({}, law=trial_law(tmp_path, text), at=at).duties) is bound


def test_a_duty_to_a_place_says_both_why_the_law_applies_and_how_many_live_there() -> None:
    facts = {
        "personal_data_breach": True, "role": ["controller"], "entity.sectors": ["hipaa_covered_entity"], "data.elements": ["name", "phi"], "data.unsecured": True,
        "affected.by_place": {"US-NY": 600},
    }
    duty = next(one for one in assess(facts).duties if one.key == "us.hipaa.media@media:US-NY")
    reasons = [reason.text for reason in duty.because]
    assert reasons[-1] == "People affected in New York: 600 (the question is: more than 500?)"
    assert len(reasons) > 1
