"""Duties: obligations as they stand for one incident and one recipient, what moved them, and what was decided."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, defer, joinedload, mapped_column, raiseload, relationship

from incident_tracker.models.base import Base, db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import Person


class DutyState(StrEnum):
    """What is stored of a duty's state; *overdue* is *running* with its deadline behind us and is never stored."""

    UNDECIDED = "undecided"
    NOT_STARTED = "not_started"
    RUNNING = "running"
    HELD = "held"
    MET = "met"
    MET_LATE = "met_late"
    NOT_REQUIRED = "not_required"
    WITHDRAWN = "withdrawn"
    DOES_NOT_APPLY = "does_not_apply"


#: duties that somebody still has to do something about
OPEN_STATES = (DutyState.UNDECIDED, DutyState.NOT_STARTED, DutyState.RUNNING, DutyState.HELD)

#: duties that are warned of. One that cannot be decided yet is among them: an unknown fact never silences a duty
WARNED_STATES = (DutyState.RUNNING, DutyState.UNDECIDED)


class Duty(Base):
    """One obligation for one recipient. Recomputing it keeps its owner, its decisions and its proof."""

    __tablename__ = "duty"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    obligation_id: Mapped[str] = mapped_column(String(120))
    recipient_key: Mapped[str] = mapped_column(String(80))
    recipient_name: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(200))
    jurisdiction: Mapped[str] = mapped_column(String(40))
    citation: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: the facts still missing, by name
    missing: Mapped[list[Any]]
    #: why it applies, does not, or cannot be told: [{text, fact, truth}]
    because: Mapped[list[Any]]
    #: how the clock was counted: [{text, cites}]
    steps: Mapped[list[Any]]
    warnings: Mapped[list[Any]]
    standard: Mapped[str | None] = mapped_column(Text)
    trigger_at: Mapped[datetime | None]
    trigger_precision: Mapped[str | None] = mapped_column(String(10))
    #: the two instants; the conservative one drives every warning. `_value` is as the law gives it, a date or an instant
    conservative_at: Mapped[datetime | None]
    conservative_value: Mapped[str | None] = mapped_column(String(40))
    statutory_at: Mapped[datetime | None]
    statutory_value: Mapped[str | None] = mapped_column(String(40))
    not_before_at: Mapped[datetime | None]
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    #: the organisation's own target where the law names no number
    target_at: Mapped[datetime | None]
    #: the undecided duty whose warnings stand for this one too, see `clocks.warn_together`
    warned_with_id: Mapped[int | None] = mapped_column(ForeignKey("duty.id"))
    law_version: Mapped[str] = mapped_column(String(64))
    versions: Mapped[dict[str, Any]]
    computed_at: Mapped[datetime]
    #: when it was met, withdrawn or found not required; open duties have none
    done_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    incident: Mapped[Incident] = relationship()
    owner: Mapped[Person | None] = relationship()
    changes: Mapped[list[DutyChange]] = relationship(order_by="DutyChange.id")
    decisions: Mapped[list[DutyDecision]] = relationship(order_by="DutyDecision.id")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("incident_id", "obligation_id", "recipient_key"),
        Index(
            "ix_duty_open_conservative_at",
            "state",
            "conservative_at",
            # with it the board counts without reading a duty's row
            "incident_id",
            postgresql_where=text("done_at IS NULL"),
            sqlite_where=text("done_at IS NULL"),
        ),
    )

    @property
    def key(self) -> str:
        """Its name in an assessment: obligation and recipient."""
        return f"{self.obligation_id}@{self.recipient_key}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def deadline_at(self) -> datetime | None:
        """The deadline that is warned of (UTC): the law's, else the organisation's own target."""
        return self.conservative_at or self.target_at

    @property
    def deadline_day(self) -> str:
        """The deadline's day in ISO 8601, where the law counts in whole days; empty where it is an instant."""
        value = self.conservative_value or ""
        return value if len(value) == len("2026-11-30") else ""

    @property
    def is_warned_of(self) -> bool:
        """Whether warnings of it go out."""
        return self.state in WARNED_STATES and self.deadline_at is not None

    def is_overdue(self, now: datetime) -> bool:
        """Whether its conservative instant has passed while it is running (`now` in UTC)."""
        return self.state == DutyState.RUNNING and self.conservative_at is not None and self.conservative_at <= now


class DutyChange(Base):
    """What a recomputation moved, and why."""

    __tablename__ = "duty_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), index=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    by: Mapped[Person | None] = relationship()


class DutyDecision(Base):
    """A person's decision that a duty is not required or is withdrawn: asked by one, approved by another."""

    __tablename__ = "duty_decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    asked_by: Mapped[Person] = relationship(foreign_keys=[asked_by_id])
    approved_by: Mapped[Person | None] = relationship(foreign_keys=[approved_by_id])


def duties_of(incident_id: int) -> list[Duty]:
    """The duties of an incident, the most urgent first, those without a date last."""
    query = select(Duty).where(Duty.incident_id == incident_id).order_by(Duty.conservative_at.is_(None), Duty.conservative_at, Duty.id)
    return list(db.session.scalars(query))


def duties_shown(incident_id: int) -> list[Duty]:
    """The same for the page of an incident, with the names of their owners, in one query; the reasons and the counting stay in the database."""
    query = select(Duty).where(Duty.incident_id == incident_id).order_by(Duty.conservative_at.asc().nulls_last(), Duty.id)
    heavy = (Duty.because, Duty.steps, Duty.warnings, Duty.versions)
    owner = joinedload(Duty.owner).load_only(Person.name, raiseload=True).raiseload("*")
    return list(db.session.scalars(query.options(*(defer(column, raiseload=True) for column in heavy), owner, raiseload("*"))))


def count_warned_with(duty_id: int) -> int:
    """For how many other undecided duties the warnings of this one stand."""
    return int(db.session.scalar(select(func.count()).select_from(Duty).where(Duty.warned_with_id == duty_id)) or 0)


def standing_decisions(incident_id: int) -> dict[int, DutyDecision]:
    """The approved decisions that stand, by the id of their duty."""
    query = (
        select(DutyDecision)
        .join(Duty, Duty.id == DutyDecision.duty_id)
        .where(Duty.incident_id == incident_id, DutyDecision.approved_at.is_not(None), DutyDecision.undone_at.is_(None))
        .order_by(DutyDecision.id)
    )
    return {decision.duty_id: decision for decision in db.session.scalars(query)}
