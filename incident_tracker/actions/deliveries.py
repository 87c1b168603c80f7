"""Messages on their way: queued, taken to be sent, marked with what came of it, sent again, looked at."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from incident_tracker.errors import Conflict
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message, is_unseen_by
from incident_tracker.models.people import Person
from incident_tracker.rules import retries
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("queue",)

#: the kinds of message, each with its templates; those that also ring the bell of the person they go to
KINDS = frozenset({"warning", "assigned", "account_changed", "invitation", "welcome", "password_reset"})
RINGING = frozenset({"warning", "assigned", "account_changed"})

#: how long a message that was taken belongs to its worker: longer than sending all that is taken at once can last
LEASE = timedelta(minutes=5)
BATCH = 10


def queue(
    work: Work, kind: str, person: Person | None = None, address: str | None = None, content: Mapping[str, Any] | None = None, incident: Incident | None = None
) -> None:
    """Put a mail into the queue, to a person or to an address; kinds that concern the person's work also ring their bell.

    `content` holds the values for the template of this kind, as JSON. It goes out after the unit of work ends, if that ends well.
    Raises ValueError for a kind without a template and for a mail to nobody.
    """
    if kind not in KINDS or (person is None) == (address is None):
        raise ValueError(f"a message of kind {kind!r} to {'nobody' if person is None and address is None else 'somebody'}")
    row = {"kind": kind, "person_id": person.id if person else None, "incident_id": incident.id if incident else None, "created_at": work.now}
    if person is not None and kind in RINGING:
        work.session.add(Message(channel="bell", content=dict(content or {}), sent_at=work.now, **row))
    work.session.add(Message(
        channel="email", address=address, content=dict(content or {}), message_id=f"{kind}.{uuid4().hex}", next_attempt_at=work.now, **row,
    ))


def take(work: Work, worker: str, channel: str, limit: int = BATCH) -> list[int]:
    """Take up to `limit` messages that are due, the longest waiting first, for `worker` to send within `LEASE`; their ids.

    A warning with a newer one of the same duty on its way to the same person is withdrawn first: after an outage
    everybody hears once how things stand.
    """
    work.require(Permission.RUN_CLOCKWORK)
    if _withdraw_overtaken(work, channel):
        work.record("message.withdraw", "Warnings that were not sent yet were overtaken by newer ones")
    due = (
        select(Message.id).where(Message.next_attempt_at.is_not(None), Message.next_attempt_at <= work.now, Message.channel == channel)
        .order_by(Message.next_attempt_at).limit(limit).with_for_update(skip_locked=True).cte("due")
    )
    taken = update(Message).where(Message.id.in_(select(due.c.id))).values(
        leased_by=worker, next_attempt_at=work.now + LEASE, attempts=Message.attempts + 1,
    )
    return sorted(work.session.scalars(taken.returning(Message.id).execution_options(synchronize_session=False)))


def mark_sent(work: Work, message: Message) -> None:
    """The channel has taken the message. What it carried is forgotten: it may be a one-time link."""
    work.require(Permission.RUN_CLOCKWORK)
    message.sent_at, message.next_attempt_at, message.leased_by, message.last_error = work.now, None, None, None
    message.content = {}
    _record(work, message, "message.send", "sent")


def mark_failed(work: Work, message: Message, worker: str, error: str, *, permanent: bool, jitter: float) -> None:
    """The channel did not take the message: it is tried again later, or given up if the refusal is for good or it was the last try.

    `jitter`, from 0 to 1, spreads the tries of many messages. A message that another worker took meanwhile is left alone.
    """
    work.require(Permission.RUN_CLOCKWORK)
    if message.leased_by != worker:
        return
    delay = None if permanent else retries.delay(message.attempts, jitter)
    message.leased_by, message.last_error = None, error[:500]
    message.next_attempt_at = None if delay is None else work.now + delay
    if delay is None:
        message.dead_at = work.now
        _record(work, message, "message.give_up", f"given up after {message.attempts} tries: {message.last_error}")


def mark_withdrawn(work: Work, message: Message, reason: str) -> None:
    """The message is not sent, on purpose; `reason` is a sentence."""
    work.require(Permission.RUN_CLOCKWORK)
    message.withdrawn_at, message.next_attempt_at, message.leased_by, message.last_error = work.now, None, None, reason
    _record(work, message, "message.withdraw", f"not sent: {reason}")


def send_again(work: Work, message: Message) -> None:
    """Try a message again that was given up, from the first try on, as the same message. Raises Conflict if it was not given up."""
    work.require(Permission.SEND_AGAIN, message.incident)
    if message.dead_at is None:
        raise Conflict("This message is not given up: it was sent, or is still being tried.")
    message.dead_at, message.attempts, message.next_attempt_at = None, 0, work.now
    _record(work, message, "message.send_again", "to be sent again")


def see_all(work: Work) -> int:
    """Mark everything that rings for oneself as seen; returns how many there were."""
    work.require(Permission.EDIT_SELF)
    ids = list(work.session.scalars(select(Message.id).where(is_unseen_by(work.actor))))
    if ids:
        work.session.execute(update(Message).where(Message.id.in_(ids)).values(seen_at=work.now).execution_options(synchronize_session=False))
        work.record("message.see", f"Saw {len(ids)} warnings", after={"messages": ids[:100]})
    return len(ids)


def _withdraw_overtaken(work: Work, channel: str) -> bool:
    newer = aliased(Message)
    says_more = exists().where(
        newer.duty_id == Message.duty_id, newer.person_id == Message.person_id, newer.channel == Message.channel, newer.id > Message.id,
        newer.kind == "warning", newer.next_attempt_at.is_not(None),
    )
    due = select(Message.id).where(
        Message.next_attempt_at.is_not(None), Message.next_attempt_at <= work.now, Message.channel == channel, Message.kind == "warning", says_more,
    ).with_for_update(skip_locked=True, of=Message).cte("overtaken")
    withdrawn = update(Message).where(Message.id.in_(select(due.c.id))).values(
        withdrawn_at=work.now, next_attempt_at=None, leased_by=None, last_error="a newer warning of the same duty was on its way",
    )
    return bool(work.session.scalars(withdrawn.returning(Message.id).execution_options(synchronize_session=False)).all())


def _record(work: Work, message: Message, action: str, what: str) -> None:
    to = message.person.name if message.person else "an address"
    work.record(
        action, f"{message.kind.replace('_', ' ')} by {message.channel} to {to}: {what}", incident=message.incident, subject=f"message:{message.id}",
        after={"message_id": message.message_id, "attempts": message.attempts},
    )

