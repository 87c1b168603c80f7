"""A date, a time and a zone as a person types them, read as one moment; a local time is never guessed."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incident_tracker.rules.calendars import zone_named
from incident_tracker.rules.deadlines import day_words, moment_words
from incident_tracker.rules.facts import YEARS, Moment

__all__ = ["LocalChoice", "MomentError", "read_local"]

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


@dataclass(frozen=True, slots=True)
class LocalChoice:
    """One instant that a local time may have meant: post `offset` back to mean it.

    `offset` reads like "+02:00". `text` says the instant in words, as the clocks of the zone showed it.
    """

    offset: str
    text: str
    at: datetime


class MomentError(ValueError):
    """What was typed is not one moment. `field` is date, time, zone or offset; `str()` says what to do.

    `choices` holds the instants that may have been meant, where the local time exists twice or not at all.
    """

    def __init__(self, field: str, text: str, choices: tuple[LocalChoice, ...] = ()) -> None:
        super().__init__(text)
        self.field = field
        self.choices = choices


def read_local(text_date: str, text_time: str | None, zone: str, offset: str | None = None) -> Moment:
    """Read a date (2026-11-27), a time of day (17:30 or 17:30:15, or nothing) and an IANA zone.

    Without a time the moment is known to the day only. Where clocks were put back the same time came twice, where they
    were put forward it did not come at all: then MomentError offers two choices, and `offset` ("+01:00") takes one.
    An `offset` that the zone did not have then is refused too. Raises MomentError for everything that cannot be read.
    """
    found = _zone(zone)
    day = _day(text_date)
    if not (text_time or "").strip():
        return Moment.on(day, zone.strip())
    wall = datetime.combine(day, _clock(text_time or ""))
    choices = _choices(wall, found)
    wanted = _offset(offset)
    if wanted is not None:
        return _chosen(wall, wanted, choices, found)
    if len(choices) == 1:
        return _moment(choices[0].at, found)
    raise MomentError("offset", _why_two(wall, found), choices)


def _zone(name: str) -> ZoneInfo:
    try:
        return zone_named(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MomentError("zone", "Choose a time zone from the list, such as Europe/Berlin.") from None


def _day(text: str) -> date:
    match = _DATE.fullmatch((text or "").strip())
    if match is None:
        raise MomentError("date", "Give the date as year-month-day, such as 2026-11-27.")
    try:
        day = date(*(int(part) for part in match.groups()))
    except ValueError:
        raise MomentError("date", "There is no such day in the calendar.") from None
    if day.year not in YEARS:
        raise MomentError("date", f"The year must lie between {YEARS.start} and {YEARS.stop - 1}.")
    return day


def _clock(text: str) -> time:
    match = _TIME.fullmatch(text.strip())
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (99, 0, 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise MomentError(
            "time", "Give the time as hours and minutes on a 24-hour clock, such as 17:30; leave it empty if only the day is known."
        ) from None


def _offset(text: str | None) -> timedelta | None:
    if not (text or "").strip():
        return None
    match = _OFFSET.fullmatch((text or "").strip().replace("UTC", ""))
    if match is None:
        raise MomentError("offset", "Give the offset from UTC as +01:00 or -05:00.")
    sign, hours, minutes = match.groups()
    span = timedelta(hours=int(hours), minutes=int(minutes))
    return -span if sign == "-" else span


def _choices(wall: datetime, zone: ZoneInfo) -> tuple[LocalChoice, ...]:
    """The instants that a time on the wall may mean, the earlier first: one on most days, two around a clock change."""
    found = {}
    for fold in (0, 1):
        local = wall.replace(tzinfo=zone, fold=fold)
        at = local.astimezone(UTC)
        span = local.utcoffset() or timedelta(0)
        found[at] = LocalChoice(_offset_text(span), moment_words(at, zone.key), at)
    return tuple(found[at] for at in sorted(found))


def _chosen(wall: datetime, wanted: timedelta, choices: tuple[LocalChoice, ...], zone: ZoneInfo) -> Moment:
    meant = (wall - wanted).replace(tzinfo=UTC)
    if all(choice.at != meant for choice in choices):
        had = " or ".join(f"UTC{choice.offset}" for choice in choices)
        raise MomentError(
            "offset", f"In {zone.key} the clocks stood at {had} then, not at UTC{_offset_text(wanted)}. Which do you mean?", choices
        )
    return _moment(meant, zone)


def _moment(at: datetime, zone: ZoneInfo) -> Moment:
    # the offset is fixed here: Python holds a time that came twice unequal to every time of another zone
    span = at.astimezone(zone).utcoffset() or timedelta(0)
    return Moment(at.astimezone(timezone(span)), zone.key)


def _why_two(wall: datetime, zone: ZoneInfo) -> str:
    shown = f"{wall:%H:%M} on {day_words(wall.date())}"
    # a time that exists comes back from UTC as itself; one that was skipped does not
    exists = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
    if exists:
        return f"In {zone.key} the clocks were put back and showed {shown} twice. Choose which one you mean."
    return f"In {zone.key} the clocks were put forward and never showed {shown}. Choose which one you mean."


def _offset_text(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
