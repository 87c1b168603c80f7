"""When a digest is due: a local hour on a local day, outside of quiet hours. Pure: a moment and wishes in, an answer out."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: the day on which the weekly one is sent
MONDAY = 0
DAYS_AHEAD = 7


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants digests: the hour (0 to 23) of their own zone, and the quiet time between two local times, if any."""

    zone: str
    hour: int = 8
    quiet_from: time | None = None
    quiet_to: time | None = None

    def is_quiet(self, at: time) -> bool:
        """Whether nothing is to arrive at this local time. A quiet time may go past midnight."""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return False
        if self.quiet_from < self.quiet_to:
            return self.quiet_from <= at < self.quiet_to
        return at >= self.quiet_from or at < self.quiet_to

    def is_possible(self) -> bool:
        """Whether a day has a minute at which the digest may come: the hour or later, and not quiet."""
        return any(not self.is_quiet(time(minute // 60, minute % 60)) for minute in range(self.hour * 60, 24 * 60))


def due_on(wish: Wish, now: datetime) -> date | None:
    """The local day whose digest is due at `now` (UTC), None while it is too early or quiet.

    A digest that is late comes later the same day, never for a day that is over. An hour that a clock skips in spring is
    reached by the first minute after it; one that comes twice in autumn is reached with its first coming.
    """
    local = now.astimezone(ZoneInfo(wish.zone))
    return local.date() if local.hour >= wish.hour and not wish.is_quiet(local.time()) else None


def day_begins(zone: str, day: date) -> datetime:
    """The instant with which a local day begins."""
    return datetime.combine(day, time(), ZoneInfo(zone))


def ahead(zone: str, day: date) -> datetime:
    """Until when a digest of a day looks ahead: the end of the seventh day from it on."""
    return day_begins(zone, day + timedelta(days=DAYS_AHEAD))


def read_time(text: str) -> time | None:
    """A time of day as people write it, `22:00` or `7:30`; None if it is none."""
    match = re.fullmatch(r"\s*([01]?[0-9]|2[0-3]):([0-5][0-9])\s*", text)
    return time(int(match[1]), int(match[2])) if match else None
