"""What a regime file may say about a period: numbers, units, ways of counting, combinations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from incident_tracker.rules.conditions import Condition, read_condition
from incident_tracker.rules.sources import Node

UNITS = ("hours", "days", "weeks", "months", "years", "working_days")
COMBINATIONS = ("earlier_of", "later_of")
RELATIONS = ("before", "with", "not_later_than")
COUNTINGS = {
    "hours": ("elapsed", "eu1182"),
    "days": ("calendar", "including_first", "eu1182"),
    "weeks": ("calendar", "eu1182"),
    "months": ("calendar", "eu1182"),
    "years": ("calendar", "eu1182"),
    "working_days": ("excluding_first", "including_first", "full", "sec"),
}
REST_DAYS = ("saturday", "sunday", "holiday")
END_OF_YEAR = "end_of_year"
_OPTIONS = "counting from after roll calendar statutory_calendar until keep_time cites"


@dataclass(frozen=True, slots=True)
class Roll:
    """When a last day moves on: off which days, by whose calendar, to the end of the next day or a time on it."""

    days: frozenset[str]
    calendar: str
    cites: str
    to: time | None = None
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One period, a combination of periods, or an order between two duties.

    `kind` is a unit, a combination or a relation. The number is `number`, or the value of the fact `number_fact`.
    `start` names the trigger it counts from where that is not the obligation's own; `after` the obligation whose
    completion starts it. `other` is the obligation a relation points to. `until` is a time of day on the last day.
    """

    kind: str
    number: int | None = None
    number_fact: str | None = None
    counting: str = ""
    start: str | None = None
    after: str | None = None
    other: str | None = None
    roll: Roll | None = None
    calendar: str | None = None
    statutory_calendar: str | None = None
    until: time | None = None
    keep_time: bool = False
    cites: str = ""
    parts: tuple["Term", ...] = ()

    @property
    def unit(self) -> str:
        """The unit that leads: its own, or that of its first part with one."""
        if self.kind in UNITS:
            return self.kind
        return next((part.unit for part in self.parts if part.unit), "")

    def walk(self) -> "list[Term]":
        """This term and all its parts."""
        return [self, *(found for part in self.parts for found in part.walk())]


@dataclass(frozen=True, slots=True)
class Period:
    """What an obligation says about time: a standard in words, an outer limit, an earliest moment, a duration.

    `nature` says how hard the number is. `lasts` is how long an offered service runs; it makes no deadline.
    """

    standard: str | None
    nature: str | None
    within: Term | None
    not_before: Term | None
    lasts: Term | None

    @property
    def unit(self) -> str:
        """The unit of the outer limit; empty where there is no number."""
        return self.within.unit if self.within else ""


def read_period(node: Node, rolls: Mapping[str, Roll]) -> Period:
    """Read the `period` of an obligation; `rolls` are the regime's named roll rules. Raises RegimeError."""
    keys = node.mapping("", "standard nature within not_before lasts")
    terms = {
        name: read_term(keys[name], rolls) if name in keys else None for name in ("within", "not_before", "lasts")
    }
    if not (terms["within"] or terms["not_before"] or "standard" in keys):
        node.refuse("a period needs a standard in words, a limit (within) or an earliest moment (not_before)")
    return Period(
        standard=keys["standard"].text_or_none() if "standard" in keys else None,
        nature=keys["nature"].text() if "nature" in keys else None,
        **terms,
    )


def read_roll(node: Node, rolls: Mapping[str, Roll]) -> Roll:
    """Read a roll rule, or the name of one that the regime defines. Raises RegimeError."""
    if isinstance(node.value, str):
        if node.value not in rolls:
            node.refuse(f"no roll rule {node.value!r}; defined here: {', '.join(rolls) or 'none'}")
        return rolls[node.value]
    keys = node.mapping("days calendar cites", "to when")
    return Roll(
        days=frozenset(day.one_of(*REST_DAYS) for day in keys["days"].items()),
        calendar=keys["calendar"].text(),
        cites=keys["cites"].text(),
        to=_clock(keys["to"]) if "to" in keys else None,
        when=read_condition(keys["when"]) if "when" in keys else None,
    )


def read_term(node: Node, rolls: Mapping[str, Roll]) -> Term:
    """Read one term: a unit with its number, a combination or a relation. Raises RegimeError."""
    keys = node.mapping()
    kinds = [key for key in keys if key in (*UNITS, *COMBINATIONS, *RELATIONS)]
    if len(kinds) != 1:
        node.refuse(f"expected exactly one of {', '.join((*UNITS, *COMBINATIONS, *RELATIONS))}")
    kind = kinds[0]
    if kind in COMBINATIONS:
        keys = node.mapping(kind, "cites")
        parts = tuple(read_term(part, rolls) for part in keys[kind].items())
        if len(parts) < 2:
            node.refuse(f"{kind} needs at least two terms")
        return Term(kind, parts=parts, cites=_text(keys, "cites"))
    if kind in RELATIONS:
        keys = node.mapping(kind, "cites")
        return Term(kind, other=keys[kind].text(), cites=_text(keys, "cites"))
    return _counted(node, kind, rolls)


def _counted(node: Node, kind: str, rolls: Mapping[str, Roll]) -> Term:
    keys = node.mapping(kind, _OPTIONS)
    number, number_fact = _number(keys[kind])
    countings = COUNTINGS[kind]
    counting = keys["counting"].one_of(*countings) if "counting" in keys else countings[0]
    if kind == "working_days" and "calendar" not in keys:
        node.refuse("working days need a calendar")
    if "from" in keys and "after" in keys:
        node.refuse("a term counts from a moment or after a duty, not both")
    return Term(
        kind,
        number=number,
        number_fact=number_fact,
        counting=counting,
        start=_text(keys, "from") or None,
        after=_text(keys, "after") or None,
        roll=read_roll(keys["roll"], rolls) if "roll" in keys else None,
        calendar=_text(keys, "calendar") or None,
        statutory_calendar=_text(keys, "statutory_calendar") or None,
        until=_clock(keys["until"]) if "until" in keys else None,
        keep_time=keys["keep_time"].flag() if "keep_time" in keys else False,
        cites=_text(keys, "cites"),
    )


def _number(node: Node) -> tuple[int | None, str | None]:
    if isinstance(node.value, dict):
        return None, node.mapping("fact")["fact"].text()
    return node.integer(), None


def _text(keys: Mapping[str, Node], name: str) -> str:
    return keys[name].text() if name in keys else ""


def _clock(node: Node) -> time:
    try:
        return time.fromisoformat(node.text())
    except ValueError:
        node.refuse(f"expected a time of day as HH:MM, found {node.text()!r}")
