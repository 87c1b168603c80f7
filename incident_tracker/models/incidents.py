"""Incidents, who is on them, and the stages they went through."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person


class Stage(StrEnum):
    """Where an incident stands. All of them stay in the register."""

    REPORTED = "reported"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    DISMISSED = "dismissed"


OPEN_STAGES = (Stage.REPORTED, Stage.SUSPECTED, Stage.CONFIRMED)


class Incident(Base):
    """Something that may be a breach of personal data."""

    __tablename__ = "incident"
    id: Mapped[int] = mapped_column(primary_key=True)
    #: INC-2026-0001, from `Sequence`, never from a count
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    #: what it is, one of the kinds that playbooks are chosen by
    kind: Mapped[str] = mapped_column(String(40), default="other")
    stage: Mapped[str] = mapped_column(String(20), default=Stage.REPORTED)
    #: need to know: only members learn that it exists
    restricted: Mapped[bool] = mapped_column(default=False)
    #: the zone in which its times were entered and are shown first
    zone: Mapped[str] = mapped_column(String(64))
    reported_at: Mapped[datetime]
    reported_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    #: the earliest conservative deadline of its open duties; kept by the recomputation so that lists need no join
    next_due_at: Mapped[datetime | None]
    #: the same as the law gives it, a day or an instant, and the zone it is counted in
    next_due_value: Mapped[str | None] = mapped_column(String(40))
    next_due_zone: Mapped[str | None] = mapped_column(String(64))
    next_duty_title: Mapped[str | None] = mapped_column(String(200))
    #: the earliest deadline among its undecided duties, should they apply
    undecided_due_at: Mapped[datetime | None]
    undecided_count: Mapped[int] = mapped_column(default=0)
    open_duty_count: Mapped[int] = mapped_column(default=0)
    #: the facts worth finding out next, the best first: [{fact, text, settles}]
    questions: Mapped[list[Any]] = mapped_column(default=list)
    #: since when its duties wait to be recomputed (the profile or the law changed), and why
    stale_since: Mapped[datetime | None]
    stale_reason: Mapped[str | None] = mapped_column(String(300))
    #: what changed: profile or law
    stale_kind: Mapped[str | None] = mapped_column(String(10))
    #: the rules that its clocks were counted with, by the name of their pack
    pack: Mapped[str | None] = mapped_column(String(160))
    #: how many movements of its duties nobody has accepted yet
    unaccepted_count: Mapped[int] = mapped_column(default=0)
    #: lower-case words of reference, title and summary, for the search
    search_text: Mapped[str] = mapped_column(Text, default="")
    #: counts the changes of title, summary and kind; a form posts back the one it started from
    text_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    reported_by: Mapped[Person] = relationship(foreign_keys=[reported_by_id])
    lead: Mapped[Person | None] = relationship(foreign_keys=[lead_id])
    memberships: Mapped[list[Membership]] = relationship(back_populates="incident", order_by="Membership.id")
    stage_changes: Mapped[list[StageChange]] = relationship(order_by="StageChange.id")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("ix_incident_stage_next_due_at", "stage", "next_due_at"),
        # SQLite finds a partial index only where its condition stands in the statement word for word
        Index("ix_incident_restricted", "id", postgresql_where=text("restricted"), sqlite_where=text("restricted = 1")),
        Index(
            "ix_incident_stale",
            "next_due_at",
            postgresql_where=text("stale_since IS NOT NULL"),
            sqlite_where=text("stale_since IS NOT NULL"),
        ),
        Index(
            "ix_incident_open_next_due_at",
            "next_due_at",
            "id",
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN_STAGES

    @property
    def member_ids(self) -> frozenset[int]:
        return frozenset(membership.person_id for membership in self.memberships)


class Membership(Base):
    """One person's part in one incident."""

    __tablename__ = "membership"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]
    incident: Mapped[Incident] = relationship(back_populates="memberships")
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    __table_args__ = (UniqueConstraint("incident_id", "person_id"),)


class StageChange(Base):
    """A step from one stage to another, with its reason."""

    __tablename__ = "stage_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    before: Mapped[str] = mapped_column(String(20))
    after: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    by: Mapped[Person] = relationship()


class Sequence(Base):
    """The last number given out in each year: a deleted or hidden incident never frees or shows its number."""

    __tablename__ = "sequence"
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


#: the incidents once more, beside the ones that a statement is about
_HIDDEN = Incident.__table__.alias("hidden")


def is_visible_to(actor: Any, incident_id: Any = Incident.id) -> ColumnElement[bool]:
    """The condition under which `actor` may know of the incident with this id: mirrors `rules.permissions.may(…, READ, …)`.

    A person without a role that reads incidents sees only those they are on.
    """
    mine = select(Membership.incident_id).where(Membership.person_id == actor.id)
    if not actor.role_names & {"officer", "legal", "manager", "auditor"}:
        return incident_id.in_(mine)
    # said by the few that are hidden, so that no row of another incident has to be read
    is_mine = mine.where(Membership.incident_id == _HIDDEN.c.id).exists()
    return incident_id.not_in(select(_HIDDEN.c.id).where(_HIDDEN.c.restricted, ~is_mine))


def incidents_visible_to(actor: Any) -> Select[Incident]:
    """All incidents that `actor` may know of; every reading query starts here."""
    return select(Incident).where(is_visible_to(actor))


def find_incident(actor: Any, reference: str, *, lock: bool = False, with_names: bool = False) -> Incident | None:
    """The incident with this reference if `actor` may know of it, else None.

    `lock` keeps others from changing it until the unit of work ends, and reads it as it is now; others may still refer to it,
    or whoever writes its audit entry would wait here, and everybody's entries behind that. `with_names` brings the
    names of its lead and its reporter along, in the same query.
    """
    query = incidents_visible_to(actor).where(Incident.reference == reference)
    if with_names:
        query = query.options(*(joinedload(whom).load_only(Person.name, raiseload=True).raiseload("*") for whom in (Incident.lead, Incident.reported_by)))
    if lock:
        query = query.with_for_update(of=Incident, key_share=True).execution_options(populate_existing=True)
    return db.session.scalar(query)


def next_reference(year: int) -> str:
    """The next reference of a year, `INC-2026-0001`. Call it inside a unit of work: the row stays locked until it ends."""
    row = db.session.scalar(select(Sequence).where(Sequence.year == year).with_for_update())
    if row is None:
        row = Sequence(year=year, last=0)
        db.session.add(row)
    row.last += 1
    return f"INC-{year}-{row.last:04d}"
