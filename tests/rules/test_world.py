"""The world's laws: every obligation has its place, far countries stay silent, and errors that are often repeated are not made here."""

import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from incident_tracker.rules.contents import default_contents
from incident_tracker.rules.duties import Assessment, Duty, assess
from incident_tracker.rules.laws import Obligation
from incident_tracker.rules.periods import due
from incident_tracker.rules.regimes import PACKAGE_FOLDER, default_law

LAW = default_law()
IDS = (Path(__file__).parent / "data" / "world-ids.txt").read_text(encoding="utf-8").split()

#: a company in Berlin that no special law concerns; all people affected live in Germany
BERLIN: dict[str, Any] = {
    "personal_data_breach": True,
    "role": {"known": ["controller"], "complete": True},
    "risk_level": "risk",
    "organisation.establishments": {"known": ["DE"], "complete": True},
    "organisation.lead_authority": "DE-BE",
    "organisation.zone": "Europe/Berlin",
    "entity.sectors": {"known": ["none_of_these"], "complete": True},
    "affected.by_place": {"DE": {"value": 1200, "certainty": "about"}},
    "affected.places_complete": True,
    "moments": {"aware": {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin"}},
}


def one(identity: str) -> Obligation:
    return LAW.obligations[identity]


def dates(identity: str, events: dict[str, str], **more: Any) -> tuple[str | None, str | None]:
    found = due(identity, events, **more)
    return (
        found.conservative.value.isoformat() if found.conservative else None,
        found.statutory.value.isoformat() if found.statutory else None,
    )


def open_duties(assessment: Assessment) -> list[Duty]:
    return [duty for duty in assessment.duties if duty.state != "does_not_apply"]


# -- completeness


def test_every_obligation_of_the_world_stands_in_a_regime_file_or_on_the_list_of_those_left_out() -> None:
    left_out = set(re.findall(r"^\| `([^`]+)`", (PACKAGE_FOLDER / "LEFT-OUT.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(IDS) == len(set(IDS)) == 285
    assert [identity for identity in IDS if identity not in LAW.obligations and identity not in left_out] == []
    assert [identity for identity in IDS if identity in LAW.obligations and identity in left_out] == []


@pytest.mark.parametrize("field", ["citation", "source", "confidence", "last_checked", "title"])
def test_every_obligation_says_where_it_stands_and_how_sure_we_are(field: str) -> None:
    assert [obligation.id for obligation in LAW.obligations.values() if not getattr(obligation, field)] == []


def test_contents_are_known_by_a_label_that_people_can_read() -> None:
    contents = default_contents()
    assert (
        sorted({key for identity in IDS if identity in LAW.obligations for key in one(identity).content if not contents.knows(key)}) == []
    )


def test_no_number_means_no_date() -> None:
    bare = [identity for identity in IDS if identity in LAW.obligations and one(identity).period.within is None]
    assert len(bare) > 80
    assert [identity for identity in bare if due(identity, {"trigger": "2026-11-27T17:30:00+01:00"}).conservative] == []


# -- silence


def test_far_countries_are_silent_where_nobody_is_affected_and_nothing_is_established() -> None:
    regimes = {duty.obligation.regime.id: duty.obligation.regime.jurisdiction for duty in open_duties(assess(BERLIN))}
    assert [identity for identity, place in regimes.items() if not place.startswith("US")] == ["contract-processor", "eu-gdpr"]


def test_a_far_country_speaks_as_soon_as_somebody_there_is_affected() -> None:
    duties = assess({**BERLIN, "affected.by_place": {"DE": 1200, "BR": 1}, "br.relevant_risk": True, "br.small_agent": False}).duties
    states = {duty.key: duty.state for duty in duties}
    assert states["br-lgpd-anpd@authority:BR"] == states["br-lgpd-holders@people:BR"] == "applies"
    assert states["br-lgpd-small-agents@authority:BR"] == "does_not_apply"


def test_an_establishment_is_enough_and_not_knowing_is_not_a_no() -> None:
    established = {**BERLIN, "organisation.establishments": ["DE", "IN"], "in.certin_incident": True}
    assert any(duty.key == "in-certin-6h@csirt:CSIRT-IN" and duty.state == "applies" for duty in assess(established).duties)
    unsure = {key: value for key, value in BERLIN.items() if key not in ("affected.by_place", "affected.places_complete")}
    notice = next(duty for duty in assess(unsure).duties if duty.obligation.id == "tr-kvkk-board")
    assert notice.state == "unknown"
    assert "affected.by_place" in notice.missing
    assert notice.due
    assert notice.due.conservative


def test_one_question_settles_the_far_countries() -> None:
    unsure = {key: value for key, value in BERLIN.items() if key not in ("affected.by_place", "affected.places_complete")}
    best = assess(unsure).questions[0]
    assert best.fact == "affected.by_place"
    assert len(best.settles) > 100


def test_an_establishment_somewhere_in_a_country_may_be_in_any_of_its_parts() -> None:
    states = Counter(
        duty.state
        for duty in assess({**BERLIN, "organisation.establishments": ["DE", "CA"]}).duties
        if duty.obligation.regime.id == "ca-qc-law-25"
    )
    assert set(states) == {"unknown"}


def test_nothing_but_none_of_these_is_needed_to_rule_out_all_sectors() -> None:
    everywhere = {code: 10 for code in LAW.places.by_code if "-" not in code}
    sector_bound = {
        obligation.regime.id
        for obligation in LAW.obligations.values()
        if any(leaf.fact == "entity.sectors" for leaf in obligation.applies_when.leaves())
    }
    found = {duty.obligation.regime.id for duty in open_duties(assess({**BERLIN, "affected.by_place": everywhere}))}
    assert {"eu-dora", "eu-cra", "au-apra", "sg-mas", "ch-finma", "hk-653", "contract-card-schemes"} <= sector_bound - found


# -- law that is not, not yet, or no longer law


def test_proposals_and_law_without_a_start_never_make_a_duty() -> None:
    never = {
        obligation.id
        for obligation in LAW.obligations.values()
        if obligation.status == "proposed" or (obligation.status == "future" and obligation.effective_from is None)
    }
    assert {"eu-gdpr-33-1-omnibus", "uk-csr-initial", "ca-ccspa", "tw-pdpa-12-amended", "lk-pdpa-23"} <= never
    for day in ("2026-11-27", "2040-01-01"):
        facts = {**BERLIN, "affected.by_place": {"DE": 1, "GB": 1, "CA": 1, "TW": 1, "LK": 1}, "moments": {"aware": day}}
        assert {duty.obligation.id for duty in assess(facts).duties} & never == set()


@pytest.mark.parametrize(
    ("identity", "last_day_without"),
    [
        ("cl-21719-agency", "2026-11-30"),
        ("in-dpdp-board-72h", "2027-05-12"),
        ("uk-fca-opinc-24h", "2027-03-17"),
        ("eu-aiact-73-general", "2027-12-01"),
        ("kr-pipa-possibility", "2026-09-10"),
        ("eu-cra-14-vuln-early", "2026-09-10"),
    ],
)
def test_law_with_a_start_binds_from_that_day_on(identity: str, last_day_without: str) -> None:
    before = date.fromisoformat(last_day_without)
    assert not one(identity).is_law_on(before)
    assert one(identity).is_law_on(date.fromordinal(before.toordinal() + 1))


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("uk-pecr-5A-old", "uk-pecr-5A", "2025-08-20"),
        ("vn-decree13-23", "vn-pdpl-23", "2026-01-01"),
        ("sg-csa-14d", "sg-csa-30d", "2025-10-31"),
        ("uk-psr-99", "uk-fca-opinc-psp-4h", "2027-03-18"),
    ],
)
def test_old_law_gives_way_to_new_law_on_the_day(old: str, new: str, change: str) -> None:
    day = date.fromisoformat(change)
    eve = date.fromordinal(day.toordinal() - 1)
    assert (one(old).is_law_on(eve), one(new).is_law_on(eve)) == (True, False)
    assert (one(old).is_law_on(day), one(new).is_law_on(day)) == (False, True)


# -- errors that are often repeated


def test_the_72_hours_of_the_gdpr_do_not_move_to_monday() -> None:
    assert dates("eu-gdpr-33-1", {"aware": "2026-11-26T16:05:00+01:00"}, country="DE") == (
        "2026-11-29T16:05:00+01:00",
        "2026-11-29T17:00:00+01:00",
    )


def test_the_final_report_on_a_vulnerability_counts_from_the_corrective_measure() -> None:
    aware = {"aware": "2026-11-01T09:00:00+01:00"}
    assert dates("eu-cra-14-vuln-final", aware, country="DE") == (None, None)
    assert dates("eu-cra-14-vuln-final", {**aware, "corrective_measure": "2026-11-27T15:00:00+01:00"}, country="DE")[0] == "2026-12-11"


def test_the_final_report_on_a_severe_incident_counts_a_month_from_the_notification() -> None:
    events = {"aware": "2026-11-01T09:00:00+01:00", "eu-cra-14-incident-notification": "2026-11-03T09:00:00+01:00"}
    assert dates("eu-cra-14-incident-final", events, country="DE")[0] == "2026-12-03"


def test_the_final_report_under_nis2_counts_from_the_notification_that_was_sent() -> None:
    events = {"aware": "2026-11-26T15:00:00+01:00", "notification_sent": "2026-11-29T15:00:00+01:00"}
    assert dates("eu-nis2-23-final", events, country="DE")[0] == "2026-12-29"


def test_late_classification_under_dora_gives_four_hours() -> None:
    facts = {"entity.sectors": ["dora_financial_entity"], "dora.major_incident": True, "dora.home_state": ["DE"]}
    moments = {"aware": "2026-11-26T09:00:00+01:00", "classified_major": "2026-11-27T15:00:00+01:00"}
    states = {duty.obligation.id: duty for duty in assess({**facts, "moments": moments}).duties}
    late = states["eu-dora-19-initial-late-classification"]
    assert late.state == "applies"
    assert late.due
    assert late.due.conservative
    assert late.due.conservative.at.isoformat() == "2026-11-27T18:00:00+00:00"
    assert states["eu-dora-19-initial-24h"].state == "does_not_apply"


@pytest.mark.parametrize(
    ("sectors", "statutory"),
    [
        (["dora_financial_entity"], "2026-11-30T12:00:00+01:00"),
        (["dora_financial_entity", "dora_credit_institution"], "2026-11-28T09:00:00+01:00"),
        (["dora_financial_entity", "nis2_entity"], "2026-11-28T09:00:00+01:00"),
    ],
)
def test_the_weekend_relief_of_dora_is_not_for_everybody(sectors: list[str], statutory: str) -> None:
    events = {"aware": "2026-11-27T09:00:00+01:00", "classified_major": "2026-11-28T08:00:00+01:00"}
    found = dates("eu-dora-19-initial-4h", events, country="DE", facts={"entity.sectors": sectors})
    assert found == ("2026-11-28T09:00:00+01:00", statutory)


def test_the_authority_can_withdraw_the_weekend_relief_of_dora() -> None:
    facts = {"entity.sectors": ["dora_financial_entity"], "dora.relief_withdrawn": True}
    events = {"intermediate_sent": "2027-01-31T10:00:00+01:00"}
    assert dates("eu-dora-19-final", events, country="DE", facts=facts) == ("2027-02-28T10:00:00+01:00",) * 2


@pytest.mark.parametrize(
    "identity",
    [
        "ae-pdpl-9",
        "ae-difc-41",
        "il-dsr-11d",
        "ch-nfadp-24-1",
        "tw-pdpa-12",
        "tw-pdpa-12-amended",
        "eu-gdpr-34-1",
        "eu-gdpr-33-2",
        "mx-lfpdppp-holders",
    ],
)
def test_no_number_of_hours_is_made_up_where_the_law_has_none(identity: str) -> None:
    assert one(identity).period.within is None
    assert one(identity).standard


@pytest.mark.parametrize(
    "identity", ["nz-114", "jp-appi-prelim", "ch-finma-24", "ch-finma-72", "qa-13-2016", "ca-osfi-24h", "sg-pdpa-assess"]
)
def test_a_number_from_guidance_is_not_called_a_limit_of_the_law(identity: str) -> None:
    assert one(identity).period.within is not None
    assert "hard" not in (one(identity).period.nature or "")


def test_24_hours_in_switzerland_are_a_different_duty_than_that_of_data_protection() -> None:
    assert (one("ch-isa-74e").regime.id, one("ch-isa-74e").recipient.authority) == ("ch-isa", "CH-NCSC")
    assert (one("ch-nfadp-24-1").regime.id, one("ch-nfadp-24-1").recipient.authority) == ("ch-fadp", "CH")


def test_british_communications_providers_have_72_hours_since_20_august_2025() -> None:
    facts = {**BERLIN, "entity.sectors": ["uk_telecom_provider"]}
    for aware, hours in (("2025-08-19T12:00:00+01:00", 24), ("2025-08-20T12:00:00+01:00", 72)):
        found = [
            duty for duty in assess({**facts, "moments": {"aware": aware}}).duties if duty.obligation.id in ("uk-pecr-5A", "uk-pecr-5A-old")
        ]
        assert [duty.obligation.period.within.number for duty in found if duty.obligation.period.within] == [hours]


def test_the_time_of_a_processor_is_not_taken_off_the_time_of_the_controller() -> None:
    events = {"processor_aware": "2026-11-25T09:00:00+01:00", "aware": "2026-11-27T17:30:00+01:00"}
    assert dates("eu-gdpr-33-1", events, country="DE")[0] == "2026-11-30T17:30:00+01:00"


def test_the_earlier_date_is_taken_where_the_start_is_not_certain() -> None:
    assert dates("ch-isa-74e-supplement", {"detected": "2026-11-02", "initial_sent": "2026-11-03"}) == ("2026-11-16",) * 2
    assert dates("sg-csa-30d", {"aware": "2026-11-02", "initial_sent": "2026-11-03"}) == ("2026-12-02",) * 2


def test_japan_counts_the_day_of_knowledge_and_moves_off_closed_days_by_the_statutory_reading_only() -> None:
    assert dates("jp-appi-final-30", {"aware": "2026-12-02T10:00:00+09:00"}) == ("2026-12-31", "2027-01-04")


def test_doubtful_law_says_so() -> None:
    doubtful = [
        "bn-pdpo",
        "bh-30-2018",
        "vn-pdpl-23",
        "eg-151-7",
        "sg-csa-72h",
        "sg-csa-30d",
        "ae-pdpl-9",
        "my-pdpa-12B-subjects",
        "my-pdpa-12B-supplement",
        "jp-appi-final-30",
        "br-lgpd-anpd-supplement",
        "k-visa-notify",
    ]
    assert [identity for identity in doubtful if one(identity).confidence != "memory"] == []
    assert [identity for identity in doubtful if not (one(identity).notes or one(identity).regime.notes)] == []
