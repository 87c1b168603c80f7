"""Every worked example of every regime file comes out as it says."""

from dataclasses import replace

import pytest

from incident_tracker.rules.examples import all_examples, failures, failures_of
from incident_tracker.rules.laws import Example, Law, Obligation
from incident_tracker.rules.regimes import default_law

LAW = default_law()


@pytest.mark.parametrize("example", list(all_examples(LAW)), ids=lambda one: f"{one.line} {one.name}")
def test_it_computes_the_worked_examples(example: Example) -> None:
    assert failures_of(example, LAW) == ()


def test_it_reports_an_example_that_does_not_come_out() -> None:
    example = next(one for one in all_examples(LAW) if one.conservative)
    wrong = replace(example, conservative="2030-01-01T00:00:00+00:00")
    assert "expected 2030-01-01" in failures_of(wrong, LAW)[0]


def test_it_reports_a_state_that_does_not_come_out() -> None:
    example = next(one for one in all_examples(LAW) if one.duties)
    key = next(iter(example.duties))
    wrong = replace(example, duties={key: "none"})
    assert failures_of(wrong, LAW)[0].startswith(f"{key}: expected none but got")


def test_it_reports_an_example_whose_facts_cannot_be_read() -> None:
    example = next(one for one in all_examples(LAW) if one.duties)
    assert "risk_level" in failures_of(replace(example, facts={"risk_level": "huge"}), LAW)[0]


def test_all_regimes_have_worked_examples() -> None:
    def has_examples(law: Law) -> set[str]:
        told = {one.line.split(":")[0] for one in all_examples(law)}
        return {regime.id for regime in law.regimes.values() if regime.file not in told}

    assert has_examples(LAW) == set()


def test_it_names_the_file_the_line_and_the_example_that_fails() -> None:
    obligation = LAW.obligations["eu-gdpr-33-1"]
    right = next(one for one in obligation.examples if one.conservative)
    wrong = replace(right, conservative="2030-01-01T00:00:00+00:00")
    got = f"expected 2030-01-01T00:00:00+00:00 but got {right.conservative}"
    assert failures(_law_with(obligation, right)) == ()
    assert failures(_law_with(obligation, right, wrong)) == (f"{right.line}: {right.name}: conservative: {got}",)


def _law_with(obligation: Obligation, *examples: Example) -> Law:
    return replace(LAW, regimes={}, obligations={obligation.id: replace(obligation, examples=examples)})
