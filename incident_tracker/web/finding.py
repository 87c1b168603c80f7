"""Finding what an address names, for the person who asks; what they may not know of is not found."""

from flask_security import current_user

from incident_tracker.errors import NotFound
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident, find_incident
from incident_tracker.models.people import Person


def incident(reference: str, *, lock: bool = False, with_names: bool = False) -> Incident:
    """The incident of this reference; `lock` inside a unit of work that changes it. Raises NotFound."""
    found = find_incident(current_user, reference, lock=lock, with_names=with_names)
    if found is None:
        raise NotFound("incident")
    return found


def duty(incident: Incident, duty_id: int) -> Duty:
    """One duty of an incident. Raises NotFound."""
    found = db.session.get(Duty, duty_id)
    if found is None or found.incident_id != incident.id:
        raise NotFound("duty")
    return found


def person(person_id: int | None) -> Person | None:
    """A person who can still sign in, or None for "nobody". Raises NotFound."""
    if not person_id:
        return None
    found = db.session.get(Person, person_id)
    if found is None or not found.active:
        raise NotFound("person")
    return found
