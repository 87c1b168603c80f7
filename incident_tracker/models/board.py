"""The questions of the board: what is overdue, due soon, later, undecided, with legal; and the lanes of the time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import contains_eager, joinedload

from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.incidents import Incident, is_visible_to
from incident_tracker.models.notices import Notice, NoticeState

SHOWN = 12
LANES = 20
#: counting stops here: on a screen "1,000 or more" says as much
COUNTED = 1000


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to see of the board, from the address."""

    owner: str = ""
    q: str = ""

    @property
    def args(self) -> dict[str, str]:
        return {name: value for name, value in (("owner", self.owner), ("q", self.q)) if value}


@dataclass(frozen=True)
class Column:
    """One column: its rows, as many as are shown, and how many there are."""

    name: str
    rows: Sequence[Any]
    count: int

    @property
    def count_words(self) -> str:
        return f"{COUNTED:,} or more" if self.count >= COUNTED else f"{self.count:,}"


def columns(actor: Any, now: datetime, wanted: Wanted) -> list[Column]:
    """The columns in the order of urgency. `now` in UTC."""
    day, three_days = now + timedelta(hours=24), now + timedelta(hours=72)
    at, running = Duty.conservative_at, Duty.state == DutyState.RUNNING
    conditions = {
        "overdue": and_(running, at <= now),
        "day": and_(running, at > now, at <= day),
        "three_days": and_(running, at > day, at <= three_days),
        "later": and_(running, at > three_days),
    }
    return [_column(name, _open_duties(actor, wanted).where(condition)) for name, condition in conditions.items()]


def undecided(actor: Any, wanted: Wanted) -> Column:
    """Incidents with duties that cannot be decided yet, by their next deadline; the count is of incidents."""
    query = (
        select(Incident)
        .where(Incident.ended_at.is_(None), Incident.undecided_count > 0, is_visible_to(actor))
        .options(joinedload(Incident.lead).lazyload("*"))
        .order_by(Incident.next_due_at.is_(None), Incident.next_due_at, Incident.id)
    )
    if wanted.owner.isdigit():
        query = query.where(Incident.lead_id == int(wanted.owner))
    query = _searched(query, wanted.q) if wanted.q else query
    rows = list(db.session.scalars(query.limit(SHOWN)))
    return Column("undecided", rows, len(rows) if len(rows) < SHOWN else _count(query, Incident))


def with_legal(actor: Any) -> Column:
    """Drafts that wait for legal, by their duty's deadline."""
    query = (
        select(Notice)
        .join(Incident, Incident.id == Notice.incident_id)
        .join(Duty, Duty.id == Notice.duty_id)
        .where(Notice.state == NoticeState.IN_REVIEW, is_visible_to(actor))
        .options(contains_eager(Notice.incident), contains_eager(Notice.duty), joinedload(Notice.created_by).lazyload("*"))
        .order_by(Duty.conservative_at.is_(None), Duty.conservative_at, Notice.id)
    )
    rows = list(db.session.scalars(query.limit(SHOWN)))
    return Column("legal", rows, len(rows) if len(rows) < SHOWN else _count(query, Notice))


def lanes(actor: Any, wanted: Wanted) -> dict[Incident, list[Duty]]:
    """The most urgent open incidents, each with its open clocks, in order."""
    first = (
        select(Incident.id)
        .where(Incident.ended_at.is_(None), Incident.next_due_at.is_not(None), is_visible_to(actor))
        .order_by(Incident.next_due_at, Incident.id)
        .limit(LANES)
    )
    if wanted.q:
        first = _searched(first, wanted.q)
    query = (
        select(Duty)
        .join(Incident, Incident.id == Duty.incident_id)
        .options(contains_eager(Duty.incident))
        .where(Duty.incident_id.in_(first.scalar_subquery()), Duty.done_at.is_(None), Duty.conservative_at.is_not(None))
        .order_by(Incident.next_due_at, Incident.id, Duty.conservative_at)
    )
    found: dict[Incident, list[Duty]] = {}
    for duty in db.session.scalars(query):
        found.setdefault(duty.incident, []).append(duty)
    return found


def _open_duties(actor: Any, wanted: Wanted) -> Select[tuple[Duty]]:
    query = (
        select(Duty)
        .join(Incident, Incident.id == Duty.incident_id)
        .where(Duty.done_at.is_(None), Incident.ended_at.is_(None), is_visible_to(actor, Duty.incident_id))
        .options(contains_eager(Duty.incident).joinedload(Incident.lead).lazyload("*"), joinedload(Duty.owner).lazyload("*"))
        .order_by(Duty.conservative_at.is_(None), Duty.conservative_at, Duty.id)
    )
    if wanted.owner.isdigit():
        person = int(wanted.owner)
        query = query.where(func.coalesce(Duty.owner_id, Incident.lead_id) == person)
    return _searched(query, wanted.q) if wanted.q else query


def _searched(query: Select[Any], words: str) -> Select[Any]:
    for word in words.lower().split():
        query = query.where(Incident.search_text.contains(word, autoescape=True))
    return query


def _column(name: str, query: Select[Any]) -> Column:
    rows = list(db.session.scalars(query.limit(SHOWN)))
    return Column(name, rows, len(rows) if len(rows) < SHOWN else _count(query, Duty))


def _count(query: Select[Any], counted: type[Duty | Incident | Notice]) -> int:
    bare = query.options().order_by(None).with_only_columns(counted.id).limit(COUNTED).subquery()
    return int(db.session.scalar(select(func.count()).select_from(bare)) or 0)
