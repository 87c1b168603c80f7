"""The questions of the board: what is overdue, due soon, later, undecided, with legal; and the lanes of the time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select, union_all
from sqlalchemy.orm import contains_eager, joinedload, load_only, raiseload

from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.incidents import Incident, is_visible_to
from incident_tracker.models.notices import Notice, NoticeState
from incident_tracker.models.people import Person

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
    """The columns in the order of urgency, each with what it shows and how much there is. `now` in UTC."""
    return [*_by_deadline(actor, now, wanted), _undecided(actor, wanted), _with_legal(actor)]


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
        .options(*_DUTY, contains_eager(Duty.incident).options(*_INCIDENT))
        .where(Duty.incident_id.in_(first.scalar_subquery()), Duty.done_at.is_(None), Duty.conservative_at.is_not(None))
        .order_by(Incident.next_due_at, Incident.id, Duty.conservative_at)
    )
    found: dict[Incident, list[Duty]] = {}
    for duty in db.session.scalars(query):
        found.setdefault(duty.incident, []).append(duty)
    return found


#: what a row shows; to ask for more is an error, and no query of its own
_DUTY = (
    load_only(
        Duty.title, Duty.recipient_name, Duty.state, Duty.standard, Duty.zone, Duty.conservative_at, Duty.conservative_value, raiseload=True
    ),
    raiseload("*"),
)
_INCIDENT = (load_only(Incident.reference, Incident.title, Incident.undecided_count, Incident.undecided_due_at, raiseload=True), raiseload("*"))
_NAME = (load_only(Person.name, raiseload=True), raiseload("*"))


def _by_deadline(actor: Any, now: datetime, wanted: Wanted) -> list[Column]:
    """What is overdue, due within a day, within three days, later: running duties, all in one query."""
    ends = {"overdue": now, "day": now + timedelta(hours=24), "three_days": now + timedelta(hours=72), "later": None}
    shown, counts = [], []
    for begin, end in zip((None, *ends.values()), ends.values(), strict=False):
        part = _running(actor, wanted, begin, end)
        first = part.where(Duty.incident.has(Incident.ended_at.is_(None)))
        shown.append(first.order_by(Duty.conservative_at, Duty.incident_id, Duty.id).limit(SHOWN).subquery())
        # all that are open at once: no row of an incident has to be read to count
        counts.append(_count(part.where(Duty.incident_id.in_(select(Incident.id).where(Incident.ended_at.is_(None))))))
    query = (
        select(Duty, *counts)
        .join(Duty.incident)
        .where(Duty.id.in_(union_all(*(select(part.c.id) for part in shown))))
        .options(*_DUTY, contains_eager(Duty.incident).options(*_INCIDENT, joinedload(Incident.lead).options(*_NAME)), joinedload(Duty.owner).options(*_NAME))
        .order_by(Duty.conservative_at, Duty.incident_id, Duty.id)
    )
    rows: Any = db.session.execute(query).all()
    found: dict[str, list[Duty]] = {name: [] for name in ends}
    for row in rows:
        found[next(name for name, end in ends.items() if end is None or row.Duty.conservative_at <= end)].append(row.Duty)
    return [Column(name, duties, rows[0][1 + place] if rows else 0) for place, (name, duties) in enumerate(found.items())]


def _running(actor: Any, wanted: Wanted, begin: datetime | None, end: datetime | None) -> Select[Any]:
    """The ids of the running duties that are due after `begin` and by `end`, the index on deadlines leading."""
    query = select(Duty.id).where(Duty.done_at.is_(None), Duty.state == DutyState.RUNNING, is_visible_to(actor, Duty.incident_id))
    query = query.where(Duty.conservative_at > begin) if begin else query
    query = query.where(Duty.conservative_at <= end) if end else query.where(Duty.conservative_at.is_not(None))
    if not wanted.args:
        return query
    query = query.join(Duty.incident)
    if wanted.owner.isdigit():
        query = query.where(func.coalesce(Duty.owner_id, Incident.lead_id) == int(wanted.owner))
    return _searched(query, wanted.q)


def _undecided(actor: Any, wanted: Wanted) -> Column:
    """Incidents with duties that cannot be decided yet, by their next deadline; the count is of incidents."""
    query = select(Incident.id).where(Incident.ended_at.is_(None), Incident.undecided_count > 0, is_visible_to(actor))
    if wanted.owner.isdigit():
        query = query.where(Incident.lead_id == int(wanted.owner))
    query = _searched(query, wanted.q)
    shown = (
        query.with_only_columns(Incident, _count(query))
        .options(*_INCIDENT, joinedload(Incident.lead).options(*_NAME))
        .order_by(Incident.undecided_due_at.asc().nulls_last(), Incident.id)
    )
    return _column("undecided", shown)


def _with_legal(actor: Any) -> Column:
    """Drafts that wait for legal, by their duty's deadline."""
    query = select(Notice.id).where(Notice.state == NoticeState.IN_REVIEW, is_visible_to(actor, Notice.incident_id))
    urgency = (Duty.conservative_at.asc().nulls_last(), Notice.id)
    first = query.join(Duty, Duty.id == Notice.duty_id).order_by(*urgency).limit(SHOWN)
    shown = (
        select(Notice, _count(query))
        .join(Notice.duty)
        .where(Notice.id.in_(first.scalar_subquery()))
        .options(
            load_only(Notice.title, Notice.state, raiseload=True), contains_eager(Notice.duty).options(*_DUTY),
            joinedload(Notice.incident).options(*_INCIDENT), joinedload(Notice.created_by).options(*_NAME), raiseload("*"),
        )
        .order_by(*urgency)
    )
    return _column("legal", shown)


def _searched(query: Select[Any], words: str) -> Select[Any]:
    for word in words.lower().split():
        query = query.where(Incident.search_text.contains(word, autoescape=True))
    return query


def _column(name: str, query: Select[Any, int]) -> Column:
    """A column from rows that each carry the count beside what they show."""
    rows = db.session.execute(query.limit(SHOWN)).all()
    return Column(name, [row[0] for row in rows], rows[0][1] if rows else 0)


def _count(query: Select[Any]) -> ScalarSelect[int]:
    """How many `query` finds, `COUNTED` at most; asked once, however many rows carry it."""
    return select(func.count()).select_from(query.limit(COUNTED).subquery()).scalar_subquery()
