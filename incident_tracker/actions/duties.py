"""What people may do about a duty: own it, decide that it is not required, set a target where the law names no number."""

from datetime import datetime

from sqlalchemy import select

from incident_tracker.actions import clocks, deliveries
from incident_tracker.errors import Conflict, Invalid, NotAllowed
from incident_tracker.models.duties import Duty, DutyDecision, DutyState
from incident_tracker.models.people import Person
from incident_tracker.rules.permissions import Permission, Role, may_see
from incident_tracker.work import Work


def assign_owner(work: Work, duty: Duty, person: Person | None) -> None:
    """Say who has a duty. The new owner is told; on a restricted incident it has to be a member."""
    work.require(Permission.ASSIGN, duty.incident)
    if person is not None and not may_see(person, duty.incident):
        raise Invalid(owner=f"{person.name} is not on this incident. Put them on it first.")
    if person is not None and not person.role_names & {Role.OFFICER, Role.LEGAL, Role.MANAGER}:
        raise Invalid(owner=f"{person.name} cannot own a duty: an officer, counsel or a manager can.")
    before, duty.owner_id = duty.owner_id, person.id if person else None
    if person is not None and person.id != work.actor.id:
        deliveries.queue(work, "assigned", person=person, content={"part": "owner", "duty": duty.title}, incident=duty.incident)
    work.record(
        "duty.assign_owner",
        f"{duty.title}: {person.name if person else 'nobody'}",
        incident=duty.incident,
        subject=f"duty:{duty.id}",
        before={"owner": before},
        after={"owner": duty.owner_id},
    )


def ask_decision(work: Work, duty: Duty, kind: str, reason: str) -> DutyDecision:
    """Ask that a duty be found not required, or withdrawn, with the reason. It stays open, and warned of, until somebody else approves."""
    work.require(Permission.DECIDE, duty.incident)
    if kind not in (DutyState.NOT_REQUIRED, DutyState.WITHDRAWN):
        raise Invalid(kind="Choose: not required, or withdrawn.")
    if not reason.strip():
        raise Invalid(reason="Give the reason; a regulator may read it.")
    if not duty.is_open:
        raise Conflict("This duty is no longer open.")
    if _pending(work, duty) is not None:
        raise Conflict("A decision on this duty already waits for approval.")
    decision = DutyDecision(duty_id=duty.id, kind=kind, reason=reason.strip(), asked_by_id=work.actor.id, asked_at=work.now)
    work.session.add(decision)
    work.session.flush()
    work.record(
        "duty.ask_decision",
        f"{duty.title}: {kind}?",
        incident=duty.incident,
        subject=f"duty:{duty.id}",
        after={"kind": kind, "reason": reason.strip()},
    )
    return decision


def answer_decision(work: Work, decision: DutyDecision, duty: Duty, approve: bool) -> None:
    """Approve or refuse what somebody else asked for."""
    work.require(Permission.APPROVE_DECISION, duty.incident)
    if decision.asked_by_id == work.actor.id:
        raise NotAllowed("approve your own decision: somebody else has to")
    if decision.approved_at is not None or decision.refused_at is not None:
        raise Conflict("Somebody already answered this.")
    decision.approved_by_id = work.actor.id
    if approve:
        decision.approved_at = work.now
    else:
        decision.refused_at = work.now
    work.record(
        "duty.answer_decision",
        f"{duty.title}: {decision.kind} {'approved' if approve else 'refused'}",
        incident=duty.incident,
        subject=f"duty:{duty.id}",
        after={"approved": approve, "reason": decision.reason},
    )
    clocks.recompute(work, duty.incident, f"{decision.kind.replace('_', ' ')}: {'approved' if approve else 'refused'}")


def reopen(work: Work, duty: Duty, reason: str) -> None:
    """Undo a decision: the duty runs again as the law says."""
    work.require(Permission.APPROVE_DECISION, duty.incident)
    if not reason.strip():
        raise Invalid(reason="Say why it is open again.")
    standing = [one for one in duty.decisions if one.approved_at is not None and one.undone_at is None]
    if not standing:
        raise Conflict("No decision stands on this duty.")
    for decision in standing:
        decision.undone_at = work.now
    work.record(
        "duty.reopen",
        f"{duty.title}: {reason.strip()}",
        incident=duty.incident,
        subject=f"duty:{duty.id}",
        after={"reason": reason.strip()},
    )
    clocks.recompute(work, duty.incident, f"reopened: {reason.strip()}"[:300])


def set_target(work: Work, duty: Duty, target: datetime | None) -> None:
    """The organisation's own target for a duty without a number in law (UTC). It is shown as its own and warned of."""
    work.require(Permission.ASSIGN, duty.incident)
    if duty.conservative_at is not None:
        raise Invalid(target="The law itself sets a deadline for this duty.")
    before, duty.target_at = duty.target_at, target
    work.record(
        "duty.set_target",
        f"{duty.title}: own target",
        incident=duty.incident,
        subject=f"duty:{duty.id}",
        before={"target": before.isoformat() if before else None},
        after={"target": target.isoformat() if target else None},
    )
    clocks.replan(work, duty.incident)


def _pending(work: Work, duty: Duty) -> DutyDecision | None:
    waiting = select(DutyDecision).where(
        DutyDecision.duty_id == duty.id, DutyDecision.approved_at.is_(None), DutyDecision.refused_at.is_(None)
    )
    return work.session.scalar(waiting)
