"""Checking the audit trail."""

from incident_tracker.models.audit import chain, head
from incident_tracker.rules.chains import Break, find_break
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work


def verify(work: Work) -> tuple[int, Break | None]:
    """Walk the whole trail; returns how many entries there are and the first place where it does not hold, if any."""
    work.require(Permission.READ_AUDIT)
    last = head()
    broken = find_break(
        ((entry.content(), entry.previous_hash, entry.hash) for entry in chain()),
        last.last_id if last else 0,
        last.last_hash if last else "0" * 64,
    )
    count = last.last_id if last else 0
    work.record("audit.verify", f"checked {count} entries: {broken.text if broken else 'the trail holds'}")
    return count, broken
