"""Whether warnings work, and how many wait for the person who looks: one query for the frame of every page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, g
from flask_security import current_user

from incident_tracker import clock
from incident_tracker.models.messages import look_around
from incident_tracker.rules.permissions import Permission, may


@dataclass(frozen=True)
class Pulse:
    """What the frame of a page shows. `mail` is "on", "off" or "failing"; `undelivered` is 0 for those who cannot send again."""

    beat_at: datetime | None
    is_stale: bool
    mail: str
    unseen: int
    undelivered: int


def pulse() -> Pulse:
    """The pulse for this request, read once."""
    if "pulse" not in g:
        g.pulse = read(current_user, clock.now())
    found: Pulse = g.pulse
    return found


def read(actor: Any, now: datetime) -> Pulse:
    """The pulse as `actor` may know of it, at `now` (UTC)."""
    config = current_app.extensions["tracker"]
    row = look_around(actor)
    return Pulse(
        beat_at=row.beat_at,
        is_stale=is_stale(row.beat_at, now, config.stale_seconds),
        mail="off" if not config.mail_is_on else "failing" if row.failing else "on",
        unseen=row.unseen,
        undelivered=row.undelivered if may(actor, Permission.SEND_AGAIN) else 0,
    )


def is_stale(beat_at: datetime | None, now: datetime, seconds: int) -> bool:
    """Whether the newest beat is older than `seconds`; without any, nobody is at work.

    One that lies as far in the future says nothing of now: the clock was put back since.
    """
    return beat_at is None or abs(now - beat_at) > timedelta(seconds=seconds)
