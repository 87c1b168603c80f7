"""Regimes, obligations, and the law they add up to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

from incident_tracker.rules.authorities import Authority
from incident_tracker.rules.calendars import Calendars
from incident_tracker.rules.catalogues import Catalogue, TriggerSpec
from incident_tracker.rules.conditions import Check, Condition
from incident_tracker.rules.movements import Pack
from incident_tracker.rules.places import Places
from incident_tracker.rules.readings import Profile
from incident_tracker.rules.terms import END_OF_YEAR, Period, Term

LIVE = ("in_force", "agency_position", "contractual")
_REMEMBERED = 20_000
STATUSES = (*LIVE, "future", "proposed", "superseded")


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example of a regime file: events in, two deadlines out; or facts in, states of duties out."""

    name: str
    source: str
    line: str
    obligation: str | None = None
    events: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    zone: str | None = None
    country: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    conservative: str | None = None
    statutory: str | None = None
    not_before: str | None = None
    duties: Mapping[str, str] = field(default_factory=dict)
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Regime:
    """A law, a regulation or a contract. `judged_at` names the triggers whose moment decides which version binds.

    `zone` and `calendar` are an IANA zone or calendar name, or "authority", "notifier" or "place".
    """

    id: str
    title: str
    jurisdiction: str
    citation: str
    status: str
    effective_from: date | None
    effective_to: date | None
    judged_at: tuple[str, ...]
    zone: str
    calendar: str | None
    source: str
    confidence: str
    last_checked: date | None
    notes: str | None
    file: str
    profile: Profile | None
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class RecipientRule:
    """Who is told: the type, a name for where no authority is on file, and how one obligation becomes several duties.

    `fan_out` is one, lead, each_place, each_establishment or each_listed. each_place takes the places of `group` with
    `more_than` that many affected people; each_listed the places that `fact` lists. `office` is which of a place's authorities
    is meant where it is not the data protection one: "FIN" looks for FIN-DE.
    """

    type: str
    name: str
    fan_out: str = "one"
    authority: str | None = None
    place: str | None = None
    group: str | None = None
    fact: str | None = None
    more_than: int = 0
    office: str | None = None


@dataclass(frozen=True, slots=True)
class Modifier:
    """What may hold or lengthen a duty: a law-enforcement hold, or an extension earned by a filing."""

    kind: str
    cites: str
    resume: Term | None = None
    oral_lapses_after: int | None = None
    filing: str | None = None
    adds: Term | None = None


@dataclass(frozen=True, eq=False)
class Obligation:
    """What a regime demands: who must tell whom, from which trigger, within what period, with which content.

    `standard` is the period in words where the law has words. `late` is what a late notice must add. `ladder` is the
    key of its default warning ladder: hours, days, working_days, months, years, contract or none.
    """

    id: str
    regime: Regime
    title: str
    citation: str
    kind: str
    phase: str
    duty_holder: str
    recipient: RecipientRule
    trigger: str
    trigger_definition: str | None
    trigger_after: tuple[str, ...]
    applies_when: Condition
    period: Period
    content: tuple[str, ...]
    exemptions: tuple[str, ...]
    late: str | None
    channel: str | None
    ladder: str
    modifiers: tuple[Modifier, ...]
    record: Mapping[str, str]
    same_filing_as: str | None
    status: str
    effective_from: date | None
    effective_to: date | None
    zone: str
    calendar: str | None
    confidence: str
    source: str
    last_checked: date | None
    notes: str | None
    examples: tuple[Example, ...]

    @cached_property
    def stands_alone(self) -> bool:
        """Whether its due follows from its own start alone: no other duty, no other moment and no fact changes it."""
        terms = [term for root in (self.period.within, self.period.not_before) if root for term in root.walk()]
        return not any(modifier.filing for modifier in self.modifiers) and not any(
            term.other or term.after or term.number_fact or (term.start and term.start != END_OF_YEAR) or (term.roll and term.roll.when)
            for term in terms
        )

    @property
    def standard(self) -> str | None:
        """The period in the law's words, such as "without undue delay"."""
        return self.period.standard

    def is_law_on(self, day: date | None) -> bool:
        """Say whether this makes live duties when judged on a day; without a day, whether it is law that still stands.

        A proposal never is. Law with a later start is, from that start on; without a known start it never is.
        """
        if self.status == "proposed" or (self.status == "future" and (self.effective_from is None or day is None)):
            return False
        if day is None:
            return self.status in LIVE and self.effective_to is None
        starts = self.effective_from is None or self.effective_from <= day
        return starts and (self.effective_to is None or day <= self.effective_to)


@dataclass(eq=False)
class Law:
    """Everything the regime files say, and the versions of the data behind them."""

    regimes: dict[str, Regime]
    obligations: dict[str, Obligation]
    version: str
    tzdata_version: str
    holidays_version: str
    authorities: dict[str, Authority]
    facts: Catalogue
    triggers: dict[str, TriggerSpec]
    places: Places
    calendars: Calendars
    #: the SHA-256 of each file, by its path in the folder of regimes
    digests: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict, repr=False)
    roll_checks: dict[Condition, Check] = field(default_factory=dict, repr=False)
    single_targets: dict[str, Any] = field(default_factory=dict, repr=False)
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The versions to keep beside every computation."""
        found = {"law": self.version, "tzdata": self.tzdata_version, "holidays": self.holidays_version}
        return MappingProxyType(found)

    @cached_property
    def pack(self) -> Pack:
        """Which rules these are, to be kept beside what they were used for."""
        return Pack(self.version, self.tzdata_version, self.holidays_version, MappingProxyType(self.digests))

    def remember(self, key: Any, value: Any) -> None:
        """Keep a computed value; all are dropped when there are too many, so that memory stays bounded."""
        if len(self.cache) >= _REMEMBERED:
            self.cache.clear()
        self.cache[key] = value

    def question(self, fact: str) -> str:
        """The question for a fact in plain words, with the name of the place it is for."""
        family = self.facts.family(fact)
        if family is None:
            return self.facts[fact].question
        stem, member = family
        spec = self.facts[stem]
        return (spec.each or spec.question).replace("{place}", self.places.name(member))
