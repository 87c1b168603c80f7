"""The recomputation of an incident's duties from its facts and the law. It keeps owners, decisions and proof, and records what moved."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from incident_tracker import library
from incident_tracker.actions import alerts, playbooks
from incident_tracker.actions.computations import FACTS, LAW, PROFILE, STEP, Computation, carry_over, filed
from incident_tracker.models.duties import Duty, DutyDecision, DutyState, duties_of, standing_decisions
from incident_tracker.models.facts import current_facts
from incident_tracker.models.incidents import Incident
from incident_tracker.models.movements import find_pack, open_movements
from incident_tracker.models.notices import first_filings
from incident_tracker.models.organisations import organisation_facts
from incident_tracker.rules import duties as law
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

__all__ = ["FACTS", "LAW", "PROFILE", "STEP", "document_of", "facts_document", "recompute", "refresh_stale", "replan", "withdraw_all"]

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("recompute", "replan", "withdraw_all")

BATCH = 25

#: undecided duties due within so many hours are warned of together
TOGETHER_HOURS = 6


def facts_document(incident: Incident) -> dict[str, Any]:
    """Everything known that the law may ask for: the profile, the ledger, and when which duty was done."""
    document = organisation_facts()
    document.update(document_of({name: fact.value for name, fact in current_facts(incident.id).items() if fact.value is not None}))
    document.setdefault("organisation.zone", incident.zone)
    document["completed"] = _completions(incident.id)
    return document


def document_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Ledger lines (`moments.aware`, `affected.by_place.DE`, `holds.1`) in the shape of a facts document."""
    document: dict[str, Any] = {}
    for name, value in values.items():
        group, _, rest = name.partition(".")
        if group == "moments":
            document.setdefault("moments", {})[rest] = value
        elif group == "holds":
            document.setdefault("holds", []).append(value)
        elif name.startswith("affected.by_place."):
            document.setdefault("affected.by_place", {})[name.removeprefix("affected.by_place.")] = value
        else:
            document[name] = value
    return document


def recompute(work: Work, incident: Incident, reason: str, cause: str = STEP, *, is_accepted: bool = False) -> None:
    """Ask the law again, and bring the stored duties, their warnings, the checklist's times and the incident's summary in line.

    Where facts, profile or rules changed, what moved is kept as a movement for a person to accept. What the profile or the
    rules would make later or end waits for that (`is_accepted`); what they make stricter counts at once.
    """
    work.session.flush()
    assessment = law.assess(facts_document(incident), law=library.shelf().law, at=incident.reported_at)
    stored = {(duty.obligation_id, duty.recipient_key): duty for duty in duties_of(incident.id)}
    is_first = not stored
    carry_over(stored, assessment.duties)
    computation = _computation(work, incident, reason, cause, is_accepted=is_accepted)
    for found in assessment.duties:
        duty = stored.pop((found.obligation.id, found.recipient.key), None)
        if duty is not None or found.state != "does_not_apply":
            computation.bring_in_line(duty, found)
    for duty in stored.values():
        computation.no_longer_asked(duty)
    incident.questions = [{"fact": one.fact, "text": one.text, "settles": list(one.settles)} for one in assessment.questions]
    work.session.flush()
    _keep_movement(work, incident, computation, is_first=is_first)
    replan(work, incident)
    incident.stale_since = incident.stale_reason = incident.stale_kind = None
    incident.pack = library.shelf().law.pack.name
    work.record(
        "duty.recompute",
        f"{reason}: {computation.said()}"[:500],
        incident=incident,
        after={"moved": [f"{duty.title}: {entry['after'].get('state')}" for duty, entry in computation.moved], "law": library.shelf().law.version[:12]},
    )


def _computation(work: Work, incident: Incident, reason: str, cause: str, *, is_accepted: bool) -> Computation:
    changed = incident.pack != library.shelf().law.pack.name
    before = find_pack(incident.pack) if changed and incident.pack else None
    open_ones = open_movements(incident.id) if incident.unaccepted_count else []
    waiting = {entry["duty"]: entry for movement in open_ones for entry in movement.moved}
    return Computation(
        work, incident, reason, cause, standing_decisions(incident.id), first_filings(incident.id),
        waiting={duty: entry["after"] for duty, entry in waiting.items() if entry["held"]},
        is_accepted=is_accepted, rules_changed=changed, pack_before=before.pack if before else None,
    )


def _keep_movement(work: Work, incident: Incident, computation: Computation, *, is_first: bool) -> None:
    """The first computation of an incident moves nothing: there was nothing before. A step of the work is its own record."""
    is_shown = computation.cause != STEP or any(entry["held"] for _, entry in computation.moved)
    movement = computation.as_movement() if is_shown and not is_first else None
    if movement is not None:
        work.session.add(movement)
        incident.unaccepted_count += 1


def replan(work: Work, incident: Incident) -> None:
    """Make the waiting warnings, the checklist's times and the incident's summary agree with its duties and people."""
    work.session.flush()
    duties = duties_of(incident.id)
    _warn_together(duties)
    work.session.flush()
    alerts.plan_all(work, [duty.id for duty in duties])
    playbooks.reschedule(work, incident)
    open_duties = [duty for duty in duties if duty.is_open] if incident.is_open else []
    dated = sorted(
        (duty for duty in open_duties if duty.conservative_at is not None and duty.state != DutyState.HELD),
        key=lambda duty: (duty.state == DutyState.UNDECIDED, duty.conservative_at, duty.id),
    )
    first = dated[0] if dated else None
    incident.undecided_due_at = next((duty.conservative_at for duty in dated if duty.state == DutyState.UNDECIDED), None)
    incident.next_due_at = first.conservative_at if first else None
    incident.next_due_value, incident.next_due_zone = (first.conservative_value, first.zone) if first else (None, None)
    incident.next_duty_title = first.title if first else None
    incident.undecided_count = sum(duty.state == DutyState.UNDECIDED for duty in open_duties)
    incident.open_duty_count = len(open_duties)
    work.session.flush()


def _warn_together(duties: Sequence[Duty]) -> None:
    """Of undecided duties due within the same hours the first is warned of, and speaks for the others.

    While one fact is missing, dozens of laws may be open at once; a warning for each would bury the one that counts.
    As soon as a duty is decided it has warnings of its own.
    """
    leaders: dict[tuple[Any, int], int] = {}
    for duty in sorted(duties, key=lambda one: (one.conservative_at or datetime.max.replace(tzinfo=UTC), one.id)):
        leader = None
        if duty.state == DutyState.UNDECIDED and duty.conservative_at is not None:
            at = duty.conservative_at.astimezone(UTC)
            leader = leaders.setdefault((at.date(), at.hour // TOGETHER_HOURS), duty.id)
        duty.warned_with_id = leader if leader != duty.id else None


def withdraw_all(work: Work, duties: Sequence[Duty], reason: str) -> None:
    """Withdraw the open duties of a dismissed incident, by a decision of the person who dismisses it."""
    for duty in duties:
        work.session.add(
            DutyDecision(
                duty_id=duty.id,
                kind=DutyState.WITHDRAWN,
                reason=reason.strip(),
                asked_by_id=work.actor.id,
                asked_at=work.now,
                approved_by_id=work.actor.id,
                approved_at=work.now,
            )
        )
    work.session.flush()


def refresh_stale(work: Work, limit: int = BATCH) -> int:
    """Recompute incidents whose law or profile changed, the most urgent first; returns how many are still waiting."""
    work.require(Permission.RUN_CLOCKWORK)
    waiting = (
        select(Incident)
        .where(Incident.stale_since.is_not(None))
        .order_by(Incident.next_due_at.is_(None), Incident.next_due_at, Incident.id)
    )
    batch = list(work.session.scalars(waiting.limit(limit).with_for_update(skip_locked=True, key_share=True)))
    for incident in batch:
        recompute(work, incident, incident.stale_reason or "the law or the profile changed", incident.stale_kind or LAW)
    if batch:
        work.record("clock.refresh", f"recomputed {len(batch)} incidents")
    left = work.session.scalar(select(func.count()).select_from(Incident).where(Incident.stale_since.is_not(None)))
    return int(left or 0)


def _completions(incident_id: int) -> dict[str, Any]:
    return {
        f"{filing.duty.obligation_id}@{filing.duty.recipient_key}": filed(filing).to_json()
        for filing in first_filings(incident_id).values()
    }
