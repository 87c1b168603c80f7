"""What a computation yields: deadlines, the steps that led to them, and the two readings together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Self

from incident_tracker.rules.calendars import end_of_day, zone_named
from incident_tracker.rules.facts import Moment

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_words(day: date) -> str:
    """A day in words, such as "Fri 27 Nov 2026"."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment_words(at: datetime, zone: str) -> str:
    """An instant in words on a zone's clocks, such as "Fri 27 Nov 2026, 17:30 (UTC+01:00)"."""
    local = at.astimezone(zone_named(zone))
    clock = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    offset = local.strftime("%z")
    return f"{day_words(local.date())}, {clock} (UTC{offset[:3]}:{offset[3:5]})"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a period: the day or instant that is printed, and the UTC instant at which it ends.

    A day ends at the first instant of the next day in `zone`, so `at` is exclusive for days.
    """

    value: date | datetime
    at: datetime
    zone: str

    @classmethod
    def on(cls, day: date, zone: str) -> Self:
        """The end of a calendar day in a zone."""
        return cls(day, end_of_day(day, zone), zone)

    @classmethod
    def instant(cls, at: datetime, zone: str) -> Self:
        """An instant, printed on the clocks of a zone."""
        return cls(at.astimezone(zone_named(zone)), at.astimezone(UTC), zone)

    @property
    def day(self) -> date:
        """The calendar day on which it ends, in its zone."""
        return self.value.date() if isinstance(self.value, datetime) else self.value

    @property
    def words(self) -> str:
        """The deadline in words."""
        if isinstance(self.value, datetime):
            return moment_words(self.at, self.zone)
        return f"the end of {day_words(self.value)}"

    def to_json(self) -> str:
        """Return the value in ISO 8601: a day where the law gives a day, else an instant with its offset."""
        return self.value.isoformat()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a computation in words, the text it rests on, and the reading it belongs to.

    `reading` is "both", "conservative" or "statutory".
    """

    text: str
    cites: str
    reading: str = "both"


@dataclass(frozen=True, slots=True)
class Due:
    """When an obligation must be met: the conservative instant that drives warnings, and the statutory reading.

    `trigger` None means that the clock has not started. `has_number` False means that the law gives words (`standard`) and
    no number, so that there is never a date. `missing` names the facts a number is taken from and that are not known yet.
    """

    obligation: str
    citation: str
    conservative: Deadline | None
    statutory: Deadline | None
    not_before: Deadline | None
    standard: str | None
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]
    trigger: Moment | None
    versions: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    has_number: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "obligation": self.obligation,
            "citation": self.citation,
            "conservative": self.conservative.to_json() if self.conservative else None,
            "statutory": self.statutory.to_json() if self.statutory else None,
            "not_before": self.not_before.to_json() if self.not_before else None,
            "standard": self.standard,
            "steps": [{"text": step.text, "cites": step.cites, "reading": step.reading} for step in self.steps],
            "warnings": list(self.warnings),
            "trigger": self.trigger.to_json() if self.trigger else None,
            "versions": dict(self.versions),
            "missing": list(self.missing),
            "has_number": self.has_number,
        }


def midnight(day: date, zone: str) -> datetime:
    """The first instant of a day in a zone, in UTC."""
    return datetime.combine(day, time(), zone_named(zone)).astimezone(UTC)
