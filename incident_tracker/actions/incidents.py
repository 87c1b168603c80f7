"""What may be done to an incident itself: report it, edit it, move its stage, say who is on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incident_tracker.actions import clocks, deliveries, facts
from incident_tracker.actions.facts import Entry
from incident_tracker.errors import Conflict, Invalid, NotAllowed
from incident_tracker.models.duties import Duty, DutyState, duties_of
from incident_tracker.models.incidents import OPEN_STAGES, Incident, Membership, Stage, StageChange, next_reference
from incident_tracker.models.people import Person
from incident_tracker.rules.permissions import Permission, Role, may
from incident_tracker.work import Work

#: from where to where a stage may move
MOVES: dict[str, tuple[str, ...]] = {
    Stage.REPORTED: (Stage.SUSPECTED, Stage.CONFIRMED, Stage.DISMISSED),
    Stage.SUSPECTED: (Stage.CONFIRMED, Stage.DISMISSED),
    Stage.CONFIRMED: (Stage.CLOSED, Stage.DISMISSED),
    Stage.CLOSED: (Stage.CONFIRMED,),
    Stage.DISMISSED: (Stage.SUSPECTED,),
}


@dataclass(frozen=True)
class Report:
    """What somebody tells of in the first two minutes."""

    title: str
    summary: str
    kind: str
    zone: str
    restricted: bool = False
    entries: Sequence[Entry] = field(default_factory=tuple)
    #: when it came in, if it is entered afterwards (UTC); else the moment of the unit of work
    reported_at: datetime | None = None


def report_incident(work: Work, report: Report) -> Incident:
    """Log an incident, with its first facts, and compute what it starts. The reporter leads it until somebody else does."""
    work.require(Permission.REPORT)
    if not report.title.strip():
        raise Invalid(title="Say in a few words what happened.")
    incident = Incident(
        reference=next_reference((report.reported_at or work.now).year),
        title=report.title.strip(),
        summary=report.summary.strip(),
        kind=report.kind,
        stage=Stage.REPORTED,
        restricted=report.restricted,
        zone=report.zone,
        reported_at=report.reported_at or work.now,
        reported_by_id=work.actor.id,
        lead_id=work.actor.id,
    )
    _index(incident)
    work.session.add(incident)
    work.session.flush()
    _put_on(work, incident, work.actor)
    work.record("incident.report", f"reported {incident.reference}", incident=incident, after=_outline(incident))
    facts.write(work, incident, report.entries)
    clocks.recompute(work, incident, "the incident was reported")
    return incident


def edit_incident(work: Work, incident: Incident, text_version: int, *, title: str, summary: str, kind: str) -> None:
    """Change title, summary or kind. `text_version` is the one the form started from: Conflict when it is no longer that."""
    work.require(Permission.EDIT, incident)
    if not title.strip():
        raise Invalid(title="Say in a few words what happened.")
    if incident.text_version != text_version:
        raise Conflict(
            "It was edited while you were writing. Nothing of yours was saved; both texts stand here.",
            yours={"Title": title, "What happened": summary, "Kind": kind},
            theirs={"Title": incident.title, "What happened": incident.summary, "Kind": incident.kind},
        )
    before = _outline(incident)
    incident.title, incident.summary, incident.kind = title.strip(), summary.strip(), kind
    incident.text_version += 1
    _index(incident)
    work.record("incident.edit", f"edited {incident.reference}", incident=incident, before=before, after=_outline(incident))


def change_stage(work: Work, incident: Incident, stage: str, reason: str) -> None:
    """Move an incident to another stage, with the reason.

    Closing is refused while a duty is open. Dismissing while duties are open needs somebody who may approve decisions,
    and withdraws them with that reason: nobody makes a deadline vanish alone.
    """
    work.require(Permission.CHANGE_STAGE, incident)
    if stage not in MOVES[incident.stage]:
        raise Invalid(stage=f"From {incident.stage} it cannot go to {stage}.")
    if not reason.strip():
        raise Invalid(reason="Give the reason; it stays in the record.")
    open_duties = [duty for duty in duties_of(incident.id) if duty.is_open]
    if stage == Stage.CLOSED and open_duties:
        raise Invalid(stage=f"It cannot be closed while {_listed(open_duties)} still open.")
    if stage == Stage.DISMISSED and open_duties:
        if not may(work.actor, Permission.APPROVE_DECISION, incident):
            raise NotAllowed(f"dismiss it while {_listed(open_duties)} open: counsel or a manager has to")
        clocks.withdraw_all(work, open_duties, reason)
    before = incident.stage
    work.session.add(
        StageChange(incident_id=incident.id, before=before, after=stage, reason=reason.strip(), by_id=work.actor.id, at=work.now)
    )
    incident.stage = stage
    incident.ended_at = None if stage in OPEN_STAGES else work.now
    work.record(
        "incident.change_stage",
        f"{before} → {stage}",
        incident=incident,
        before={"stage": before},
        after={"stage": stage, "reason": reason.strip()},
    )
    clocks.recompute(work, incident, f"the incident is now {stage}")


def set_lead(work: Work, incident: Incident, person: Person | None) -> None:
    """Say who leads. The lead is put on the incident and told."""
    work.require(Permission.ASSIGN, incident)
    if person is not None and not (person.active and person.role_names & {Role.OFFICER, Role.LEGAL, Role.MANAGER}):
        raise Invalid(lead=f"{person.name} cannot lead an incident: an officer, counsel or a manager can.")
    before, incident.lead_id = incident.lead_id, person.id if person else None
    if person is not None:
        _put_on(work, incident, person)
        if person.id != work.actor.id:
            deliveries.queue(work, "assigned", person=person, content={"part": "lead"}, incident=incident)
    work.record(
        "incident.set_lead",
        f"lead: {person.name if person else 'nobody'}",
        incident=incident,
        before={"lead": before},
        after={"lead": incident.lead_id},
    )
    clocks.replan(work, incident)


def restrict(work: Work, incident: Incident, restricted: bool) -> None:
    """Hide an incident from everybody who is not on it, or open it again. Who restricts it stays on it."""
    work.require(Permission.RESTRICT, incident)
    before, incident.restricted = incident.restricted, restricted
    if restricted:
        _put_on(work, incident, work.actor)
        if incident.lead is not None:
            _put_on(work, incident, incident.lead)
    work.record(
        "incident.restrict",
        "restricted to its members" if restricted else "open to all readers",
        incident=incident,
        before={"restricted": before},
        after={"restricted": restricted},
    )
    clocks.replan(work, incident)


def add_member(work: Work, incident: Incident, person: Person) -> None:
    """Put somebody on an incident."""
    work.require(Permission.RESTRICT, incident)
    if not person.active:
        raise Invalid(person=f"{person.name} can no longer sign in.")
    _put_on(work, incident, person)
    work.record("incident.add_member", f"put {person.name} on it", incident=incident, after={"person": person.id})
    clocks.replan(work, incident)


def remove_member(work: Work, incident: Incident, person: Person) -> None:
    """Take somebody off. A restricted incident keeps at least one active member, and its lead."""
    work.require(Permission.RESTRICT, incident)
    member = next((one for one in incident.memberships if one.person_id == person.id), None)
    if member is None:
        raise Invalid(person=f"{person.name} is not on it.")
    others = [one for one in incident.memberships if one.person_id != person.id and one.person.active]
    if incident.restricted and not others:
        raise Invalid(person="Somebody has to stay on a restricted incident, or nobody could open it.")
    if incident.restricted and incident.lead_id == person.id:
        raise Invalid(person=f"{person.name} leads it. Name another lead first.")
    incident.memberships.remove(member)
    work.session.delete(member)
    work.record("incident.remove_member", f"took {person.name} off it", incident=incident, before={"person": person.id})
    clocks.replan(work, incident)


def _put_on(work: Work, incident: Incident, person: Person) -> None:
    if person.id not in incident.member_ids:
        incident.memberships.append(Membership(person_id=person.id, person=person, added_by_id=work.actor.id, added_at=work.now))
        work.session.flush()


def _outline(incident: Incident) -> dict[str, object]:
    return {"title": incident.title, "summary": incident.summary, "kind": incident.kind, "restricted": incident.restricted}


def _index(incident: Incident) -> None:
    incident.search_text = f"{incident.reference} {incident.title} {incident.summary}".lower()


def _listed(open_duties: Sequence[Duty]) -> str:
    undecided = sum(duty.state == DutyState.UNDECIDED for duty in open_duties)
    decided = len(open_duties) - undecided
    parts = [f"{decided} {'duty' if decided == 1 else 'duties'}"] if decided else []
    parts += [f"{undecided} undecided {'duty' if undecided == 1 else 'duties'}"] if undecided else []
    return " and ".join(parts) + (" is" if len(open_duties) == 1 else " are")
