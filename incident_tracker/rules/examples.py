"""Runs the worked examples of the regime files: a law that does not compute its own examples must not be used."""

from collections.abc import Iterator
from datetime import date, datetime

from incident_tracker.rules.deadlines import Deadline
from incident_tracker.rules.duties import assess
from incident_tracker.rules.facts import FactError
from incident_tracker.rules.laws import Example, Law
from incident_tracker.rules.periods import DueError, due


def all_examples(law: Law) -> Iterator[Example]:
    """Every worked example of every regime and obligation."""
    for regime in law.regimes.values():
        yield from regime.examples
    for obligation in law.obligations.values():
        yield from obligation.examples


def failures(law: Law) -> tuple[str, ...]:
    """What does not come out as the examples say, one line each: "file:line: name: expected … but got …"."""
    return tuple(f"{one.line}: {one.name}: {wrong}" for one in all_examples(law) for wrong in failures_of(one, law))


def failures_of(example: Example, law: Law) -> tuple[str, ...]:
    """What does not come out in one example; empty when all does."""
    try:
        if example.obligation is None:
            return tuple(_wrong_states(example, law))
        return tuple(_wrong_dates(example, law))
    except (DueError, FactError) as error:
        return (str(error),)


def _wrong_states(example: Example, law: Law) -> Iterator[str]:
    at = datetime.fromisoformat(example.at) if example.at else None
    found = {duty.key: duty.state for duty in assess(example.facts, law=law, at=at).duties}
    for key, expected in example.duties.items():
        if found.get(key, "none") != expected:
            yield f"{key}: expected {expected} but got {found.get(key, 'none')}"


def _wrong_dates(example: Example, law: Law) -> Iterator[str]:
    result = due(
        law.obligations[example.obligation or ""],
        example.events,
        zone=example.zone,
        country=example.country,
        options=example.options,
        law=law,
        facts=example.facts,
    )
    for name in ("conservative", "statutory", "not_before"):
        expected = getattr(example, name)
        got = getattr(result, name)
        if expected is not None and not _same(expected, got):
            yield f"{name}: expected {expected} but got {got.value.isoformat() if got else 'none'}"


def _same(expected: str, got: Deadline | None) -> bool:
    if got is None:
        return expected == "none"
    if "T" not in expected:
        return type(got.value) is date and got.value.isoformat() == expected
    return datetime.fromisoformat(expected) == got.at
