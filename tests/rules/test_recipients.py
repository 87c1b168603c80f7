"""Who is told: one, the lead authority, each place, each listed place; and whoever is not known yet."""

from typing import Any

import pytest

from incident_tracker.rules.facts import read_facts
from incident_tracker.rules.laws import RecipientRule
from incident_tracker.rules.readings import Reading
from incident_tracker.rules.recipients import Target, targets
from incident_tracker.rules.regimes import default_law

LAW = default_law()


class _One:
    """As much of an obligation as concerns its recipients."""

    def __init__(self, rule: RecipientRule) -> None:
        self.id, self.recipient = f"trial.{rule}", rule


def told(facts: dict[str, Any], rule: RecipientRule) -> tuple[Target, ...]:
    return targets(_One(rule), LAW, Reading(read_facts(facts), LAW.facts, LAW.places, LAW.profiles))  # type: ignore[arg-type]


def keys(facts: dict[str, Any], rule: RecipientRule) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.recipient.key, one.truth.value, one.missing) for one in told(facts, rule)]


def test_a_single_recipient_has_the_place_the_zone_and_the_calendar_that_are_known() -> None:
    (authority,) = told({}, RecipientRule("authority", "them", authority="DE-BE"))
    found = LAW.authorities["DE-BE"]
    one = authority.recipient
    assert (one.key, one.name, one.kind, one.zone, one.place, one.portal, one.language) == (
        "authority:DE-BE", found.name, "authority", "Europe/Berlin", found.place, found.portal, "de",
    )
    assert authority.calendar == found.calendar
    (office,) = told({}, RecipientRule("agency", "the office", place="US"))
    assert (office.recipient.key, office.recipient.zone, office.calendar) == ("agency:US", "America/New_York", "us-federal")
    (state,) = told({}, RecipientRule("agency", "the office", place="US-NY"))
    assert (state.recipient.place, state.calendar) == ("US-NY", "US-NY")
    (nowhere,) = told({}, RecipientRule("people", "everybody"))
    assert (nowhere.recipient.key, nowhere.recipient.zone, nowhere.calendar) == ("people", "", None)
    assert (nowhere.whereabouts.key, nowhere.whereabouts.zone, nowhere.whereabouts.calendar) == ("people", None, None)
    assert office.whereabouts.zone == "America/New_York"
    (unknown,) = told({}, RecipientRule("agency", "the office", place="XX"))
    assert (unknown.recipient.zone, unknown.calendar) == ("UTC", "XX")


LEAD = RecipientRule("authority", "the lead authority", "lead", group="EEA")
NOT_CHOSEN = [("authority:lead", "true", ("organisation.lead_authority",))]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, NOT_CHOSEN),
        ({"organisation.lead_authority": "DE-BE"}, [("authority:DE-BE", "true", ())]),
        ({"organisation.lead_authority": "US-NY"}, [("authority:US-NY", "true", ())]),
        ({"organisation.lead_authority": "JP"}, [("authority:JP", "true", ())]),
        ({"organisation.lead_authority": "XX"}, [("authority:XX", "true", ())]),
        ({"organisation.establishments": ["FR"]}, [("authority:FR", "true", ())]),
        ({"organisation.establishments": {"known": ["FR"], "complete": False}}, NOT_CHOSEN),
        ({"organisation.establishments": ["FR", "IE"]}, NOT_CHOSEN),
        ({"organisation.establishments": ["FR", "US"]}, [("authority:FR", "true", ())]),
        ({"organisation.establishments": ["US"]}, NOT_CHOSEN),
        ({"organisation.establishments": ["DE"]}, NOT_CHOSEN),
        ({"organisation.establishments": ["DE-BE"]}, [("authority:DE-BE", "true", ())]),
        ({"organisation.establishments": ["DE-BE", "DE-BY"]}, NOT_CHOSEN),
        ({"organisation.establishments": ["FR-IDF"]}, [("authority:FR", "true", ())]),
    ],
)
def test_the_lead_authority_is_the_one_chosen_else_that_of_the_only_country(facts: dict[str, Any], expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert keys(facts, LEAD) == expected


def test_a_lead_that_is_not_chosen_is_said() -> None:
    (one,) = told({}, LEAD)
    assert (one.recipient.name, one.recipient.kind, one.recipient.zone, one.calendar) == ("the lead authority (not chosen yet)", "authority", "", None)


EACH_STATE = RecipientRule("people", "the people", "each_place", group="US-STATES")
MANY = RecipientRule("media", "the media", "each_place", group="US-STATES", more_than=500)
NOBODY_ELSE = {"affected.places_complete": True}


@pytest.mark.parametrize(
    ("rule", "facts", "expected"),
    [
        (EACH_STATE, {}, [("people:others", "unknown", ("affected.by_place",))]),
        (EACH_STATE, {"affected.by_place": {"US-NY": 1}}, [("people:US-NY", "true", ()), ("people:others", "unknown", ("affected.places_complete",))]),
        (EACH_STATE, {"affected.by_place": {"US-NY": 0}, **NOBODY_ELSE}, [("people:US-NY", "false", ())]),
        (EACH_STATE, {"affected.by_place": {"US-NY": 2, "US-CA": 1}, **NOBODY_ELSE}, [("people:US-CA", "true", ()), ("people:US-NY", "true", ())]),
        (EACH_STATE, {"affected.by_place": {"DE": 5}, **NOBODY_ELSE}, [("people:others", "false", ())]),
        (EACH_STATE, {"affected.by_place": {"DE": 5}, "affected.total": 5}, [("people:others", "false", ())]),
        (EACH_STATE, {"affected.by_place": {"US-NY": {"value": None}}, **NOBODY_ELSE}, [("people:US-NY", "unknown", ("affected.by_place.US-NY",))]),
        (MANY, {"affected.by_place": {"US-NY": 500}, **NOBODY_ELSE}, [("media:US-NY", "false", ())]),
        (MANY, {"affected.by_place": {"US-NY": 501}, **NOBODY_ELSE}, [("media:US-NY", "true", ())]),
        (MANY, {"affected.by_place": {"US-NY": {"value": 300, "certainty": "about"}}, **NOBODY_ELSE}, [("media:US-NY", "unknown", ("affected.by_place.US-NY",))]),
        (MANY, {"affected.by_place": {"US-NY": 100}, "affected.total": 600}, [("media:US-NY", "false", ())]),
        (MANY, {"affected.by_place": {"US-NY": 100}, "affected.total": 601}, [("media:US-NY", "false", ()), ("media:others", "unknown", ("affected.places_complete",))]),
        (
            RecipientRule("authority", "them", "each_place", group="EU"),
            {"organisation.people_places": {"known": ["DE"], "complete": True}},
            [("authority:others", "unknown", ("affected.by_place",))],
        ),
        (RecipientRule("authority", "them", "each_place", group="UK"), {"affected.by_place": {"GB": 5}}, [("authority:GB", "true", ())]),
        (RecipientRule("authority", "them", "each_place", group="EU"), {"affected.by_place": {"DE-BY": 3}, **NOBODY_ELSE}, [("authority:DE", "true", ())]),
    ],
)
def test_each_place_with_enough_people_is_told(rule: RecipientRule, facts: dict[str, Any], expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert keys(facts, rule) == expected


def test_each_place_is_named_with_its_people_and_its_zone() -> None:
    (one,) = told({"affected.by_place": {"US-NY": 1200}, **NOBODY_ELSE}, EACH_STATE)
    assert (one.recipient.name, one.recipient.zone, one.recipient.place, one.calendar) == ("the people (New York)", "America/New_York", "US-NY", "US-NY")
    assert [(reason.text, reason.fact, reason.truth) for reason in one.reasons] == [("People affected in New York: 1,200", "affected.by_place", "true")]
    (many,) = told({"affected.by_place": {"US-NY": 1200}, **NOBODY_ELSE}, RecipientRule("media", "the media", "each_place", group="US-STATES", more_than=1000))
    assert many.reasons[0].text == "People affected in New York: 1,200 (the question is: more than 1,000?)"
    (none,) = told(NOBODY_ELSE, EACH_STATE)
    assert (none.recipient.name, none.reasons[0].text, none.reasons[0].fact) == ("the people (none)", "No place concerned has enough affected people", "affected.by_place")
    assert told({}, EACH_STATE)[0].recipient.name == "the people (places not known yet)"


STATES = "nis2.member_states"
CSIRTS = RecipientRule("csirt", "the CSIRT", "each_listed", group="EU", fact=STATES)


@pytest.mark.parametrize(
    ("rule", "facts", "expected"),
    [
        (CSIRTS, {}, [("csirt:others", "true", (STATES,))]),
        (CSIRTS, {STATES: ["FR", "DE"]}, [("csirt:DE", "true", ()), ("csirt:FR", "true", ())]),
        (CSIRTS, {STATES: {"known": ["DE"], "complete": False}}, [("csirt:DE", "true", ()), ("csirt:others", "unknown", (STATES,))]),
        (CSIRTS, {STATES: {"known": [], "complete": False}}, [("csirt:others", "true", (STATES,))]),
        (CSIRTS, {STATES: ["US"]}, [("csirt:others", "false", ())]),
        (CSIRTS, {STATES: []}, [("csirt:others", "false", ())]),
        (RecipientRule("authority", "them", "each_establishment", group="EU"), {"organisation.establishments": ["DE-BE", "US"]}, [("authority:DE", "true", ())]),
        (RecipientRule("authority", "them", "each_listed", fact="organisation.establishments"), {"organisation.establishments": ["US"]}, [("authority:US", "true", ())]),
        (RecipientRule("authority", "them", "each_listed", fact="organisation.establishments"), {"organisation.establishments": []}, [("authority:others", "false", ())]),
    ],
)
def test_each_listed_place_is_told_and_somebody_while_the_list_is_open(rule: RecipientRule, facts: dict[str, Any], expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert keys(facts, rule) == expected


def test_a_list_without_a_place_says_what_it_was_looked_for_in() -> None:
    (none,) = told({STATES: ["US"]}, CSIRTS)
    assert (none.recipient.name, none.reasons[0].text, none.reasons[0].fact) == ("the CSIRT (none)", f"{LAW.facts[STATES].label}: none within EU", STATES)
    (reach,) = told({STATES: []}, RecipientRule("csirt", "the CSIRT", "each_listed", fact=STATES))
    assert reach.reasons[0].text.endswith(": none within reach")
    assert told({}, CSIRTS)[0].recipient.name == "the CSIRT (not known yet)"


def test_a_csirt_is_known_by_its_country_and_an_office_by_its_own_sign() -> None:
    csirt = told({STATES: ["DE"]}, CSIRTS)[0]
    found = LAW.authorities["CSIRT-DE"]
    one = csirt.recipient
    assert (one.key, one.name, one.kind, one.zone, one.place, one.portal, one.language) == ("csirt:DE", found.name, "csirt", found.zone, "DE", found.portal, found.language)
    assert csirt.calendar == found.calendar
    (nameless,) = told({STATES: ["US"]}, RecipientRule("csirt", "the CSIRT", "each_listed", fact=STATES))
    assert (nameless.recipient.key, nameless.recipient.name) == ("csirt:US", "the CSIRT (United States)")
    offices = RecipientRule("agency", "the supervisor", "each_listed", fact=STATES, office="FIN")
    (known,) = told({STATES: ["DE"]}, offices)
    assert (known.recipient.key, known.recipient.name) == ("agency:FIN-DE", LAW.authorities["FIN-DE"].name)
    (other,) = told({STATES: ["US"]}, offices)
    assert (other.recipient.key, other.recipient.name, other.recipient.zone, other.recipient.place, other.calendar) == (
        "agency:FIN-US", "the supervisor (United States)", "America/New_York", "US", "us-federal",
    )


def test_people_of_a_place_are_people_even_where_there_is_an_authority() -> None:
    (one,) = told({"affected.by_place": {"DE": 3}, **NOBODY_ELSE}, RecipientRule("people", "the people", "each_place", group="EU"))
    assert (one.recipient.key, one.recipient.name, one.recipient.kind) == ("people:DE", "the people (Germany)", "people")
