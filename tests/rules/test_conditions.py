"""Conditions answer true, false or unknown, and say which facts are missing."""

from typing import Any

import pytest

from incident_tracker.rules.conditions import FALSE, TRUE, UNKNOWN, Compiler, Verdict, read_condition
from incident_tracker.rules.facts import read_facts
from incident_tracker.rules.readings import Reading
from incident_tracker.rules.regimes import default_law
from incident_tracker.rules.sources import RegimeError, parse_yaml

LAW = default_law()
BREACH = "{fact: personal_data_breach, op: eq, value: 'true'}"
RISK = "{fact: risk_level, op: gte, value: risk}"


def judge(condition: str, facts: dict[str, Any], regime: str = "eu-gdpr") -> Verdict:
    check = Compiler(LAW.facts).compile(read_condition(parse_yaml(condition, "trial.yaml")), regime)
    return check.judge(Reading(read_facts(facts), LAW.facts, LAW.places, LAW.profiles))


@pytest.mark.parametrize(
    ("left", "right", "conjunction", "disjunction"),
    [
        (True, "high", TRUE, TRUE),
        (True, None, UNKNOWN, TRUE),
        (None, None, UNKNOWN, UNKNOWN),
        (False, None, FALSE, UNKNOWN),
        (False, "unlikely", FALSE, FALSE),
        (None, "unlikely", FALSE, UNKNOWN),
    ],
)
def test_it_joins_as_kleene_did(left: bool | None, right: str | None, conjunction: object, disjunction: object) -> None:
    facts = {"personal_data_breach": left, "risk_level": right}
    assert judge(f"{{all: [{BREACH}, {RISK}]}}", facts).truth is conjunction
    assert judge(f"{{any: [{BREACH}, {RISK}]}}", facts).truth is disjunction


def test_not_of_unknown_is_unknown() -> None:
    verdict = judge(f"{{not: {BREACH}}}", {})
    assert (verdict.truth, verdict.missing) == (UNKNOWN, ("personal_data_breach",))
    assert judge(f"{{not: {BREACH}}}", {"personal_data_breach": False}).truth is TRUE


def test_it_names_all_missing_facts_once() -> None:
    verdict = judge(f"{{all: [{BREACH}, {RISK}, {{any: [{RISK}, {BREACH}]}}]}}", {})
    assert verdict.missing == ("personal_data_breach", "risk_level")


def test_a_decided_condition_misses_nothing() -> None:
    assert judge(f"{{all: [{BREACH}, {RISK}]}}", {"personal_data_breach": False}).missing == ()


@pytest.mark.parametrize(("level", "truth"), [("unlikely", FALSE), ("risk", TRUE), ("high", TRUE), (None, UNKNOWN)])
def test_risk_is_an_ordered_scale(level: str | None, truth: object) -> None:
    assert judge(RISK, {"risk_level": level}).truth is truth


@pytest.mark.parametrize(
    ("value", "certainty", "op", "number", "truth"),
    [
        (500, "exact", "gt", 500, FALSE),
        (501, "exact", "gt", 500, TRUE),
        (500, "exact", "gte", 500, TRUE),
        (499, "exact", "lt", 500, TRUE),
        (400, "about", "gte", 500, UNKNOWN),
        (1000, "about", "gte", 500, TRUE),
        (249, "about", "gte", 500, FALSE),
        (250, "about", "gte", 500, UNKNOWN),
        (250, "about", "gt", 500, FALSE),
        (600, "at_least", "gte", 500, TRUE),
        (400, "at_least", "gte", 500, UNKNOWN),
        (400, "at_least", "lt", 100, FALSE),
        (7, "not_known", "gte", 0, TRUE),
        (7, "not_known", "gte", 1, UNKNOWN),
        (5, "exact", "eq", 5, TRUE),
        (5, "about", "eq", 5, UNKNOWN),
        (5, "about", "eq", 50, FALSE),
        (5, "about", "ne", 50, TRUE),
    ],
)
def test_a_count_decides_what_it_can(value: int, certainty: str, op: str, number: int, truth: object) -> None:
    facts = {"affected.total": {"value": value, "certainty": certainty}}
    assert judge(f"{{fact: affected.total, op: {op}, value: '{number}'}}", facts).truth is truth


def test_a_set_that_is_not_complete_leaves_the_rest_open() -> None:
    condition = "{fact: role, op: contains_any, value: [processor, vendor]}"
    assert judge(condition, {"role": {"known": ["employer"], "complete": False}}).truth is UNKNOWN
    assert judge(condition, {"role": ["employer"]}).truth is FALSE
    assert judge(condition, {"role": {"known": ["vendor"], "complete": False}}).truth is TRUE


def test_no_record_counts_as_no_where_the_catalogue_says_so() -> None:
    verdict = judge("{fact: harm.exempt.US-NY, op: eq, value: 'false'}", {})
    assert (verdict.truth, verdict.missing) == (TRUE, ())


def test_a_law_may_have_its_own_answer_on_protection() -> None:
    condition = "{fact: data.unsecured, op: eq, value: 'true'}"
    facts = {"data.unsecured": True, "data.unsecured.us-ny": False}
    assert judge(condition, facts, "us-ny").truth is FALSE
    assert judge(condition, facts, "us-ca").truth is TRUE
    assert judge(condition, {}, "us-ca").missing == ("data.unsecured",)


def people(place: str, op: str, number: int) -> str:
    return f"{{fact: affected.by_place.{place}, op: {op}, value: '{number}'}}"


def test_a_complete_list_of_places_leaves_nobody_elsewhere() -> None:
    facts = {"affected.by_place": {"DE": 40}, "affected.places_complete": True}
    assert judge(people("US-NY", "gte", 1), facts).truth is FALSE
    assert judge(people("US-NY", "gte", 1), {"affected.by_place": {"DE": 40}}).missing == ("affected.by_place",)


def test_the_total_bounds_what_a_place_can_have() -> None:
    facts = {"affected.total": 500, "affected.by_place": {"DE": 400}}
    assert judge(people("US-NY", "gt", 100), facts).truth is FALSE
    assert judge(people("US-NY", "gt", 99), facts).truth is UNKNOWN


def test_a_country_bounds_its_states() -> None:
    facts = {"affected.by_place": {"US": 600, "US-CA": 200}}
    assert judge(people("US-NY", "gt", 400), facts).truth is FALSE
    assert judge(people("US-NY", "gt", 300), facts).truth is UNKNOWN
    assert judge(people("US", "gte", 600), facts).truth is TRUE


def test_states_add_up_to_their_country_and_to_the_total() -> None:
    facts = {"affected.by_place": {"US-NY": 300, "US-CA": 300}}
    assert judge(people("US", "gte", 600), facts).truth is TRUE
    assert judge("{fact: affected.total, op: gte, value: '600'}", facts).truth is TRUE


def test_numbers_that_contradict_each_other_silence_nothing() -> None:
    facts = {"affected.total": 10, "affected.by_place": {"US-NY": 600}}
    assert judge("{fact: affected.total, op: gte, value: '500'}", facts).truth is TRUE
    assert judge(people("US-CA", "gt", 500), facts).truth is UNKNOWN


def test_personal_information_follows_from_the_elements() -> None:
    condition = "{fact: data.pi_match.US-CA, op: eq, value: 'true'}"
    assert judge(condition, {"data.elements": ["name", "ssn"]}).truth is TRUE
    assert judge(condition, {"data.elements": ["ssn"]}).truth is FALSE
    assert judge(condition, {"data.elements": ["online_credentials"]}).truth is TRUE
    verdict = judge(condition, {"data.elements": {"known": ["ssn"], "complete": False}})
    assert (verdict.truth, verdict.missing) == (UNKNOWN, ("data.elements",))


def test_only_data_known_to_be_on_paper_fall_outside_an_electronic_law() -> None:
    condition = "{fact: data.pi_match.US-CA, op: eq, value: 'true'}"
    elements = ["name", "ssn"]
    assert judge(condition, {"data.elements": elements, "data.media": ["paper"]}).truth is FALSE
    assert judge(condition, {"data.elements": elements, "data.media": {"known": ["paper"], "complete": False}}).truth is TRUE
    assert judge(condition, {"data.elements": elements, "data.media": ["paper", "electronic"]}).truth is TRUE


def test_every_reason_is_in_words() -> None:
    verdict = judge(f"{{all: [{BREACH}, {people('US-NY', 'gt', 500)}, {RISK}]}}", {"personal_data_breach": True, "affected.by_place": {"US-NY": 600}})
    assert [one.text for one in verdict.reasons] == [
        "Personal data breach: yes",
        "People affected in New York: 600 people (the question is: more than 500?)",
        "Not known yet: Risk to people",
    ]
    assert [one.truth for one in verdict.reasons] == ["true", "true", "unknown"]


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("{fact: risk_levl, op: eq, value: high}", "not in the catalogue"),
        ("{fact: risk_level, op: eq, value: huge}", "not a choice"),
        ("{fact: risk_level, op: contains, value: high}", "cannot be compared"),
        ("{fact: entity.regsp_size, op: gte, value: larger}", "cannot be compared"),
        ("{fact: risk_level, op: like, value: high}", "not one of"),
        ("{fact: personal_data_breach, op: eq, value: 'yes'}", "true or false"),
        ("{fact: affected.total, op: gt, value: many}", "whole number"),
        ("{fact: affected.total, op: gt, value: ['1', '2']}", "one value"),
        ("{some: []}", "unknown key"),
        ("{all: []}", "at least one"),
        ("whenever it seems right", "mapping"),
    ],
)
def test_it_refuses_conditions_that_mean_nothing(condition: str, rule: str) -> None:
    with pytest.raises(RegimeError, match=rule) as refused:
        judge(condition, {})
    assert str(refused.value).startswith("trial.yaml:1: ")


@pytest.mark.parametrize(
    ("condition", "decisive"),
    [
        (BREACH, {"personal_data_breach"}),
        (f"{{not: {BREACH}}}", {"personal_data_breach"}),
        ("{fact: data.pi_match.US-CA, op: eq, value: 'true'}", {"data.elements"}),
        (f"{{all: [{BREACH}, {RISK}]}}", {"personal_data_breach", "risk_level"}),
        (f"{{any: [{BREACH}, {RISK}]}}", set()),
        (f"{{any: [{BREACH}]}}", {"personal_data_breach"}),
        (f"{{all: [{BREACH}, {{any: [{RISK}, {people('DE', 'gt', 5)}]}}]}}", {"personal_data_breach"}),
    ],
)
def test_one_no_settles_a_conjunction_and_no_single_answer_a_choice(condition: str, decisive: set[str]) -> None:
    check = Compiler(LAW.facts).compile(read_condition(parse_yaml(condition, "trial.yaml")), "eu-gdpr")
    assert check.decisive == decisive


def test_a_condition_is_one_thing_at_a_time() -> None:
    with pytest.raises(RegimeError, match="expected one of all, any, not, or a fact with op and value"):
        judge(f"{{all: [{BREACH}], any: [{RISK}]}}", {})
    with pytest.raises(RegimeError, match="expected one of all, any, not"):
        judge("{}", {})


def test_not_turns_the_reasons_round_and_keeps_their_words() -> None:
    verdict = judge(f"{{not: {BREACH}}}", {"personal_data_breach": True})
    assert (verdict.truth, [(one.text, one.fact, one.truth) for one in verdict.reasons]) == (FALSE, [("Personal data breach: yes", "personal_data_breach", "false")])


@pytest.mark.parametrize(
    ("condition", "facts", "words"),
    [
        (RISK, {"risk_level": "high"}, "Risk to people: a high risk (the question is: at least a risk?)"),
        ("{fact: risk_level, op: eq, value: risk}", {"risk_level": "risk"}, "Risk to people: a risk"),
        ("{fact: role, op: contains_any, value: [vendor, employer]}", {"role": ["vendor"]}, "includes vendor or service provider or employer of the people affected"),
        ("{fact: role, op: contains, value: vendor}", {"role": ["employer"]}, "does not include vendor or service provider"),
        ("{fact: role, op: contains, value: vendor}", {}, "may include, not known yet: vendor or service provider"),
        ("{fact: affected.total, op: lt, value: '1500'}", {"affected.total": 1200}, "1,200 people (the question is: fewer than 1,500?)"),
        ("{fact: affected.total, op: lte, value: '10'}", {}, "not known yet (the question is: at most 10?)"),
        ("{fact: affected.total, op: eq, value: '10'}", {"affected.total": 10}, "(the question is: exactly 10?)"),
        ("{fact: affected.total, op: ne, value: '10'}", {"affected.total": 10}, "(the question is: not 10?)"),
        (BREACH, {"personal_data_breach": False}, "Personal data breach: no"),
        (BREACH, {}, "Not known yet: Personal data breach"),
        ("{fact: contract.processor_notice_hours, op: gt, value: '1'}", {}, "not known yet (the question is: more than 1?)"),
    ],
)
def test_each_kind_of_fact_has_its_words(condition: str, facts: dict[str, Any], words: str) -> None:
    assert judge(condition, facts).reasons[0].text.endswith(words)


@pytest.mark.parametrize(
    ("condition", "facts", "truth"),
    [
        ("{fact: personal_data_breach, op: ne, value: 'true'}", {"personal_data_breach": False}, TRUE),
        ("{fact: personal_data_breach, op: eq, value: 'false'}", {"personal_data_breach": False}, TRUE),
        ("{fact: risk_level, op: ne, value: high}", {"risk_level": "risk"}, TRUE),
        ("{fact: risk_level, op: ne, value: high}", {"risk_level": "high"}, FALSE),
        ("{fact: risk_level, op: in, value: [risk, high]}", {"risk_level": "unlikely"}, FALSE),
        ("{fact: risk_level, op: in, value: [risk, high]}", {"risk_level": "risk"}, TRUE),
        ("{fact: risk_level, op: gt, value: risk}", {"risk_level": "risk"}, FALSE),
        ("{fact: risk_level, op: lt, value: high}", {"risk_level": "risk"}, TRUE),
        ("{fact: risk_level, op: lte, value: risk}", {"risk_level": "risk"}, TRUE),
        ("{fact: affected.total, op: lte, value: '5'}", {"affected.total": 5}, TRUE),
        ("{fact: affected.total, op: ne, value: '5'}", {"affected.total": 5}, FALSE),
        ("{fact: affected.total, op: lt, value: '5'}", {"affected.total": 5}, FALSE),
        ("{fact: contract.processor_notice_hours, op: lt, value: '24'}", {"contract.processor_notice_hours": 24}, FALSE),
        ("{fact: contract.processor_notice_hours, op: lte, value: '24'}", {"contract.processor_notice_hours": 24}, TRUE),
        ("{fact: affected.total, op: eq, value: '3'}", {"affected.total": {"value": 5, "certainty": "about"}}, UNKNOWN),
        ("{fact: affected.total, op: eq, value: '10'}", {"affected.total": {"value": 5, "certainty": "about"}}, UNKNOWN),
        ("{fact: affected.total, op: eq, value: '11'}", {"affected.total": {"value": 5, "certainty": "about"}}, FALSE),
        ("{fact: contract.processor_notice_hours, op: gte, value: '24'}", {"contract.processor_notice_hours": 24}, TRUE),
        ("{fact: contract.processor_notice_hours, op: eq, value: '24'}", {"contract.processor_notice_hours": 25}, FALSE),
        ("{fact: contract.processor_notice_hours, op: ne, value: '24'}", {"contract.processor_notice_hours": 25}, TRUE),
    ],
)
def test_each_comparison_does_what_it_says(condition: str, facts: dict[str, Any], truth: object) -> None:
    assert judge(condition, facts).truth is truth
