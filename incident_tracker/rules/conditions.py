"""Conditions over facts: true, false, or unknown with the facts that are missing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incident_tracker.rules.catalogues import Catalogue, FactSpec
from incident_tracker.rules.readings import Reading
from incident_tracker.rules.sources import Node, RegimeError

OPS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "contains_any")
_ORDER = ("gt", "gte", "lt", "lte")
_OPS_OF_KIND = {
    "flag": ("eq", "ne"),
    "choice": ("eq", "ne", "in"),
    "text": ("eq", "ne", "in"),
    "set": ("contains", "contains_any"),
    "count": ("eq", "ne", *_ORDER),
    "number": ("eq", "ne", *_ORDER),
}
_BOUND_WORDS = {"gt": "more than", "gte": "at least", "lt": "fewer than", "lte": "at most", "eq": "exactly", "ne": "not"}


class Truth(StrEnum):
    """The three answers of a condition (Kleene's logic)."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding behind a verdict, in words, with the fact it rests on."""

    text: str
    fact: str | None
    truth: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition says of the facts. `missing` is empty unless the truth is unknown."""

    truth: Truth
    missing: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as data: all, any or not over parts, or one fact compared with values."""

    kind: str
    parts: tuple["Condition", ...] = ()
    fact: str = ""
    op: str = ""
    values: tuple[str, ...] = ()
    place: str = ""

    def leaves(self) -> "Iterable[Condition]":
        """All comparisons within it."""
        if self.kind == "fact":
            yield self
        for part in self.parts:
            yield from part.leaves()


ALWAYS = Condition("all")


def read_condition(node: Node) -> Condition:
    """Read {all: […]}, {any: […]}, {not: …} or {fact, op, value}. Raises RegimeError."""
    keys = node.mapping("", "all any not fact op value")
    if "fact" in keys:
        keys = node.mapping("fact op value")
        return Condition("fact", fact=keys["fact"].text(), op=keys["op"].one_of(*OPS), values=keys["value"].texts(), place=_where(node))
    if len(keys) != 1:
        node.refuse("expected one of all, any, not, or a fact with op and value")
    kind, inner = next(iter(keys.items()))
    if kind == "not":
        return Condition("not", (read_condition(inner),))
    parts = tuple(read_condition(part) for part in inner.items())
    if not parts:
        inner.refuse(f"{kind} needs at least one condition")
    return Condition(kind, parts)


def _where(node: Node) -> str:
    return f"{node.file}:{node.line}"


def both(first: Condition, second: Condition) -> Condition:
    """The condition that asks for both."""
    parts = (*_conjuncts(first), *_conjuncts(second))
    return parts[0] if len(parts) == 1 else Condition("all", parts)


def _conjuncts(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if condition.kind == "all" else (condition,)


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A compiled condition. `decisive` are the facts of which one answer alone can settle it."""

    judge: Callable[[Reading], Verdict]
    facts: frozenset[str]
    decisive: frozenset[str]


class Compiler:
    """Turns conditions into closures; a comparison met twice is compiled and judged once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._leaves: dict[tuple[str, str, tuple[str, ...], str], Check] = {}

    def compile(self, condition: Condition, regime: str) -> Check:
        """Compile a condition of a regime. Raises RegimeError for a fact, op or value that cannot be."""
        if condition.kind == "fact":
            return self._leaf(condition, regime)
        parts = tuple(self.compile(part, regime) for part in condition.parts)
        judges = tuple(part.judge for part in parts)
        facts = frozenset().union(*(part.facts for part in parts))
        if condition.kind == "not":
            return Check(_negated(judges[0]), facts, parts[0].decisive)
        # In a conjunction one "no" settles all, in a disjunction one "yes"; below that level it takes more.
        decisive = frozenset().union(*(part.decisive for part in parts))
        judge = _conjoined(judges) if condition.kind == "all" else _disjoined(judges)
        return Check(judge, facts, decisive if condition.kind == "all" or len(parts) == 1 else frozenset())

    def _leaf(self, leaf: Condition, regime: str) -> Check:
        spec = self._catalogue.find(leaf.fact)
        if spec is None:
            raise RegimeError(f"{leaf.place}: the fact {leaf.fact!r} is not in the catalogue (facts.yaml)")
        _check_leaf(leaf, spec)
        # Only a fact that each law may answer for itself differs between regimes.
        owner = regime if spec.per == "regime" else ""
        key = (leaf.fact, leaf.op, leaf.values, owner)
        if key not in self._leaves:
            # A number is a cheaper key than the comparison itself: verdicts are looked up thousands of times.
            judge = _remembered(len(self._leaves), _compare(leaf, spec, owner))
            self._leaves[key] = Check(judge, frozenset({leaf.fact}), frozenset({_asked_as(spec, leaf.fact)}))
        return self._leaves[key]


def _asked_as(spec: FactSpec, name: str) -> str:
    return spec.derive[1] if spec.derive else name


def _check_leaf(leaf: Condition, spec: FactSpec) -> None:
    allowed = _OPS_OF_KIND.get(spec.kind, ())
    if spec.kind == "choice" and spec.ordered:
        allowed = (*allowed, *_ORDER)
    if leaf.op not in allowed:
        raise RegimeError(f"{leaf.place}: {spec.kind} {leaf.fact!r} cannot be compared with {leaf.op!r}")
    if leaf.op not in ("in", "contains_any") and len(leaf.values) != 1:
        raise RegimeError(f"{leaf.place}: {leaf.op!r} takes one value")
    for value in leaf.values:
        if spec.kind == "flag" and value not in ("true", "false"):
            raise RegimeError(f"{leaf.place}: {leaf.fact!r} is true or false, not {value!r}")
        if spec.kind in ("count", "number") and not value.isdigit():
            raise RegimeError(f"{leaf.place}: {leaf.fact!r} is compared with a whole number, not {value!r}")
        if spec.choices and value not in spec.choice_values:
            raise RegimeError(f"{leaf.place}: {value!r} is not a choice of {leaf.fact!r}")


def _remembered(key: int, judge: Callable[[Reading], Verdict]) -> Callable[[Reading], Verdict]:
    def remembered(reading: Reading) -> Verdict:
        found = reading.cache.get(key)
        if found is None:
            found = reading.cache[key] = judge(reading)
        return found

    return remembered


def _negated(judge: Callable[[Reading], Verdict]) -> Callable[[Reading], Verdict]:
    opposite = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}

    def negated(reading: Reading) -> Verdict:
        verdict = judge(reading)
        reasons = tuple(Reason(one.text, one.fact, opposite[Truth(one.truth)]) for one in verdict.reasons)
        return Verdict(opposite[verdict.truth], verdict.missing, reasons)

    return negated


def _conjoined(judges: tuple[Callable[[Reading], Verdict], ...]) -> Callable[[Reading], Verdict]:
    return _joined(judges, absorbing=FALSE, neutral=TRUE)


def _disjoined(judges: tuple[Callable[[Reading], Verdict], ...]) -> Callable[[Reading], Verdict]:
    return _joined(judges, absorbing=TRUE, neutral=FALSE)


def _joined(judges: tuple[Callable[[Reading], Verdict], ...], *, absorbing: Truth, neutral: Truth) -> Callable[[Reading], Verdict]:
    def joined(reading: Reading) -> Verdict:
        missing: dict[str, None] = {}
        reasons: list[Reason] = []
        for judge in judges:
            verdict = judge(reading)
            if verdict.truth is absorbing:
                return Verdict(absorbing, (), verdict.reasons)
            if verdict.missing:
                missing.update(dict.fromkeys(verdict.missing))
            reasons += verdict.reasons
        return Verdict(UNKNOWN if missing else neutral, tuple(missing), tuple(reasons))

    return joined


def _compare(leaf: Condition, spec: FactSpec, owner: str) -> Callable[[Reading], Verdict]:
    test = _TESTS[spec.kind](leaf, spec)
    name = leaf.fact
    # The words of a set's choices never change; looking them up for each incident would be most of the work.
    listed = " or ".join(spec.label_of(one) for one in leaf.values) if spec.kind == "set" else ""

    def compared(reading: Reading) -> Verdict:
        value = reading.value(name, owner)
        truth = UNKNOWN if value is None else test(value)
        missing = reading.missing_for(name) if truth is UNKNOWN else ()
        text = _words(leaf, reading.label(name), spec, value, truth, listed)
        return Verdict(truth, missing, (Reason(text, name, truth),))

    return compared


def _truth(known: bool) -> Truth:
    return TRUE if known else FALSE


def _flag_test(leaf: Condition, _: FactSpec) -> Callable[[Any], Truth]:
    wanted = (leaf.values[0] == "true") == (leaf.op == "eq")
    return lambda value: _truth(value is wanted)


def _text_test(leaf: Condition, spec: FactSpec) -> Callable[[Any], Truth]:
    values = leaf.values
    if leaf.op in _ORDER:
        ranks = {value: rank for rank, value in enumerate(spec.choice_values)}
        wanted = ranks[values[0]]
        order = _COMPARISONS[leaf.op]
        return lambda value: _truth(order(ranks[value], wanted))
    if leaf.op == "ne":
        return lambda value: _truth(value != values[0])
    return lambda value: _truth(value in values)


def _set_test(leaf: Condition, _: FactSpec) -> Callable[[Any], Truth]:
    wanted = frozenset(leaf.values)
    return lambda known: TRUE if wanted & known.values else FALSE if known.complete else UNKNOWN


def _count_test(leaf: Condition, _: FactSpec) -> Callable[[Any], Truth]:
    number, op = int(leaf.values[0]), leaf.op
    if op in ("eq", "ne"):
        same = op == "eq"

        def equal(count: Any) -> Truth:
            if not count.low <= number <= count.high:
                return _truth(not same)
            return _truth(same) if count.low == count.high else UNKNOWN

        return equal
    order = _COMPARISONS[op]

    def bounded(count: Any) -> Truth:
        low, high = order(count.low, number), order(count.high, number)
        return _truth(low) if low == high else UNKNOWN

    return bounded


def _number_test(leaf: Condition, _: FactSpec) -> Callable[[Any], Truth]:
    number, order = int(leaf.values[0]), _COMPARISONS[leaf.op]
    return lambda value: _truth(order(value, number))


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
}
_TESTS: dict[str, Callable[[Condition, FactSpec], Callable[[Any], Truth]]] = {
    "flag": _flag_test,
    "choice": _text_test,
    "text": _text_test,
    "set": _set_test,
    "count": _count_test,
    "number": _number_test,
}


def _words(leaf: Condition, label: str, spec: FactSpec, value: Any, truth: Truth, listed: str) -> str:
    if spec.kind == "set":
        verb = {TRUE: "includes", FALSE: "does not include"}.get(truth, "may include, not known yet:")
        return f"{label} {verb} {listed}"
    if spec.kind in ("count", "number"):
        shown = "not known yet" if value is None else str(value)
        unit = f" {spec.unit}" if spec.unit and not shown.startswith("not known") else ""
        return f"{label}: {shown}{unit} (the question is: {_BOUND_WORDS[leaf.op]} {int(leaf.values[0]):,}?)"
    if value is None:
        return f"Not known yet: {label}"
    if spec.kind == "flag":
        return f"{label}: {'yes' if value else 'no'}"
    bound = f" (the question is: {_BOUND_WORDS[leaf.op]} {spec.label_of(leaf.values[0])}?)" if leaf.op in _ORDER else ""
    return f"{label}: {spec.label_of(value)}{bound}"
