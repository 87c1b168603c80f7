"""Warnings to destinations: rooms, people's own ways beside mail, and what receivers that follow a duty are told when it is taken or settled."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from incident_tracker.channels import CHANNELS
from incident_tracker.models.alerts import Rung
from incident_tracker.models.destinations import Destination, fallbacks_of, told_of_warnings
from incident_tracker.models.duties import WARNED_STATES, Duty
from incident_tracker.models.messages import Message, add_destined
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("ring", "fall_back", "tell_taken", "tell_settled")

#: channels that are told, too, that a duty's warnings were taken and that it is settled
FOLLOWING = tuple(name for name, channel in CHANNELS.items() if channel.follows_duties)

#: (rung, duty, incident), and with the person who is told
Fired = tuple[int, int, int]
Addressed = tuple[int, int, int, int]


def ring(work: Work, for_rooms: Sequence[Fired], addressed: Sequence[Addressed], named: Mapping[int, Collection[str]]) -> None:
    """Write what destinations are told when rungs fire: one message for each rung and room, and one for each person's own way.

    `for_rooms` are the rungs that rooms may hear of: of no restricted incident, and of no duty whose warnings somebody took.
    `addressed` is who is told by bell and mail. A rung for which channels are `named` goes by no others.
    """
    found = work.session.execute(told_of_warnings()).all()
    if not found:
        return
    loud = _loud(work, {one[0] for one in (*for_rooms, *addressed)}) if any(one.use == "loud" for one in found) else frozenset()
    rows: dict[str, list[tuple[int, int, int, int | None, int]]] = {}
    for place in found:
        told = [(*one, None) for one in for_rooms] if place.person_id is None else [one for one in addressed if one[3] == place.person_id]
        meant = (one for one in told if (place.use == "always" or one[0] in loud) and (not named.get(one[0]) or place.kind in named[one[0]]))
        rows.setdefault(place.kind, []).extend((*one, place.id) for one in meant)
    for kind, destined in rows.items():
        add_destined(work.session, "warning", work.now, kind, destined)


def fall_back(work: Work, refused: Sequence[tuple[int, int, int, int | None]]) -> None:
    """A person's letter of these rungs (rung, duty, incident, person) was refused for good: their ways for that case are told."""
    ways = fallbacks_of({one[3] for one in refused if one[3] is not None}) if refused else []
    for way in ways:
        add_destined(work.session, "warning", work.now, way.kind, [(*one, way.id) for one in refused if one[3] == way.person_id])


def _loud(work: Work, rung_ids: Collection[int]) -> frozenset[int]:
    return frozenset(work.session.scalars(select(Rung.id).where(Rung.id.in_(rung_ids), Rung.loudness == "loud")))


def tell_taken(work: Work, duty: Duty) -> None:
    """Somebody took a duty's warnings: receivers that follow it and were warned of its deadline learn that."""
    deadline = func.coalesce(Duty.conservative_at, Duty.target_at)
    _tell(work, "taken", _followed(work, and_(Duty.id == duty.id, Rung.deadline_at == deadline)))


def tell_settled(work: Work, duty_ids: Collection[int]) -> None:
    """Receivers that follow these duties and were warned of a deadline that no longer stands learn that; a warning that was not sent is withdrawn."""
    over = or_(Duty.state.not_in(WARNED_STATES), func.coalesce(Duty.conservative_at, Duty.target_at).is_distinct_from(Rung.deadline_at))
    rows = _followed(work, and_(Duty.id.in_(duty_ids), over)) if duty_ids else []
    unsent = [row.id for row in rows if row.sent_at is None and row.leased_by is None]
    if unsent:
        values = {"withdrawn_at": work.now, "next_attempt_at": None, "last_error": "The duty was settled, or its deadline moved, before this could be sent."}
        work.session.execute(update(Message).where(Message.id.in_(unsent)).values(values).execution_options(synchronize_session=False))
    _tell(work, "settled", [row for row in rows if row.id not in set(unsent)])


def _followed(work: Work, which: ColumnElement[bool]) -> list[Row[Any]]:
    """The warnings that receivers which follow duties got, or are about to get, of the duties and deadlines that are meant, the oldest first.

    Those are left out after which the receiver has heard, or is to hear, that the deadline no longer stands.
    """
    if not FOLLOWING or not work.session.scalar(select(exists().where(Destination.kind.in_(FOLLOWING)))):
        return []
    later, its_rung = aliased(Message), aliased(Rung)
    is_closed = exists().where(
        later.destination_id == Message.destination_id, later.kind == "settled", later.duty_id == Message.duty_id, later.id > Message.id,
        its_rung.id == later.rung_id, its_rung.deadline_at == Rung.deadline_at,
    )
    about = (Message.destination_id, Message.duty_id, Message.incident_id, Message.rung_id, Message.channel, Rung.deadline_at)
    query = (
        select(Message.id, Message.sent_at, Message.leased_by, *about)
        .join(Rung, Rung.id == Message.rung_id).join(Duty, Duty.id == Message.duty_id)
        .where(which, Message.incident_id == Duty.incident_id, Message.destination_id.is_not(None), Message.channel.in_(FOLLOWING))
        .where(Message.kind == "warning", or_(Message.sent_at.is_not(None), Message.next_attempt_at.is_not(None)), ~is_closed)
    )
    return list(work.session.execute(query.order_by(Message.id)))


def _tell(work: Work, kind: str, warnings: Sequence[Row[Any]]) -> None:
    """One message for each receiver, duty and deadline, on the newest warning of it."""
    newest = {(row.channel, row.destination_id, row.duty_id, row.deadline_at): row for row in warnings}
    for channel in {key[0] for key in newest}:
        rows = [(row.rung_id, row.duty_id, row.incident_id, None, row.destination_id) for key, row in newest.items() if key[0] == channel]
        add_destined(work.session, kind, work.now, channel, rows)
