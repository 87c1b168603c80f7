"""The next best question: which missing fact settles the most urgent undecided duties."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """A fact worth finding out next, in words, and the keys of the duties that its answer can settle."""

    fact: str
    text: str
    settles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenDuty:
    """An undecided duty as the questions see it: its key, its instant if it has one, and the facts it lacks.

    `decisive` are the facts of which one answer alone settles it, whatever else is missing.
    """

    key: str
    at: datetime | None
    missing: tuple[str, ...]
    decisive: frozenset[str]


def rank(open_duties: Iterable[OpenDuty]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The missing facts, the best one to ask first, each with the duties that its answer can settle.

    A fact that settles more of the most urgent duties comes first; where two are equal there, the next duties decide. A
    fact that is the last one missing counts more than one of which only one answer settles.
    """
    ordered = sorted(open_duties, key=lambda one: (one.at or _LATEST, one.key))
    instants = list(dict.fromkeys(one.at for one in ordered))
    position = {at: place for place, at in enumerate(instants)}
    scores: dict[str, list[float]] = {}
    settled: dict[str, list[str]] = {}
    for one in ordered:
        for fact in one.missing:
            row = scores.setdefault(fact, [0.0] * len(instants))
            if len(one.missing) == 1 or _decides(fact, one.decisive):
                row[position[one.at]] -= 1.0 if len(one.missing) == 1 else 1.0 / len(one.missing)
                settled.setdefault(fact, []).append(one.key)
    ranked = sorted(scores, key=lambda fact: (scores[fact], fact))
    return tuple((fact, tuple(settled.get(fact, ()))) for fact in ranked)


def _decides(fact: str, decisive: frozenset[str]) -> bool:
    return fact in decisive or any(one.startswith(f"{fact}.") for one in decisive)
