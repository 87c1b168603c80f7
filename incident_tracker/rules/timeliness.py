"""Whether something was done in time, judged no finer than it was recorded."""

from dataclasses import dataclass
from datetime import timedelta

from incident_tracker.rules.deadlines import Deadline, Due
from incident_tracker.rules.facts import Moment


@dataclass(frozen=True, slots=True)
class Timeliness:
    """The finding: outcome is "on_time", "late", "no_number" or "cannot_tell".

    `late_days` counts calendar days after the deadline's day; `late` is the time past it where both are instants.
    """

    outcome: str
    late_days: int | None
    late: timedelta | None
    days_from_trigger: int | None
    against: Deadline | None
    text: str


def timeliness(trigger: Moment | None, due: Due, done: Moment) -> Timeliness:
    """Judge a filing against its deadline."""
    days = (done.day - trigger.day).days if trigger else None
    return Timeliness("cannot_tell", None, None, days, due.statutory, "")
