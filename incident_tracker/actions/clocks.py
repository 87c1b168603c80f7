"""The recomputation of an incident's duties from its facts and the law. It keeps owners, decisions and proof, and records what moved."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from incident_tracker import library
from incident_tracker.actions import alerts, playbooks
from incident_tracker.models.duties import OPEN_STATES, Duty, DutyChange, DutyDecision, DutyState, duties_of, standing_decisions
from incident_tracker.models.facts import current_facts
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Filing, first_filings
from incident_tracker.models.organisations import organisation_facts
from incident_tracker.rules import duties as law
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.periods import Due
from incident_tracker.rules.permissions import Permission
from incident_tracker.rules.timeliness import timeliness
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("recompute", "replan", "withdraw_all")

BATCH = 25

#: undecided duties due within so many hours are warned of together
TOGETHER_HOURS = 6

#: how the key of a recipient ends that is not known yet
OPEN_RECIPIENTS = (":lead", ":others")


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


def recompute(work: Work, incident: Incident, reason: str) -> None:
    """Ask the law again, and bring the stored duties, their warnings, the checklist's times and the incident's summary in line."""
    work.session.flush()
    assessment = law.assess(facts_document(incident), law=library.shelf().law, at=incident.reported_at)
    stored = {(duty.obligation_id, duty.recipient_key): duty for duty in duties_of(incident.id)}
    _carry_over(stored, assessment.duties)
    decisions, filings = standing_decisions(incident.id), first_filings(incident.id)
    moved = []
    for found in assessment.duties:
        duty = stored.pop((found.obligation.id, found.recipient.key), None)
        if duty is None and found.state == "does_not_apply":
            continue
        moved += _bring_in_line(work, incident, duty, found, decisions, filings, reason)
    for duty in stored.values():
        moved += _no_longer_asked(work, duty, filings, reason)
    incident.questions = [{"fact": one.fact, "text": one.text, "settles": list(one.settles)} for one in assessment.questions]
    work.session.flush()
    replan(work, incident)
    incident.stale_since = incident.stale_reason = None
    work.record(
        "duty.recompute",
        f"{reason}: {_said(moved)}"[:500],
        incident=incident,
        after={"moved": moved, "law": library.shelf().law.version[:12]},
    )


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
        recompute(work, incident, incident.stale_reason or "the law or the profile changed")
    if batch:
        work.record("clock.refresh", f"recomputed {len(batch)} incidents")
    left = work.session.scalar(select(func.count()).select_from(Incident).where(Incident.stale_since.is_not(None)))
    return int(left or 0)


def _completions(incident_id: int) -> dict[str, Any]:
    return {
        f"{filing.duty.obligation_id}@{filing.duty.recipient_key}": _filed(filing).to_json()
        for filing in first_filings(incident_id).values()
    }


def _filed(filing: Filing) -> Moment:
    return Moment(filing.filed_at, filing.zone, filing.precision)


def _carry_over(stored: dict[tuple[str, str], Duty], found: Sequence[law.Duty]) -> None:
    """A recipient that was open ("the lead authority, not known yet") has got its name: the duty goes on with it, owner and all."""
    asked = {(one.obligation.id, one.recipient.key) for one in found}
    for key in [key for key in stored if key not in asked and key[1].endswith(OPEN_RECIPIENTS)]:
        named = next((one for one in sorted(asked) if one[0] == key[0] and one not in stored), None)
        if named is not None:
            duty = stored[named] = stored.pop(key)
            duty.recipient_key = named[1]


def _bring_in_line(
    work: Work,
    incident: Incident,
    duty: Duty | None,
    found: law.Duty,
    standing: Mapping[int, DutyDecision],
    filings: Mapping[int, Filing],
    reason: str,
) -> list[str]:
    """Write what the law says now into the stored duty, made if there is none; returns what moved, in words."""
    fresh = duty is None
    if duty is None:
        duty = Duty(incident_id=incident.id, obligation_id=found.obligation.id, recipient_key=found.recipient.key, version=1)
        before: dict[str, Any] = {}
    else:
        before = _snapshot(duty)
    _write_law(work, duty, found)
    state = _state(found, work.now, standing.get(duty.id) if not fresh else None, filings.get(duty.id) if not fresh else None)
    _set_state(work, duty, state)
    if fresh:
        # written with all the others in one go: a flush for each of hundreds would take seconds
        duty.changes.append(DutyChange(at=work.now, by_id=work.actor.id, reason=reason, before={}, after=_snapshot(duty)))
        work.session.add(duty)
        return [f"{duty.title} ({duty.recipient_name}): {duty.state}"]
    after = _snapshot(duty)
    if before == after:
        return []
    _trace(work, duty, reason, before, after)
    return [
        f"{duty.title} ({duty.recipient_name}): "
        + ", ".join(f"{name} {before[name]} → {after[name]}" for name in after if before[name] != after[name])
    ]


def _write_law(work: Work, duty: Duty, found: law.Duty) -> None:
    due = found.due
    duty.title, duty.citation = found.obligation.title, found.obligation.citation
    duty.jurisdiction, duty.recipient_name = found.obligation.regime.jurisdiction, found.recipient.name
    duty.missing = list(found.missing)
    # a regime and its obligation may ask the same: it is said once
    duty.because = [{"text": one.text, "fact": one.fact, "truth": str(one.truth)} for one in dict.fromkeys(found.because)]
    duty.law_version = library.shelf().law.version
    duty.zone = found.recipient.zone
    _write_clock(duty, due)
    # the time of the last computation that came out differently: writing each one would touch every row for nothing
    if duty.computed_at is None or work.session.is_modified(duty):
        duty.computed_at = work.now


def _write_clock(duty: Duty, due: Due | None) -> None:
    duty.steps = [{"text": step.text, "cites": step.cites} for step in due.steps] if due else []
    duty.warnings = list(due.warnings) if due else []
    duty.standard = due.standard if due else None
    duty.versions = dict(due.versions) if due else {}
    duty.trigger_at = due.trigger.at if due and due.trigger else None
    duty.trigger_precision = due.trigger.precision if due and due.trigger else None
    conservative, statutory, not_before = (due.conservative, due.statutory, due.not_before) if due else (None, None, None)
    duty.conservative_at = conservative.at if conservative else None
    duty.conservative_value = conservative.value.isoformat() if conservative else None
    duty.statutory_at = statutory.at if statutory else None
    duty.statutory_value = statutory.value.isoformat() if statutory else None
    duty.not_before_at = not_before.at if not_before else None
    if conservative:
        duty.zone = conservative.zone


def _state(found: law.Duty, now: datetime, decision: DutyDecision | None, filing: Filing | None) -> DutyState:
    """What was filed comes first, then what was decided, then what the law says."""
    if filing is not None:
        judged = timeliness(found.due.trigger if found.due else None, found.due, _filed(filing)) if found.due else None
        return DutyState.MET_LATE if judged is not None and judged.outcome == "late" else DutyState.MET
    if decision is not None:
        return DutyState(decision.kind)
    if found.state == "does_not_apply":
        return DutyState.DOES_NOT_APPLY
    if found.state == "unknown":
        return DutyState.UNDECIDED
    if found.is_held_at(now):
        return DutyState.HELD
    return DutyState.RUNNING if found.due is not None and found.due.trigger is not None else DutyState.NOT_STARTED


def _set_state(work: Work, duty: Duty, state: DutyState) -> None:
    duty.state = state
    if state in OPEN_STATES:
        duty.done_at = None
    elif duty.done_at is None:
        duty.done_at = work.now


def _no_longer_asked(work: Work, duty: Duty, filings: Mapping[int, Filing], reason: str) -> list[str]:
    """A recipient or an obligation that the law no longer names: the duty stays in the record, with its proof."""
    if duty.id in filings or not duty.is_open:
        return []
    before = _snapshot(duty)
    _set_state(work, duty, DutyState.DOES_NOT_APPLY)
    duty.because = [{"text": f"The law no longer asks for this: {reason}.", "fact": None, "truth": "false"}]
    _trace(work, duty, reason, before, _snapshot(duty))
    return [f"{duty.title} ({duty.recipient_name}): no longer asked for"]


def _snapshot(duty: Duty) -> dict[str, Any]:
    """What must not move without a record."""
    return {
        "state": str(duty.state),
        "deadline": duty.conservative_value,
        "statutory": duty.statutory_value,
        "trigger": duty.trigger_at.astimezone(UTC).isoformat() if duty.trigger_at else None,
    }


def _trace(work: Work, duty: Duty, reason: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    work.session.add(DutyChange(duty_id=duty.id, at=work.now, by_id=work.actor.id, reason=reason, before=before, after=after))


def _said(moved: Sequence[str]) -> str:
    return "nothing moved" if not moved else "; ".join(moved)
