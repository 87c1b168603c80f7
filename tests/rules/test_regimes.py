"""A regime file is read strictly: messages name file, line and rule."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from incident_tracker.rules.regimes import PACKAGE_FOLDER, RegimeError, default_law, load_law
from incident_tracker.rules.sources import parse_yaml
from tests.rules.laws import HEAD, OBLIGATION, joined_law, trial_law, with_period

GOOD = HEAD + OBLIGATION


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("citation: Trial Act\n", "", r"trial/trial.yaml:1: the key 'citation' is missing"),
        ("status: in_force", "status: maybe", r"trial.yaml:5: 'maybe' is not one of in_force"),
        ("source: the test", "sauce: the test", r"trial.yaml:\d+: unknown key 'sauce'"),
        ("last_checked: 2026-11-22", "last_checked: soon", r"trial.yaml:11: expected a day"),
        ("judged_at: [aware]", "judged_at: [awake]", r"'awake' is not in triggers.yaml"),
        ("zone: Europe/Berlin", "zone: Europe/Atlantis", r"not an IANA time zone"),
        ("  title: Tell them\n", "", r"trial.yaml:13: the key 'title' is missing"),
        ("{event: aware}", "{event: awake}", r"'awake' is not in triggers.yaml"),
        ("authority: DE-BE", "authority: DE-XX", r"trial.one: no authority 'DE-XX'"),
        ("{standard: soon}", "{}", r"trial.yaml:17: a period needs"),
        ("{standard: soon}", "{within: {days: few}}", r"expected a whole number"),
        ("{standard: soon}", "{within: {days: 3, hours: 4}}", r"expected exactly one of"),
        ("{standard: soon}", "{within: {days: 3, counting: backwards}}", r"'backwards' is not one of"),
        ("{standard: soon}", "{within: {working_days: 3}}", r"working days need a calendar"),
        ("{standard: soon}", "{within: {days: 3, roll: state}}", r"no roll rule 'state'"),
        ("{standard: soon}", "{within: {with: trial.two}}", r"trial.one: there is no obligation 'trial.two'"),
        ("{standard: soon}", "{within: {earlier_of: [{days: 3}]}}", r"at least two"),
        ("{standard: soon}", "{within: {hours: {fact: contract.ours}}}", r"'contract.ours' is not in facts.yaml"),
        ("{standard: soon}", '{within: {days: 1, until: "25:00"}}', r"time of day"),
        ("type: authority,", "type: king,", r"'king' is not one of"),
        ("authority: DE-BE,", "fan_out: each_place,", r"each_place needs the group"),
        ("authority: DE-BE,", "fan_out: each_listed,", r"each_listed needs the fact"),
        ("authority: DE-BE,", "fan_out: each_place, group: Atlantis,", r"no group 'Atlantis'"),
    ],
)
def test_it_refuses_a_file_that_breaks_a_rule(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(RegimeError, match=message):
        trial_law(tmp_path, GOOD.replace(old, new))


def test_a_good_file_is_read(tmp_path: Path) -> None:
    law = trial_law(tmp_path, GOOD)
    one = law.obligations["trial.one"]
    assert (one.title, one.citation, one.standard, one.ladder) == ("Tell them", "Trial Act", "soon", "none")
    assert one.regime.file == "trial/trial.yaml"


def test_a_condition_on_an_unknown_fact_is_refused_with_its_line(tmp_path: Path) -> None:
    text = with_period("{standard: soon}", "  applies_when: {fact: weather, op: eq, value: fair}\n")
    with pytest.raises(RegimeError, match=r"trial/trial.yaml:18: the fact 'weather' is not in the catalogue"):
        trial_law(tmp_path, text)


def test_a_state_needs_its_profile(tmp_path: Path) -> None:
    text = with_period("{standard: soon}", "  applies_when: {fact: data.pi_match.US-AS, op: eq, value: 'true'}\n")
    with pytest.raises(RegimeError, match=r"no profile for the place in 'data.pi_match.US-AS'"):
        trial_law(tmp_path, text)


def test_an_obligation_has_one_home(tmp_path: Path) -> None:
    with pytest.raises(RegimeError, match="'eu-gdpr-33-1' is defined twice"):
        joined_law(tmp_path, GOOD.replace("trial.one", "eu-gdpr-33-1"))
    with pytest.raises(RegimeError, match=r"the regime 'eu-gdpr' is also defined in eu/gdpr.yaml"):
        joined_law(tmp_path, GOOD.replace("regime: trial", "regime: eu-gdpr"))


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(RegimeError, match=r"trial/trial.yaml:\d+: not readable as YAML"):
        trial_law(tmp_path, GOOD + "  [")
    with pytest.raises(RegimeError, match=r"trial/trial.yaml:\d+: the key 'title' is written twice"):
        trial_law(tmp_path, GOOD.replace("title: A trial regime", "title: A trial regime\ntitle: Another"))


def test_every_scalar_is_text() -> None:
    root = parse_yaml('{country: NO, clock: 72:00, yes: yes, number: 012, nothing: ~, word: "null"}', "x.yaml")
    values = {key: node.value for key, node in root.mapping().items()}
    assert values == {"country": "NO", "clock": "72:00", "yes": "yes", "number": "012", "nothing": None, "word": "null"}


def test_lines_are_kept() -> None:
    assert parse_yaml("a:\n  b:\n  - c\n", "x.yaml").mapping()["a"].mapping()["b"].line == 3


def test_own_facts_and_triggers_join_the_catalogue(tmp_path: Path) -> None:
    facts = "weather: {kind: choice, label: Weather, question: What is the weather?, choices: {fair: fair, foul: foul}}\nmoments.storm: {kind: moment, label: Storm, question: When did the storm begin?}\n"
    triggers = "storm: {label: The storm began, moments: [storm]}\n"
    text = with_period("{within: {hours: 2}}", "  applies_when: {fact: weather, op: eq, value: foul}\n").replace("{event: aware}", "{event: storm}")
    law = joined_law(tmp_path, text, facts=facts, triggers=triggers)
    assert law.question("weather") == "What is the weather?"
    assert "eu-gdpr-33-1" in law.obligations


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("weather: {kind: mood, label: W, question: Q}", "facts.yaml:1: 'mood' is not one of"),
        ("weather: {kind: flag, label: W}", "needs a question"),
        ("weather: {kind: choice, label: W, question: Q}", "needs its choices"),
        ("weather: {kind: flag, label: W, derive: [magic, x]}", "'magic' is not one of"),
    ],
)
def test_it_refuses_facts_that_cannot_be_asked(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(RegimeError, match=message):
        trial_law(tmp_path, GOOD, facts=content + "\n")


def test_a_trigger_needs_moments_of_the_catalogue(tmp_path: Path) -> None:
    with pytest.raises(RegimeError, match=r"triggers.yaml:1: x: no moment 'never'"):
        trial_law(tmp_path, GOOD, triggers="x: {label: X, moments: [never]}\n")


def test_the_version_changes_with_any_file(tmp_path: Path) -> None:
    first = trial_law(tmp_path, GOOD).version
    assert trial_law(tmp_path, GOOD).version == first
    assert trial_law(tmp_path, GOOD + "# a remark\n").version != first


@pytest.mark.parametrize(
    ("identity", "day", "expected"),
    [
        ("eu-gdpr-33-1", None, True),
        ("eu-gdpr-33-1", date(2018, 5, 24), False),
        ("eu-gdpr-33-1", date(2018, 5, 25), True),
        ("eu-gdpr-33-1-omnibus", date(2030, 1, 1), False),
        ("eu-gdpr-33-1-omnibus", None, False),
        ("us-ny.breach.individual.v2019", None, False),
        ("us-ny.breach.individual.v2019", date(2024, 12, 20), True),
        ("us-ny.breach.individual.v2019", date(2024, 12, 21), False),
        ("contract.processor_notice", None, True),
    ],
)
def test_law_binds_in_its_time(identity: str, day: date | None, expected: bool) -> None:
    assert default_law().obligations[identity].is_law_on(day) is expected


def test_future_law_binds_from_its_start_and_never_without_one(tmp_path: Path) -> None:
    text = GOOD.replace("status: in_force", "status: future\neffective_from: 2027-05-13")
    one = trial_law(tmp_path, text).obligations["trial.one"]
    assert [one.is_law_on(day) for day in (None, date(2027, 5, 12), date(2027, 5, 13))] == [False, False, True]
    never = trial_law(tmp_path, GOOD.replace("status: in_force", "status: future")).obligations["trial.one"]
    assert not never.is_law_on(date(2040, 1, 1))


def test_every_live_obligation_has_its_ladder_and_its_words() -> None:
    for one in default_law().obligations.values():
        assert one.ladder in ("hours", "days", "working_days", "months", "contract", "none"), one.id
        assert one.period.within or one.standard, one.id


def test_the_whole_law_is_loaded_from_its_folder() -> None:
    assert len(load_law(PACKAGE_FOLDER).obligations) >= 600


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("status: in_force", True),
        ("status: agency_position", True),
        ("status: in_force\neffective_to: 2030-01-01", False),
        ("status: superseded", False),
        ("status: superseded\neffective_to: 2020-01-01", False),
        ("status: proposed", False),
    ],
)
def test_without_a_day_only_live_law_without_an_end_makes_duties(tmp_path: Path, more: str, expected: bool) -> None:
    assert trial_law(tmp_path, GOOD.replace("status: in_force", more)).obligations["trial.one"].is_law_on(None) is expected


def test_the_law_says_which_files_and_data_it_is_made_of(tmp_path: Path) -> None:
    law = trial_law(tmp_path, GOOD)
    assert (law.pack.version, law.pack.tzdata, law.pack.holidays) == (law.version, law.tzdata_version, law.holidays_version)
    assert law.versions == {"law": law.version, "tzdata": law.tzdata_version, "holidays": law.holidays_version}
    assert law.pack.digests["trial/trial.yaml"] == hashlib.sha256(GOOD.encode()).hexdigest()


def test_what_was_computed_is_kept_until_there_is_too_much_of_it(tmp_path: Path) -> None:
    law = trial_law(tmp_path, GOOD)
    for key in range(20_000):
        law.remember(key, None)
    assert len(law.cache) == 20_000
    law.remember("one more", None)
    assert list(law.cache) == ["one more"]


def test_a_question_is_for_its_place() -> None:
    law = default_law()
    assert law.question("risk_level") == law.facts["risk_level"].question
    assert "New York" in law.question("affected.by_place.US-NY")
    assert "{place}" not in law.question("affected.by_place.US-NY")
