"""Calendar feeds: secret addresses at which a calendar program reads somebody's deadlines, and what stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Row, String, and_, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, aliased, joinedload, mapped_column, relationship

from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import Base, db
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.incidents import Incident, is_visible_to
from incident_tracker.models.people import Person

#: that a feed was read is written down at most so often
NOTED_EVERY = timedelta(minutes=1)

#: a deadline that is no more stays in the feed as cancelled for so long, for programs that read seldom
CANCELLED_FOR = timedelta(days=30)

#: more than this no calendar shows; the most urgent come first
MOST = 2000

_LIVE = text("revoked_at IS NULL")


class CalendarFeed(Base):
    """One address, of which only the hash is kept. It opens as long as its person may sign in."""

    __tablename__ = "calendar_feed"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: SHA-256 of the secret part of the address, hexadecimal
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_read_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()
    __table_args__ = (
        # one live feed a person, also when it is made twice at the same moment
        Index("uq_calendar_feed_live", "person_id", unique=True, postgresql_where=_LIVE, sqlite_where=_LIVE),
    )


def feed_by_hash(token_hash: str) -> CalendarFeed | None:
    """The live feed with this SHA-256 (hexadecimal), with its person and their roles in the same query, if they may sign in."""
    whose = joinedload(CalendarFeed.person, innerjoin=True).joinedload(Person.roles)
    query = select(CalendarFeed).where(CalendarFeed.token_hash == token_hash, CalendarFeed.revoked_at.is_(None)).options(whose)
    found = db.session.scalars(query).unique().one_or_none()
    return found if found is not None and found.person.active else None


def live_feed(person_id: int) -> CalendarFeed | None:
    """Somebody's feed, if they have one."""
    return db.session.scalar(select(CalendarFeed).where(CalendarFeed.person_id == person_id, CalendarFeed.revoked_at.is_(None)))


def note_reading(session: Session, feed_id: int, now: datetime) -> None:
    """Remember that a feed was read at `now` (UTC), unless that was noted within the last minute."""
    old = or_(CalendarFeed.last_read_at.is_(None), CalendarFeed.last_read_at <= now - NOTED_EVERY)
    noted = update(CalendarFeed).where(CalendarFeed.id == feed_id, old).values(last_read_at=now)
    session.execute(noted.execution_options(synchronize_session=False))


def feed_rows(actor: Any, now: datetime) -> Sequence[Row[Any]]:
    """What `actor`'s calendar shows at `now` (UTC), the most urgent first, in one query.

    Deadlines that are warned of or on hold, and those that were warned of and went away within the last thirty days
    (`is_live` tells them apart). A row has the deadline as it stands, the one that was warned of last (`warned_at`), how often
    the duty was changed (`version`), and since when it stands like that (`computed_at`, `done_at`, `planned_at`).
    """
    last = select(Rung.deadline_at).where(Rung.duty_id == Duty.id).order_by(Rung.id.desc()).limit(1).correlate(Duty).scalar_subquery()
    deadline = func.coalesce(Duty.conservative_at, Duty.target_at)
    since = select(func.min(Rung.planned_at)).where(Rung.duty_id == Duty.id, Rung.deadline_at == deadline).correlate(Duty).scalar_subquery()
    is_live = _is_live(deadline)
    query: Any = (
        select(
            Duty.id, Duty.state, Duty.version, Duty.conservative_at, Duty.conservative_value, Duty.target_at, Duty.computed_at, Duty.done_at,
            Incident.reference, last.label("warned_at"), since.label("planned_at"), is_live.label("is_live"),
        )
        .join(Incident, Incident.id == Duty.incident_id)
        .where(is_visible_to(actor, Duty.incident_id), or_(is_live, and_(_is_gone(deadline, now), last.is_not(None))))
        .order_by(is_live.desc(), deadline.asc().nulls_last(), Duty.id)
        .limit(MOST)
    )
    rows: Sequence[Row[Any]] = db.session.execute(query).all()
    return rows


def _is_live(deadline: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a duty has a deadline that somebody waits for; one that another speaks for is shown by that one."""
    first = aliased(Duty)
    waits = (DutyState.RUNNING, DutyState.UNDECIDED)
    speaks = (first.state.in_(waits), first.conservative_at.is_not(None), first.warned_with_id.is_(None))
    spoken_for = select(first.id).where(first.id == Duty.warned_with_id, *speaks).exists()
    return and_(deadline.is_not(None), Duty.state.in_((*waits, DutyState.HELD)), ~spoken_for)


def _is_gone(deadline: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Whether a duty is done, or lost its deadline, and that not long ago."""
    lost = and_(Duty.done_at.is_(None), or_(deadline.is_(None), Duty.state == DutyState.NOT_STARTED))
    return and_(func.coalesce(Duty.done_at, Duty.computed_at) >= now - CANCELLED_FOR, or_(Duty.done_at.is_not(None), lost))
