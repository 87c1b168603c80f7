"""The links by which a mail can be acknowledged: signed, for one person and one letter, and good for nothing else."""

from itsdangerous import BadSignature, URLSafeTimedSerializer

from incident_tracker.errors import NotFound
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.messages import Message, carried_by
from incident_tracker.rules.permissions import Permission, may

_SALT = "acknowledge a letter"
#: a link is of use as long as its clock may run; longer ones are warned of anew
LASTS_SECONDS = 120 * 86_400


def sign(secret_key: str, message: Message) -> str:
    """The part of a link that stands for a letter and the person it went to."""
    return URLSafeTimedSerializer(secret_key, salt=_SALT).dumps([message.id, message.person_id])


def read(secret_key: str, signed: str) -> Message:
    """The letter that a link stands for. Raises NotFound alike for a link that is forged, cut, too old, or of somebody who left."""
    try:
        number, person_id = URLSafeTimedSerializer(secret_key, salt=_SALT).loads(signed, max_age=LASTS_SECONDS)
    except (BadSignature, ValueError, TypeError) as error:
        raise NotFound("link") from error
    message = db.session.get(Message, number)
    if message is None or message.person is None or message.person_id != person_id or not message.person.active:
        raise NotFound("link")
    return message


def duties_to_take(message: Message) -> list[Duty]:
    """The duties of a letter that its person may acknowledge and that are still warned of, the most urgent first."""
    person = message.person
    found = {
        one.duty.id: one.duty for one in carried_by(message)
        if person is not None and one.duty is not None and may(person, Permission.ACKNOWLEDGE, one.duty.incident) and one.duty.is_warned_of
    }
    return sorted(found.values(), key=lambda duty: (duty.deadline_at, duty.id))
