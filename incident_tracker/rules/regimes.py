"""What a regime file says; loads and validates all of them into one law."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from incident_tracker.rules.authorities import read_authorities
from incident_tracker.rules.calendars import holidays_version, read_calendars, tzdata_version, zone_named
from incident_tracker.rules.catalogues import PACKAGE_FOLDER, Catalogue, read_catalogue
from incident_tracker.rules.conditions import Compiler
from incident_tracker.rules.laws import Example, Law, Modifier, Obligation, RecipientRule, Regime
from incident_tracker.rules.places import read_places
from incident_tracker.rules.readings import Profile
from incident_tracker.rules.regime_files import read_regime
from incident_tracker.rules.sources import RegimeError
from incident_tracker.rules.terms import END_OF_YEAR, RELATIONS, Term

__all__ = [
    "PACKAGE_FOLDER",
    "Example",
    "Law",
    "Modifier",
    "Obligation",
    "RecipientRule",
    "Regime",
    "RegimeError",
    "default_law",
    "load_law",
]

_DATA_FILES = ("facts.yaml", "triggers.yaml", "places.yaml", "calendars.yaml", "authorities.yaml", "contents.yaml")
_ZONE_WORDS = ("authority", "notifier", "place")


def load_law(*folders: Path) -> Law:
    """Read all regime files of the folders and their sub-folders; without folders, those of the tracker.

    Facts, triggers, places, calendars and authorities of later folders add to and correct those of earlier ones; a regime
    or an obligation may not be defined twice. Raises RegimeError: "file:line: rule".
    """
    chosen = folders or (PACKAGE_FOLDER,)
    facts = Catalogue({}, {})
    for folder in chosen:
        facts = facts.merged(read_catalogue(folder))
    places = read_places(*chosen)
    digests = _digests(chosen)
    law = Law(
        regimes={},
        obligations={},
        version=hashlib.sha256("\n".join(f"{name} {digest}" for name, digest in digests).encode()).hexdigest(),
        digests=dict(digests),
        tzdata_version=tzdata_version(),
        holidays_version=holidays_version(),
        authorities=read_authorities(places, *chosen),
        facts=facts,
        triggers=facts.triggers,
        places=places,
        calendars=read_calendars(*chosen),
    )
    for folder in chosen:
        for path in _regime_paths(folder):
            _add(law, *read_regime(path, path.relative_to(folder).as_posix()))
    _validate(law)
    return law


@lru_cache(maxsize=1)
def default_law() -> Law:
    """The law that comes with the tracker, loaded once."""
    return load_law(PACKAGE_FOLDER)


def _regime_paths(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.yaml") if path.name not in _DATA_FILES)


def _digests(folders: Iterable[Path]) -> list[tuple[str, str]]:
    """Each file with the SHA-256 of its bytes, folder by folder."""
    return [
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for folder in folders
        for path in sorted(folder.rglob("*.yaml"))
    ]


def _add(law: Law, regime: Regime, obligations: tuple[Obligation, ...]) -> None:
    if regime.id in law.regimes:
        raise RegimeError(f"{regime.file}:1: the regime {regime.id!r} is also defined in {law.regimes[regime.id].file}")
    law.regimes[regime.id] = regime
    if regime.profile:
        law.profiles[regime.profile.place] = regime.profile
    for one in obligations:
        if one.id in law.obligations:
            raise RegimeError(f"{regime.file}:1: the obligation {one.id!r} is defined twice")
        law.obligations[one.id] = one


def _validate(law: Law) -> None:
    compiler = Compiler(law.facts)
    for trigger in law.triggers.values():
        for moment in trigger.moments:
            if f"moments.{moment}" not in law.facts:
                raise RegimeError(f"triggers.yaml:1: {trigger.name}: no moment {moment!r} in facts.yaml")
    for regime in law.regimes.values():
        for name in regime.judged_at:
            _known_trigger(law, name, regime)
        if regime.profile:
            _check_profile(law, regime.profile, regime)
    for one in law.obligations.values():
        law.checks[one.id] = compiler.compile(one.applies_when, one.regime.id)
        _check_derived(law, one)
        _check_links(law, one)
        _check_terms(law, one, compiler)


def _refuse(regime: Regime, rule: str) -> None:
    raise RegimeError(f"{regime.file}:1: {rule}")


def _known_trigger(law: Law, name: str, regime: Regime) -> None:
    if name not in law.triggers:
        _refuse(regime, f"the trigger {name!r} is not in triggers.yaml")


def _check_profile(law: Law, profile: Profile, regime: Regime) -> None:
    known = law.facts["data.elements"].choice_values
    for element in profile.with_name | profile.alone:
        if element not in known:
            _refuse(regime, f"the data element {element!r} is not a choice of data.elements")


def _check_derived(law: Law, one: Obligation) -> None:
    for name in law.checks[one.id].facts:
        rule = law.facts[name].derive
        if rule[:1] == ("personal_information",) and name.rpartition(".")[2] not in law.profiles:
            _refuse(one.regime, f"{one.id}: no profile for the place in {name!r}")
        if rule[:1] == ("concerned_in",) and name.rpartition(".")[2] not in law.places.by_code:
            _refuse(one.regime, f"{one.id}: the place in {name!r} is not in places.yaml")
        if rule[:1] in (("any_in_group",), ("highest_by_place",)) and rule[2] not in law.places.groups:
            _refuse(one.regime, f"{one.id}: no group {rule[2]!r} in places.yaml")


def _check_links(law: Law, one: Obligation) -> None:
    _known_trigger(law, one.trigger, one.regime)
    for other in (*one.trigger_after, *filter(None, (one.same_filing_as,))):
        if other not in law.obligations:
            _refuse(one.regime, f"{one.id}: there is no obligation {other!r}")
    rule = one.recipient
    if rule.authority and rule.authority not in law.authorities:
        _refuse(one.regime, f"{one.id}: no authority {rule.authority!r} in authorities.yaml")
    if rule.group and rule.group not in law.places.groups:
        _refuse(one.regime, f"{one.id}: no group {rule.group!r} in places.yaml")
    if rule.fact and rule.fact not in law.facts:
        _refuse(one.regime, f"{one.id}: the fact {rule.fact!r} is not in facts.yaml")
    if one.zone not in _ZONE_WORDS:
        try:
            zone_named(one.zone)
        except (KeyError, ValueError):
            _refuse(one.regime, f"{one.id}: {one.zone!r} is not an IANA time zone")
    for modifier in one.modifiers:
        if modifier.filing and modifier.filing not in law.obligations:
            _refuse(one.regime, f"{one.id}: there is no obligation {modifier.filing!r}")


def _check_terms(law: Law, one: Obligation, compiler: Compiler) -> None:
    for term in _terms_of(one):
        if term.number_fact and term.number_fact not in law.facts:
            _refuse(one.regime, f"{one.id}: the fact {term.number_fact!r} is not in facts.yaml")
        if term.start and term.start != END_OF_YEAR:
            _known_trigger(law, term.start, one.regime)
        for other in filter(None, (term.other if term.kind in RELATIONS else None, term.after)):
            if other not in law.obligations:
                _refuse(one.regime, f"{one.id}: there is no obligation {other!r}")
        if term.roll and term.roll.when:
            law.roll_checks[term.roll.when] = compiler.compile(term.roll.when, one.regime.id)


def _terms_of(one: Obligation) -> list[Term]:
    roots = [one.period.within, one.period.not_before, *(term for m in one.modifiers for term in (m.resume, m.adds))]
    return [term for root in roots if root for term in root.walk()]
