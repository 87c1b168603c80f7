"""What a change of law or of facts moves, and whether a move may be made before a person has looked at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Pack", "Position", "is_looser", "why_moved"]

#: states in which a duty is warned of, given that it has a deadline
_WARNED_OF = ("running", "undecided")
_OPEN = (*_WARNED_OF, "not_started", "held")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a duty stands: its state, and the instant (UTC) that drives its warnings."""

    state: str
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules that a computation used: the law's version and those of the zone and holiday data, and a digest for each file."""

    version: str
    tzdata: str
    holidays: str
    digests: Mapping[str, str]

    @property
    def name(self) -> str:
        """A short name for people: the first signs of the law's version, then the two others."""
        return f"law {self.version[:8]}, time zones {self.tzdata}, {self.holidays}"


def is_looser(before: Position, after: Position) -> bool:
    """Whether a move gives more time or ends a duty that was open: made unseen, it could silence a warning that is needed.

    A deadline that comes nearer, a duty that begins, and one that becomes undecided with the same clock are none.
    """
    if before.state not in _OPEN:
        return False
    if after.state not in _OPEN:
        return True
    if before.state not in _WARNED_OF or before.deadline is None:
        return False
    return after.state not in _WARNED_OF or after.deadline is None or after.deadline > before.deadline


def why_moved(file: str | None, before: Pack | None, after: Pack) -> str:
    """Which part of the rules differs between two packs, as far as it concerns the regime in `file`."""
    if before is None:
        return "the rules in use changed"
    if file is not None and before.digests.get(file) != after.digests.get(file):
        return "the text of this rule changed" if file in before.digests else "this rule is new"
    if before.tzdata != after.tzdata:
        return f"the time-zone data changed from {before.tzdata} to {after.tzdata}"
    if before.holidays != after.holidays:
        return f"the holiday data changed from {before.holidays} to {after.holidays}"
    return "data that the rules share changed: facts, places, authorities or calendars"
