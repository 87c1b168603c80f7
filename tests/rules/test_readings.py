"""How many people can live in a place, what follows from what is known, and what is asked where it does not."""

from datetime import date
from typing import Any

import pytest

from incident_tracker.rules.catalogues import Catalogue, FactSpec
from incident_tracker.rules.facts import NO_LIMIT, read_facts
from incident_tracker.rules.readings import Reading
from incident_tracker.rules.regimes import default_law

LAW = default_law()
HIGHEST = "affected.highest_us_state"


def reading(facts: dict[str, Any], day: date | None = None) -> Reading:
    return Reading(read_facts(facts), LAW.facts, LAW.places, LAW.profiles, day)


def spread(found: Any) -> tuple[float, float, str]:
    return found.low, found.high, str(found)


def by_place(**more: Any) -> dict[str, Any]:
    """Counts by place; the other facts by their names with underscores: total, complete, held."""
    facts: dict[str, Any] = {}
    if "total" in more:
        facts["affected.total"] = more.pop("total")
    if "complete" in more:
        facts["affected.places_complete"] = more.pop("complete")
    if "held" in more:
        facts["organisation.people_places"] = more.pop("held")
    return {**facts, "affected.by_place": {name.replace("_", "-"): count for name, count in more.items()}}


ABOUT = {"value": 100, "certainty": "about"}


@pytest.mark.parametrize(
    ("facts", "place", "expected"),
    [
        (by_place(DE=40), "DE", (40, 40, "40")),
        (by_place(US_NY=300, US_CA=ABOUT, complete=True), "US", (350, 500, "at least 350")),
        (by_place(US_NY=300, US_CA=1200, complete=True), "US", (1500, 1500, "1,500")),
        (by_place(US_NY=300), "US", (300, NO_LIMIT, "not known yet")),
        (by_place(DE=40, complete=True), "FR", (0, 0, "0")),
        (by_place(DE=40), "FR", (0, NO_LIMIT, "not known yet")),
        (by_place(DE=400, total=1500), "FR", (0, 1100, "not known, at most 1,100 by the total")),
        (by_place(US=600, complete=True), "US-NY", (0, 600, "not known, at most 600 by the total")),
        (by_place(US=300, US_CA=100, DE=50, total=500), "US-NY", (0, 200, "not known, at most 200 by the total")),
        (by_place(US=900, US_CA=100, DE=50, total=500), "US-NY", (0, 350, "not known, at most 350 by the total")),
        (by_place(US_CA=100, DE=50, total=500), "US", (100, 450, "not known, at most 450 by the total")),
        (by_place(US_CA=100, DE=50, total=500), "US-NY", (0, 350, "not known, at most 350 by the total")),
        (by_place(US_CA=100, DE=50, total=500), "FR", (0, 350, "not known, at most 350 by the total")),
        (by_place(US_CA=100, total=100), "US", (100, 100, "not known, at most 100 by the total")),
        (by_place(US_CA=100, total=99), "US", (100, NO_LIMIT, "not known yet")),
        (by_place(DE=100, total=100), "FR", (0, 0, "not known, at most 0 by the total")),
        (by_place(US=50, US_CA=70, total=100), "FR", (0, 30, "not known, at most 30 by the total")),
    ],
)
def test_a_place_has_the_people_that_the_numbers_leave_for_it(facts: dict[str, Any], place: str, expected: tuple[float, float, str]) -> None:
    assert spread(reading(facts).people_in(place)) == expected


@pytest.mark.parametrize(
    ("held", "place", "nobody"),
    [
        ({"known": ["DE"], "complete": True}, "FR", True),
        ({"known": ["DE"], "complete": False}, "FR", False),
        ({"known": ["DE"], "complete": True}, "DE", False),
        ({"known": ["DE"], "complete": True}, "DE-BY", False),
        ({"known": ["US-NY"], "complete": True}, "US", False),
        ({"known": ["US-NY"], "complete": True}, "US-CA", True),
        ({"known": ["US-NY"], "complete": True}, "US-NY", False),
    ],
)
def test_nobody_is_affected_where_we_hold_nobody_s_data(held: dict[str, Any], place: str, nobody: bool) -> None:
    assert (reading(by_place(held=held)).people_in(place).high == 0) is nobody


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (by_place(), (0, NO_LIMIT, "not known yet")),
        (by_place(DE=40), (40, NO_LIMIT, "at least 40")),
        (by_place(DE=40, US_CA=1000, complete=True), (1040, 1040, "1,040")),
        (by_place(DE=ABOUT, complete=True), (50, 200, "at least 50")),
        (by_place(US=50, US_CA=70, complete=True), (70, 70, "70")),
        (by_place(US_CA=70, US_NY=30, complete=True), (100, 100, "100")),
        (by_place(US_CA=0, complete=True), (0, 0, "0")),
        (by_place(DE=40, total=500), (500, 500, "500")),
        (by_place(DE=500, total=500), (500, 500, "500")),
        (by_place(DE=600, total=10), (600, 600, "10, by place at least 600")),
        (by_place(DE=1600, total={"value": 1000, "certainty": "about"}), (1600, 2000, "about 1,000, by place at least 1,600")),
        (by_place(DE=40, total=None), (40, NO_LIMIT, "at least 40")),
        (by_place(DE=40, total={"value": None, "certainty": "not_known"}, complete=True), (40, 40, "40")),
    ],
)
def test_everybody_is_at_least_what_the_places_add_up_to(facts: dict[str, Any], expected: tuple[float, float, str]) -> None:
    assert spread(reading(facts).value("affected.total")) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (by_place(), (0, NO_LIMIT, "at least 0")),
        (by_place(US_NY=300, US_CA=1200, DE=5000, complete=True), (1200, 1200, "1,200")),
        (by_place(US_NY=300, US_CA=ABOUT, complete=True), (300, 300, "300")),
        (by_place(US_NY=150, US_CA=ABOUT, complete=True), (150, 200, "at least 150")),
        (by_place(US_NY=300, total=500), (300, 300, "300")),
        (by_place(US_NY=200, total=500), (200, 300, "at least 200")),
        (by_place(complete=True), (0, 0, "0")),
    ],
)
def test_the_hardest_hit_state_is_known_as_far_as_the_numbers_go(facts: dict[str, Any], expected: tuple[float, float, str]) -> None:
    assert spread(reading(facts).value(HIGHEST)) == expected


@pytest.mark.parametrize(
    ("establishments", "day", "expected"),
    [
        (["DE"], None, True),
        (["US"], None, False),
        ({"known": ["US"], "complete": False}, None, None),
        ({"known": ["US", "FR"], "complete": False}, None, True),
        (None, None, None),
        (["GB"], None, False),
        (["GB"], date(2019, 1, 1), True),
    ],
)
def test_whether_we_are_established_in_the_eea_follows_from_where_and_when(establishments: Any, day: date | None, expected: bool | None) -> None:
    assert reading({"organisation.establishments": establishments}, day).value("organisation.established_in_eea") is expected


@pytest.mark.parametrize(
    ("facts", "place", "expected", "missing"),
    [
        ({"organisation.establishments": ["DE"]}, "DE", True, ("affected.by_place",)),
        ({"organisation.establishments": ["DE-BE"]}, "DE", True, ("affected.by_place",)),
        ({"organisation.establishments": ["DE"]}, "DE-BE", None, ("organisation.establishments", "affected.by_place")),
        ({"organisation.establishments": ["FR"]}, "DE", None, ("affected.by_place",)),
        ({}, "DE", None, ("organisation.establishments", "affected.by_place")),
        ({"organisation.establishments": ["FR"], **by_place(DE=1)}, "DE", True, ("affected.by_place.DE",)),
        ({"organisation.establishments": ["FR"], **by_place(DE={"value": None})}, "DE", None, ("affected.by_place.DE",)),
        ({"organisation.establishments": ["FR"], **by_place(FR=3)}, "DE", None, ("affected.places_complete",)),
        ({"organisation.establishments": ["FR"], **by_place(FR=3, complete=True)}, "DE", False, ()),
        ({"organisation.establishments": {"known": ["FR"], "complete": False}, **by_place(FR=3, complete=True)}, "DE", None, ("organisation.establishments",)),
        ({"organisation.establishments": ["FR"], **by_place(DE=0)}, "DE", False, ()),
    ],
)
def test_a_law_concerns_us_where_we_are_or_where_the_people_are(facts: dict[str, Any], place: str, expected: bool | None, missing: tuple[str, ...]) -> None:
    read = reading(facts)
    assert read.value(f"concerned.{place}") is expected
    assert read.missing_for(f"concerned.{place}") == missing


def test_hours_between_two_moments_are_elapsed_hours() -> None:
    moments = {"aware": "2026-11-27T09:00:00+01:00", "classified_major": "2026-11-28T10:30:00+01:00"}
    name = "dora.hours_to_classification"
    assert reading({"moments": moments}).value(name) == 25.5
    for left_out in moments:
        read = reading({"moments": {one: at for one, at in moments.items() if one != left_out}})
        assert read.value(name) is None
        assert read.missing_for(name) == (f"moments.{left_out}",)


@pytest.mark.parametrize(
    ("facts", "name", "missing"),
    [
        ({}, "risk_level", ("risk_level",)),
        ({}, "affected.by_place.DE", ("affected.by_place",)),
        (by_place(DE={"value": None}), "affected.by_place.DE", ("affected.by_place.DE",)),
        ({}, "data.pi_match.US-NY", ("data.elements",)),
        ({}, "organisation.established_in_eea", ("organisation.establishments",)),
    ],
)
def test_it_asks_for_the_fact_behind_the_one_that_is_not_known(facts: dict[str, Any], name: str, missing: tuple[str, ...]) -> None:
    assert reading(facts).missing_for(name) == missing


def test_a_fact_is_what_was_answered_else_what_counts_until_then_else_not_known() -> None:
    assert reading({}).value("risk_level") is None
    assert reading({"risk_level": "high"}).value("risk_level") == "high"
    assert reading({}).value("role") == reading({"role": {"known": []}}).value("role")
    assert not reading({}).value("role").complete
    assert reading({}).value("disproportionate_effort") is False
    assert reading({"disproportionate_effort": True}).value("disproportionate_effort") is True


def test_a_law_s_own_answer_goes_before_the_general_one_and_is_asked_of_no_other() -> None:
    read = reading({"data.unsecured": True, "data.unsecured.us-ny": False})
    assert [read.value("data.unsecured", regime) for regime in ("", "us-ny", "us-ca")] == [True, False, True]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"data.elements": ["name", "ssn"]}, True),
        ({"data.elements": ["name"]}, False),
        ({"data.elements": {"known": ["name"], "complete": False}}, None),
        ({}, None),
        ({"data.elements": ["name", "ssn"], "data.media": ["paper"]}, False),
        ({"data.elements": ["name", "ssn"], "data.media": ["electronic"]}, True),
        ({"data.media": {"known": ["paper"], "complete": False}}, None),
    ],
)
def test_what_california_protects_follows_from_the_elements_and_the_medium(facts: dict[str, Any], expected: bool | None) -> None:
    assert reading(facts).value("data.pi_match.US-CA") is expected


@pytest.mark.parametrize(
    ("name", "label"),
    [("risk_level", "Risk to people"), ("affected.by_place.US-NY", "People affected in New York"), ("data.unsecured.us-ny", "The data were readable (us-ny)")],
)
def test_a_fact_has_its_words_with_the_place_it_is_for(name: str, label: str) -> None:
    assert reading({}).label(name) == label


@pytest.mark.parametrize("assumed", ["true", "false"])
def test_a_fact_may_count_as_yes_or_as_no_until_it_is_answered(assumed: str) -> None:
    facts = Catalogue({"calm": FactSpec("calm", "flag", "Calm", "Is it calm?", assumed=assumed)}, {})
    assert Reading(read_facts({}), facts, LAW.places, {}).value("calm") is (assumed == "true")


@pytest.mark.parametrize(
    ("group", "facts", "expected"),
    [
        ("EU", by_place(held={"known": ["DE"], "complete": True}), (0, NO_LIMIT, "at least 0")),
        ("EU", by_place(DE=7, held={"known": ["DE"], "complete": True}), (7, 7, "7")),
        ("UK", by_place(GB=0), (0, 0, "0")),
        ("UK", by_place(GB=7, FR=9), (7, 7, "7")),
    ],
)
def test_the_hardest_hit_place_of_a_group_is_one_of_its_own(group: str, facts: dict[str, Any], expected: tuple[float, float, str]) -> None:
    highest = FactSpec("highest", "count", "Highest", "", derive=("highest_by_place", "affected.by_place", group))
    assert spread(Reading(read_facts(facts), Catalogue({"highest": highest}, {}), LAW.places, {}).value("highest")) == expected
