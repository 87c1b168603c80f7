"""Following a playbook: start its checklist; tick, untick, assign and skip its steps; note what was found."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from incident_tracker.actions import deliveries
from incident_tracker.errors import Conflict, Invalid
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.facts import Fact
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import Person
from incident_tracker.models.playbooks import Checklist, Step, StepEntry, StepState, dated_open_steps
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.permissions import Permission, may
from incident_tracker.rules.playbooks import CLOCKS, START, Playbook, PlaybookStep
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("reschedule",)

LONGEST_NOTE = 5_000


def start_checklist(work: Work, incident: Incident, playbook: Playbook) -> Checklist:
    """Follow `playbook` in `incident`. The checklist keeps the text of today. Raises Conflict where it is followed already."""
    work.require(Permission.FOLLOW_CHECKLIST, incident)
    followed = select(Checklist.id).where(Checklist.incident_id == incident.id, Checklist.playbook_id == playbook.id)
    if work.session.scalar(followed) is not None:
        raise Conflict(f"“{playbook.title}” was already started in this incident.")
    checklist = Checklist(
        incident_id=incident.id, playbook_id=playbook.id, playbook_version=playbook.version, title=playbook.title,
        started_by_id=work.actor.id, started_at=work.now, steps=[_copied(step, position) for position, step in enumerate(playbook.steps)],
    )
    work.session.add(checklist)
    work.session.flush()
    _date(work, incident)
    work.record(
        "checklist.start", f"started the checklist “{playbook.title}”", incident=incident, subject=f"checklist:{checklist.id}",
        after={"playbook": playbook.id, "version": playbook.version, "steps": len(playbook.steps)},
    )
    return checklist


def tick_step(work: Work, step: Step, version: int, note: str = "") -> None:
    """Mark a step as done.

    `version` is the step's as the person saw it. Raises Conflict where somebody changed it meanwhile; Invalid where it
    waits for others, or asks for proof and has neither a file nor a note that says where it lies.
    """
    work.require(Permission.FOLLOW_CHECKLIST, step.checklist.incident)
    _demand_unchanged(step, version, note)
    blocking = step.checklist.blocking(step)
    if blocking:
        raise Invalid("", note=f"This step waits for {_listed(blocking)}. Do or skip that first.")
    if step.lacks_proof and not note.strip():
        raise Invalid("", note=f"Proof is asked for: {step.evidence_asked}. Add the file, or write here where it lies.")
    _end(work, step, StepState.DONE, note)
    work.record("checklist.tick", f"done: {step.title}", **_about(step), before={"state": "open"}, after={"state": "done", "files": len(step.evidence)})


def untick_step(work: Work, step: Step, version: int, reason: str) -> None:
    """Open a done or skipped step again, with the reason; what was done stays in its history."""
    work.require(Permission.FOLLOW_CHECKLIST, step.checklist.incident)
    _demand_unchanged(step, version, reason, expect_open=False)
    if not reason.strip():
        raise Invalid("", note="Say why it is open again.")
    before = step.state
    step.state, step.ended_at, step.ended_by_id = StepState.OPEN, None, None
    _enter(work, step, "opened", reason)
    work.record("checklist.untick", f"open again: {step.title}", **_about(step), before={"state": before}, after={"state": "open"})
    _date(work, step.checklist.incident)


def skip_step(work: Work, step: Step, version: int, reason: str) -> None:
    """Leave a step out, with the reason; steps that wait for it wait no longer."""
    work.require(Permission.FOLLOW_CHECKLIST, step.checklist.incident)
    _demand_unchanged(step, version, reason)
    if not reason.strip():
        raise Invalid("", note="Write here why it is skipped; it stays in the record.")
    _end(work, step, StepState.SKIPPED, reason)
    work.record("checklist.skip", f"skipped: {step.title}", **_about(step), before={"state": "open"}, after={"state": "skipped"})


def assign_step(work: Work, step: Step, version: int, person: Person | None, note: str = "") -> None:
    """Give a step to somebody who may follow this checklist, or to nobody; they are told. `note` is added to the step."""
    work.require(Permission.FOLLOW_CHECKLIST, step.checklist.incident)
    _demand_unchanged(step, version, note, expect_open=False)
    if person is not None and not may(person, Permission.FOLLOW_CHECKLIST, step.checklist.incident):
        raise Invalid("", assignee=f"{person.name} cannot work on this incident. Put them on it first, or choose somebody else.")
    before, step.assignee = step.assignee, person
    if note.strip():
        _enter(work, step, StepEntry.NOTE, note)
    if person is not None and person.id not in (work.actor.id, before.id if before else None):
        deliveries.queue(work, "assigned", person=person, content={"part": "step", "step": step.title}, incident=step.checklist.incident)
    work.record(
        "checklist.assign", f"{step.title}: {person.name if person else 'nobody'}", **_about(step),
        before={"assignee": before.id if before else None}, after={"assignee": person.id if person else None},
    )


def write_note(work: Work, step: Step, text: str) -> StepEntry:
    """Add a note to a step. Notes are only ever added, so two people can write at the same time."""
    work.require(Permission.FOLLOW_CHECKLIST, step.checklist.incident)
    if not text.strip():
        raise Invalid("", note="Write the note first.")
    entry = _enter(work, step, StepEntry.NOTE, text)
    work.record("checklist.note", f"noted on: {step.title}", **_about(step), after={"entry": entry.id})
    return entry


def reschedule(work: Work, incident: Incident) -> None:
    """Bring the due times of the open steps in line with the facts and duties as they are now, and record what moved."""
    moved = _date(work, incident)
    if not moved:
        return
    text = f"{len(moved)} {'step' if len(moved) == 1 else 'steps'} of the checklist {'has' if len(moved) == 1 else 'have'} another due time"
    work.record(
        "checklist.reschedule", text, incident=incident,
        before={key: _written(before) for key, (before, _) in moved.items()}, after={key: _written(after) for key, (_, after) in moved.items()},
    )


def _copied(step: PlaybookStep, position: int) -> Step:
    return Step(
        position=position, key=step.id, phase=step.phase, title=step.title, detail=step.detail, role=step.role,
        due=step.due.to_json() if step.due else None, evidence_asked=step.evidence, waits_for=list(step.waits_for),
        facts=list(step.facts), csf=list(step.csf),
    )


def _demand_unchanged(step: Step, version: int, typed: str = "", *, expect_open: bool = True) -> None:
    if step.version == version and (step.is_open or not expect_open):
        return
    raise Conflict(
        f"“{step.title}” was changed while you were looking at it; it is now {step.state}. Nothing of yours was saved; both stand here.",
        yours={"Note": typed}, theirs={"Note": _latest(step)},
    )


def _latest(step: Step) -> str:
    """What stands there now: the state and owner, then the last words written."""
    who = f" by {step.ended_by.name}" if step.ended_by else f", with {step.assignee.name}" if step.assignee else ""
    said = next((entry for entry in reversed(step.entries) if entry.text), None)
    return f"{step.state}{who}" + (f"\n{said.by.name}: {said.text}" if said else "")


def _enter(work: Work, step: Step, kind: str, text: str) -> StepEntry:
    if len(text) > LONGEST_NOTE:
        raise Invalid("", note=f"A note can have {LONGEST_NOTE:,} characters; this one has {len(text):,}.")
    entry = StepEntry(kind=kind, text=text.strip(), by_id=work.actor.id, at=work.now)
    step.entries.append(entry)
    work.session.flush()
    return entry


def _end(work: Work, step: Step, state: StepState, text: str) -> None:
    step.state, step.ended_at, step.ended_by_id = state, work.now, work.actor.id
    _enter(work, step, state, text)


def _about(step: Step) -> dict[str, Any]:
    return {"incident": step.checklist.incident, "subject": f"step:{step.id}"}


def _listed(steps: Iterable[Step]) -> str:
    return " and ".join(f"“{step.title}”" for step in steps)


def _written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _date(work: Work, incident: Incident) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Set the due times of the open steps; returns those that moved, before and after, by playbook and step."""
    work.session.flush()
    known = _anchors(work, incident)
    moved = {}
    for step in dated_open_steps(incident.id):
        rule = step.due_rule
        # to the minute: a checklist started at 21:04:37 has steps due at full minutes
        started_at = step.checklist.started_at.replace(second=0, microsecond=0)
        after = rule.at({**known, START: started_at}) if rule else None
        if after == step.due_at:
            continue
        moved[f"{step.checklist.playbook_id}/{step.key}"] = (step.due_at, after)
        # past the version counter: a moved clock must not turn away the form somebody is filling in
        work.session.execute(update(Step).where(Step.id == step.id).values(due_at=after), execution_options={"synchronize_session": "evaluate"})
    return moved


def _anchors(work: Work, incident: Incident) -> Mapping[str, datetime]:
    """The instants that due times are counted from or to, as far as they are known."""
    facts = select(Fact.name, Fact.value).where(Fact.incident_id == incident.id, Fact.superseded_at.is_(None), Fact.name.startswith("moments."))
    known = {name: Moment.parse(value, name, incident.zone).at for name, value in work.session.execute(facts) if value is not None}
    running = select(Duty.recipient_key, Duty.conservative_at).where(
        Duty.incident_id == incident.id, Duty.state.in_((DutyState.RUNNING, DutyState.UNDECIDED)), Duty.conservative_at.is_not(None)
    )
    deadlines = [(key.partition(":")[0], at) for key, at in work.session.execute(running)]
    for clock, (_, recipients) in CLOCKS.items():
        found = [at for recipient, at in deadlines if recipient in recipients and at is not None]
        if found:
            known[clock] = min(found)
    return known
