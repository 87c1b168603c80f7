"""How late warnings fire, counted in classes: a monitor draws its curves from them."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

#: the upper ends of the classes in seconds; what is later than the last is in a class of its own
BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)


def nothing() -> list[int]:
    """The counts before anything was counted."""
    return [0] * (len(BOUNDS) + 1)


def place(seconds: float) -> int:
    """In which class a lateness falls."""
    return bisect_left(BOUNDS, seconds)


def cumulated(counts: Sequence[int]) -> list[tuple[str, int]]:
    """Each bound as text, `+Inf` last, with how many were no later than it."""
    return list(zip((*(f"{bound:g}" for bound in BOUNDS), "+Inf"), accumulate(counts), strict=True))
