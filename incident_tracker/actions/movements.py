"""Accepting what a change of law, profile or facts moved; and taking a new version of the rules into use."""

from sqlalchemy import or_, update

from incident_tracker import library
from incident_tracker.actions import clocks
from incident_tracker.errors import Conflict
from incident_tracker.models.incidents import OPEN_STAGES, Incident
from incident_tracker.models.movements import LawPack, open_movements, pack_in_use
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work


def accept(work: Work, incident: Incident, newest: int) -> int:
    """Accept everything that moved, up to the movement `newest` that the person saw; what waited for it is done now.

    Returns how many movements that were. Raises Conflict if more moved meanwhile, or nothing waits.
    """
    work.require(Permission.DECIDE, incident)
    waiting = open_movements(incident.id)
    if not waiting:
        raise Conflict("Nothing waits to be accepted: somebody else did it.")
    if waiting[-1].id != newest:
        raise Conflict("More moved while you were looking. Look at it again, then accept.")
    held = any(entry["held"] for movement in waiting for entry in movement.moved)
    for movement in waiting:
        movement.accepted_at, movement.accepted_by_id = work.now, work.actor.id
    incident.unaccepted_count = 0
    work.record(
        "movement.accept", f"Accepted what moved ({len(waiting)})", incident=incident, after={"movements": [movement.id for movement in waiting]},
    )
    if held:
        clocks.recompute(work, incident, "accepted what the changed rules or profile move", is_accepted=True)
    return len(waiting)


def take_law_into_use(work: Work) -> bool:
    """Write down the rules that this process works by; where they differ from those before, open incidents are computed again."""
    work.require(Permission.RUN_CLOCKWORK)
    pack = library.shelf().law.pack
    used = pack_in_use()
    if used is not None and used.name == pack.name:
        return False
    work.session.add(LawPack(
        name=pack.name, version=pack.version, tzdata=pack.tzdata, holidays=pack.holidays, digests=dict(pack.digests), used_since=work.now,
    ))
    reason = f"the rules changed: {pack.name}" + (f" (before: {used.name})" if used else "")
    other = or_(Incident.pack.is_(None), Incident.pack != pack.name)
    behind = update(Incident).where(Incident.stage.in_(OPEN_STAGES), other)
    values = {"stale_since": work.now, "stale_reason": reason[:300], "stale_kind": clocks.LAW}
    work.session.execute(behind.values(values).execution_options(synchronize_session=False))
    work.record("law.take_into_use", reason, before={"pack": used.name if used else None}, after={"pack": pack.name})
    return True
