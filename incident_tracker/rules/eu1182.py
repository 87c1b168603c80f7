"""Regulation (EEC, Euratom) 1182/71 for periods: the hour of the event, and the disputed two working days of Article 3(5)."""

from datetime import UTC, date, datetime, timedelta

from incident_tracker.rules.calendars import Calendar, end_of_day, zone_named
from incident_tracker.rules.deadlines import midnight

CITATION = "Reg. (EEC, Euratom) 1182/71"
READINGS = {
    "A": "two working days at least partly inside the period",
    "B": "48 hours that fall on working days",
    "C": "two whole working days",
}
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_TWO_DAYS = timedelta(hours=48)


def first_counted_hour(at: datetime, zone: str, on_hour: str) -> datetime:
    """The start, in UTC, of the first hour that counts: the next full hour on the zone's clocks (art. 3(1)).

    An event exactly on the hour lies in the hour that begins then, so `on_hour` "strict" moves on by an hour; "lenient"
    counts from the event.
    """
    local = at.astimezone(zone_named(zone))
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    if not past and on_hour == "lenient":
        return at.astimezone(UTC)
    return at.astimezone(UTC) + _HOUR - past


def with_two_working_days(start: datetime, end: datetime, reading: str, zone: str, calendar: Calendar) -> datetime:
    """The end, in UTC, of a period in hours once it includes two working days (art. 3(5)), by reading A, B or C.

    Reading A, where the period has fewer than two, runs on to the end of the next working day. Raises YearUnknown.
    """
    if end - start < _TWO_DAYS:
        return end
    extended = {"A": _partly, "B": _working_hours, "C": _whole}[reading](start, zone, calendar, end)
    return max(end, extended)


def second_working_day(first: date, last: date, calendar: Calendar) -> date:
    """The last day of a period in days once it includes two working days (art. 3(5)). Raises YearUnknown."""
    day, found = first, 0
    while True:
        found += calendar.is_working_day(day)
        if day >= last and found >= 2:
            return day
        day += _DAY


def _partly(start: datetime, zone: str, calendar: Calendar, end: datetime) -> datetime:
    day, found = start.astimezone(zone_named(zone)).date(), 0
    while True:
        found += calendar.is_working_day(day)
        if found == 2:
            # The second working day may begin before the period ends: then nothing is added.
            return end if midnight(day, zone) < end else end_of_day(day, zone)
        day += _DAY


def _working_hours(start: datetime, zone: str, calendar: Calendar, _: datetime) -> datetime:
    left, at = _TWO_DAYS, start
    while True:
        day = at.astimezone(zone_named(zone)).date()
        until = end_of_day(day, zone)
        if calendar.is_working_day(day):
            if until - at >= left:
                return at + left
            left -= until - at
        at = until


def _whole(start: datetime, zone: str, calendar: Calendar, _: datetime) -> datetime:
    day, found = start.astimezone(zone_named(zone)).date(), 0
    if midnight(day, zone) < start:
        day += _DAY
    while True:
        found += calendar.is_working_day(day)
        if found == 2:
            return end_of_day(day, zone)
        day += _DAY
