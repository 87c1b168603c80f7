"""Files put away as proof: receipts and evidence. The bytes live in `instance/evidence`, named by their hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incident_tracker.models.base import Base
from incident_tracker.models.people import Person


class Attachment(Base):
    """One stored file of one incident. `sha256` is of its bytes, lower-case hexadecimal; `size` in bytes."""

    __tablename__ = "attachment"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    filename: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    added_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]
    added_by: Mapped[Person] = relationship()
