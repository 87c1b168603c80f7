"""Regimes + facts: the duties of one incident, each with its reasons and its clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_tracker.rules.conditions import Reason
from incident_tracker.rules.facts import Facts, Hold
from incident_tracker.rules.periods import Due
from incident_tracker.rules.regimes import Law, Obligation

__all__ = ["Assessment", "Duty", "Question", "Reason", "Recipient", "assess"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told. `key` is "authority:DE-BE", "people", "people:US-CA", "media:US-NY", "controller", "csirt:DE" …"""

    key: str
    name: str
    kind: str
    zone: str
    place: str | None = None
    portal: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """An obligation as it stands for one incident and one recipient.

    `state` is "applies", "does_not_apply" or "unknown" (then `missing` names the facts that would settle it).
    `due` is None where the duty does not apply; its trigger is None where the clock has not started.
    """

    obligation: Obligation
    recipient: Recipient
    state: str
    missing: tuple[str, ...]
    because: tuple[Reason, ...]
    due: Due | None
    hold: Hold | None = None

    @property
    def key(self) -> str:
        """The duty's name within an incident."""
        return f"{self.obligation.id}@{self.recipient.key}"

    def is_held_at(self, at: datetime) -> bool:
        """Say whether a law-enforcement hold forbids meeting the duty at an instant."""
        if self.hold is None or at < self.hold.since.at:
            return False
        return self.hold.until is None or at < self.hold.until.at


@dataclass(frozen=True, slots=True)
class Question:
    """A fact worth finding out next, in words, and the duties that its answer can settle."""

    fact: str
    text: str
    settles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """All duties of an incident, in the order of the law's files, and the next questions, the best one first."""

    duties: tuple[Duty, ...]
    questions: tuple[Question, ...]


def assess(facts: Facts | Mapping[str, Any], *, law: Law | None = None, at: datetime | None = None) -> Assessment:
    """Ask every regime what it demands."""
    return Assessment((), ())
