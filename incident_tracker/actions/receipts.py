"""Acknowledging by the link in a letter."""

from incident_tracker.actions import alerts
from incident_tracker.errors import Conflict, NotFound
from incident_tracker.models.alerts import Acknowledgement
from incident_tracker.models.messages import Message
from incident_tracker.models.receipts import duties_to_take
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work


def acknowledge_letter(work: Work, message: Message) -> list[Acknowledgement]:
    """Take the warnings of all duties that a letter was about; the actor is the person it went to. Raises Conflict if none is left."""
    work.require(Permission.ACKNOWLEDGE)
    if message.person_id != work.actor.id:
        raise NotFound("link")
    given = [alerts.acknowledge(work, duty) for duty in duties_to_take(message)]
    if not given:
        raise Conflict("Nothing in this mail is warned of any more.")
    work.record("alert.acknowledge_letter", f"Acknowledged {len(given)} by the link in a mail", subject=f"message:{message.id}")
    return given
