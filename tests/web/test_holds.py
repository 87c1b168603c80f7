"""Law-enforcement holds on an incident's pages: recorded, ended, taken back."""

from typing import Any

from incident_tracker.models.base import db
from incident_tracker.models.facts import Fact, current_facts
from incident_tracker.models.incidents import Incident
from tests.stories import CERTAIN, duty_of, report, set_profile

HIPAA = {"entity.sectors": {"known": ["hipaa_covered_entity"], "complete": True}}
SINCE = {"since-date": "2026-11-27", "since-time": "18:00", "since-zone": "Europe/Berlin", "until-zone": "Europe/Berlin", "oral": "no", "source": "Letter of the state police, file 7"}


def held_incident() -> Incident:
    """An incident with duties under a law that knows holds: people in New York."""
    set_profile()
    return report(CERTAIN | {"affected.by_place.US-NY": {"value": 40, "certainty": "exact"}, "data.elements": {"known": ["name", "ssn"], "complete": True}})


def test_a_hold_holds_the_duties_that_know_it_and_no_other(browse: Any) -> None:
    incident = held_incident()
    before = duty_of(incident, "us-ny.breach.individual").state
    assert before in ("running", "undecided")
    ines = browse("ines")
    answer = ines.post(f"/incidents/{incident.reference}/holds/new", data=SINCE, follow_redirects=True)
    assert "Letter of the state police, file 7" in answer.text
    assert "no end recorded" in answer.text
    assert duty_of(incident, "us-ny.breach.individual").state == ("held" if before == "running" else "undecided")
    assert any("Held for law enforcement" in text for text in duty_of(incident, "us-ny.breach.individual").warnings)
    assert duty_of(incident, "eu-gdpr-33-1").state == "running"


def test_a_hold_that_ends_lets_the_clock_go_on(browse: Any) -> None:
    incident = held_incident()
    ines = browse("ines")
    ines.post(f"/incidents/{incident.reference}/holds/new", data=SINCE)
    ends = SINCE | {"until-date": "2026-12-20"}
    page = ines.post(f"/incidents/{incident.reference}/holds/1", data=ends, follow_redirects=True).text
    assert "20 Dec 2026, time not known" in page
    duty = duty_of(incident, "us-ny.breach.individual")
    assert any("until" in step["text"] and "law enforcement" in step["text"] for step in duty.steps)


def test_an_end_before_the_beginning_is_refused_with_the_text_kept(browse: Any) -> None:
    incident = held_incident()
    answer = browse("ines").post(f"/incidents/{incident.reference}/holds/new", data=SINCE | {"until-date": "2026-11-20"})
    assert answer.status_code == 422
    assert "It ends before it begins." in answer.text
    assert "Letter of the state police, file 7" in answer.text
    assert not [name for name in current_facts(incident.id) if name.startswith("holds.")]


def test_a_hold_needs_somebody_who_asked(browse: Any) -> None:
    incident = held_incident()
    answer = browse("ines").post(f"/incidents/{incident.reference}/holds/new", data=SINCE | {"source": ""})
    assert answer.status_code == 422
    assert "without a request on file nothing may be delayed" in answer.text


def test_a_hold_that_is_taken_back_stays_in_the_ledger_and_its_number_is_not_used_again(browse: Any) -> None:
    incident = held_incident()
    ines = browse("ines")
    ines.post(f"/incidents/{incident.reference}/holds/new", data=SINCE)
    ines.post(f"/incidents/{incident.reference}/holds/1/take-back")
    assert "No hold" in ines.get(f"/incidents/{incident.reference}/holds").text
    ines.post(f"/incidents/{incident.reference}/holds/new", data=SINCE)
    assert sorted({fact.name for fact in db.session.query(Fact).filter(Fact.name.startswith("holds."))}) == ["holds.1", "holds.2"]
    assert not any("Held for law" in text for text in duty_of(incident, "eu-gdpr-33-1").warnings)
    assert ines.get(f"/incidents/{incident.reference}/holds/1").status_code == 404
