"""Digests: what is due soon, told to each person once a day, and once a week to those who manage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from incident_tracker.errors import Invalid
from incident_tracker.models import digests as kept
from incident_tracker.models.alerts import dialect_of
from incident_tracker.models.digests import DigestChoice, Lines, choice_of
from incident_tracker.models.duties import Duty
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.rules.digests import MONDAY, Wish, ahead, day_begins, due_on, read_time
from incident_tracker.rules.permissions import Permission, Role
from incident_tracker.work import Work

DAILY, WEEKLY = "digest_daily", "digest_weekly"
KINDS = (DAILY, WEEKLY)
#: so many people are seen to in one unit of work
BATCH = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody enters about their digests; the quiet times as they typed them."""

    daily: bool
    weekly: bool
    hour: int
    quiet_from: str = ""
    quiet_to: str = ""


def choose(work: Work, wanted: Wanted) -> None:
    """Change how one's own digests come. Raises Invalid for times that are none, or that leave no time for them."""
    work.require(Permission.EDIT_SELF)
    wish = _checked(wanted, work.session.get_one(Person, work.actor.id).zone)
    row = work.session.get(DigestChoice, work.actor.id, with_for_update=True, populate_existing=True)
    if row is None:
        row = DigestChoice(person_id=work.actor.id, daily=True, weekly=True, hour=8)
        work.session.add(row)
    before = _said(row)
    row.daily, row.weekly, row.hour = wanted.daily, wanted.weekly, wanted.hour
    row.quiet_from, row.quiet_to = (f"{wish.quiet_from:%H:%M}", f"{wish.quiet_to:%H:%M}") if wish.quiet_from and wish.quiet_to else (None, None)
    work.record("account.choose_digests", "changed how their digests come", subject=f"person:{work.actor.id}", before=before, after=_said(row))


def queue_due(work: Work, limit: int = BATCH) -> int:
    """Write the digests that are due now, for up to `limit` people; returns for how many people it was seen to.

    A person's day is seen to once, by whichever worker is first, and a digest with nothing in it is not written. Call it
    again while it returns `limit`.
    """
    work.require(Permission.RUN_CLOCKWORK)
    due = _due(work.now)[:limit]
    written = [kind for person_id, kind, day in due if _queue(work, person_id, kind, day)]
    if written:
        work.record("digest.queue", f"Wrote {len(written)} digests", after={kind: written.count(kind) for kind in KINDS})
    return len(due)


def daily_values(person: Person, day: date, now: datetime) -> dict[str, Any]:
    """What somebody's digest of a day says at `now` (UTC), by the names that its template uses; empty where there is nothing to say."""
    until = ahead(person.zone, day)
    late, soon = (kept.own_lines(person, now, until, overdue=overdue) for overdue in (True, False))
    return {"parts": [("Overdue", late), ("In the next seven days", soon)], "late": late.count, "soon": soon.count} if late.count + soon.count else {}


def weekly_values(person: Person, day: date, now: datetime) -> dict[str, Any]:
    """The same of a manager's week: of all incidents that they may know of at `now`."""
    until, begin = ahead(person.zone, day), day_begins(person.zone, day)
    late, soon = (kept.all_lines(person, now, until, overdue=overdue) for overdue in (True, False))
    met_late = kept.late_lines(person, day_begins(person.zone, day - timedelta(days=7)), begin)
    found = {"open": kept.count_open(person), "undelivered": kept.count_undelivered(person), "late": late.count, "soon": soon.count, "met_late": met_late.count}
    parts: Sequence[tuple[str, Lines]] = [("Overdue", late), ("Due this week", soon), ("Met late last week", met_late)]
    return {"parts": parts, **found} if any(found.values()) else {}


def line(duty: Duty, base_url: str) -> dict[str, Any]:
    """One duty as a digest shows it: of a restricted incident its reference, its deadline and where to look."""
    shown = not duty.incident.restricted
    return {
        "reference": duty.incident.reference, "title": duty.title if shown else "", "recipient": duty.recipient_name if shown else "",
        "incident": duty.incident.title if shown else "", "owner": duty.owner.name if shown and duty.owner else "", "restricted": not shown,
        "deadline": duty.deadline_at, "day": duty.deadline_day, "zone": duty.zone,
        "is_target": duty.conservative_at is None, "is_undecided": duty.state == "undecided", "done_at": duty.done_at,
        "link": f"{base_url}/incidents/{duty.incident.reference}/duties/{duty.id}",
    }


def is_over(person: Person, day: date, now: datetime) -> bool:
    """Whether a digest's day is past on the clock of the person: the next one says more."""
    return now.astimezone(ZoneInfo(person.zone)).date() > day


def wish_of(zone: str, choice: DigestChoice) -> Wish:
    """What somebody chose, as the rules read it."""
    return Wish(zone, choice.hour, read_time(choice.quiet_from or ""), read_time(choice.quiet_to or ""))


def _due(now: datetime) -> list[tuple[int, str, date]]:
    """Person, kind and day of what nobody has seen to yet."""
    found = []
    for person_id, zone, row in kept.wishes():
        choice = row or choice_of(person_id)
        day = due_on(wish_of(zone, choice), now)
        if day is None:
            continue
        if choice.daily and (choice.daily_on is None or choice.daily_on < day):
            found.append((person_id, DAILY, day))
        if choice.weekly and day.weekday() == MONDAY and (choice.weekly_on is None or choice.weekly_on < day):
            found.append((person_id, WEEKLY, day))
    return found


def _queue(work: Work, person_id: int, kind: str, day: date) -> bool:
    """See to one digest; whether it was written."""
    if not kept.claim_day(person_id, "daily_on" if kind == DAILY else "weekly_on", day):
        return False
    person = work.session.get_one(Person, person_id)
    if kind == WEEKLY and Role.MANAGER not in person.role_names:
        return False
    if not (daily_values if kind == DAILY else weekly_values)(person, day, work.now):
        return False
    # its name says whose it is and of which day, so that no second one can be written
    row = {
        "channel": "email", "kind": kind, "content": {"day": f"{day}"}, "person_id": person_id, "created_at": work.now, "next_attempt_at": work.now,
        "message_id": f"{kind.replace('digest_', 'digest.')}.{day}.{person_id}", "attempts": 0,
    }
    inserted = dialect_of(work.session).insert(Message).values(row).on_conflict_do_nothing().returning(Message.id)
    return work.session.scalar(inserted) is not None


def _checked(wanted: Wanted, zone: str) -> Wish:
    texts = {"quiet_from": wanted.quiet_from.strip(), "quiet_to": wanted.quiet_to.strip()}
    times = {name: read_time(text) for name, text in texts.items()}
    wrong = {name: "Write a time such as 22:00." for name, text in texts.items() if text and times[name] is None}
    if bool(texts["quiet_from"]) != bool(texts["quiet_to"]):
        wrong.setdefault("quiet_to" if texts["quiet_from"] else "quiet_from", "Write both times, or neither.")
    if not 0 <= wanted.hour <= 23:
        wrong["hour"] = "Choose an hour of the day."
    if wrong:
        raise Invalid(**wrong)
    wish = Wish(zone, wanted.hour, times["quiet_from"], times["quiet_to"])
    if not wish.is_possible():
        raise Invalid(hour="From this hour to midnight it is quiet, so no digest could come. Choose an earlier hour, or a shorter quiet time.")
    return wish


def _said(row: DigestChoice) -> dict[str, Any]:
    return {"daily": row.daily, "weekly": row.weekly, "hour": row.hour, "quiet": [row.quiet_from, row.quiet_to]}
