"""Notices in their versions, reviews of an exact text, and filings: the proof that a notice went out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, String, Text, UniqueConstraint, event, func, select, text
from sqlalchemy.orm import Mapped, backref, contains_eager, defer, joinedload, mapped_column, relationship, selectinload

from incident_tracker.models.base import Base, db
from incident_tracker.models.duties import Duty
from incident_tracker.models.evidence import Attachment
from incident_tracker.models.incidents import Incident, is_visible_to
from incident_tracker.models.people import Person


class NoticeState(StrEnum):
    """*draft → in review → approved → filed*, or *sent back*."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    SENT_BACK = "sent_back"
    APPROVED = "approved"
    FILED = "filed"


class NoticeKind(StrEnum):
    """What a notice is to those filed before it for the same duty."""

    FIRST = "first"
    SUPPLEMENT = "supplement"
    CORRECTION = "correction"


class Decision(StrEnum):
    """What a reviewer said of one exact text."""

    APPROVED = "approved"
    SENT_BACK = "sent_back"


class Notice(Base):
    """The text for one duty and its recipient. A duty may have several in time: the first, a supplement, a correction."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12), default=NoticeKind.FIRST)
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20), default=NoticeState.DRAFT)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    #: when it last entered its state
    state_at: Mapped[datetime]
    #: the number of its newest version
    last_number: Mapped[int] = mapped_column(default=1)
    #: what each placeholder said when the text was last filled from the facts, None for "not known yet"
    fillings: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)
    incident: Mapped[Incident] = relationship()
    duty: Mapped[Duty] = relationship(backref=backref("notices", order_by="Notice.id"))
    created_by: Mapped[Person] = relationship()
    versions: Mapped[list[NoticeVersion]] = relationship(back_populates="notice", order_by="NoticeVersion.number")
    #: the newest version
    head: Mapped[NoticeVersion] = relationship(
        primaryjoin="and_(Notice.id == foreign(NoticeVersion.notice_id), Notice.last_number == foreign(NoticeVersion.number))",
        viewonly=True,
        uselist=False,
    )
    submissions: Mapped[list[Submission]] = relationship(order_by="Submission.id")
    reviews: Mapped[list[Review]] = relationship(order_by="Review.id")
    filings: Mapped[list[Filing]] = relationship(back_populates="notice", order_by="Filing.id")
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        # one text at a time for one duty: two people who start together get one draft and one conflict
        Index(
            "uq_notice_open_duty_id",
            "duty_id",
            unique=True,
            postgresql_where=text("state != 'filed'"),
            sqlite_where=text("state != 'filed'"),
        ),
        Index("ix_notice_state", "state", "incident_id"),
    )

    @property
    def last_review(self) -> Review | None:
        """The newest word of a reviewer."""
        return self.reviews[-1] if self.reviews else None

    @property
    def submission(self) -> Submission | None:
        """The newest handing in."""
        return self.submissions[-1] if self.submissions else None

    @property
    def approval(self) -> Review | None:
        """The newest approval, whether or not it still stands."""
        return next((one for one in reversed(self.reviews) if one.decision == Decision.APPROVED), None)

    @property
    def filing(self) -> Filing | None:
        """The proof that it went out, once it has."""
        return self.filings[-1] if self.filings else None


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


class Submission(Base):
    """Somebody handed one exact text in for review, with a word for the reviewer if they had one."""

    __tablename__ = "submission"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    notice_version_id: Mapped[int] = mapped_column(ForeignKey("notice_version.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    by: Mapped[Person] = relationship()
    notice_version: Mapped[NoticeVersion] = relationship()


class Review(Base):
    """Somebody else's word on one exact text: approved, or sent back with a reason."""

    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    notice_version_id: Mapped[int] = mapped_column(ForeignKey("notice_version.id"))
    #: approved or sent_back
    decision: Mapped[str] = mapped_column(String(20))
    #: why it was sent back; or why it may go out although the law demands more
    reason: Mapped[str] = mapped_column(Text, default="")
    #: what the law demanded and the text lacked when it was judged, in words
    lacking: Mapped[list[str]] = mapped_column(JSON)
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
    #: why it went out before the approval was recorded, if it did
    early_reasons: Mapped[str] = mapped_column(Text, default="")
    #: what the law demanded and the text lacked when it went out, in words
    lacking: Mapped[list[str]] = mapped_column(JSON)
    #: what `rules.timeliness` said: on_time, late, no_number, cannot_tell; and its sentence. A further notice: `further`
    outcome: Mapped[str] = mapped_column(String(20))
    outcome_text: Mapped[str] = mapped_column(Text)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]
    notice: Mapped[Notice] = relationship(back_populates="filings")
    duty: Mapped[Duty] = relationship()
    notice_version: Mapped[NoticeVersion] = relationship()
    receipt: Mapped[Attachment | None] = relationship()
    recorded_by: Mapped[Person] = relationship()


@event.listens_for(NoticeVersion, "before_update")
@event.listens_for(NoticeVersion, "before_delete")
@event.listens_for(Submission, "before_update")
@event.listens_for(Submission, "before_delete")
@event.listens_for(Review, "before_update")
@event.listens_for(Review, "before_delete")
@event.listens_for(Filing, "before_update")
@event.listens_for(Filing, "before_delete")
def _refuse(_mapper: Any, _connection: Any, row: Any) -> None:
    raise RuntimeError(f"{type(row).__name__} {row.id} is being changed: texts, reviews and filings are only ever added")


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


def notices_of(incident_id: int) -> list[Notice]:
    """The notices of an incident, the most urgent duty first, each with its newest text, filings and reviews."""
    query = _with_heads(select(Notice).join(Notice.duty).where(Notice.incident_id == incident_id))
    return list(db.session.scalars(query.order_by(Duty.conservative_at.is_(None), Duty.conservative_at, Duty.id, Notice.id)).unique())


def notices_for(duty_id: int) -> list[Notice]:
    """The notices of one duty, the first one first."""
    return list(db.session.scalars(select(Notice).where(Notice.duty_id == duty_id).order_by(Notice.id)))


def first_filed_at(duty_id: int) -> datetime | None:
    """When a duty's first notice went out, if one did (UTC)."""
    return db.session.scalar(select(func.min(Filing.filed_at)).where(Filing.duty_id == duty_id))


def find_notice(incident_id: int, notice_id: int, *, lock: bool = False) -> Notice | None:
    """One notice of an incident, or None. `lock` keeps others from changing it, and reads it as it is now."""
    query = select(Notice).where(Notice.id == notice_id, Notice.incident_id == incident_id)
    if lock:
        return db.session.scalar(query.with_for_update(of=Notice).execution_options(populate_existing=True))
    return db.session.scalar(
        query.options(
            joinedload(Notice.duty),
            joinedload(Notice.head).joinedload(NoticeVersion.author).lazyload(Person.roles),
            selectinload(Notice.reviews).options(joinedload(Review.reviewer).lazyload(Person.roles), _without_text(Review.notice_version)),
            selectinload(Notice.submissions).options(
                joinedload(Submission.by).lazyload(Person.roles), _without_text(Submission.notice_version)
            ),
        )
    )


def find_version(notice_id: int, number: int) -> NoticeVersion | None:
    """One version of a notice, or None."""
    query = select(NoticeVersion).where(NoticeVersion.notice_id == notice_id, NoticeVersion.number == number)
    return db.session.scalar(query.options(joinedload(NoticeVersion.author)))


def versions_of(notice_id: int) -> list[NoticeVersion]:
    """The versions of a notice, the newest first, with their authors; their texts are left in the database."""
    query = (
        select(NoticeVersion)
        .where(NoticeVersion.notice_id == notice_id)
        .options(joinedload(NoticeVersion.author).lazyload(Person.roles), defer(NoticeVersion.body))
    )
    return list(db.session.scalars(query.order_by(NoticeVersion.number.desc())))


def authors_after(notice_id: int, number: int) -> frozenset[int]:
    """The ids of those who wrote a version after `number`; after 0, of everybody who wrote one."""
    query = select(NoticeVersion.author_id).where(NoticeVersion.notice_id == notice_id, NoticeVersion.number > number)
    return frozenset(db.session.scalars(query.distinct()))


def review_queue(actor: Any, states: Iterable[str], *, incident: str = "", recipient: str = "", limit: int = 100) -> list[Notice]:
    """Notices in these states that `actor` may know of, by the conservative deadline of their duty, undated ones last.

    `incident` is a reference, `recipient` a recipient's name; empty for all.
    """
    query = _with_heads(_visible(actor).where(Notice.state.in_(list(states))))
    if incident:
        query = query.where(Incident.reference == incident)
    if recipient:
        query = query.where(Duty.recipient_name == recipient)
    ordered = query.order_by(Duty.conservative_at.is_(None), Duty.conservative_at, Notice.id).limit(limit)
    return list(db.session.scalars(ordered.options(contains_eager(Notice.incident))).unique())


def queue_choices(actor: Any, states: Iterable[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The incidents (reference, title) and the recipients' names among the notices in these states that `actor` may know of."""
    visible = (
        _visible(actor).where(Notice.state.in_(list(states))).with_only_columns(Incident.reference, Incident.title, Duty.recipient_name)
    )
    rows = db.session.execute(visible.distinct()).all()
    return sorted({(row[0], row[1]) for row in rows}), sorted({row[2] for row in rows})


def _without_text(version: Any) -> Any:
    """A version that only its number is wanted of: texts are long."""
    return joinedload(version).options(defer(NoticeVersion.body))


def _visible(actor: Any) -> Select[Any]:
    return select(Notice).join(Notice.incident).join(Notice.duty).where(is_visible_to(actor))


def _with_heads(query: Select[Any]) -> Select[Any]:
    """Everything that a list shows of each notice, in a number of queries that does not grow; people come without their roles."""
    return query.options(
        contains_eager(Notice.duty),
        joinedload(Notice.head).joinedload(NoticeVersion.author).lazyload(Person.roles),
        selectinload(Notice.reviews).joinedload(Review.reviewer).lazyload(Person.roles),
        selectinload(Notice.submissions).joinedload(Submission.by).lazyload(Person.roles),
        selectinload(Notice.filings),
    )
