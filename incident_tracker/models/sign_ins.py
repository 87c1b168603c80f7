"""What signing in leaves behind: how often it failed, what must not work twice, and what was typed when a session ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import ForeignKey, Select, String, Text, bindparam, delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column

from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person
from incident_tracker.rules import throttles


class Throttle(Base):
    """How often something failed lately in one bucket: from one address, for one account, with one code."""

    __tablename__ = "throttle"
    #: kind and a hash: what was typed as an e-mail address may have been a password
    bucket: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(index=True)
    closed_until: Mapped[datetime | None]


class Spent(Base):
    """Something that worked once and must not work again: a session signed out of, the challenge of a passkey."""

    __tablename__ = "spent"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: from then on it is refused for its age alone, and the row can go
    forget_at: Mapped[datetime] = mapped_column(index=True)


class ParkedForm(Base):
    """What somebody had typed when their session ended, encrypted, kept for them for a day."""

    __tablename__ = "parked_form"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(String(500))
    sealed: Mapped[str] = mapped_column(Text)
    parked_at: Mapped[datetime]


def holder(uniquifier: str, digest: str) -> tuple[Person, bool] | None:
    """Whose session it is, with their roles, and whether the thing with this SHA-256 (hexadecimal) must not work again.

    Every page asks both, so it is one query.
    """
    row = db.session.execute(_holder(), {"uniquifier": uniquifier, "digest": digest}).unique().first()
    return (row[0], bool(row[1])) if row is not None else None


@cache
def _holder() -> Select[Person, bool]:
    is_spent = exists().where(Spent.hash == bindparam("digest"))
    return select(Person, is_spent).where(Person.fs_uniquifier == bindparam("uniquifier")).options(joinedload(Person.roles))


def parked_forms(person_id: int, since: datetime) -> list[ParkedForm]:
    """The forms kept for one person since then, newest first."""
    query = select(ParkedForm).where(ParkedForm.person_id == person_id, ParkedForm.parked_at > since)
    return list(db.session.scalars(query.order_by(ParkedForm.id.desc())))


def count_try(session: Session, buckets: Collection[str], now: datetime) -> tuple[datetime | None, list[Throttle]]:
    """Count one try in every bucket before it is made, so that tries side by side cannot slip through together.

    Returns until when to wait, and counts nothing, where a bucket is closed; else None and the buckets that close with
    this try. The rows stay locked until the transaction ends.
    """
    rows = [_locked(session, name, now) for name in sorted(buckets)]
    closed = [row.closed_until for row in rows if row.closed_until and row.closed_until > now]
    if closed:
        return max(closed), []
    for row in rows:
        row.failures = 1 if now - row.last_at > throttles.QUIET else row.failures + 1
        row.last_at = now
        row.closed_until = throttles.closed_until(row.bucket.split(":")[0], row.failures, now)
    return None, [row for row in rows if row.closed_until]


def forgive_try(session: Session, buckets: Collection[str]) -> None:
    """The try that was counted succeeded. An address keeps its other failures: one good account must not cover for guessing at many."""
    for name in sorted(buckets):
        row = session.get(Throttle, name, with_for_update=True, populate_existing=True)
        if row is None:
            continue
        if name.startswith("address:") and row.failures > 1:
            row.failures, row.closed_until = row.failures - 1, None
        else:
            session.delete(row)


def spend(session: Session, digest: str, forget_at: datetime) -> bool:
    """Mark a thing as used; False if it was used before, by however many at the same moment."""
    row = _insert(session)(Spent).values(hash=digest, forget_at=forget_at).on_conflict_do_nothing().returning(Spent.hash)
    return session.scalar(row) is not None


def forget_old(session: Session, now: datetime, parked_before: datetime) -> int:
    """Remove what no longer matters. Returns how many rows went."""
    old = (
        delete(Throttle).where(Throttle.last_at < now - 24 * throttles.QUIET),
        delete(Spent).where(Spent.forget_at < now),
        delete(ParkedForm).where(ParkedForm.parked_at < parked_before),
    )
    return sum(session.execute(statement).rowcount for statement in old)  # type: ignore[attr-defined]


def reopen(session: Session, ahead: datetime) -> int:
    """Forget tries that were counted later than `ahead`, by a clock that had run away: nobody waits for that moment. Returns how many."""
    return int(session.execute(delete(Throttle).where(Throttle.last_at > ahead)).rowcount)  # type: ignore[attr-defined]


def _locked(session: Session, name: str, now: datetime) -> Throttle:
    session.execute(_insert(session)(Throttle).values(bucket=name, failures=0, last_at=now).on_conflict_do_nothing())
    row = session.get(Throttle, name, with_for_update=True, populate_existing=True)
    assert row is not None
    return row


def _insert(session: Session) -> type[postgresql.Insert] | type[sqlite.Insert]:
    return postgresql.Insert if session.get_bind().dialect.name == "postgresql" else sqlite.Insert
