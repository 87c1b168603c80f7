"""The one place that reads the time."""

from datetime import UTC, datetime
from time import monotonic


def now() -> datetime:
    """The present instant in UTC, always with its offset."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Seconds on a clock that never jumps; only differences between two readings mean anything."""
    return monotonic()
