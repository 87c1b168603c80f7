"""Telling a jump of the wall clock from the time that passed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: less is no jump: clocks are put right by fractions of a second, and reading two of them takes a moment
TOLERATED = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Reading:
    """The wall clock (UTC) and the seconds of a clock that never jumps, read together."""

    at: datetime
    elapsed: float


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock says `at` where it should say `expected_at` (both UTC)."""

    expected_at: datetime
    at: datetime

    @property
    def span(self) -> timedelta:
        """How far it went; forward is positive."""
        return self.at - self.expected_at

    @property
    def is_back(self) -> bool:
        return self.span < timedelta(0)


def between(before: Reading, after: Reading) -> Jump | None:
    """The jump between two readings, if there was one. A machine that slept counts as one forward: its other clock stood still."""
    expected = before.at + timedelta(seconds=after.elapsed - before.elapsed)
    found = Jump(expected, after.at)
    return found if abs(found.span) > TOLERATED else None
