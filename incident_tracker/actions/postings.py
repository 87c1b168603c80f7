"""Messages to destinations on their way: taken to be sent, and what each receiver's answers say of it."""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.orm import aliased

from incident_tracker.actions import deliveries
from incident_tracker.actions.deliveries import BATCH, CARRIED, LEASE
from incident_tracker.models.alerts import Rung
from incident_tracker.models.destinations import Destination
from incident_tracker.models.messages import Message
from incident_tracker.models.people import active_people
from incident_tracker.rules.permissions import Permission, Role
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("note_try",)


def take(work: Work, worker: str, destination_id: int, *, gathers: bool, sums_up: bool = False, limit: int = BATCH) -> list[int]:
    """Take up to `limit` messages that are due to go to a destination, for `worker` to send within `LEASE`; their ids.

    A warning with a newer one of the same duty on its way is withdrawn first. With `gathers` several of one incident go as
    one letter, and with `sums_up` those that fired late, after an outage, whatever their incidents. What follows a warning
    waits until that is sent or given up.
    """
    work.require(Permission.RUN_CLOCKWORK)
    if _withdraw_overtaken(work, destination_id):
        work.record("message.withdraw", "Warnings that were not sent yet were overtaken by newer ones")
    due = (
        select(Message.id, Message.leased_by, Message.kind, Message.incident_id, Rung.late).outerjoin(Rung, Rung.id == Message.rung_id)
        .where(_is_due(work, destination_id), ~_follows_another())
    )
    rows = work.session.execute(due.order_by(Message.next_attempt_at, Message.id).limit(limit).with_for_update(of=Message, skip_locked=True)).all()
    heads, together = [], dict[int | None, int]()
    for row in rows:
        about = None if sums_up and row.late else row.incident_id
        if gathers and row.leased_by is None and row.kind == "warning" and together.setdefault(about, row.id) != row.id:
            continue
        heads.append(row.id)
    for about, head in together.items():
        which = Message.incident_id == about if about is not None else Message.rung_id.in_(select(Rung.id).where(Rung.late))
        beside = select(Message.id).where(
            _is_due(work, destination_id), Message.kind == "warning", which, Message.leased_by.is_(None), Message.id.not_in(heads),
        )
        _change(work, list(work.session.scalars(beside.limit(CARRIED).with_for_update(skip_locked=True))), carried_by_id=head, next_attempt_at=None)
    _change(work, heads, leased_by=worker, next_attempt_at=work.now + LEASE, attempts=Message.attempts + 1)
    return heads


def withdraw_waiting(work: Work, destination_id: int, reason: str) -> int:
    """Withdraw what waits for a destination that is switched off; returns how many messages that were."""
    work.require(Permission.RUN_CLOCKWORK)
    waiting = update(Message).where(Message.next_attempt_at.is_not(None), Message.destination_id == destination_id)
    values = {"withdrawn_at": work.now, "next_attempt_at": None, "leased_by": None, "last_error": reason}
    ids = work.session.scalars(waiting.values(values).returning(Message.id).execution_options(synchronize_session=False)).all()
    if ids:
        said = f"Messages to a destination were not sent: {reason}"
        work.record("message.withdraw", said, subject=f"destination:{destination_id}", after={"count": len(ids)})
    return len(ids)


def note_taken(work: Work, destination_id: int) -> None:
    """A receiver took a letter; one in the record stands for all until it refuses one."""
    work.require(Permission.RUN_CLOCKWORK)
    was = work.session.execute(select(Destination.name, Destination.last_ok_at, Destination.last_error_at).where(Destination.id == destination_id)).one()
    _note(work, destination_id, last_ok_at=work.now, resting_until=None)
    if was.last_ok_at is None or (was.last_error_at is not None and was.last_ok_at <= was.last_error_at):
        work.record("destination.work", f"{was.name} takes letters", subject=f"destination:{destination_id}")


def note_refused(work: Work, destination_id: int, error: str, *, retry_after: timedelta | None = None, is_gone: bool = False) -> None:
    """A receiver did not take a letter. If it asked for a rest it gets one; if it is gone for good the destination is switched off."""
    work.require(Permission.RUN_CLOCKWORK)
    destination = work.session.get_one(Destination, destination_id)
    was_failing = destination.is_failing
    _note(work, destination_id, last_error=error[:500], last_error_at=work.now, resting_until=work.now + retry_after if retry_after else None)
    if is_gone and destination.active:
        destination.active = False
        work.record("destination.switch_off", f"{destination.name} is gone for good and was switched off: {error}", subject=f"destination:{destination_id}")
        for administrator in active_people(Role.ADMINISTRATOR):
            deliveries.queue(work, "channel_gone", person=administrator, content={"id": destination_id, "name": destination.name, "why": error[:300]})
    elif not was_failing:
        work.record("destination.fail", f"{destination.name} does not take letters: {error}", subject=f"destination:{destination_id}")


def note_try(work: Work, destination_id: int, error: str | None) -> None:
    """A test was taken, or refused with an error."""
    values = {"last_error": error[:500], "last_error_at": work.now} if error is not None else {"last_ok_at": work.now}
    _note(work, destination_id, **values)


def _note(work: Work, destination_id: int, **values: object) -> None:
    """Past the version: whoever has the form of a destination open is not in conflict with its letters."""
    changed = update(Destination).where(Destination.id == destination_id).values(values)
    work.session.execute(changed.execution_options(synchronize_session="evaluate"))


def _is_due(work: Work, destination_id: int) -> ColumnElement[bool]:
    return and_(Message.next_attempt_at.is_not(None), Message.next_attempt_at <= work.now, Message.destination_id == destination_id)


def _follows_another() -> ColumnElement[bool]:
    """Whether an earlier message of the same duty is still on its way there: what follows it must not arrive first."""
    earlier = aliased(Message)
    return and_(Message.kind != "warning", exists().where(
        earlier.destination_id == Message.destination_id, earlier.duty_id == Message.duty_id, earlier.id < Message.id, earlier.next_attempt_at.is_not(None),
    ))


def _withdraw_overtaken(work: Work, destination_id: int) -> bool:
    newer = aliased(Message)
    says_more = exists().where(
        newer.destination_id == Message.destination_id, newer.duty_id == Message.duty_id, newer.id > Message.id, newer.kind == "warning",
        newer.next_attempt_at.is_not(None),
    )
    query = select(Message.id).where(_is_due(work, destination_id), Message.kind == "warning", Message.leased_by.is_(None), says_more)
    ids = list(work.session.scalars(query.with_for_update(skip_locked=True, of=Message)))
    _change(work, ids, withdrawn_at=work.now, next_attempt_at=None, last_error="A newer warning of the same duty was on its way.")
    return bool(ids)


def _change(work: Work, ids: list[int], **values: object) -> None:
    if ids:
        work.session.execute(update(Message).where(Message.id.in_(ids)).values(values).execution_options(synchronize_session=False))
