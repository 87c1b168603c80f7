"""Notices in their versions, reviews of an exact text, and filings: the proof that a notice went out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident_tracker.models.base import Base, db
from incident_tracker.models.duties import Duty
from incident_tracker.models.evidence import Attachment
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import Person


class NoticeState(StrEnum):
    """*draft → in review → approved → filed*, or *sent back*."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    SENT_BACK = "sent_back"
    APPROVED = "approved"
    FILED = "filed"


class Notice(Base):
    """The text for one duty and its recipient. A duty may have several in time: the first, a supplement, a correction."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), default=NoticeState.DRAFT)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    #: when it last entered its state
    state_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    incident: Mapped[Incident] = relationship()
    duty: Mapped[Duty] = relationship()
    created_by: Mapped[Person] = relationship()
    versions: Mapped[list[NoticeVersion]] = relationship(back_populates="notice", order_by="NoticeVersion.number")
    reviews: Mapped[list[Review]] = relationship(order_by="Review.id")
    filings: Mapped[list[Filing]] = relationship(back_populates="notice", order_by="Filing.id")
    __mapper_args__ = {"version_id_col": version}


class NoticeVersion(Base):
    """One exact text; `sha256` is of its UTF-8 bytes."""

    __tablename__ = "notice_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    number: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    notice: Mapped[Notice] = relationship(back_populates="versions")
    author: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("notice_id", "number"),)


class Review(Base):
    """Somebody else's word on one exact text: approved, or sent back with a reason."""

    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    notice_version_id: Mapped[int] = mapped_column(ForeignKey("notice_version.id"))
    #: approved or sent_back
    decision: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    #: of the text that was read
    sha256: Mapped[str] = mapped_column(String(64))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    reviewer: Mapped[Person] = relationship()
    notice_version: Mapped[NoticeVersion] = relationship()


class Filing(Base):
    """The proof that an approved text went out. It is never changed."""

    __tablename__ = "filing"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), index=True)
    notice_version_id: Mapped[int] = mapped_column(ForeignKey("notice_version.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    #: when it reached the recipient, with the zone it was entered in; `precision` is instant or day
    filed_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))
    precision: Mapped[str] = mapped_column(String(10), default="instant")
    channel: Mapped[str] = mapped_column(String(100))
    reference: Mapped[str] = mapped_column(String(200), default="")
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    #: why it was late, where the law asks for the reasons
    late_reasons: Mapped[str] = mapped_column(Text, default="")
    #: what `rules.timeliness` said: on_time, late, no_number, cannot_tell; and its sentence
    outcome: Mapped[str] = mapped_column(String(20))
    outcome_text: Mapped[str] = mapped_column(Text)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]
    notice: Mapped[Notice] = relationship(back_populates="filings")
    duty: Mapped[Duty] = relationship()
    notice_version: Mapped[NoticeVersion] = relationship()
    receipt: Mapped[Attachment | None] = relationship()
    recorded_by: Mapped[Person] = relationship()


def first_filings(incident_id: int) -> dict[int, Filing]:
    """The filing that met each duty, the earliest, by the id of the duty."""
    query = (
        select(Filing)
        .join(Duty, Duty.id == Filing.duty_id)
        .options(joinedload(Filing.duty))
        .where(Duty.incident_id == incident_id)
        .order_by(Filing.filed_at.desc(), Filing.id.desc())
    )
    return {filing.duty_id: filing for filing in db.session.scalars(query)}
