"""Messages on their way: queued, taken to be sent, marked with what came of it, sent again, looked at."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, select, update
from sqlalchemy.orm import aliased

from incident_tracker.actions import ringing
from incident_tracker.errors import Conflict
from incident_tracker.models.alerts import Heartbeat, Rung
from incident_tracker.models.destinations import Destination
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message, carried_by, is_unseen_by
from incident_tracker.models.people import Person
from incident_tracker.rules import retries
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("queue",)

#: the kinds of message, each with its templates; those that also ring the bell of the person they go to
KINDS = frozenset({"warning", "assigned", "notice_moved", "account_changed", "channel_gone", "invitation", "welcome", "password_reset"})
RINGING = frozenset({"warning", "assigned", "notice_moved", "account_changed", "channel_gone"})

#: how long a message that was taken belongs to its worker: longer than sending all that is taken at once can last
LEASE = timedelta(minutes=5)
BATCH = 50
#: so many warnings at most go in one letter
CARRIED = 200


#: what the record says of a letter
_ABOUT = (
    select(
        Message.id, Message.carried_by_id, Message.kind, Message.channel, Message.incident_id, Message.message_id, Message.attempts,
        func.coalesce(Person.name, Destination.name, "an address").label("to"),
    )
    .outerjoin(Person, Person.id == Message.person_id).outerjoin(Destination, Destination.id == Message.destination_id)
)
_MARK_SENT = (
    update(Message.__table__).where(Message.id == bindparam("number"))  # type: ignore[arg-type]
    .values(sent_at=bindparam("moment"), next_attempt_at=None, leased_by=None, last_error=None, content={})
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a letter was not sent. `is_permanent`: it never will be; `is_unclear`: it may have been taken all the same.

    `jitter`, from 0 to 1, spreads the tries of many letters that failed together. `retry_after` is how long the receiver
    asks to be left alone.
    """

    text: str
    is_permanent: bool = False
    is_unclear: bool = False
    jitter: float = 0.0
    retry_after: timedelta | None = None


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
    """Take up to `limit` letters that are due, the longest waiting first, for `worker` to send within `LEASE`; their messages' ids.

    A warning with a newer one of the same duty on its way to the same person is withdrawn first, and several of one
    incident to one person go as one letter; those that fired late, after an outage, go as one whatever their incidents.
    One that may have arrived already goes again as it was, so that it can be told for a repetition.
    """
    work.require(Permission.RUN_CLOCKWORK)
    if _withdraw_overtaken(work, channel):
        work.record("message.withdraw", "Warnings that were not sent yet were overtaken by newer ones")
    due = select(Message.id, Message.leased_by, Message.kind, Message.person_id, Message.incident_id, Rung.late).outerjoin(Rung, Rung.id == Message.rung_id)
    oldest = due.where(_is_due(work, channel)).order_by(Message.next_attempt_at, Message.id).limit(limit)
    heads, together = [], dict[tuple[int, int | None], int]()
    for row in work.session.execute(oldest.with_for_update(of=Message, skip_locked=True)).all():
        if row.leased_by is None and row.kind == "warning":
            head = together.setdefault((row.person_id, None if row.late else row.incident_id), row.id)
            if head != row.id:
                continue
        heads.append(row.id)
    _carry(work, channel, together, heads)
    _change(work, heads, leased_by=worker, next_attempt_at=work.now + LEASE, attempts=Message.attempts + 1)
    return heads


def take_over(work: Work, worker: str, gone_after: timedelta) -> int:
    """Make due at once what workers hold that have shown no life for the time `gone_after`; returns how many letters that were.

    A worker shows life from a thread of its own while it sends, however slow the mail server is, so whoever shows none for
    several rounds sends nothing any more. One that never said anything keeps its letters until their lease ends.
    """
    work.require(Permission.RUN_CLOCKWORK)
    shown = func.coalesce(Heartbeat.alive_at, Heartbeat.beat_at)
    # whoever went longer ago has no lease any more
    gone = select(Heartbeat.worker).where(shown < work.now - gone_after, shown > work.now - gone_after - 2 * LEASE, Heartbeat.worker != worker)
    held = select(Message.id).where(Message.next_attempt_at > work.now, Message.leased_by.in_(gone))
    ids = work.session.scalars(held.with_for_update(skip_locked=True, of=Message)).all()
    _change(work, ids, next_attempt_at=work.now)
    if ids:
        work.record("message.take_over", "Letters that a worker had when it stopped were taken over", after={"letters": len(ids)})
    return len(ids)


def mark_sent(work: Work, taken: Mapping[str, datetime]) -> int:
    """The channel has taken these letters: by Message-ID, and when (UTC). What they carried is forgotten: it may be a one-time link.

    What is marked already stays as it is, and so does what the database does not know. Returns how many letters were marked.
    """
    work.require(Permission.RUN_CLOCKWORK)
    heads = {row.id: row for row in work.session.execute(_ABOUT.where(Message.message_id.in_(list(taken)), Message.sent_at.is_(None)))} if taken else {}
    if not heads:
        return 0
    rows = sorted([*heads.values(), *work.session.execute(_ABOUT.where(Message.carried_by_id.in_(list(heads))))], key=lambda row: row.id)
    moments = [taken[heads[row.carried_by_id or row.id].message_id] for row in rows]
    # past the session and with no objects: this is done for every mail that goes out
    work.session.connection().execute(_MARK_SENT, [{"number": row.id, "moment": at} for row, at in zip(rows, moments, strict=True)])
    # a letter about several incidents has its entry in the record of each
    for row in {(row.carried_by_id or row.id, row.incident_id): row for row in reversed(rows)}.values():
        work.record(
            "message.send", f"{row.kind.replace('_', ' ')} by {row.channel} to {row.to}: sent", incident_id=row.incident_id, subject=f"message:{row.id}",
            after={"message_id": row.message_id, "attempts": row.attempts},
        )
    return len(heads)


def give_back(work: Work, worker: str, numbers: Collection[int]) -> None:
    """Messages that `worker` took and did not begin to send are due again at once, as they were: an earlier try of theirs may have arrived."""
    work.require(Permission.RUN_CLOCKWORK)
    if numbers:
        held = update(Message).where(Message.id.in_(numbers), Message.leased_by == worker, Message.next_attempt_at.is_not(None))
        values = {"next_attempt_at": work.now, "attempts": Message.attempts - 1}
        work.session.execute(held.values(values).execution_options(synchronize_session=False))
        work.record("message.give_back", "Letters that were taken and not begun are due again", after={"letters": len(numbers)})


def mark_failed(work: Work, message: Message, worker: str, failure: Failure) -> None:
    """The channel did not take the letter: it is tried again later, or given up if the refusal is for good or it was the last try.

    What is given up goes by the person's next channel and to whoever comes next. If it is surely not taken, its warnings are
    free to go with newer ones. If another worker took it meanwhile, it is
    left alone.
    """
    work.require(Permission.RUN_CLOCKWORK)
    if message.leased_by != worker:
        return
    delay = None if failure.is_permanent else retries.delay(message.attempts, failure.jitter, failure.retry_after)
    letter = carried_by(message)
    for one in letter:
        one.last_error, one.attempts = failure.text[:500], message.attempts
        if delay is None:
            one.dead_at, one.next_attempt_at, one.leased_by = work.now, None, None
        elif not failure.is_unclear:
            one.carried_by_id, one.next_attempt_at, one.leased_by = None, work.now + delay, None
    if delay is None:
        _record(work, message, "message.give_up", f"given up after {message.attempts} {'try' if message.attempts == 1 else 'tries'}: {failure.text}")
        if others := ringing.pass_on(work, letter):
            _record(work, message, "message.pass_on", f"passed on to {len(others)} who come next")
    elif failure.is_unclear:
        message.next_attempt_at = work.now + delay


def mark_withdrawn(work: Work, message: Message, reason: str) -> None:
    """The letter is not sent, on purpose; `reason` is a sentence."""
    work.require(Permission.RUN_CLOCKWORK)
    for one in carried_by(message):
        one.withdrawn_at, one.next_attempt_at, one.leased_by, one.last_error = work.now, None, None, reason
    _record(work, message, "message.withdraw", f"not sent: {reason}")


def withdraw_all(work: Work, channel: str, reason: str) -> int:
    """Withdraw everything that waits for a channel which is off; returns how many messages that were."""
    work.require(Permission.RUN_CLOCKWORK)
    waiting = update(Message).where(Message.next_attempt_at.is_not(None), Message.channel == channel)
    values = {"withdrawn_at": work.now, "next_attempt_at": None, "leased_by": None, "last_error": reason}
    ids = work.session.scalars(waiting.values(values).returning(Message.id).execution_options(synchronize_session=False)).all()
    if ids:
        work.record("message.withdraw", f"Messages by {channel} were not sent: {reason}")
    return len(ids)


def send_again(work: Work, message: Message) -> None:
    """Try a message again that was given up, from the first try on, as the same message. Raises Conflict if it was not given up."""
    work.require(Permission.SEND_AGAIN, message.incident)
    if message.dead_at is None or message.carried_by_id is not None:
        raise Conflict("This message is not given up: it was sent, or is still being tried.")
    for one in carried_by(message):
        one.dead_at, one.attempts = None, 0
    message.next_attempt_at = work.now
    _record(work, message, "message.send_again", "to be sent again")


def see_all(work: Work) -> int:
    """Mark everything that rings for oneself as seen; returns how many there were."""
    work.require(Permission.EDIT_SELF)
    ids = list(work.session.scalars(select(Message.id).where(is_unseen_by(work.actor))))
    if ids:
        _change(work, ids, seen_at=work.now)
        work.record("message.see", f"Saw {len(ids)} warnings", after={"messages": ids[:100]})
    return len(ids)


def _is_due(work: Work, channel: str) -> ColumnElement[bool]:
    return and_(Message.next_attempt_at.is_not(None), Message.next_attempt_at <= work.now, Message.channel == channel)


def _withdraw_overtaken(work: Work, channel: str) -> bool:
    newer = aliased(Message)
    says_more = exists().where(
        newer.person_id == Message.person_id, newer.incident_id == Message.incident_id, newer.channel == Message.channel,
        newer.duty_id == Message.duty_id, newer.id > Message.id, newer.kind == "warning", newer.next_attempt_at.is_not(None),
    )
    query = select(Message.id).where(_is_due(work, channel), Message.kind == "warning", Message.leased_by.is_(None), says_more)
    ids = work.session.scalars(query.with_for_update(skip_locked=True, of=Message)).all()
    _change(
        work, ids, withdrawn_at=work.now, next_attempt_at=None, last_error="A newer warning of the same duty was on its way.",
    )
    return bool(ids)


def _carry(work: Work, channel: str, together: Mapping[tuple[int, int | None], int], heads: Collection[int]) -> None:
    """Let one letter carry everything else that is due of an incident to one person; without an incident, everything that fired late.

    `together` says for each person and incident which message is the letter's.
    """
    if not together:
        return
    query = (
        select(Message.id, Message.person_id, Message.incident_id, Rung.late).outerjoin(Rung, Rung.id == Message.rung_id)
        .where(_is_due(work, channel), Message.kind == "warning", Message.person_id.in_({person for person, _ in together}), Message.leased_by.is_(None))
    )
    if all(incident is not None for _, incident in together):
        query = query.where(Message.incident_id.in_({incident for _, incident in together}))
    rest = query.where(Message.id.not_in(heads)).order_by(Message.id).limit(CARRIED * len(together)).with_for_update(of=Message, skip_locked=True)
    found: dict[int, list[int]] = defaultdict(list)
    for row in work.session.execute(rest).all():
        head = together.get((row.person_id, None)) if row.late else None
        head = head or together.get((row.person_id, row.incident_id))
        if head is not None and len(found[head]) < CARRIED:
            found[head].append(row.id)
    for head, ids in found.items():
        _change(work, ids, carried_by_id=head, next_attempt_at=None)


def _change(work: Work, ids: Collection[int], **values: Any) -> None:
    if ids:
        work.session.execute(update(Message).where(Message.id.in_(ids)).values(values).execution_options(synchronize_session=False))


def _record(work: Work, message: Message, action: str, what: str) -> None:
    to = message.person.name if message.person else message.destination.name if message.destination else "an address"
    work.record(
        action, f"{message.kind.replace('_', ' ')} by {message.channel} to {to}: {what}", incident=message.incident, subject=f"message:{message.id}",
        after={"message_id": message.message_id, "attempts": message.attempts},
    )

