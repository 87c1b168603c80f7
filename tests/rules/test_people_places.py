"""The profile's list of where people live: it spares questions, and never hides what an incident says."""

from incident_tracker.rules import assess
from tests.stories import PROFILE

OPEN = {**PROFILE, "personal_data_breach": True, "role": ["controller"], "risk_level": "risk", "moments": {"aware": {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin"}}}


def states(document: dict[str, object], prefix: str) -> set[str]:
    """The states of the duties whose obligation begins so."""
    return {duty.state for duty in assess(document).duties if duty.obligation.id.startswith(prefix)}


def test_without_it_every_law_of_the_world_stays_open() -> None:
    assert "unknown" in states(OPEN, "us-ny.")
    assert "unknown" in states(OPEN, "br-")


def test_with_it_other_countries_are_silent_and_ours_are_not() -> None:
    known = {**OPEN, "organisation.people_places": {"known": ["DE", "US-NY"], "complete": True}}
    assert states(known, "br-") == {"does_not_apply"}
    assert states(known, "us-ca.") == {"does_not_apply"}
    assert "unknown" in states(known, "us-ny.")


def test_a_country_stands_for_its_states() -> None:
    known = {**OPEN, "organisation.people_places": {"known": ["US"], "complete": True}}
    assert "unknown" in states(known, "us-ca.")


def test_what_an_incident_says_goes_before() -> None:
    known = {**OPEN, "organisation.people_places": {"known": ["DE"], "complete": True}, "affected.by_place": {"BR": 5}}
    assert states(known, "br-") - {"does_not_apply"}


def test_a_list_that_is_not_complete_silences_nothing() -> None:
    known = {**OPEN, "organisation.people_places": {"known": ["DE"], "complete": False}}
    assert "unknown" in states(known, "br-")
