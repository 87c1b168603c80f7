"""Warnings: the rungs of each duty's ladder, the messages they become, acknowledgements, and the worker's pulse."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incident_tracker.models.base import Base
from incident_tracker.models.duties import Duty
from incident_tracker.models.people import Person


class Rung(Base):
    """One warning on a duty's ladder. `ended_at` is when it fired, was overtaken or was cancelled; waiting ones have none."""

    __tablename__ = "rung"
    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    #: its name on the ladder, e.g. `24h-before`, `at-deadline`, `overdue-3`
    key: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime]
    #: the deadline that it warns of, as it stood when the rung was made
    deadline_at: Mapped[datetime | None]
    #: who is told: owner, legal, managers; wider as the deadline nears
    audience: Mapped[list[str]]
    loudness: Mapped[str] = mapped_column(String(10), default="normal")
    ended_at: Mapped[datetime | None]
    #: fired, overtaken, or cancelled
    outcome: Mapped[str | None] = mapped_column(String(12))
    duty: Mapped[Duty] = relationship()
    __table_args__ = (
        UniqueConstraint("duty_id", "key", "due_at"),
        Index("ix_rung_waiting_due_at", "due_at", postgresql_where=text("ended_at IS NULL"), sqlite_where=text("ended_at IS NULL")),
    )


class Message(Base):
    """A warning, or another mail of ours, on its way to one person by one channel."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    rung_id: Mapped[int | None] = mapped_column(ForeignKey("rung.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: where it goes when it is not to a person of ours (an invitation)
    address: Mapped[str | None] = mapped_column(String(255))
    channel: Mapped[str] = mapped_column(String(20))
    #: warning, invitation, password_reset, …: which template renders it
    kind: Mapped[str] = mapped_column(String(40))
    content: Mapped[dict[str, Any]]
    #: stays the same on every try, so that a receiver can tell a repetition
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    #: when the next try is due; None once sent or given up
    next_attempt_at: Mapped[datetime | None]
    leased_by: Mapped[str | None] = mapped_column(String(80))
    sent_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    #: the bell: when the person looked at it
    seen_at: Mapped[datetime | None]
    person: Mapped[Person | None] = relationship()
    rung: Mapped[Rung | None] = relationship()
    __table_args__ = (
        UniqueConstraint("rung_id", "person_id", "channel"),
        Index("ix_message_due", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL"), sqlite_where=text("next_attempt_at IS NOT NULL")),
        Index("ix_message_person_id_channel", "person_id", "channel", "id"),
    )


class Acknowledgement(Base):
    """Somebody has seen a duty's warning and has taken it: the climb stops, the deadline does not."""

    __tablename__ = "acknowledgement"
    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    #: the deadline for which it was given; a moved deadline must be acknowledged anew
    deadline_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()


class Heartbeat(Base):
    """When each worker last beat."""

    __tablename__ = "heartbeat"
    worker: Mapped[str] = mapped_column(String(80), primary_key=True)
    beat_at: Mapped[datetime]
    started_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(Text)
