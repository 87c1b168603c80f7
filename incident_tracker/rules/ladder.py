"""Clock → rungs: which warnings a deadline gets, when, told to whom, how loud; and how the waiting ones follow a moved clock."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from incident_tracker.rules.sources import Node, RegimeError, read_yaml

__all__ = [
    "AUDIENCES", "LOUDNESS", "Agreement", "Ladder", "LadderError", "PlannedRung", "Reminder", "Standing", "Step",
    "agree", "choose", "load_ladders", "next_after_deadline", "plan", "reminder_number",
]

#: who can be told; each stands for people found when the warning fires
AUDIENCES = ("owner", "legal", "managers")
LOUDNESS = ("quiet", "normal", "loud")
#: keys that are made here and that no file may use
REMINDER, AGAIN = "overdue-", "again-"
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class LadderError(ValueError):
    """A ladder file that breaks a rule; reads "file:line: what is wrong"."""


@dataclass(frozen=True, slots=True)
class Step:
    """One warning of a ladder. `before` counts back from the deadline; None is the start of the clock."""

    key: str
    before: timedelta | None
    audience: tuple[str, ...]
    loudness: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """Warnings after the deadline: one `every` so often, for the time `lasting`; None is until the duty is met."""

    every: timedelta
    lasting: timedelta | None
    audience: tuple[str, ...]
    loudness: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """The warnings of one kind of clock: `basis` is "law" or "target", `up_to` the longest clock it is for (None: any)."""

    name: str
    basis: str
    up_to: timedelta | None
    steps: tuple[Step, ...]
    reminders: tuple[Reminder, ...]


@dataclass(frozen=True, slots=True)
class PlannedRung:
    """A warning with its moment (UTC)."""

    key: str
    due_at: datetime
    audience: tuple[str, ...]
    loudness: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A rung as it is remembered; `outcome` None is waiting, else fired, unheard, overtaken or cancelled at `ended_at`."""

    id: int
    key: str
    due_at: datetime
    deadline_at: datetime
    audience: tuple[str, ...]
    loudness: str
    outcome: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What must change so that the remembered rungs agree with the clock.

    `cancel` and `overtake` end waiting rungs or keep cancelled ones ended; `renew` makes a waiting or cancelled rung wait
    for the moment given; `add` and `add_overtaken` are rungs not remembered yet.
    """

    cancel: tuple[int, ...] = ()
    overtake: tuple[int, ...] = ()
    renew: tuple[tuple[int, PlannedRung], ...] = ()
    add: tuple[PlannedRung, ...] = ()
    add_overtaken: tuple[PlannedRung, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cancel or self.overtake or self.renew or self.add or self.add_overtaken)


def choose(ladders: Mapping[str, Ladder], length: timedelta, basis: str = "law") -> Ladder:
    """The shortest ladder of its kind that a clock of this length fits on."""
    fitting = [one for one in ladders.values() if one.basis == basis and (one.up_to is None or length <= one.up_to)]
    return min(fitting, key=lambda one: timedelta.max if one.up_to is None else one.up_to)


def plan(ladder: Ladder, start: datetime, deadline: datetime) -> list[PlannedRung]:
    """The warnings from the start of a clock to its deadline, in order; those that would fall on or before the start are left out."""
    rungs = []
    for step in ladder.steps:
        due_at = start if step.before is None else deadline - step.before
        is_last = step.before == timedelta(0)
        if is_last or (step.before is None and start < deadline) or start < due_at < deadline:
            rungs.append(PlannedRung(step.key, due_at, step.audience, step.loudness))
    return sorted(rungs, key=lambda rung: rung.due_at)


def next_after_deadline(ladder: Ladder, deadline: datetime, after: datetime) -> PlannedRung:
    """The first reminder later than `after`; its key counts all reminders since the deadline, sent or not."""
    since, counted = max(after - deadline, timedelta(0)), 0
    base = timedelta(0)
    for reminder in ladder.reminders:
        number = max(1, (since - base) // reminder.every + 1)
        if reminder.lasting is None or number <= reminder.lasting // reminder.every:
            return PlannedRung(f"{REMINDER}{counted + number}", deadline + base + number * reminder.every, reminder.audience, reminder.loudness)
        counted += reminder.lasting // reminder.every
        base += reminder.lasting // reminder.every * reminder.every
    raise AssertionError("the last reminder of a ladder has no end")


def reminder_number(key: str) -> int:
    """Which reminder since the deadline a key names; 0 for one up to the deadline."""
    return int(key.removeprefix(REMINDER)) if key.startswith(REMINDER) else 0


def agree(ladder: Ladder | None, start: datetime, deadline: datetime, now: datetime, remembered: Iterable[Standing]) -> Agreement:
    """What must change so that the waiting rungs are those of this clock; `ladder` None: no warning is needed any more.

    A rung that fired, or was overtaken, for the same deadline is never repeated. Of the new rungs whose moment has passed
    only the most urgent waits, to be fired at once, and only if none later has been fired. All moments are UTC.
    """
    remembered = list(remembered)
    waiting = [rung for rung in remembered if rung.outcome is None]
    if ladder is None:
        return Agreement(cancel=tuple(rung.id for rung in waiting))
    known = {rung.key: rung for rung in remembered if rung.deadline_at == deadline}
    planned = plan(ladder, start, deadline)
    keys = {rung.key for rung in planned}
    gone = [rung for rung in waiting if rung.deadline_at != deadline or (rung.key not in keys and not rung.key.startswith((REMINDER, AGAIN)))]
    fresh = [rung for rung in planned if rung.key not in known or known[rung.key].outcome == "cancelled"]
    moved = [(known[rung.key].id, rung) for rung in planned if rung.key in known and known[rung.key].outcome is None and _differs(known[rung.key], rung)]
    at_once = _most_urgent(fresh, known.values(), now)
    folded = [rung for rung in fresh if rung.due_at <= now and rung is not at_once]
    wanted = [rung for rung in fresh if rung not in folded]
    wanted += _reminder(ladder, deadline, now, known, planned, at_once)
    wanted += _again(deadline, now, remembered, known, planned, at_once)
    return Agreement(
        cancel=tuple(rung.id for rung in gone),
        overtake=tuple(known[rung.key].id for rung in folded if rung.key in known),
        renew=(*moved, *((known[rung.key].id, rung) for rung in wanted if rung.key in known)),
        add=tuple(rung for rung in wanted if rung.key not in known),
        add_overtaken=tuple(rung for rung in folded if rung.key not in known),
    )


def _differs(standing: Standing, rung: PlannedRung) -> bool:
    return (standing.due_at, standing.audience, standing.loudness) != (rung.due_at, rung.audience, rung.loudness)


def _most_urgent(fresh: Iterable[PlannedRung], known: Iterable[Standing], now: datetime) -> PlannedRung | None:
    past = max((rung for rung in fresh if rung.due_at <= now), key=lambda rung: rung.due_at, default=None)
    said = [rung.due_at for rung in known if rung.outcome in ("fired", "unheard") or (rung.outcome is None and rung.due_at <= now)]
    return None if past is None or (said and max(said) >= past.due_at) else past


def _reminder(
    ladder: Ladder, deadline: datetime, now: datetime, known: Mapping[str, Standing], planned: list[PlannedRung], at_once: PlannedRung | None
) -> Iterator[PlannedRung]:
    """The next reminder, unless one waits already or the deadline's own rung still does: that one brings it when it fires."""
    last = planned[-1]
    waiting = [rung for rung in known.values() if rung.outcome is None]
    if now >= deadline and at_once is not last and not any(rung.key == last.key or rung.key.startswith(REMINDER) for rung in waiting):
        rung = next_after_deadline(ladder, deadline, now)
        # one that fired already, by a clock that had run ahead, is never made to wait again: see `actions.clock_jumps`
        if rung.key not in known or known[rung.key].outcome == "cancelled":
            yield rung


def _again(
    deadline: datetime, now: datetime, remembered: list[Standing], known: Mapping[str, Standing],
    planned: list[PlannedRung], at_once: PlannedRung | None,
) -> Iterator[PlannedRung]:
    """A deadline that was moved away and back: its passed rungs are not repeated, but people must hear that it counts again."""
    fired = [rung for rung in remembered if rung.outcome in ("fired", "unheard") and rung.ended_at is not None]
    latest = max(fired, key=lambda rung: (rung.ended_at, rung.id), default=None)
    says_so = at_once is not None or any(rung.outcome is None and rung.due_at <= now for rung in known.values())
    if latest is None or latest.deadline_at == deadline or says_so:
        return
    reached = [rung for rung in planned if rung.due_at <= now] or planned[:1]
    number = 1 + sum(key.startswith(AGAIN) for key in known)
    yield PlannedRung(f"{AGAIN}{number}", now, reached[-1].audience, reached[-1].loudness)


def load_ladders(path: Path) -> dict[str, Ladder]:
    """The ladders of a file by name, in its order. Raises LadderError naming file, line and rule; OSError if there is no file."""
    try:
        root = read_yaml(path, path.name)
        nodes = list(root.mapping("ladders")["ladders"].items())
        ladders: dict[str, Ladder] = {}
        for node in nodes:
            ladder = _ladder(node)
            if ladder.name in ladders:
                node.refuse(f"the ladder {ladder.name!r} is written twice")
            ladders[ladder.name] = ladder
        for basis in ("law", "target"):
            reach = [ladder.up_to for ladder in ladders.values() if ladder.basis == basis]
            if reach.count(None) != 1 or len(set(reach)) != len(reach):
                root.refuse(f"of the ladders for {basis} exactly one has no up_to, and no two have the same")
    except RegimeError as error:
        raise LadderError(str(error)) from error
    return ladders


def _ladder(node: Node) -> Ladder:
    found = node.mapping("name for rungs afterwards", "up_to")
    up_to = _span(found["up_to"]) if "up_to" in found else None
    steps = tuple(_step(one) for one in found["rungs"].items())
    _check_steps(found["rungs"], steps, up_to)
    reminders = tuple(_reminder_of(one) for one in found["afterwards"].items())
    if not reminders or [one.lasting for one in reminders].count(None) != 1 or reminders[-1].lasting is not None:
        found["afterwards"].refuse("every entry has a 'for' but the last one, which goes on until the duty is met")
    return Ladder(found["name"].text(), found["for"].one_of("law", "target"), up_to, steps, reminders)


def _step(node: Node) -> Step:
    found = node.mapping("key when tell loudness")
    key = found["key"].text()
    if not re.fullmatch(r"[a-z0-9-]{1,40}", key) or key.startswith((REMINDER, AGAIN)):
        found["key"].refuse(f"a key is small letters, digits and dashes, at most 40, and does not begin with {REMINDER} or {AGAIN}")
    when = found["when"].text()
    if when in ("start", "deadline"):
        before = None if when == "start" else timedelta(0)
    else:
        before = _span(found["when"], " before")
    return Step(key, before, _audience(found["tell"]), found["loudness"].one_of(*LOUDNESS))


def _check_steps(node: Node, steps: tuple[Step, ...], up_to: timedelta | None) -> None:
    if len({step.key for step in steps}) != len(steps):
        node.refuse("two rungs have the same key")
    if len(steps) < 2 or steps[0].before is not None or steps[-1].before != timedelta(0):
        node.refuse("the first rung is at the start and the last at the deadline")
    spans = [step.before for step in steps[1:] if step.before is not None]
    if len(spans) != len(steps) - 1 or any(nearer >= farther for farther, nearer in pairwise(spans)):
        node.refuse("the rungs stand in order, each nearer to the deadline than the one before")
    if up_to is not None and spans[0] >= up_to:
        node.refuse("the second rung is farther from the deadline than the longest clock reaches: it would never be used")
    if any(not set(wider) >= set(narrower) for narrower, wider in pairwise(step.audience for step in steps)):
        node.refuse("whom to tell never narrows as the deadline nears")


def _reminder_of(node: Node) -> Reminder:
    found = node.mapping("every tell loudness", "for")
    every, lasting = _span(found["every"]), _span(found["for"]) if "for" in found else None
    if lasting is not None and lasting < every:
        found["for"].refuse("the time is shorter than one round: nobody would be reminded")
    return Reminder(every, lasting, _audience(found["tell"]), found["loudness"].one_of(*LOUDNESS))


def _audience(node: Node) -> tuple[str, ...]:
    told = tuple(one.one_of(*AUDIENCES) for one in node.items())
    if not told or len(set(told)) != len(told):
        node.refuse(f"name whom to tell, each once: {', '.join(AUDIENCES)}")
    return told


def _span(node: Node, ending: str = "") -> timedelta:
    match = re.fullmatch(rf"([1-9][0-9]*) (min|h|d){ending}", node.text())
    if match is None:
        node.refuse(f"expected a time such as '3 h{ending}', in min, h or d, found {node.text()!r}")
    return int(match[1]) * _UNITS[match[2]]
