"""Whom a warning reaches: people found by what they may know, their roles, and who has taken the duty."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from incident_tracker.rules.permissions import GRANTS, Permission, Role

_READERS = GRANTS[Permission.READ]
_COULD_OWN = frozenset({Role.OFFICER, Role.LEGAL})
_WATCH = frozenset({Role.OFFICER, Role.LEGAL, Role.MANAGER})
_ROLE_OF = {"legal": Role.LEGAL, "managers": Role.MANAGER}


class Staff:
    """Everybody who is active, sorted once for many warnings. `roles` maps a person's id to the names of their roles.

    `on_call` are those whose hours it is; `stand_ins` maps who is away to who stands in.
    """

    def __init__(self, roles: Mapping[int, Collection[str]], on_call: Collection[int] = (), stand_ins: Mapping[int, int] | None = None) -> None:
        self.active = frozenset(roles)
        self.stand_ins = {away: other for away, other in (stand_ins or {}).items() if other in self.active}
        self.readers = self._with(roles, _READERS)
        self.could_own = self._with(roles, _COULD_OWN)
        self.watch = self._with(roles, _WATCH)
        self.by_audience = {audience: self._with(roles, {role}) for audience, role in _ROLE_OF.items()} | {"on_call": self.active & frozenset(on_call)}

    @staticmethod
    def _with(roles: Mapping[int, Collection[str]], wanted: Collection[str]) -> frozenset[int]:
        return frozenset(one for one, held in roles.items() if not frozenset(wanted).isdisjoint(held))


@dataclass(frozen=True, slots=True)
class Circle:
    """The people around one duty: its owner, its incident's lead, the incident's members, and whether only they may know of it.

    `beside` are the owners of duties that are warned of with this one.
    """

    owner: int | None
    lead: int | None
    restricted: bool
    members: frozenset[int]
    beside: frozenset[int] = frozenset()

    def active(self, staff: Staff) -> frozenset[int]:
        """The members who did not leave."""
        return self.members & staff.active

    def may_know(self, person: int | None, staff: Staff) -> bool:
        """Whether a person is active and may know of the incident."""
        return person in staff.active and (person in self.members or (not self.restricted and person in staff.readers))


@dataclass(frozen=True, slots=True)
class Receipt:
    """One acknowledgement: who, when, and of which deadline (UTC)."""

    person: int
    at: datetime
    deadline_at: datetime | None

    def counts(self, deadline: datetime, now: datetime) -> bool:
        """Whether it holds `now` (UTC): it is of the same deadline, and once that has passed, was given since it passed."""
        return self.deadline_at == deadline and (now < deadline or self.at >= deadline)


def told(wanted: Iterable[str], circle: Circle, staff: Staff, taken_by: Collection[int] = ()) -> frozenset[int]:
    """Who is told; `taken_by` are those who acknowledged this deadline. Who stands in for somebody away is told as well, and first.

    Nobody who may not know of the incident is ever told. It is empty only if no active person may know of it.
    """
    takers = frozenset(one for one in taken_by if circle.may_know(one, staff))
    found = frozenset(one for one in circle.beside if circle.may_know(one, staff))
    if takers:
        return with_stand_ins(_named(circle, staff) | takers | found, circle, staff)
    for audience in wanted:
        found |= _audience(audience, circle, staff)
    return with_stand_ins(found or _anybody(circle, staff), circle, staff)


def next_in_line(circle: Circle, staff: Staff, already: Collection[int]) -> frozenset[int]:
    """Who hears of a warning that could not reach somebody: the first of these who have not heard it.

    Who stands in, the owner, the lead, counsel, managers, who is on call, all who could own the duty, everybody who may know.
    """
    heard = frozenset(already)
    line = (
        with_stand_ins(heard, circle, staff), _named(circle, staff), _lead(circle, staff),
        *(_audience(audience, circle, staff) for audience in ("legal", "managers", "on_call")),
        _among(staff.could_own, circle, staff), _anybody(circle, staff),
    )
    return next((fresh for group in line if (fresh := group - heard)), frozenset())


def with_stand_ins(people: frozenset[int], circle: Circle, staff: Staff) -> frozenset[int]:
    """These, and whoever stands in for those who are away; a stand-in who is away has one too. It must be somebody who may know."""
    found = set(people)
    waiting = list(people)
    while waiting:
        other = staff.stand_ins.get(waiting.pop())
        if other is not None and other not in found:
            waiting.append(other)
            if circle.may_know(other, staff):
                found.add(other)
    return frozenset(found)


def taken_by(receipts: Iterable[Receipt], deadline: datetime, now: datetime) -> frozenset[int]:
    """Who has acknowledged so that it counts `now`."""
    return frozenset(one.person for one in receipts if one.counts(deadline, now))


def _audience(audience: str, circle: Circle, staff: Staff) -> frozenset[int]:
    if audience == "owner":
        return _owner(circle, staff)
    if audience == "lead":
        return _lead(circle, staff)
    if audience == "on_call":
        # on a restricted incident nobody stands for them: whoever is on call and on the incident, or nobody
        return frozenset(one for one in staff.by_audience[audience] if circle.may_know(one, staff))
    return _among(staff.by_audience[audience], circle, staff)


def _lead(circle: Circle, staff: Staff) -> frozenset[int]:
    return frozenset({circle.lead}) if circle.lead is not None and circle.may_know(circle.lead, staff) else frozenset()


def _named(circle: Circle, staff: Staff) -> frozenset[int]:
    """The owner, else the lead."""
    for one in (circle.owner, circle.lead):
        if one is not None and circle.may_know(one, staff):
            return frozenset({one})
    return frozenset()


def _owner(circle: Circle, staff: Staff) -> frozenset[int]:
    """The owner, else the lead, else everybody who could own the duty."""
    return _named(circle, staff) or _among(staff.could_own, circle, staff)


def _among(wanted: frozenset[int], circle: Circle, staff: Staff) -> frozenset[int]:
    """Those wanted; on a restricted incident the members among them, and if there are none, all members."""
    return (wanted & circle.members or circle.active(staff)) if circle.restricted else wanted


def _anybody(circle: Circle, staff: Staff) -> frozenset[int]:
    if circle.restricted:
        return circle.active(staff)
    return staff.watch or circle.active(staff) or staff.readers
