"""On-call hours: when, by the clock on a person's own wall, somebody is on call."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["WEEKDAYS", "Hours", "RotaError", "read_hours"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class RotaError(ValueError):
    """Hours that cannot be; `field` is starts, ends or weekdays, the text says what was expected."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Hours:
    """From `starts` to `ends` on each of the `weekdays` (0 is Monday) in `zone`; an end that is not later is on the next day."""

    weekdays: frozenset[int]
    starts: time
    ends: time
    zone: str

    def cover(self, at: datetime) -> bool:
        """Whether it is these hours at `at` (aware). The first minute counts, the last ends it."""
        local = at.astimezone(ZoneInfo(self.zone))
        today, now = local.weekday(), local.time()
        if self.starts < self.ends:
            return today in self.weekdays and self.starts <= now < self.ends
        yesterday = (local.date() - timedelta(days=1)).weekday()
        return (today in self.weekdays and now >= self.starts) or (yesterday in self.weekdays and now < self.ends)


def read_hours(weekdays: Collection[int], starts: str, ends: str, zone: str) -> Hours:
    """Hours as typed: `22:00` to `06:00`. Raises RotaError."""
    days = frozenset(weekdays)
    if not days or not days <= set(range(7)):
        raise RotaError("weekdays", "Choose at least one day.")
    return Hours(days, _time(starts, "starts"), _time(ends, "ends"), zone)


def _time(text: str, field: str) -> time:
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text.strip()):
        raise RotaError(field, "Write a time such as 22:00.")
    hour, minute = text.strip().split(":")
    return time(int(hour), int(minute))
