"""The fact ledger: what is known about an incident, never overwritten, corrected by a later line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person


class Fact(Base):
    """One thing known, with its value, how sure it is, where it comes from and who wrote it down.

    `name` is a key of the facts document of `rules.facts` (`risk_level`, `affected.by_place.US-CA`, `moments.aware`);
    `value` is its JSON value, None for "not known yet". A moment keeps the offset and zone in which it was entered.
    """

    __tablename__ = "fact"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    name: Mapped[str] = mapped_column(String(120))
    value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    certainty: Mapped[str] = mapped_column(String(20), default="exact")
    source: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]
    #: the line that this one corrects
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("fact.id"))
    #: when a later line took this one's place; the current lines have none
    superseded_at: Mapped[datetime | None]
    author: Mapped[Person] = relationship()
    __table_args__ = (
        Index(
            "uq_fact_current",
            "incident_id",
            "name",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
            sqlite_where=text("superseded_at IS NULL"),
        ),
        Index("ix_fact_incident_id_name", "incident_id", "name", "id"),
    )


def current_facts(incident_id: int) -> dict[str, Fact]:
    """The lines that stand today, by name."""
    query = select(Fact).where(Fact.incident_id == incident_id, Fact.superseded_at.is_(None)).order_by(Fact.id)
    return {fact.name: fact for fact in db.session.scalars(query)}


def fact_history(incident_id: int) -> list[Fact]:
    """Every line of the ledger, newest first."""
    return list(db.session.scalars(select(Fact).where(Fact.incident_id == incident_id).order_by(Fact.id.desc())))
