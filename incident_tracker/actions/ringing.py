"""Who is told when a rung fires, and the messages that tell them: a few queries and one insert for a whole batch."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from incident_tracker.actions import rooms
from incident_tracker.models.alerts import Acknowledgement, Rung
from incident_tracker.models.base import among
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.incidents import Incident, Membership
from incident_tracker.models.messages import Message, add_warnings
from incident_tracker.models.people import Person, Role, person_role
from incident_tracker.models.rotas import on_call_at, stand_ins_at
from incident_tracker.rules.audiences import Circle, Receipt, Staff, next_in_line, taken_by, told
from incident_tracker.rules.ladder import UNANSWERED
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("ring", "pass_on")

# put together once: for a single warning that takes longer than to ask them
_ROLES = (
    select(Person.id, Role.name).outerjoin(person_role, person_role.c.person_id == Person.id).outerjoin(Role, Role.id == person_role.c.role_id)
    .where(Person.active)
)
_MEMBERS = select(Membership.incident_id, Membership.person_id)
_AROUND = (
    select(Duty.id, Duty.state, Duty.owner_id, Incident.id, Incident.lead_id, Incident.restricted).join(Incident, Incident.id == Duty.incident_id)
)
_RECEIVED = select(Acknowledgement.duty_id, Acknowledgement.person_id, Acknowledgement.at, Acknowledgement.deadline_at)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rung that fires, and how many earlier ones it stands for."""

    rung_id: int
    duty_id: int
    incident_id: int
    key: str
    due_at: datetime
    planned_at: datetime
    deadline_at: datetime
    audience: Sequence[str]
    #: the channels it goes by beside the bell; empty: all that are set up
    channels: Sequence[str] = ()
    overtaken: int = 0


@dataclass(frozen=True, slots=True)
class Rang:
    """What came of ringing, by rung: `unheard` reached nobody, `answered` needed no more, `taken` somebody had acknowledged."""

    unheard: Sequence[int]
    answered: Sequence[int]
    taken: Collection[int]


def ring(work: Work, firings: Sequence[Firing], channels: Collection[str]) -> Rang:
    """Write one message a person and channel for each rung that fires.

    What lies on the bell has arrived; everything else waits to be sent. The text is made when it is sent, not here. A warning
    that follows an unanswered one is not given where somebody has acknowledged by now.
    """
    if not firings:
        return Rang((), (), ())
    staff = _staff(work)
    circles, receipts = _circles(work, firings), _receipts(work, firings)
    addressed: list[tuple[int, int, int, int]] = []
    unheard, answered, taken = [], [], set()
    for firing in firings:
        circle = circles[firing.duty_id]
        takers = taken_by(receipts[firing.duty_id], firing.deadline_at, work.now)
        if any(circle.may_know(one, staff) for one in takers):
            taken.add(firing.rung_id)
            if firing.key.startswith(UNANSWERED):
                answered.append(firing.rung_id)
                continue
        people = told(firing.audience, circle, staff, takers)
        addressed += [(firing.rung_id, firing.duty_id, firing.incident_id, person) for person in sorted(people)]
        if not people:
            unheard.append(firing.rung_id)
    _write(work, firings, addressed, channels)
    open_to_all = [one for one in firings if one.rung_id not in taken and not circles[one.duty_id].restricted]
    rooms.ring(work, [(one.rung_id, one.duty_id, one.incident_id) for one in open_to_all], addressed, {one.rung_id: one.channels for one in firings})
    return Rang(unheard, answered, taken)


def _write(work: Work, firings: Sequence[Firing], addressed: Sequence[tuple[int, int, int, int]], channels: Collection[str]) -> None:
    """A warning that names channels goes by those of them that are on, and the bell; if none of them is, by all: it must arrive."""
    named = {firing.rung_id: frozenset(firing.channels) for firing in firings if not frozenset(firing.channels).isdisjoint(channels)}
    for channel in channels:
        meant = [one for one in addressed if channel == "bell" or channel in named.get(one[0], (channel,))]
        add_warnings(work.session, channel, work.now, meant)


def pass_on(work: Work, refused: Sequence[Message]) -> list[int]:
    """A letter was refused for good: its warnings go by the person's next channel, and to whoever is next in line; returns who that is.

    Nobody is told twice of one rung by one channel, and nobody who may not know of the incident.
    """
    warnings = [one for one in refused if one.kind == "warning" and one.rung is not None and one.person_id is not None]
    firings = {one.rung.id: _firing_of(one.rung) for one in warnings if one.rung is not None and not _goes_another_way(work, one)}
    rooms.fall_back(work, [(one.rung.id, one.rung.duty_id, one.rung.incident_id, one.person_id) for one in warnings if one.rung is not None])
    if not firings:
        return []
    # two letters of one warning may be refused at the same moment: whoever comes second sees whom the first has told
    work.session.execute(select(Rung.id).where(Rung.id.in_(firings)).order_by(Rung.id).with_for_update())
    staff, circles, heard = _staff(work), _circles(work, list(firings.values())), _who_heard(work, firings)
    addressed = [
        (firing.rung_id, firing.duty_id, firing.incident_id, person)
        for firing in firings.values()
        for person in sorted(next_in_line(circles[firing.duty_id], staff, heard[firing.rung_id]))
    ]
    rang = _rang(work, firings)
    add_warnings(work.session, "bell", work.now, [one for one in addressed if (one[0], one[3]) not in rang])
    add_warnings(work.session, "email", work.now, addressed)
    rooms.ring(work, (), addressed, {})
    return sorted({one[3] for one in addressed})


def _goes_another_way(work: Work, refused: Message) -> bool:
    """Whether another letter of the same warning reached the same person, or is on its way to them."""
    query = select(Message.id).where(
        Message.rung_id == refused.rung_id, Message.person_id == refused.person_id, Message.channel.not_in(("bell", refused.channel)),
        or_(Message.sent_at.is_not(None), Message.next_attempt_at.is_not(None)),
    )
    return bool(work.session.scalar(select(query.exists())))


def _who_heard(work: Work, rung_ids: Collection[int]) -> dict[int, set[int]]:
    """To whom letters of these rungs are or were on their way."""
    query = select(Message.rung_id, Message.person_id).where(Message.rung_id.in_(rung_ids), Message.channel != "bell")
    found: dict[int, set[int]] = defaultdict(set)
    for rung_id, person_id in work.session.execute(query):
        if rung_id is not None and person_id is not None:
            found[rung_id].add(person_id)
    return found


def _rang(work: Work, rung_ids: Collection[int]) -> frozenset[tuple[int | None, int | None]]:
    query = select(Message.rung_id, Message.person_id).where(Message.rung_id.in_(rung_ids), Message.channel == "bell")
    return frozenset((row.rung_id, row.person_id) for row in work.session.execute(query))


def _firing_of(rung: Rung) -> Firing:
    return Firing(rung.id, rung.duty_id, rung.incident_id, rung.key, rung.due_at, rung.planned_at, rung.deadline_at, rung.audience, rung.channels)


def _staff(work: Work) -> Staff:
    return Staff(_roles(work), on_call_at(work.now), stand_ins_at(work.now))


def _roles(work: Work) -> dict[int, set[str]]:
    """The roles of everybody who is active."""
    found: dict[int, set[str]] = defaultdict(set)
    for person, role in work.session.connection().execute(_ROLES):
        found[person].update({role} if role else ())
    return found


def _circles(work: Work, firings: Sequence[Firing]) -> dict[int, Circle]:
    members: dict[int, set[int]] = defaultdict(set)
    incidents = {firing.incident_id for firing in firings}
    for incident, person in work.session.connection().execute(_MEMBERS.where(among(work.session, Membership.incident_id, incidents))):
        members[incident].add(person)
    rows = work.session.connection().execute(_AROUND.where(among(work.session, Duty.id, {firing.duty_id for firing in firings}))).all()
    beside = _owners_beside(work, {row[0]: row[3] for row in rows if row.state == DutyState.UNDECIDED})
    # many duties of one incident have the same people around them
    known = {incident: frozenset(members[incident]) for incident in incidents}
    return {
        duty: Circle(owner, lead, restricted, known[incident], frozenset(beside[duty]) if duty in beside else frozenset())
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
    found: dict[int, list[Receipt]] = defaultdict(list)
    of_them = among(work.session, Acknowledgement.duty_id, {firing.duty_id for firing in firings})
    for duty, person, at, deadline in work.session.connection().execute(_RECEIVED.where(of_them)):
        found[duty].append(Receipt(person, at, deadline))
    return found
