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
    """Everybody who is active, sorted once for many warnings. `roles` maps a person's id to the names of their roles."""

    def __init__(self, roles: Mapping[int, Collection[str]]) -> None:
        self.active = frozenset(roles)
        self.readers = self._with(roles, _READERS)
        self.could_own = self._with(roles, _COULD_OWN)
        self.watch = self._with(roles, _WATCH)
        self.by_audience = {audience: self._with(roles, {role}) for audience, role in _ROLE_OF.items()}

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


def told(wanted: Iterable[str], circle: Circle, staff: Staff, taken_by: Collection[int] = ()) -> frozenset[int]:
    """Who is told; `taken_by` are those who acknowledged this deadline.

    Nobody who may not know of the incident is ever told. It is empty only if no active person may know of it.
    """
    takers = frozenset(one for one in taken_by if circle.may_know(one, staff))
    found = frozenset(one for one in circle.beside if circle.may_know(one, staff))
    if takers:
        return _named(circle, staff) | takers | found
    for audience in wanted:
        found |= _owner(circle, staff) if audience == "owner" else _among(staff.by_audience[audience], circle, staff)
    return found or _anybody(circle, staff)


def taken_by(receipts: Iterable[Receipt], deadline: datetime, now: datetime) -> frozenset[int]:
    """Who has acknowledged so that it counts `now`: the same deadline, and once it has passed, since it passed."""
    return frozenset(one.person for one in receipts if one.deadline_at == deadline and (now < deadline or one.at >= deadline))


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
