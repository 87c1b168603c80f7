"""What a regime file points to must exist: facts, places, groups, elements, triggers, zones and other obligations."""

from pathlib import Path

import pytest

from incident_tracker.rules.regimes import RegimeError
from tests.rules.laws import HEAD, OBLIGATION, trial_law, with_period

GOOD = HEAD + OBLIGATION
PROFILE = "profile: {place: US-NY, with_name: [ssn], alone: [biometric], media: electronic}\n"
FACTS = """own.member: {kind: flag, label: Member, derive: [any_in_group, organisation.establishments, GROUP]}
own.highest: {kind: count, label: Highest, derive: [highest_by_place, affected.by_place, GROUP]}
"""


def on(fact: str) -> str:
    return with_period("{standard: soon}", f"  applies_when: {{fact: {fact}}}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("obligations:", PROFILE.replace("ssn", "shoe_size") + "obligations:"), "trial/trial.yaml:1: the data element 'shoe_size' is not a choice of data.elements"),
        (GOOD.replace("obligations:", PROFILE.replace("biometric", "shoe_size") + "obligations:"), "the data element 'shoe_size' is not a choice of data.elements"),
        (on("concerned.XX, op: eq, value: 'true'"), "trial.one: the place in 'concerned.XX' is not in places.yaml"),
        (on("data.pi_match.US-AS, op: eq, value: 'true'"), "trial.one: no profile for the place in 'data.pi_match.US-AS'"),
        (on("own.member, op: eq, value: 'true'"), "trial.one: no group 'GROUP' in places.yaml"),
        (on("own.highest, op: gt, value: '5'"), "trial.one: no group 'GROUP' in places.yaml"),
        (GOOD.replace("{event: aware}", "{event: aware, after: [trial.two]}"), "trial.one: there is no obligation 'trial.two'"),
        (with_period("{standard: soon}", "  same_filing_as: trial.two\n"), "trial.one: there is no obligation 'trial.two'"),
        (GOOD.replace("authority: DE-BE,", "fan_out: each_listed, fact: weather,"), "trial.one: the fact 'weather' is not in facts.yaml"),
        (GOOD.replace("authority: DE-BE,", "fan_out: each_place, group: ATLANTIS,"), "trial.one: no group 'ATLANTIS' in places.yaml"),
        (GOOD.replace("authority: DE-BE", "authority: XX"), "trial.one: no authority 'XX' in authorities.yaml"),
        (GOOD.replace("zone: Europe/Berlin", "zone: Mars"), "trial.one: 'Mars' is not an IANA time zone"),
        (with_period("{standard: soon}", "  modifiers: [{kind: extension, cites: x, filing: trial.two, adds: {days: 2}}]\n"), "trial.one: there is no obligation 'trial.two'"),
        (with_period("{within: {days: 3, from: dusk}}"), "the trigger 'dusk' is not in triggers.yaml"),
        (with_period("{within: {days: 3, after: trial.two}}"), "trial.one: there is no obligation 'trial.two'"),
        (with_period("{not_before: {earlier_of: [{days: 3}, {before: trial.two}]}}"), "trial.one: there is no obligation 'trial.two'"),
        (with_period("{within: {days: {fact: weather}}}"), "trial.one: the fact 'weather' is not in facts.yaml"),
    ],
)
def test_it_refuses_what_points_to_nothing(tmp_path: Path, text: str, message: str) -> None:
    assert text != GOOD
    with pytest.raises(RegimeError, match=message):
        trial_law(tmp_path, text, facts=FACTS)


@pytest.mark.parametrize("zone", ["authority", "notifier", "place", "Asia/Tokyo"])
def test_a_zone_may_be_that_of_somebody(tmp_path: Path, zone: str) -> None:
    assert trial_law(tmp_path, GOOD.replace("zone: Europe/Berlin", f"zone: {zone}")).obligations["trial.one"].zone == zone


def test_a_profile_is_found_by_its_place(tmp_path: Path) -> None:
    law = trial_law(tmp_path, on("data.pi_match.US-NY, op: eq, value: 'true'").replace("obligations:", PROFILE + "obligations:"))
    assert law.profiles["US-NY"].alone == {"biometric"}


def test_a_limit_may_count_from_the_end_of_the_year_and_from_any_trigger(tmp_path: Path) -> None:
    for start in ("end_of_year", "detected"):
        law = trial_law(tmp_path, with_period(f"{{within: {{days: 3, from: {start}}}}}"))
        assert law.obligations["trial.one"].period.unit == "days"
