"""What one worker remembers of itself: what it did since it started, how the mail goes, and the jumps of the clock that it saw.

Its beats carry this into the database, so that any process can tell of every worker.
"""

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from incident_tracker import clock
from incident_tracker.rules import jumps, lateness
from incident_tracker.rules.jumps import Jump, Reading

#: what is counted, in the order in which it is shown
COUNTED = ("fired", "unheard", "sent", "failed", "dead", "withdrawn", "jumps", "pings", "pings_failed")


class Diary:
    """Written by several threads of one worker."""

    def __init__(self, worker: str) -> None:
        self.worker, self.started_at = worker, clock.now()
        self._lock = threading.Lock()
        self._counts: dict[str, int] = dict.fromkeys(COUNTED, 0)
        self._late, self._late_seconds = lateness.nothing(), 0.0
        self._mail_down_at: datetime | None = None
        self._pinged_at: datetime | None = None
        self._ping_error: str | None = None
        self._read, self._jumps = _read(), list[Jump]()

    def add(self, **counts: int) -> None:
        """Count more of what `COUNTED` names."""
        with self._lock:
            for name, more in counts.items():
                self._counts[name] += more

    def note_late(self, seconds: Iterable[float]) -> None:
        """Count warnings that fired, each so late."""
        with self._lock:
            for one in seconds:
                self._late[lateness.place(one)] += 1
                self._late_seconds += one

    def note_mail(self, went: bool, is_down: bool, now: datetime) -> None:
        """Note whether the mail server took a letter, or could not be used at all (`now` in UTC). Nothing tried changes nothing."""
        with self._lock:
            if went:
                self._mail_down_at = None
            elif is_down:
                self._mail_down_at = self._mail_down_at or now

    def note_ping(self, now: datetime, error: str | None) -> None:
        """Note a sign to the outside monitor, sent or failed (`now` in UTC)."""
        self.add(**{"pings_failed" if error else "pings": 1})
        with self._lock:
            self._ping_error = error[:200] if error else None
            self._pinged_at = self._pinged_at if error else now

    def signs(self) -> dict[str, Any]:
        """Everything, as columns of this worker's heartbeat."""
        with self._lock:
            counts = {**self._counts, "late": list(self._late), "late_seconds": round(self._late_seconds, 3)}
            return {"counts": counts, "mail_down_at": self._mail_down_at, "pinged_at": self._pinged_at, "ping_error": self._ping_error}

    def look_at_the_clock(self) -> bool:
        """Whether the wall clock has jumped since the last look; a jump is kept until it is settled."""
        with self._lock:
            before, self._read = self._read, _read()
            jump = jumps.between(before, self._read)
            if jump is not None:
                self._jumps.append(jump)
            return jump is not None

    def unsettled(self) -> Jump | None:
        """The oldest jump that nobody has settled yet."""
        with self._lock:
            return self._jumps[0] if self._jumps else None

    def settled(self, jump: Jump) -> None:
        """A jump has been dealt with."""
        with self._lock:
            self._counts["jumps"] += 1
            if jump in self._jumps:
                self._jumps.remove(jump)


def _read() -> Reading:
    """Both clocks at one moment: when the thread was held up in between, once more, or the wait would look like a jump."""
    while True:
        began = clock.elapsed()
        found = Reading(clock.now(), clock.elapsed())
        if found.elapsed - began < 1.0:
            return found
