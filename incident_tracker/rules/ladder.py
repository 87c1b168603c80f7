"""Clock → rungs: which warnings a deadline gets, when, told to whom, how loud; and how the waiting ones follow a moved clock."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from incident_tracker.rules.sources import Node, RegimeError, read_yaml

__all__ = [
    "AUDIENCES", "LOUDNESS", "UNANSWERED", "Agreement", "Escalation", "Ladder", "LadderError", "PlannedRung", "Reminder", "Standing", "Step",
    "agree", "choose", "followed", "load_ladders", "next_after_deadline", "next_if_unanswered", "plan", "reminder_number",
]

#: who can be told; each stands for people found when the warning fires
AUDIENCES = ("owner", "lead", "legal", "managers", "on_call")
LOUDNESS = ("quiet", "normal", "loud")
#: keys that are made here and that no file may use
REMINDER, AGAIN, UNANSWERED = "overdue-", "again-", "unanswered-"
_MADE = (REMINDER, AGAIN, UNANSWERED)
#: the longest key of a file: what is made of it here must fit into forty signs
_KEY_LENGTH = 24
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class LadderError(ValueError):
    """A ladder file that breaks a rule; reads "file:line: what is wrong"."""


@dataclass(frozen=True, slots=True)
class Step:
    """One warning of a ladder. `before` counts back from the deadline; None is the start of the clock.

    `by` names the channels it goes by, the bell always among them; empty: every channel that is set up.
    """

    key: str
    before: timedelta | None
    audience: tuple[str, ...]
    loudness: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom else to tell when nobody has acknowledged for the time `after`, counted from the warning before."""

    after: timedelta
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
    """The warnings of one kind of clock: `basis` is "law" or "target", `up_to` the longest clock it is for (None: any).

    `unanswered` are the steps that follow a warning up to the deadline, one after the other, until somebody acknowledges.
    """

    name: str
    basis: str
    up_to: timedelta | None
    steps: tuple[Step, ...]
    reminders: tuple[Reminder, ...]
    unanswered: tuple[Escalation, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRung:
    """A warning with its moment (UTC)."""

    key: str
    due_at: datetime
    audience: tuple[str, ...]
    loudness: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A rung as it is remembered; `outcome` None is waiting, else fired, unheard, answered, overtaken or cancelled at `ended_at`."""

    id: int
    key: str
    due_at: datetime
    deadline_at: datetime
    audience: tuple[str, ...]
    loudness: str
    outcome: str | None = None
    ended_at: datetime | None = None
    by: tuple[str, ...] = ()


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
            rungs.append(PlannedRung(step.key, due_at, step.audience, step.loudness, step.by))
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


def next_if_unanswered(ladder: Ladder, key: str, fired_at: datetime, deadline: datetime) -> PlannedRung | None:
    """The warning that follows one fired at `fired_at` (UTC) if nobody acknowledges; None after the last step, or where the deadline comes first.

    After the deadline none follows: the reminders come soon enough, and to everybody.
    """
    number, of = followed(key)
    if of.startswith(REMINDER) or number >= len(ladder.unanswered):
        return None
    step = ladder.unanswered[number]
    due_at = fired_at + step.after
    return PlannedRung(f"{UNANSWERED}{number + 1}-{of}", due_at, step.audience, step.loudness) if due_at < deadline else None


def followed(key: str) -> tuple[int, str]:
    """Which step an unanswered warning was, and of which rung: `unanswered-2-24h-before` is (2, "24h-before"); a rung itself is step 0."""
    if not key.startswith(UNANSWERED):
        return 0, key
    number, _, of = key.removeprefix(UNANSWERED).partition("-")
    return int(number), of


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
    gone = [rung for rung in waiting if rung.deadline_at != deadline or (rung.key not in keys and not rung.key.startswith(_MADE))]
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
    return (standing.due_at, standing.audience, standing.loudness, standing.by) != (rung.due_at, rung.audience, rung.loudness, rung.by)


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
        rung, key = next_after_deadline(ladder, deadline, now), ""
        if any(one.due_at == rung.due_at for one in waiting):
            return
        # a rung that fired, by a clock that had run ahead, never waits again: its moment gets another one
        while (standing := known.get(key + rung.key)) is not None and standing.outcome != "cancelled":
            key += AGAIN
        yield replace(rung, key=key + rung.key)


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
    found = node.mapping("name for rungs afterwards", "up_to unanswered")
    up_to = _span(found["up_to"]) if "up_to" in found else None
    steps = tuple(_step(one) for one in found["rungs"].items())
    _check_steps(found["rungs"], steps, up_to)
    reminders = tuple(_reminder_of(one) for one in found["afterwards"].items())
    if not reminders or [one.lasting for one in reminders].count(None) != 1 or reminders[-1].lasting is not None:
        found["afterwards"].refuse("every entry has a 'for' but the last one, which goes on until the duty is met")
    unanswered = tuple(_escalation(one) for one in found["unanswered"].items()) if "unanswered" in found else ()
    if any(not set(wider.audience) >= set(narrower.audience) for narrower, wider in pairwise(unanswered)):
        found["unanswered"].refuse("whom to tell never narrows while nobody answers")
    return Ladder(found["name"].text(), found["for"].one_of("law", "target"), up_to, steps, reminders, unanswered)


def _step(node: Node) -> Step:
    found = node.mapping("key when tell loudness", "by")
    key = found["key"].text()
    if not re.fullmatch(rf"[a-z0-9-]{{1,{_KEY_LENGTH}}}", key) or key.startswith(_MADE):
        found["key"].refuse(f"a key is small letters, digits and dashes, at most {_KEY_LENGTH}, and does not begin with {', '.join(_MADE)}")
    when = found["when"].text()
    if when in ("start", "deadline"):
        before = None if when == "start" else timedelta(0)
    else:
        before = _span(found["when"], " before")
    by = tuple(one.text() for one in found["by"].items()) if "by" in found else ()
    if any(not re.fullmatch(r"[a-z]{1,20}", name) for name in by) or len(set(by)) != len(by):
        found["by"].refuse("name the channels, each once, such as [bell, email]")
    return Step(key, before, _audience(found["tell"]), found["loudness"].one_of(*LOUDNESS), by)


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


def _escalation(node: Node) -> Escalation:
    found = node.mapping("after tell loudness")
    return Escalation(_span(found["after"]), _audience(found["tell"]), found["loudness"].one_of(*LOUDNESS))


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
