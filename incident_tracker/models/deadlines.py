"""Duties across incidents in the order of their deadlines, as programs ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, defer, joinedload, raiseload

from incident_tracker.models.base import db
from incident_tracker.models.duties import OPEN_STATES, Duty, DutyState
from incident_tracker.models.incidents import Incident, is_visible_to
from incident_tracker.models.people import Person


@dataclass(frozen=True)
class Wanted:
    """Which duties: `state` is `open`, `overdue` or a stored one; `due_before` (UTC) leaves out those without a deadline."""

    state: str = "open"
    due_before: datetime | None = None


@dataclass(frozen=True)
class Part:
    """Some duties in their order, how many there are in all, and whether more follow."""

    duties: Sequence[Duty]
    total: int
    goes_on: bool


def duties_due(actor: Any, now: datetime, wanted: Wanted, limit: int, after: Duty | None = None) -> Part:
    """The duties that `actor` may know of, the earliest conservative deadline first, from behind `after` on."""
    query = _wanted(actor, now, wanted)
    total = db.session.scalar(query.with_only_columns(func.count(Duty.id))) or 0
    shown = _shown(_behind(query, after)).order_by(Duty.conservative_at.asc().nulls_last(), Duty.id).limit(limit + 1)
    found = list(db.session.scalars(shown))
    return Part(found[:limit], total, len(found) > limit)


def duties_of_incident(incident_id: int) -> list[Duty]:
    """The duties of one incident in the same order, with as few questions."""
    query = _shown(select(Duty).join(Duty.incident).where(Duty.incident_id == incident_id))
    return list(db.session.scalars(query.order_by(Duty.conservative_at.asc().nulls_last(), Duty.id)))


def find_duty(actor: Any, duty_id: int) -> Duty | None:
    """The duty with this id if `actor` may know of its incident."""
    return db.session.scalar(select(Duty).where(Duty.id == duty_id, is_visible_to(actor, Duty.incident_id)))


def _wanted(actor: Any, now: datetime, wanted: Wanted) -> Select[Duty]:
    query = select(Duty).join(Duty.incident).where(is_visible_to(actor, Duty.incident_id))
    if wanted.state == "open":
        query = query.where(Duty.state.in_(OPEN_STATES))
    elif wanted.state == "overdue":
        query = query.where(Duty.state == DutyState.RUNNING, Duty.conservative_at <= now)
    else:
        query = query.where(Duty.state == wanted.state)
    return query.where(Duty.conservative_at < wanted.due_before) if wanted.due_before else query


def _behind(query: Select[Duty], after: Duty | None) -> Select[Duty]:
    if after is None:
        return query
    if after.conservative_at is None:
        return query.where(Duty.conservative_at.is_(None), Duty.id > after.id)
    same_moment = and_(Duty.conservative_at == after.conservative_at, Duty.id > after.id)
    return query.where(or_(Duty.conservative_at.is_(None), Duty.conservative_at > after.conservative_at, same_moment))


def _shown(query: Select[Duty]) -> Select[Duty]:
    heavy = (Duty.because, Duty.steps, Duty.warnings, Duty.versions)
    return query.options(
        *(defer(column, raiseload=True) for column in heavy),
        contains_eager(Duty.incident).load_only(Incident.reference, Incident.restricted, raiseload=True).raiseload("*"),
        joinedload(Duty.owner).load_only(Person.name, raiseload=True).raiseload("*"),
        raiseload("*"),
    )
