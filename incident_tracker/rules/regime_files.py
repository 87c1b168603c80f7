"""Reads one regime file into its regime and obligations; the schema is described in regimes/README.md."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from incident_tracker.rules.conditions import ALWAYS, Condition, both, read_condition
from incident_tracker.rules.laws import STATUSES, Example, Modifier, Obligation, RecipientRule, Regime
from incident_tracker.rules.readings import Profile
from incident_tracker.rules.sources import Node, read_yaml
from incident_tracker.rules.terms import Roll, Term, read_period, read_roll, read_term

CONFIDENCES = ("text_read", "secondary", "memory")
KINDS = ("notification", "documentation", "conditional_filing", "service_offer", "embargo", "communication")
LADDERS = ("hours", "days", "working_days", "weeks", "months", "years", "contract", "none")
RECIPIENTS = (
    "authority", "csirt", "agency", "people", "media", "public", "controller", "processor", "register", "clients",
    "service_recipients", "users", "insurer", "card_scheme", "forensic", "provider", "organizations", "internal", "owner",
)  # fmt: skip
FAN_OUTS = ("one", "lead", "each_place", "each_establishment", "each_listed")
_REGIME = "regime title jurisdiction citation status judged_at source confidence last_checked obligations"
_REGIME_MORE = "effective_from effective_to zone calendar scope rolls profile examples notes texts"
_OBLIGATION = "id title recipient trigger period"
_OBLIGATION_MORE = (
    "citation kind phase duty_holder applies_when content exemptions late channel ladder modifiers record same_filing_as "
    "status effective_from effective_to zone calendar confidence source last_checked notes examples"
)


def read_regime(path: Any, shown_as: str) -> tuple[Regime, tuple[Obligation, ...]]:
    """Read a regime file. Raises RegimeError with file, line and the rule that was broken."""
    return regime_of(read_yaml(path, shown_as))


def regime_of(root: Node) -> tuple[Regime, tuple[Obligation, ...]]:
    """Read a regime out of a parsed file. `texts` is a place for YAML anchors and is not read. Raises RegimeError."""
    keys = root.mapping(_REGIME, _REGIME_MORE)
    regime = Regime(
        id=keys["regime"].text(),
        title=keys["title"].text(),
        jurisdiction=keys["jurisdiction"].text(),
        citation=keys["citation"].text(),
        status=keys["status"].one_of(*STATUSES),
        effective_from=_day(keys, "effective_from"),
        effective_to=_day(keys, "effective_to"),
        judged_at=keys["judged_at"].texts(),
        zone=_text(keys, "zone") or "authority",
        calendar=_text(keys, "calendar"),
        source=keys["source"].text(),
        confidence=keys["confidence"].one_of(*CONFIDENCES),
        last_checked=keys["last_checked"].day(),
        notes=_text(keys, "notes"),
        file=root.file,
        profile=_profile(keys["profile"]) if "profile" in keys else None,
        examples=_examples(keys),
    )
    rolls: dict[str, Roll] = {}
    if "rolls" in keys:
        for name, node in keys["rolls"].mapping().items():
            rolls[name] = read_roll(node, rolls)
    scope = read_condition(keys["scope"]) if "scope" in keys else ALWAYS
    return regime, tuple(_obligation(node, regime, scope, rolls) for node in keys["obligations"].items())


def _obligation(node: Node, regime: Regime, scope: Condition, rolls: Mapping[str, Roll]) -> Obligation:
    keys = node.mapping(_OBLIGATION, _OBLIGATION_MORE)
    trigger = keys["trigger"].mapping("event", "definition after")
    period = read_period(keys["period"], rolls)
    condition = read_condition(keys["applies_when"]) if "applies_when" in keys else ALWAYS
    identity = keys["id"].text()
    default_ladder = "contract" if regime.status == "contractual" else period.unit or "none"
    return Obligation(
        id=identity,
        regime=regime,
        title=keys["title"].text(),
        citation=_text(keys, "citation") or regime.citation,
        kind=keys["kind"].one_of(*KINDS) if "kind" in keys else "notification",
        phase=_text(keys, "phase") or "single",
        duty_holder=_text(keys, "duty_holder") or "organisation",
        recipient=_recipient(keys["recipient"]),
        trigger=trigger["event"].text(),
        trigger_definition=_text(trigger, "definition"),
        trigger_after=trigger["after"].texts() if "after" in trigger else (),
        applies_when=both(scope, condition),
        period=period,
        content=_texts(keys, "content"),
        exemptions=_texts(keys, "exemptions"),
        late=_text(keys, "late"),
        channel=_text(keys, "channel"),
        ladder=keys["ladder"].one_of(*LADDERS) if "ladder" in keys else default_ladder,
        modifiers=tuple(_modifier(one, rolls) for one in keys["modifiers"].items()) if "modifiers" in keys else (),
        record=_record(keys["record"]) if "record" in keys else MappingProxyType({}),
        same_filing_as=_text(keys, "same_filing_as"),
        status=keys["status"].one_of(*STATUSES) if "status" in keys else regime.status,
        effective_from=_day(keys, "effective_from") if "effective_from" in keys else regime.effective_from,
        effective_to=_day(keys, "effective_to") if "effective_to" in keys else regime.effective_to,
        zone=_text(keys, "zone") or regime.zone,
        calendar=_text(keys, "calendar") or regime.calendar,
        confidence=keys["confidence"].one_of(*CONFIDENCES) if "confidence" in keys else regime.confidence,
        source=_text(keys, "source") or regime.source,
        last_checked=_day(keys, "last_checked") if "last_checked" in keys else regime.last_checked,
        notes=_text(keys, "notes"),
        examples=_examples(keys, identity),
    )


def _recipient(node: Node) -> RecipientRule:
    keys = node.mapping("type name", "fan_out authority place group fact more_than office")
    fan_out = keys["fan_out"].one_of(*FAN_OUTS) if "fan_out" in keys else "one"
    if fan_out in ("each_place", "each_establishment") and "group" not in keys:
        node.refuse(f"{fan_out} needs the group of places to choose from")
    if fan_out == "each_listed" and "fact" not in keys:
        node.refuse("each_listed needs the fact that lists the places")
    return RecipientRule(
        type=keys["type"].one_of(*RECIPIENTS),
        name=keys["name"].text(),
        fan_out=fan_out,
        authority=_text(keys, "authority"),
        place=_text(keys, "place"),
        group=_text(keys, "group"),
        fact=_text(keys, "fact"),
        more_than=keys["more_than"].integer() if "more_than" in keys else 0,
        office=_text(keys, "office"),
    )


def _modifier(node: Node, rolls: Mapping[str, Roll]) -> Modifier:
    keys = node.mapping("kind cites", "resume oral_lapses_after filing adds")
    kind = keys["kind"].one_of("law_enforcement_hold", "extension")
    if kind == "extension" and not {"filing", "adds"} <= keys.keys():
        node.refuse("an extension needs the filing that earns it and what it adds")
    return Modifier(
        kind=kind,
        cites=keys["cites"].text(),
        resume=_term(keys, "resume", rolls),
        oral_lapses_after=keys["oral_lapses_after"].integer() if "oral_lapses_after" in keys else None,
        filing=_text(keys, "filing"),
        adds=_term(keys, "adds", rolls),
    )


def _term(keys: Mapping[str, Node], name: str, rolls: Mapping[str, Roll]) -> Term | None:
    return read_term(keys[name], rolls) if name in keys else None


def _record(node: Node) -> Mapping[str, str]:
    keys = node.mapping("what", "keep from cites")
    return MappingProxyType({key: one.text() for key, one in keys.items()})


def _profile(node: Node) -> Profile:
    more = "encryption harm_standard breach_trigger deemed_compliance private_right_of_action substitute_notice notes"
    keys = node.mapping("place with_name alone media", more)
    return Profile(
        place=keys["place"].text(),
        with_name=frozenset(keys["with_name"].texts()),
        alone=frozenset(keys["alone"].texts()),
        electronic_only=keys["media"].one_of("electronic", "electronic_and_paper") == "electronic",
        details=MappingProxyType({key: keys[key].text() for key in more.split() if key in keys}),
    )


def _examples(keys: Mapping[str, Node], obligation: str | None = None) -> tuple[Example, ...]:
    if "examples" not in keys:
        return ()
    return tuple(_example(node, obligation) for node in keys["examples"].items())


def _example(node: Node, obligation: str | None) -> Example:
    if obligation is None:
        keys = node.mapping("name source facts duties", "at")
        duties = {key: one.one_of("applies", "does_not_apply", "unknown", "none") for key, one in keys["duties"].mapping().items()}
        facts = plain(keys["facts"])
        return Example(keys["name"].text(), keys["source"].text(), _where(node), facts=facts, duties=duties, at=_text(keys, "at"))
    keys = node.mapping("name source events", "facts zone country options conservative statutory not_before")
    options = {key: one.text() for key, one in keys["options"].mapping().items()} if "options" in keys else {}
    return Example(
        name=keys["name"].text(),
        source=keys["source"].text(),
        line=_where(node),
        obligation=obligation,
        events={key: one.text() for key, one in keys["events"].mapping().items()},
        facts=plain(keys["facts"]) if "facts" in keys else {},
        zone=_text(keys, "zone"),
        country=_text(keys, "country"),
        options=options,
        conservative=_text(keys, "conservative"),
        statutory=_text(keys, "statutory"),
        not_before=_text(keys, "not_before"),
    )


def plain(node: Node) -> Any:
    """A facts document out of YAML text: true, false and whole numbers are what they look like, the rest stays text."""
    if isinstance(node.value, dict):
        return {key: plain(one) for key, one in node.value.items()}
    if isinstance(node.value, list):
        return [plain(one) for one in node.value]
    if node.value in ("true", "false"):
        return node.value == "true"
    return int(node.value) if node.value and node.value.isdigit() else node.value


def _where(node: Node) -> str:
    return f"{node.file}:{node.line}"


def _text(keys: Mapping[str, Node], name: str) -> str | None:
    return keys[name].text_or_none() if name in keys else None


def _texts(keys: Mapping[str, Node], name: str) -> tuple[str, ...]:
    return keys[name].texts() if name in keys else ()


def _day(keys: Mapping[str, Node], name: str) -> date | None:
    return keys[name].day() if name in keys else None
