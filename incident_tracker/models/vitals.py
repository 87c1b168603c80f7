"""How the tracker itself is doing, in numbers that tell nothing of any incident: for a monitor, and for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from incident_tracker.models.alerts import Heartbeat, Rung, heartbeats
from incident_tracker.models.base import db
from incident_tracker.models.messages import MAILED, Message
from incident_tracker.models.outages import is_out

#: letters that were refused for good are a sign for so long; afterwards they are mailboxes that are gone
LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the database says at one moment; instants in UTC, None where there is none."""

    workers: list[Heartbeat]
    rungs_due: int
    oldest_due_at: datetime | None
    unsent: int
    oldest_unsent_at: datetime | None
    dead: int
    is_mail_out: bool
    mailed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Signs:
    """How it goes with mail: when the last letter was taken, since when letters to several people fail, since when the server cannot be used."""

    sent_at: datetime | None
    failing_since: datetime | None
    down_since: datetime | None


def vitals(now: datetime) -> Vitals:
    """The numbers at `now` (UTC). Each comes from an index of what is not done yet: never from all warnings or messages."""
    due = select(func.count(), func.min(Rung.due_at)).where(Rung.ended_at.is_(None), Rung.due_at <= now)
    rungs_due, oldest_due_at = db.session.execute(due).one()
    waiting = select(func.count(), func.min(Message.created_at)).where(Message.next_attempt_at.is_not(None))
    unsent, oldest_unsent_at = db.session.execute(waiting).one()
    dead = db.session.scalar(select(func.count()).select_from(Message).where(Message.dead_at.is_not(None))) or 0
    return Vitals(
        heartbeats(), rungs_due, oldest_due_at, unsent, oldest_unsent_at, dead, bool(db.session.scalar(select(is_out("email")))), _mailed_at(db.session(), now),
    )


def signs_of_mail(session: Session, now: datetime, stale: timedelta) -> Signs:
    """The signs as they stand at `now` (UTC). Workers that have shown no life for the time `stale` say nothing any more."""
    sent_at = _mailed_at(session, now)
    forgotten = max(now - LOOK_BACK, sent_at or now - LOOK_BACK)
    is_tried = and_(Message.next_attempt_at.is_not(None), Message.attempts > 0, Message.last_error.is_not(None))
    recipients = func.count(func.distinct(func.coalesce(Message.person_id, -Message.id)))
    failed = select(func.min(func.coalesce(Message.dead_at, Message.created_at)), recipients).where(
        Message.channel == "email", or_(is_tried, Message.dead_at > forgotten),
    )
    began_at, people = session.execute(failed).one()
    is_alive = Heartbeat.alive_at.between(now - stale, now + stale)
    down_at = session.scalar(select(func.min(Heartbeat.mail_down_at)).where(is_alive, Heartbeat.mail_down_at.is_not(None)))
    # what failed before the last letter went was that letter's own trouble
    since = max(began_at, sent_at) if began_at and sent_at else began_at
    return Signs(sent_at, since if people > 1 else None, down_at)


def _mailed_at(session: Session, now: datetime) -> datetime | None:
    # what a clock that had run ahead calls sent is no sign that mail works now
    return session.scalar(select(func.max(Message.sent_at)).where(MAILED, Message.sent_at <= now))
