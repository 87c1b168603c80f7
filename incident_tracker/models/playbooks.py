"""Checklists: playbooks being followed in an incident, and their steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incident_tracker.models.base import Base
from incident_tracker.models.evidence import Attachment
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import Person


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


class Step(Base):
    """One item of a checklist: open, done or skipped."""

    __tablename__ = "step"
    id: Mapped[int] = mapped_column(primary_key=True)
    checklist_id: Mapped[int] = mapped_column(ForeignKey("checklist.id"), index=True)
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(80))
    phase: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    detail: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[str] = mapped_column(String(40))
    #: relative to a fact or a clock, as the playbook says it
    due: Mapped[dict[str, Any] | None]
    due_at: Mapped[datetime | None]
    evidence_required: Mapped[bool] = mapped_column(default=False)
    #: keys of the steps it waits for
    waits_for: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(10), default="open")
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    checklist: Mapped[Checklist] = relationship(back_populates="steps")
    assignee: Mapped[Person | None] = relationship(foreign_keys=[assignee_id])
    ended_by: Mapped[Person | None] = relationship(foreign_keys=[ended_by_id])
    evidence: Mapped[Attachment | None] = relationship()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (UniqueConstraint("checklist_id", "key"),)
