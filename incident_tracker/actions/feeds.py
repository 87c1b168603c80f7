"""Calendar feeds: making one's own, stopping it, and what a calendar program reads there."""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from incident_tracker.actions.sign_ins import digest
from incident_tracker.documents.ics import DONE, GONE, MAY_CHANGE, STANDS, Entry, calendar_of
from incident_tracker.errors import Conflict
from incident_tracker.models.duties import DutyState
from incident_tracker.models.feeds import CalendarFeed, feed_by_hash, feed_rows, live_feed
from incident_tracker.models.people import Person
from incident_tracker.rules.permissions import Permission
from incident_tracker.version import VERSION
from incident_tracker.work import Mechanism, Work

#: whatever program reads a feed: it may do nothing
READER = Mechanism("a calendar program", frozenset())

_TEXT = "The tracker's own warnings are the alarm: a calendar may be hours behind."
_MAY_CHANGE = "This date may still change."


def make_feed(work: Work) -> tuple[CalendarFeed, str]:
    """Make one's own feed; returns it and its secret, which is shown now and never again. The one before stops working."""
    work.require(Permission.EDIT_SELF)
    before = _locked(work)
    if before is not None:
        before.revoked_at = work.now
        work.session.flush()
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed(person_id=work.actor.id, token_hash=digest(secret), created_at=work.now)
    work.session.add(feed)
    work.session.flush()
    said = "replaced the address of their calendar feed" if before else "made a calendar feed"
    work.record("feed.make", said, subject=f"feed:{feed.id}")
    return feed, secret


def revoke_feed(work: Work) -> None:
    """Stop one's own feed: its address shows nothing from now on."""
    work.require(Permission.EDIT_SELF)
    feed = _locked(work)
    if feed is None:
        raise Conflict("There is no calendar feed to stop.")
    feed.revoked_at = work.now
    work.record("feed.revoke", "stopped their calendar feed", subject=f"feed:{feed.id}")


def feed_of(secret: str) -> CalendarFeed | None:
    """The feed at this secret, None if it was stopped, never was, or its person may not sign in."""
    return feed_by_hash(digest(secret))


@dataclass(frozen=True)
class Reading:
    """What a calendar program reads: known by its `mark` before it is written out, which takes ten times as long."""

    entries: tuple[Entry, ...]
    as_todos: bool

    @property
    def mark(self) -> str:
        """Different whenever the content is."""
        return digest(f"{VERSION} {self!r}")

    def content(self) -> bytes:
        """The calendar."""
        return calendar_of(self.entries, "Deadlines", as_todos=self.as_todos)


def read_feed(actor: Any, now: datetime, base_url: str, *, as_todos: bool = False) -> Reading:
    """The calendar of whoever `actor` is, with links below `base_url`. It names references alone: no title, no recipient, no reason."""
    base = base_url.rstrip("/")
    host = base.partition("://")[2].partition("/")[0].partition(":")[0]
    return Reading(tuple(_entry(row, base, host) for row in feed_rows(actor, now)), as_todos)


def _locked(work: Work) -> CalendarFeed | None:
    # the person's row is the lock: two feeds made at the same moment are made one after the other
    work.session.execute(select(Person.id).where(Person.id == work.actor.id).with_for_update(key_share=True))
    return live_feed(work.actor.id)


def _entry(row: Any, base: str, host: str) -> Entry:
    url = f"{base}/incidents/{row.reference}/duties/{row.id}"
    state = _state(row)
    return Entry(
        key=f"{row.id}@{host}", summary=f"Deadline {row.reference}", url=url, due=_due(row), state=state, sequence=row.version - 1,
        text="\n".join([url, *([_MAY_CHANGE] if state == MAY_CHANGE else []), _TEXT]),
        changed_at=max(at.astimezone(UTC).replace(microsecond=0) for at in (row.computed_at, row.done_at, row.planned_at) if at is not None),
        done_at=row.done_at,
    )


def _state(row: Any) -> str:
    if row.is_live:
        return STANDS if row.state == DutyState.RUNNING else MAY_CHANGE
    return DONE if row.state in (DutyState.MET, DutyState.MET_LATE) else GONE


def _due(row: Any) -> date | datetime:
    """The deadline as the law gives it, else the organisation's own, else the one that was warned of last."""
    if row.conservative_value and "T" not in row.conservative_value:
        return date.fromisoformat(row.conservative_value)
    at: datetime = row.conservative_at or row.target_at or row.warned_at
    return at.astimezone(UTC)
