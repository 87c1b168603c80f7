"""Times in which a channel reached nobody."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Index, String, exists, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from incident_tracker.models.alerts import dialect_of
from incident_tracker.models.base import Base, db

_OPEN = text("ended_at IS NULL")


class Outage(Base):
    """From when until when a channel reached nobody. At most one is open for each channel, whoever notices it."""

    __tablename__ = "outage"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    #: since when nothing arrived, when it was said, and when something arrived again
    began_at: Mapped[datetime]
    noticed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (Index("uq_outage_open_channel", "channel", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),)


def open_outage(session: Session, channel: str) -> Outage | None:
    """The outage of a channel that is not over, with its row held until the unit of work ends."""
    return session.scalar(select(Outage).where(Outage.channel == channel, Outage.ended_at.is_(None)).with_for_update())


def begin_outage(session: Session, channel: str, began_at: datetime, now: datetime) -> int | None:
    """Begin an outage; its id, or None if another worker did so first."""
    row = {"channel": channel, "began_at": began_at, "noticed_at": now}
    return session.scalar(dialect_of(session).insert(Outage).values(row).on_conflict_do_nothing().returning(Outage.id))


def is_out(channel: str) -> ColumnElement[bool]:
    """The condition that a channel reaches nobody now."""
    return exists().where(Outage.channel == channel, Outage.ended_at.is_(None))


def last_outages(limit: int = 3) -> list[Outage]:
    """The last outages, newest first."""
    return list(db.session.scalars(select(Outage).order_by(Outage.id.desc()).limit(limit)))
