"""The organisation's own profile: facts that hold for every incident (zone, establishments, sectors)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.models.base import Base, db


class OrganisationFact(Base):
    """One line of the profile; `name` and `value` are those of the facts document of `rules.facts`."""

    __tablename__ = "organisation_fact"
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


def organisation_facts() -> dict[str, Any]:
    """The profile as part of a facts document; what is not known is absent."""
    rows = db.session.execute(select(OrganisationFact.name, OrganisationFact.value))
    return {name: value for name, value in rows if value is not None}
