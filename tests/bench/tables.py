"""What the measuring prints: a title, a table, and what was aimed at."""

import statistics
import sys
from collections.abc import Iterable, Sequence


def title(words: str) -> None:
    print(f"\n{words}\n{'-' * len(words)}", flush=True)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as they need to be; the first one to the left, the others to the right."""
    lines = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    for line in lines:
        first, *others = (cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(zip(line, widths, strict=True)))
        print("  ".join([first, *others]), flush=True)


def note(words: str) -> None:
    print(f"  {words}", flush=True)


def doing(words: str) -> None:
    """What takes a while, on the other stream."""
    print(f"… {words}", file=sys.stderr, flush=True)


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def share(values: Sequence[float], percent: float) -> float:
    """The value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
