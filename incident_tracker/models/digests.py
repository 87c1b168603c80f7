"""Digests: how each person wants them, up to which day they were seen to, and what stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Row, Select, String, and_, func, or_, select
from sqlalchemy.orm import Mapped, contains_eager, joinedload, load_only, mapped_column, raiseload

from incident_tracker.models.alerts import dialect_of
from incident_tracker.models.base import Base, db
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.incidents import Incident, Membership, is_visible_to
from incident_tracker.models.messages import Message, is_known_to
from incident_tracker.models.people import Person

#: so many lines are in one digest; the rest is a number and a link
SHOWN = 40


class DigestChoice(Base):
    """How one person wants digests. Without a row it is as the defaults say; the days are the person's own."""

    __tablename__ = "digest_choice"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    daily: Mapped[bool] = mapped_column(default=True)
    weekly: Mapped[bool] = mapped_column(default=True)
    hour: Mapped[int] = mapped_column(default=8)
    #: local times such as 22:00, both or neither
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    #: the last day that was seen to, whether there was anything to say or not
    daily_on: Mapped[date | None]
    weekly_on: Mapped[date | None]


@dataclass(frozen=True, slots=True)
class Lines:
    """Some of the duties that a digest is about, the most urgent first, and how many there are."""

    duties: Sequence[Duty]
    count: int


def choice_of(person_id: int) -> DigestChoice:
    """What somebody chose, or the defaults."""
    return db.session.get(DigestChoice, person_id) or DigestChoice(person_id=person_id, daily=True, weekly=True, hour=8)


def wishes() -> Sequence[Row[int, str, DigestChoice]]:
    """Id, zone and choice (None: the defaults) of everybody who can sign in."""
    query = select(Person.id, Person.zone, DigestChoice).outerjoin(DigestChoice, DigestChoice.person_id == Person.id).where(Person.active)
    return db.session.execute(query.order_by(Person.id)).all()


def claim_day(person_id: int, column: str, day: date) -> bool:
    """Take it on oneself to see to a person's digest of a day; `column` is daily_on or weekly_on. False if somebody has."""
    insert = dialect_of(db.session()).insert(DigestChoice)
    db.session.execute(insert.values(person_id=person_id, daily=True, weekly=True, hour=8).on_conflict_do_nothing())
    row = db.session.get(DigestChoice, person_id, with_for_update=True, populate_existing=True)
    assert row is not None
    if (before := getattr(row, column)) is not None and before >= day:
        return False
    setattr(row, column, day)
    return True


def deadline() -> ColumnElement[datetime]:
    """What a duty is warned of by: the law's number, else the organisation's own target."""
    return func.coalesce(Duty.conservative_at, Duty.target_at)


def own_lines(person: Person, now: datetime, until: datetime, *, overdue: bool) -> Lines:
    """The duties of a person that are overdue at `now`, or due after it and by `until` (UTC).

    Their own, those of incidents they lead, and for those who decide also what is undecided in incidents they are on.
    """
    mine = or_(Duty.owner_id == person.id, Incident.lead_id == person.id)
    if {"legal", "officer"} & person.role_names:
        on_them = select(Membership.incident_id).where(Membership.person_id == person.id)
        mine = or_(mine, and_(Duty.state == DutyState.UNDECIDED, Duty.incident_id.in_(on_them)))
    return _lines(_open_duties(person).where(mine, _is_when(now, until, overdue=overdue)))


def all_lines(actor: Any, now: datetime, until: datetime, *, overdue: bool) -> Lines:
    """The same of all duties that `actor` may know of; undecided ones apart, for nobody can meet them yet."""
    return _lines(_open_duties(actor).where(Duty.state == DutyState.RUNNING, _is_when(now, until, overdue=overdue)))


def late_lines(actor: Any, since: datetime, until: datetime) -> Lines:
    """The duties that `actor` may know of and that were met late from `since` until before `until` (UTC)."""
    query = select(Duty).join(Duty.incident).where(is_visible_to(actor, Duty.incident_id))
    return _lines(query.where(Duty.state == DutyState.MET_LATE, Duty.done_at >= since, Duty.done_at < until))


def count_open(actor: Any) -> int:
    """How many open incidents `actor` may know of."""
    return int(db.session.scalar(select(func.count(Incident.id)).where(Incident.ended_at.is_(None), is_visible_to(actor))) or 0)


def count_undelivered(actor: Any) -> int:
    """How many letters were given up, of what `actor` may know of."""
    query = select(func.count(Message.id)).where(Message.dead_at.is_not(None), Message.carried_by_id.is_(None), is_known_to(actor))
    return int(db.session.scalar(query) or 0)


def _open_duties(actor: Any) -> Select[Any]:
    # an undecided duty that another one speaks for would say the same a second time
    speaks = or_(Duty.state == DutyState.RUNNING, and_(Duty.state == DutyState.UNDECIDED, Duty.warned_with_id.is_(None)))
    return select(Duty).join(Duty.incident).where(Duty.done_at.is_(None), speaks, is_visible_to(actor, Duty.incident_id))


def _is_when(now: datetime, until: datetime, *, overdue: bool) -> ColumnElement[bool]:
    return deadline() <= now if overdue else and_(deadline() > now, deadline() <= until)


def _lines(query: Select[Any]) -> Lines:
    count = int(db.session.scalar(select(func.count()).select_from(query.with_only_columns(Duty.id).subquery())) or 0)
    shown = query.order_by(deadline(), Duty.id).limit(SHOWN).options(
        load_only(
            Duty.title, Duty.recipient_name, Duty.state, Duty.zone, Duty.conservative_at, Duty.conservative_value, Duty.target_at, Duty.incident_id,
            Duty.done_at,
        ),
        contains_eager(Duty.incident).load_only(Incident.reference, Incident.title, Incident.restricted),
        joinedload(Duty.owner).load_only(Person.name), raiseload("*"),
    )
    return Lines(list(db.session.scalars(shown).unique()) if count else [], count)
