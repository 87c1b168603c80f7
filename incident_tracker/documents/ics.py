"""Deadlines as a calendar (iCalendar, RFC 5545 and 7986): values in, bytes out. Nothing stands in it that is not in an entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Alarm, Calendar, Event, Todo

#: how often a calendar program should look again; they do as they like
REFRESH = timedelta(minutes=15)

#: reminders before an instant; and from the first minute of a day on: at nine the day before, and on the day itself
BEFORE_INSTANT = (timedelta(hours=-24), timedelta(hours=-2))
AROUND_DAY = (timedelta(hours=-15), timedelta(hours=9))

#: states of an entry
STANDS, MAY_CHANGE, DONE, GONE = "stands", "may_change", "done", "gone"
_EVENT_STATUS = {STANDS: "CONFIRMED", MAY_CHANGE: "TENTATIVE", DONE: "CANCELLED", GONE: "CANCELLED"}
_TODO_STATUS = {STANDS: "NEEDS-ACTION", MAY_CHANGE: "NEEDS-ACTION", DONE: "COMPLETED", GONE: "CANCELLED"}


@dataclass(frozen=True)
class Entry:
    """One deadline: a day that ends with that day, or an instant in UTC.

    `key` stays the same for as long as there is the deadline; `sequence` rises whenever it changed, last at `changed_at` (UTC).
    `done_at` (UTC) is when it was done, if it was.
    """

    key: str
    summary: str
    text: str
    url: str
    due: date | datetime
    state: str
    sequence: int
    changed_at: datetime
    done_at: datetime | None = None


def calendar_of(entries: Iterable[Entry], name: str, *, as_todos: bool = False) -> bytes:
    """A calendar of events, or of things to do for programs that show those. The same entries give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Incident tracker//Deadlines//EN")
    calendar.add("version", "2.0")
    for key in ("name", "x-wr-calname"):
        calendar.add(key, name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    for entry in entries:
        calendar.add_component(_todo(entry) if as_todos else _event(entry))
    return bytes(calendar.to_ical())


def _event(entry: Entry) -> Any:
    # without an end: an event may not end when it starts, and a deadline takes no time
    found = Event()
    found.add("dtstart", entry.due)
    found.add("status", _EVENT_STATUS[entry.state])
    found.add("transp", "TRANSPARENT")
    return _described(found, entry, "deadline")


def _todo(entry: Entry) -> Any:
    found = Todo()
    found.add("due", entry.due)
    found.add("status", _TODO_STATUS[entry.state])
    if entry.state == DONE and entry.done_at is not None:
        found.add("completed", entry.done_at)
    return _described(found, entry, "todo")


def _described(found: Any, entry: Entry, kind: str) -> Any:
    found.add("uid", f"{kind}-{entry.key}")
    found.add("sequence", entry.sequence)
    # without a method both say when the entry was last revised, so that the bytes change only when it does
    found.add("dtstamp", entry.changed_at)
    found.add("last-modified", entry.changed_at)
    found.add("summary", entry.summary)
    found.add("description", entry.text)
    found.add("url", entry.url)
    found.add("class", "PRIVATE")
    if entry.state in (STANDS, MAY_CHANGE):
        for trigger in BEFORE_INSTANT if isinstance(entry.due, datetime) else AROUND_DAY:
            found.add_component(_alarm(entry, trigger, kind))
    return found


def _alarm(entry: Entry, trigger: timedelta, kind: str) -> Any:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", entry.summary)
    # a thing to do has no start to count from
    alarm.add("trigger", trigger, parameters={"RELATED": "END"} if kind == "todo" else {})
    return alarm
