"""Who is on call when, and who is away with whom standing in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person
from incident_tracker.rules.rotas import Hours, read_hours


class Shift(Base):
    """Hours in which somebody is on call, week after week, by the clock of their zone."""

    __tablename__ = "shift"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: 0 is Monday
    weekdays: Mapped[list[Any]]
    #: 22:00 to 06:00; an end that is not later is on the next day
    starts: Mapped[str] = mapped_column(String(5))
    ends: Mapped[str] = mapped_column(String(5))
    zone: Mapped[str] = mapped_column(String(64))
    added_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]
    person: Mapped[Person] = relationship(foreign_keys=[person_id])

    @property
    def hours(self) -> Hours:
        return read_hours(self.weekdays, self.starts, self.ends, self.zone)


class Absence(Base):
    """Somebody is away; until then warnings to them go to the stand-in as well."""

    __tablename__ = "absence"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    stand_in_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime] = mapped_column(index=True)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    stand_in: Mapped[Person] = relationship(foreign_keys=[stand_in_id])


_HOURS = select(Shift.person_id, Shift.weekdays, Shift.starts, Shift.ends, Shift.zone)


def on_call_at(now: datetime) -> frozenset[int]:
    """Whose hours it is at `now` (UTC), by id."""
    return frozenset(person for person, *hours in db.session.execute(_HOURS) if read_hours(*hours).cover(now))


def stand_ins_at(now: datetime) -> dict[int, int]:
    """Who is away at `now` (UTC), with who stands in; of several entries the newest."""
    query = select(Absence.person_id, Absence.stand_in_id).where(Absence.until_at > now, Absence.from_at <= now).order_by(Absence.id)
    return {row.person_id: row.stand_in_id for row in db.session.execute(query)}


def shifts_listed() -> list[Shift]:
    """All on-call hours, by name."""
    query = select(Shift).join(Person, Person.id == Shift.person_id).where(Person.active).order_by(Person.name, Shift.id)
    return list(db.session.scalars(query.options(joinedload(Shift.person))))


def absences_listed(now: datetime) -> list[Absence]:
    """The absences that are not over at `now` (UTC), the next first."""
    query = select(Absence).where(Absence.until_at > now).order_by(Absence.from_at, Absence.id)
    return list(db.session.scalars(query.options(joinedload(Absence.person), joinedload(Absence.stand_in))))
