"""Who is told when a rung fires, and the messages that tell them: a few queries and one insert for a whole batch."""

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, literal, literal_column, select

from incident_tracker.models.alerts import Acknowledgement
from incident_tracker.models.base import UTCDateTime
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident, Membership
from incident_tracker.models.messages import Message
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
    told_of: list[tuple[Firing, int]] = []
    unheard = []
    for firing in firings:
        takers = taken_by(receipts[firing.duty_id], firing.deadline_at, work.now)
        people = told(firing.audience, circles[firing.duty_id], staff, takers)
        told_of += [(firing, person) for person in sorted(people)]
        if not people:
            unheard.append(firing.rung_id)
    for channel in channels:
        _write(work, channel, told_of)
    return unheard


def _write(work: Work, channel: str, told_of: Sequence[tuple[Firing, int]]) -> None:
    """One insert. What is the same in all rows stands in the statement: thousands of rungs can be due in one second."""
    is_bell, salt = channel == "bell", secrets.token_hex(8)
    rows = [
        {
            "rung_id": firing.rung_id, "duty_id": firing.duty_id, "incident_id": firing.incident_id, "person_id": person,
            "message_id": None if is_bell else f"warning.{salt}.{firing.rung_id}.{person}",
        }
        for firing, person in told_of
    ]
    dialect = work.session.get_bind().dialect
    now: ColumnElement[Any] = literal_column(str(literal(work.now, UTCDateTime()).compile(dialect=dialect, compile_kwargs={"literal_binds": True})))
    same = {
        "channel": literal_column(f"'{channel}'"), "kind": literal_column("'warning'"), "content": literal_column("'{}'"), "created_at": now,
        "attempts": literal_column("0"), "sent_at" if is_bell else "next_attempt_at": now,
    }
    if rows:
        work.session.connection().execute(insert(Message.__table__).values(same), rows)  # type: ignore[arg-type]


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
    duty_ids = {firing.duty_id for firing in firings}
    owners: dict[int, set[int]] = defaultdict(set)
    beside = select(Duty.warned_with_id, Duty.owner_id).where(Duty.warned_with_id.in_(duty_ids), Duty.done_at.is_(None))
    for duty, owner in work.session.execute(beside):
        if duty is not None and owner is not None:
            owners[duty].add(owner)
    query = (
        select(Duty.id, Duty.owner_id, Incident.id, Incident.lead_id, Incident.restricted)
        .join(Incident, Incident.id == Duty.incident_id).where(Duty.id.in_(duty_ids))
    )
    return {
        duty: Circle(owner, lead, restricted, frozenset(members[incident]), frozenset(owners[duty]))
        for duty, owner, incident, lead, restricted in work.session.execute(query)
    }


def _receipts(work: Work, firings: Sequence[Firing]) -> dict[int, list[Receipt]]:
    query = select(Acknowledgement.duty_id, Acknowledgement.person_id, Acknowledgement.at, Acknowledgement.deadline_at)
    found: dict[int, list[Receipt]] = defaultdict(list)
    for duty, person, at, deadline in work.session.execute(query.where(Acknowledgement.duty_id.in_({firing.duty_id for firing in firings}))):
        found[duty].append(Receipt(person, at, deadline))
    return found
