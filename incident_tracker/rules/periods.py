"""Trigger + period + way of counting: two instants, and the steps between in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_tracker.rules.deadlines import Deadline, Due, Step
from incident_tracker.rules.facts import Facts, Moment
from incident_tracker.rules.regimes import Law, Obligation

__all__ = ["Deadline", "Due", "DueError", "Step", "due"]


class DueError(ValueError):
    """What was asked for cannot be computed; one line says what was expected."""


def due(
    obligation: Obligation | str,
    events: Mapping[str, Moment | str | datetime],
    *,
    zone: str | None = None,
    country: str | None = None,
    options: Mapping[str, Any] | None = None,
    law: Law | None = None,
    facts: Facts | None = None,
) -> Due:
    """Compute when an obligation is due."""
    raise DueError("no law has been loaded")
