"""Jumps of a machine's clock: when one was noticed, by whom, and how far it went."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.models.alerts import Heartbeat
from incident_tracker.models.audit import AuditEntry, AuditHead
from incident_tracker.models.base import Base, db


class ClockJump(Base):
    """A worker saw the wall clock move otherwise than time passes. Rows are only ever added."""

    __tablename__ = "clock_jump"
    id: Mapped[int] = mapped_column(primary_key=True)
    worker: Mapped[str] = mapped_column(String(80))
    #: what the clock said when the jump was noticed, and what it would have said without it
    at: Mapped[datetime]
    expected_at: Mapped[datetime]
    #: in whole seconds; forward is positive: the clock was put on, or the machine slept
    seconds: Mapped[int]


def latest_jumps(limit: int = 5) -> list[ClockJump]:
    """The last jumps, newest first: in the order in which they were noticed, for the clock itself cannot tell."""
    return list(db.session.scalars(select(ClockJump).order_by(ClockJump.id.desc()).limit(limit)))


def newest_moment() -> datetime | None:
    """The latest moment (UTC) that a worker or the last entry of the trail wrote down; None in an empty database."""
    beat = db.session.scalar(select(func.max(func.coalesce(Heartbeat.alive_at, Heartbeat.beat_at))))
    # the last entry by its number: the entries themselves stay as they are, also those of a clock that had run ahead
    entry = db.session.scalar(select(AuditEntry.at).join(AuditHead, AuditHead.last_id == AuditEntry.id))
    return max((one for one in (beat, entry) if one is not None), default=None)
