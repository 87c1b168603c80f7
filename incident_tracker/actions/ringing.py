"""Who is told when a rung fires, and the messages that tell them: a few queries and one insert for a whole batch."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from incident_tracker.models.alerts import Acknowledgement
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.incidents import Incident, Membership
from incident_tracker.models.messages import add_warnings
from incident_tracker.models.people import Person, Role, person_role
from incident_tracker.rules.audiences import Circle, Receipt, Staff, taken_by, told
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("ring",)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rung that fires, and how many earlier ones it stands for."""

    rung_id: int
    duty_id: int
    incident_id: int
    key: str
    planned_at: datetime
    due_at: datetime
    deadline_at: datetime
    audience: Sequence[str]
    overtaken: int = 0


def ring(work: Work, firings: Sequence[Firing], channels: Collection[str]) -> list[int]:
    """Write one message a person and channel for each rung that fires; returns the rungs for which nobody is left to tell.

    What lies on the bell has arrived; everything else waits to be sent. The text is made when it is sent, not here.
    """
    if not firings:
        return []
    staff = Staff(_roles(work))
    circles, receipts = _circles(work, firings), _receipts(work, firings)
    addressed: list[tuple[int, int, int, int]] = []
    unheard = []
    for firing in firings:
        takers = taken_by(receipts[firing.duty_id], firing.deadline_at, work.now)
        people = told(firing.audience, circles[firing.duty_id], staff, takers)
        addressed += [(firing.rung_id, firing.duty_id, firing.incident_id, person) for person in sorted(people)]
        if not people:
            unheard.append(firing.rung_id)
    for channel in channels:
        add_warnings(work.session, channel, work.now, addressed)
    return unheard


def _roles(work: Work) -> dict[int, set[str]]:
    """The roles of everybody who is active."""
    query = (
        select(Person.id, Role.name).outerjoin(person_role, person_role.c.person_id == Person.id).outerjoin(Role, Role.id == person_role.c.role_id)
        .where(Person.active)
    )
    found: dict[int, set[str]] = defaultdict(set)
    for person, role in work.session.execute(query):
        found[person].update({role} if role else ())
    return found


def _circles(work: Work, firings: Sequence[Firing]) -> dict[int, Circle]:
    members: dict[int, set[int]] = defaultdict(set)
    on_them = select(Membership.incident_id, Membership.person_id).where(Membership.incident_id.in_({firing.incident_id for firing in firings}))
    for incident, person in work.session.execute(on_them):
        members[incident].add(person)
    query = (
        select(Duty.id, Duty.state, Duty.owner_id, Incident.id, Incident.lead_id, Incident.restricted)
        .join(Incident, Incident.id == Duty.incident_id).where(Duty.id.in_({firing.duty_id for firing in firings}))
    )
    rows = work.session.execute(query).all()
    beside = _owners_beside(work, {row[0]: row[3] for row in rows if row.state == DutyState.UNDECIDED})
    return {
        duty: Circle(owner, lead, restricted, frozenset(members[incident]), frozenset(beside[duty]))
        for duty, _, owner, incident, lead, restricted in rows
    }


def _owners_beside(work: Work, incidents: Mapping[int, int]) -> dict[int, set[int]]:
    """Who owns the duties that are warned of with these undecided ones; `incidents` maps those to their incidents."""
    query = select(Duty.warned_with_id, Duty.owner_id).where(
        Duty.incident_id.in_(set(incidents.values())), Duty.warned_with_id.in_(incidents), Duty.done_at.is_(None),
    )
    found: dict[int, set[int]] = defaultdict(set)
    for duty, owner in work.session.execute(query) if incidents else ():
        if duty is not None and owner is not None:
            found[duty].add(owner)
    return found


def _receipts(work: Work, firings: Sequence[Firing]) -> dict[int, list[Receipt]]:
    query = select(Acknowledgement.duty_id, Acknowledgement.person_id, Acknowledgement.at, Acknowledgement.deadline_at)
    found: dict[int, list[Receipt]] = defaultdict(list)
    for duty, person, at, deadline in work.session.execute(query.where(Acknowledgement.duty_id.in_({firing.duty_id for firing in firings}))):
        found[duty].append(Receipt(person, at, deadline))
    return found
