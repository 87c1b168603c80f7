"""Countries, states and the groups they belong to, with the days on which they joined and left."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

from incident_tracker.rules.catalogues import PACKAGE_FOLDER
from incident_tracker.rules.sources import Node, read_yaml

_UNKNOWN_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Place:
    """A country ("DE") or a part of one ("US-NY"): its name, its usual IANA zone, its holiday calendar."""

    code: str
    name: str
    zone: str
    calendar: str | None = None

    @property
    def country(self) -> str:
        """The country this place belongs to; a country belongs to itself."""
        return self.code.split("-")[0]


@dataclass(frozen=True, slots=True)
class Membership:
    """A place's time in a group; a place may join again later."""

    place: str
    since: date | None = None
    until: date | None = None

    def holds_on(self, day: date | None) -> bool:
        """Say whether it holds on a day; without a day, whether it has not ended."""
        if day is None:
            return self.until is None
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Places:
    """All known places and groups; answers who belongs where on which day."""

    by_code: Mapping[str, Place]
    groups: Mapping[str, tuple[Membership, ...]]
    aliases: Mapping[str, str]
    cache: dict[tuple[str, date | None], frozenset[str]] = field(default_factory=dict, compare=False)

    def normal(self, code: str) -> str:
        """The one code of a place that has several (UK is GB, EL is GR)."""
        head, dash, tail = code.strip().upper().partition("-")
        return self.aliases.get(head, head) + dash + tail

    def members(self, group: str, day: date | None = None) -> frozenset[str]:
        """The places of a group on a day; without a day, those that have not left."""
        key = (group, day)
        if key not in self.cache:
            self.cache[key] = frozenset(one.place for one in self.groups[group] if one.holds_on(day))
        return self.cache[key]

    def is_in(self, code: str, group: str, day: date | None = None) -> bool:
        """Say whether a place, or the country it is part of, belongs to a group on a day."""
        members = self.members(group, day)
        return code in members or code.split("-")[0] in members

    def name(self, code: str) -> str:
        """The name of a place; its code where it has none here."""
        place = self.find(code)
        return place.name if place and place.code == code else code

    def zone(self, code: str) -> str:
        """The usual zone of a place or of its country."""
        place = self.find(code)
        return place.zone if place else _UNKNOWN_ZONE

    def find(self, code: str) -> Place | None:
        """The place, else the country it is part of, else None."""
        return self.by_code.get(code) or self.by_code.get(code.split("-")[0])


def read_places(*folders: Path) -> Places:
    """Read places.yaml of every folder that has one; a later one adds and corrects. Raises RegimeError."""
    by_code: dict[str, Place] = {}
    groups: dict[str, tuple[Membership, ...]] = {}
    aliases: dict[str, str] = {}
    for folder in folders:
        path = folder / "places.yaml"
        if not path.exists():
            continue
        keys = read_yaml(path, path.name).mapping("", "places groups aliases")
        if "places" in keys:
            by_code.update((code, _place(code, node)) for code, node in keys["places"].mapping().items())
        if "aliases" in keys:
            aliases.update((code, node.text()) for code, node in keys["aliases"].mapping().items())
        if "groups" in keys:
            groups.update((name, _group(node, by_code)) for name, node in keys["groups"].mapping().items())
    return Places(by_code, groups, aliases)


@lru_cache(maxsize=1)
def default_places() -> Places:
    """The places that come with the tracker."""
    return read_places(PACKAGE_FOLDER)


def _place(code: str, node: Node) -> Place:
    keys = node.mapping("name zone", "calendar")
    calendar = keys["calendar"].text() if "calendar" in keys else None
    return Place(code, keys["name"].text(), keys["zone"].text(), calendar)


def _group(node: Node, known: Mapping[str, Place]) -> tuple[Membership, ...]:
    found = []
    for code, dates in node.mapping().items():
        if code not in known:
            dates.refuse(f"the place {code!r} is not listed under places")
        keys = {} if dates.value is None else dates.mapping("", "since until")
        since = keys["since"].day() if "since" in keys else None
        until = keys["until"].day() if "until" in keys else None
        found.append(Membership(code, since, until))
    return tuple(found)
