"""Warnings: the rungs of each duty's ladder, acknowledgements, and the worker's pulse."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from incident_tracker.models.base import Base, UTCDateTime, among, db
from incident_tracker.models.duties import Duty
from incident_tracker.models.people import Person
from incident_tracker.rules.audiences import Receipt
from incident_tracker.rules.ladder import UNANSWERED

_WAITING = text("ended_at IS NULL")


class Rung(Base):
    """One warning on a duty's ladder. `ended_at` is when it fired, was overtaken or was cancelled; waiting ones have none."""

    __tablename__ = "rung"
    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    #: its name on the ladder, e.g. `24h-before`, `at-deadline`, `overdue-3`
    key: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime]
    #: when it began to wait: what was due before then was never late
    planned_at: Mapped[datetime]
    #: the deadline that it warns of, as it stood when the rung was made
    deadline_at: Mapped[datetime]
    #: who is told: owner, legal, managers; wider as the deadline nears
    audience: Mapped[list[str]]
    loudness: Mapped[str] = mapped_column(String(10), default="normal")
    #: the channels it goes by beside the bell; empty: all that are set up
    channels: Mapped[list[str]] = mapped_column(default=list)
    ended_at: Mapped[datetime | None]
    #: fired, unheard (fired, but nobody is left who may know), answered (somebody had acknowledged), overtaken, or cancelled
    outcome: Mapped[str | None] = mapped_column(String(12))
    #: it fired long after its moment: nobody was at work
    late: Mapped[bool] = mapped_column(default=False)
    #: how many earlier warnings this one stands for, because they could not go out in time
    overtaken_count: Mapped[int] = mapped_column(default=0)
    duty: Mapped[Duty] = relationship()
    __table_args__ = (
        # one deadline is warned of once by each key, whoever plans and however often; also how a duty's rungs are found
        UniqueConstraint("duty_id", "deadline_at", "key"),
        # what the worker asks for every few seconds
        Index("ix_rung_waiting_due_at", "due_at", postgresql_where=_WAITING, sqlite_where=_WAITING),
        # which duties have nothing waiting
        Index("ix_rung_waiting_duty_id", "duty_id", postgresql_where=_WAITING, sqlite_where=_WAITING),
    )


# put together once: that took as long as running it
_RUNG: Any = Rung.__table__
_DUTY: Any = Duty.__table__
_NOW = bindparam("now", type_=UTCDateTime())
_IS_DUE = (_RUNG.c.ended_at.is_(None), _RUNG.c.due_at <= _NOW)
_DUE = (
    select(_RUNG.c.id).join(_DUTY, _DUTY.c.id == _RUNG.c.duty_id).where(*_IS_DUE)
    .order_by(_RUNG.c.due_at).limit(bindparam("most", type_=Integer())).with_for_update(of=[_RUNG, _DUTY], skip_locked=True, key_share=True).cte("due")
)
#: the lists as they are written: thousands of rungs have the same few, see `words`
_CLAIMED = (
    *(_RUNG.c[name] for name in ("id", "duty_id", "incident_id", "key", "due_at", "planned_at", "deadline_at")),
    cast(_RUNG.c.audience, Text), cast(_RUNG.c.channels, Text),
)
_NEXT = select(func.min(_RUNG.c.due_at)).where(_RUNG.c.ended_at.is_(None))
_FIRE = update(_RUNG).values(ended_at=_NOW, outcome="fired")
_END_UNANSWERED = (
    update(_RUNG).where(_RUNG.c.ended_at.is_(None), _RUNG.c.key.startswith(UNANSWERED)).values(ended_at=_NOW, outcome=bindparam("how", type_=String()))
)
_CLAIM = _FIRE.where(_RUNG.c.id.in_(select(_DUE.c.id))).returning(*_CLAIMED)


@lru_cache(maxsize=256)
def words(written: str) -> tuple[str, ...]:
    """A list of words as the database holds it."""
    return tuple(json.loads(written))


class Acknowledgement(Base):
    """Somebody has seen a duty's warning and has taken it: the climb stops, the deadline does not."""

    __tablename__ = "acknowledgement"
    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    #: the deadline for which it was given; a moved deadline must be acknowledged anew
    deadline_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()

    def counts_for(self, duty: Duty, now: datetime) -> bool:
        """Whether the duty is taken by it `now` (UTC), see `rules.audiences.Receipt`."""
        deadline = duty.deadline_at
        return deadline is not None and Receipt(self.person_id, self.at, self.deadline_at).counts(deadline, now)


class Heartbeat(Base):
    """When each worker last fired what was due, all through and without an error."""

    __tablename__ = "heartbeat"
    #: host, process and a random part: no two workers share a name, not even after a restart
    worker: Mapped[str] = mapped_column(String(80), primary_key=True)
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime | None]
    #: the job that failed last, and how; None once it ran through again
    last_error: Mapped[str | None] = mapped_column(Text)
    #: when its process last showed that it lives, whether or not it fires: while it does, nobody takes its letters
    alive_at: Mapped[datetime | None]
    #: what it did since it started, see `diary.Diary`
    counts: Mapped[dict[str, Any] | None]
    #: since when the mail server cannot be used at all; None while it takes letters
    mail_down_at: Mapped[datetime | None]
    #: the last sign of life to the outside monitor, and why the last one did not arrive
    pinged_at: Mapped[datetime | None]
    ping_error: Mapped[str | None] = mapped_column(String(200))


def claim(session: Session, now: datetime, limit: int) -> Sequence[Any]:
    """Fire up to `limit` rungs due by `now` (UTC), the longest waiting first, and give them back.

    On PostgreSQL it passes over what another worker has, and holds the duties too: all rungs of a duty go to one worker, and
    nobody plans them meanwhile. On SQLite the write lock of the unit of work does the same.
    """
    return session.connection().execute(_CLAIM, {"now": now, "most": limit}).all()


def claim_beside(session: Session, now: datetime, duty_ids: Collection[int]) -> Sequence[Any]:
    """Fire what else is due of duties that are held already, and give it back."""
    return session.connection().execute(_FIRE.where(among(session, _RUNG.c.duty_id, duty_ids), *_IS_DUE).returning(*_CLAIMED), {"now": now}).all()


def end_unanswered(session: Session, duty_ids: Collection[int], now: datetime, outcome: str) -> None:
    """End the warnings of these duties that wait for an answer: somebody gave one, or a newer warning says more."""
    if duty_ids:
        session.connection().execute(_END_UNANSWERED.where(among(session, _RUNG.c.duty_id, duty_ids)), {"now": now, "how": outcome})


def add_rungs(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add rungs; one that is there already, by duty, deadline and key, is left as it is."""
    if rows:
        session.connection().execute(dialect_of(session).insert(Rung.__table__).on_conflict_do_nothing(), rows)


def add_followers(session: Session, rung_ids: Collection[int], row: Mapping[str, Any]) -> None:
    """Add one rung for each of these, of the same duty and deadline; `row` is what all the new ones have in common.

    Written where the others stand: hundreds follow a batch, and to send each across took as long as to fire it.
    """
    own = (Rung.duty_id, Rung.incident_id, Rung.deadline_at)
    same = {name: literal(value, Rung.__table__.c[name].type) for name, value in row.items()}
    fired = select(*own, *same.values()).where(among(session, Rung.id, rung_ids))
    statement = dialect_of(session).insert(Rung.__table__).from_select([column.key for column in own] + list(same), fired)
    session.connection().execute(statement.on_conflict_do_nothing())


def next_rung_at() -> datetime | None:
    """When the next waiting rung is due (UTC); None if nothing waits."""
    return db.session.scalar(_NEXT)


def acknowledgements_of(duty_id: int) -> list[Acknowledgement]:
    """The acknowledgements of a duty, newest first."""
    return list(db.session.scalars(select(Acknowledgement).where(Acknowledgement.duty_id == duty_id).order_by(Acknowledgement.id.desc())))


def newest_acknowledgements(duty_ids: Collection[int]) -> dict[int, Acknowledgement]:
    """The newest acknowledgement of each duty, by the duty's id."""
    query = select(Acknowledgement).where(Acknowledgement.duty_id.in_(duty_ids)).options(joinedload(Acknowledgement.person)).order_by(Acknowledgement.id)
    return {one.duty_id: one for one in db.session.scalars(query)}


def rungs_of(duty_id: int) -> list[Rung]:
    """A duty's rungs by moment, also those that ended."""
    return list(db.session.scalars(select(Rung).where(Rung.duty_id == duty_id).order_by(Rung.due_at, Rung.id)))


def newest_heartbeat() -> Heartbeat | None:
    """The worker that beat last; if none ever did, the one that started last."""
    return db.session.scalar(select(Heartbeat).order_by(Heartbeat.beat_at.desc().nulls_last(), Heartbeat.started_at.desc()).limit(1))


def heartbeats() -> list[Heartbeat]:
    """Every worker of the last week, the ones that lived last first."""
    return list(db.session.scalars(select(Heartbeat).order_by(func.coalesce(Heartbeat.alive_at, Heartbeat.beat_at, Heartbeat.started_at).desc())))


def beat(session: Session, worker: str, started_at: datetime, now: datetime, signs: Mapping[str, Any] | None = None) -> None:
    """Write that a worker is alive and has fired what was due (`now` in UTC), and forget workers that stopped a week ago."""
    live(session, worker, started_at, now, {"beat_at": now, "last_error": None, **(signs or {})})
    session.execute(delete(Heartbeat).where(func.coalesce(Heartbeat.alive_at, Heartbeat.beat_at, Heartbeat.started_at) < now - timedelta(days=7)))


def live(session: Session, worker: str, started_at: datetime, now: datetime, signs: Mapping[str, Any]) -> None:
    """Write that a worker's process lives (`now` in UTC), with what else is to be known of it; it need not fire for that."""
    _upsert(session, {"worker": worker, "started_at": started_at, "alive_at": now, **signs}, ("alive_at", *signs))


def note_failure(session: Session, worker: str, started_at: datetime, error: str) -> None:
    """Write how a job of a worker failed. Its last beat stays as old as it is: a worker that fails does not count as alive."""
    _upsert(session, {"worker": worker, "started_at": started_at, "last_error": error}, ("last_error",))


def _upsert(session: Session, row: dict[str, Any], changed: tuple[str, ...]) -> None:
    statement = dialect_of(session).insert(Heartbeat).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=["worker"], set_={name: row[name] for name in changed}))


def dialect_of(session: Session) -> Any:
    """SQLAlchemy's own words for this database, such as INSERT … ON CONFLICT."""
    return postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
