"""A jump of the clock is told from the time that passed, and lateness falls into classes."""

from datetime import UTC, datetime, timedelta

import pytest

from incident_tracker.rules import jumps, lateness
from incident_tracker.rules.jumps import Reading

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def after(wall: float, elapsed: float) -> jumps.Jump | None:
    """What is told when the wall clock went on by `wall` seconds while `elapsed` passed."""
    return jumps.between(Reading(NOON, 1000.0), Reading(NOON + timedelta(seconds=wall), 1000.0 + elapsed))


@pytest.mark.parametrize("wall", [15.0, 10.1, 19.9])
def test_small_differences_are_no_jump(wall: float) -> None:
    assert after(wall, 15.0) is None


@pytest.mark.parametrize(("wall", "is_back"), [(-3600.0, True), (9.0, True), (3600.0, False), (86_400.0 * 365, False)])
def test_it_tells_which_way_and_how_far(wall: float, is_back: bool) -> None:
    found = after(wall, 15.0)
    assert found is not None
    assert (found.is_back, found.span, found.expected_at) == (is_back, timedelta(seconds=wall - 15.0), NOON + timedelta(seconds=15))


def test_it_counts_lateness_in_classes_that_add_up() -> None:
    counts = lateness.nothing()
    for seconds in (0.0, 0.1, 0.2, 14.0, 100_000.0):
        counts[lateness.place(seconds)] += 1
    found = dict(lateness.cumulated(counts))
    assert (found["0.1"], found["0.5"], found["15"], found["86400"], found["+Inf"]) == (2, 3, 4, 4, 5)
