"""The time axis: where each clock stands on a line from yesterday to a week ahead, in hundredths of its width."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident

BEFORE, AFTER = timedelta(days=1), timedelta(days=6)


@dataclass(frozen=True)
class Mark:
    """One clock on its lane; `where` is the side it fell off on (before, after) or "" when it is on the axis."""

    duty: Duty
    x: float
    where: str
    state: str


class Axis:
    """Marks for every clock of each incident, the days' lines, and now. Days begin at midnight in `zone`."""

    def __init__(self, now: datetime, zone: str, lanes: Mapping[Incident, list[Duty]]) -> None:
        self.now, self.zone = now, zone
        self.start, self.end = now - BEFORE, now + AFTER
        self.lanes = [(incident, [self._mark(duty) for duty in duties]) for incident, duties in lanes.items()]

    def x(self, at: datetime) -> float:
        """How far along, 0 to 100."""
        return round(100 * (at - self.start) / (self.end - self.start), 2)

    @cached_property
    def days(self) -> list[dict[str, Any]]:
        """Each midnight on the axis, with the day's name."""
        local = self.start.astimezone(ZoneInfo(self.zone))
        found, day = [], local.date()
        for _ in range(8):
            day += timedelta(days=1)
            at = datetime.combine(day, time(), ZoneInfo(self.zone))
            if self.start <= at <= self.end:
                found.append({"x": self.x(at), "words": f"{day:%a} {day.day}"})
        return found

    def _mark(self, duty: Duty) -> Mark:
        at = duty.conservative_at or self.now
        where = "before" if at < self.start else "after" if at > self.end else ""
        state = "undecided" if duty.state == "undecided" else "overdue" if duty.is_overdue(self.now) else "running"
        return Mark(duty, min(100.0, max(0.0, self.x(at))), where, state)
