"""What the tests tell of: an incident reported on a Friday evening, and the facts that follow."""

from datetime import UTC, datetime
from typing import Any

from incident_tracker.actions import facts as fact_acts
from incident_tracker.actions import incidents as acts
from incident_tracker.actions import organisations
from incident_tracker.actions.facts import Entry
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import Person, person_by_email
from incident_tracker.work import unit_of_work

#: Friday 27 November 2026, 17:30 in Berlin
FRIDAY = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)

#: a company in Berlin that no special law concerns
PROFILE: dict[str, Any] = {
    "organisation.zone": "Europe/Berlin",
    "organisation.establishments": {"known": ["DE"], "complete": True},
    "organisation.lead_authority": "DE-BE",
    "entity.sectors": {"known": ["none_of_these"], "complete": True},
    "entity.ny_dfs_covered": False,
}

AWARE = {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin", "precision": "instant"}

#: enough for Article 33(1) GDPR to run
CERTAIN = {
    "personal_data_breach": True,
    "role": {"known": ["controller"], "complete": True},
    "risk_level": "risk",
    "moments.aware": AWARE,
    "affected.by_place.DE": {"value": 1200, "certainty": "about"},
    "affected.places_complete": True,
}


def person(name: str) -> Person:
    """One of the cast, by first name in small letters."""
    found = person_by_email(f"{name}@harbour.example")
    assert found is not None
    return found


def set_profile(values: dict[str, Any] | None = None, now: datetime = FRIDAY) -> None:
    """Counsel fills in the organisation's profile."""
    with unit_of_work(person("laura"), now) as work:
        organisations.set_profile(work, values or PROFILE)


def entries(values: dict[str, Any], source: str = "log") -> list[Entry]:
    """Ledger lines from names and values."""
    return [
        Entry(name, value, value.get("certainty", "exact") if isinstance(value, dict) else "exact" if value is not None else "not_known", source)
        for name, value in values.items()
    ]


def report(values: dict[str, Any] | None = None, *, by: str = "ines", now: datetime = FRIDAY, title: str = "Mailbox of the billing team taken over", **more: Any) -> Incident:
    """An incident, reported with these facts."""
    with unit_of_work(person(by), now) as work:
        incident = acts.report_incident(work, acts.Report(title, "Seen in the log.", "other", "Europe/Berlin", entries=entries(values or {}), **more))
        reference = incident.reference
    return again(reference)


def record(incident: Incident, values: dict[str, Any], *, by: str = "ines", now: datetime = FRIDAY) -> None:
    """More facts on an incident."""
    with unit_of_work(person(by), now) as work:
        fact_acts.record_facts(work, again(incident.reference), entries(values))


def again(reference: str) -> Incident:
    """The incident as the database has it now."""
    found = db.session.query(Incident).filter_by(reference=reference).one()
    return found


def duty_of(incident: Incident, obligation_id: str) -> Duty:
    """The one duty of an incident that comes from this obligation."""
    return db.session.query(Duty).filter_by(incident_id=incident.id, obligation_id=obligation_id).one()
