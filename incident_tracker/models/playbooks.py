"""Checklists: playbooks being followed in an incident, their steps, and what was said about each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload

from incident_tracker.models.base import Base, db
from incident_tracker.models.evidence import Attachment
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import Person
from incident_tracker.rules.playbooks import PHASES, DueRule


class StepState(StrEnum):
    """Where a step stands."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class Checklist(Base):
    """One playbook being followed. It keeps the playbook's text as it was when it was started."""

    __tablename__ = "checklist"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    playbook_id: Mapped[str] = mapped_column(String(80))
    playbook_version: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    started_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[datetime]
    incident: Mapped[Incident] = relationship()
    started_by: Mapped[Person] = relationship()
    steps: Mapped[list[Step]] = relationship(back_populates="checklist", order_by="Step.position")
    __table_args__ = (UniqueConstraint("incident_id", "playbook_id"),)

    def blocking(self, step: Step) -> list[Step]:
        """The steps that `step` still waits for, in order."""
        return [one for one in self.steps if one.is_open and one.key in step.waits_for]

    def next_step(self) -> Step | None:
        """The open step to do next: of those that wait for none, the one that is due first, undated ones last."""
        ready = [step for step in self.steps if step.is_open and not self.blocking(step)]
        dated = [step for step in ready if step.due_at is not None]
        return min(dated, key=lambda step: (step.due_at, step.position), default=ready[0] if ready else None)

    def phases(self, shown: Iterable[Step]) -> list[PhaseProgress]:
        """The phases in order, with those of their steps that are among `shown`; phases without any are left out."""
        wanted = {step.id for step in shown}
        found = [
            PhaseProgress(phase, words, tuple(step for step in self.steps if step.phase == phase), wanted)
            for phase, words in PHASES.items()
        ]
        return [one for one in found if one.shown]


@dataclass(frozen=True)
class PhaseProgress:
    """How far one phase of a checklist is; `wanted` are the ids of the steps to show."""

    phase: str
    title: str
    steps: tuple[Step, ...]
    wanted: set[int]

    @property
    def shown(self) -> list[Step]:
        return [step for step in self.steps if step.id in self.wanted]

    @property
    def ended(self) -> int:
        return sum(not step.is_open for step in self.steps)

    @property
    def skipped(self) -> int:
        return sum(step.state == StepState.SKIPPED for step in self.steps)


class Step(Base):
    """One item of a checklist: open, done or skipped. `position` and the texts come from the playbook and stay as they were."""

    __tablename__ = "step"
    id: Mapped[int] = mapped_column(primary_key=True)
    checklist_id: Mapped[int] = mapped_column(ForeignKey("checklist.id"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(80))
    phase: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    detail: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[str] = mapped_column(String(40))
    #: relative to a fact or a clock, as `rules.playbooks.DueRule` writes it
    due: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: the instant that makes, while the fact or clock is known; an ended step keeps the one it ended with
    due_at: Mapped[datetime | None]
    #: what proof is asked for; empty where none is
    evidence_asked: Mapped[str] = mapped_column(Text, default="")
    #: keys of the steps it waits for
    waits_for: Mapped[list[str]]
    #: names of the facts it settles
    facts: Mapped[list[str]]
    #: tags of the NIST Cybersecurity Framework
    csf: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(10), default=StepState.OPEN)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    #: counts what people change; a moved due time does not count, so that it turns nobody's form away
    version: Mapped[int] = mapped_column(default=1)
    checklist: Mapped[Checklist] = relationship(back_populates="steps")
    assignee: Mapped[Person | None] = relationship(foreign_keys=[assignee_id])
    ended_by: Mapped[Person | None] = relationship(foreign_keys=[ended_by_id])
    evidence: Mapped[list[Attachment]] = relationship(foreign_keys=[Attachment.step_id], order_by=Attachment.id)
    entries: Mapped[list[StepEntry]] = relationship(back_populates="step", order_by="StepEntry.id")
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("checklist_id", "key"),
        Index("ix_step_open_due_at", "due_at", postgresql_where=text("ended_at IS NULL"), sqlite_where=text("ended_at IS NULL")),
    )

    @property
    def is_open(self) -> bool:
        return self.state == StepState.OPEN

    @property
    def due_rule(self) -> DueRule | None:
        """When it is due, as the playbook says it."""
        return DueRule.from_json(self.due) if self.due else None

    @property
    def lacks_proof(self) -> bool:
        """Whether proof is asked for and no file is there; then ticking it takes a note that says where the proof lies."""
        return bool(self.evidence_asked) and not self.evidence

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is open and its due instant has passed (`now` in UTC)."""
        return self.is_open and self.due_at is not None and self.due_at <= now


class StepEntry(Base):
    """What somebody did to a step, or noted about it. Entries are only ever added, so two notes never overwrite each other."""

    NOTE = "note"

    __tablename__ = "step_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("step.id"), index=True)
    #: note, done, skipped, opened
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    step: Mapped[Step] = relationship(back_populates="entries")
    by: Mapped[Person] = relationship()


def checklists_of(incident_id: int) -> list[Checklist]:
    """The checklists of an incident, the latest first, with all that their page shows: a fixed number of queries."""
    steps = selectinload(Checklist.steps)
    query = (
        select(Checklist)
        .where(Checklist.incident_id == incident_id)
        .order_by(Checklist.started_at.desc(), Checklist.id.desc())
        .options(
            joinedload(Checklist.started_by),
            steps.joinedload(Step.assignee),
            steps.joinedload(Step.ended_by),
            steps.selectinload(Step.evidence),
            steps.selectinload(Step.entries).joinedload(StepEntry.by),
        )
    )
    return list(db.session.scalars(query))


def find_step(incident_id: int, step_id: int) -> Step | None:
    """One step of a checklist of this incident, or None."""
    query = select(Step).join(Step.checklist).where(Step.id == step_id, Checklist.incident_id == incident_id)
    return db.session.scalar(query)


def dated_open_steps(incident_id: int) -> list[Step]:
    """The open steps of an incident that have a due time relative to something."""
    query = (
        select(Step).join(Step.checklist).where(Checklist.incident_id == incident_id, Step.state == StepState.OPEN, Step.due.is_not(None))
    )
    return list(db.session.scalars(query.options(joinedload(Step.checklist)).order_by(Step.id)))


def steps_of(incident_id: int) -> dict[int, Step]:
    """Every step of an incident's checklists, by id."""
    query = select(Step).join(Step.checklist).where(Checklist.incident_id == incident_id).order_by(Step.id)
    return {step.id: step for step in db.session.scalars(query)}
