"""What moved on an incident because the law, the profile or its facts changed, until a person accepts it; and the law packs in use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person
from incident_tracker.rules.movements import Pack

_OPEN = text("accepted_at IS NULL")


class Movement(Base):
    """One recomputation that moved duties, with what it moved: shown as a difference until somebody accepts it."""

    __tablename__ = "movement"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: facts, profile or law: what changed
    kind: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    #: the rules used before and now, in words
    pack_before: Mapped[str] = mapped_column(String(160), default="")
    pack_after: Mapped[str] = mapped_column(String(160))
    #: [{duty, title, recipient, before, after, why, held}]; `held`: not done until accepted, for it gives more time or ends a duty
    moved: Mapped[list[Any]]
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    by: Mapped[Person | None] = relationship(foreign_keys=[by_id])
    accepted_by: Mapped[Person | None] = relationship(foreign_keys=[accepted_by_id])
    __table_args__ = (
        Index("ix_movement_incident_id", "incident_id", "id"),
        Index("ix_movement_open", "incident_id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    )


class LawPack(Base):
    """The rules of a version that was in use, so that a later one can be told from it."""

    __tablename__ = "law_pack"
    id: Mapped[int] = mapped_column(primary_key=True)
    #: the pack's name, as incidents keep it
    name: Mapped[str] = mapped_column(String(160), index=True)
    version: Mapped[str] = mapped_column(String(64))
    tzdata: Mapped[str] = mapped_column(String(40))
    holidays: Mapped[str] = mapped_column(String(40))
    #: file → SHA-256
    digests: Mapped[dict[str, Any]]
    #: since when it is in use; the newest is the one that the clocks were counted with
    used_since: Mapped[datetime]

    @property
    def pack(self) -> Pack:
        return Pack(self.version, self.tzdata, self.holidays, self.digests)


def open_movements(incident_id: int) -> list[Movement]:
    """The movements that nobody has accepted, oldest first."""
    return list(db.session.scalars(select(Movement).where(Movement.incident_id == incident_id, Movement.accepted_at.is_(None)).order_by(Movement.id)))


def movements_of(incident_id: int, limit: int = 200) -> list[Movement]:
    """The newest movements of an incident with the names of who caused and who accepted them, the newest first."""
    query = select(Movement).where(Movement.incident_id == incident_id).order_by(Movement.id.desc()).limit(limit)
    return list(db.session.scalars(query.options(joinedload(Movement.by), joinedload(Movement.accepted_by))))


def pack_in_use() -> LawPack | None:
    """The pack that was taken into use last."""
    return db.session.scalar(select(LawPack).order_by(LawPack.id.desc()).limit(1))


def find_pack(name: str) -> LawPack | None:
    """The pack with this name, as it was taken into use last."""
    return db.session.scalar(select(LawPack).where(LawPack.name == name).order_by(LawPack.id.desc()).limit(1))
