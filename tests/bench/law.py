"""What the law costs: loading all packs, and asking them all about one incident with much known; and how both grow with the law."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from incident_tracker.rules import regimes
from incident_tracker.rules.duties import assess
from incident_tracker.rules.laws import Law, Obligation
from incident_tracker.rules.regimes import PACKAGE_FOLDER
from tests.bench.tables import doing, median, note, table, title

PLACES = 60
RUNS = 3
AGAIN = 7

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """Processor time in seconds: to load the packs, to ask them for the first time, and to ask again."""

    load: float
    first: float
    following: float


def measure() -> None:
    """Half of the regimes beside all of them, in turn."""
    doing("the law")
    whole = regimes.load_law()
    with tempfile.TemporaryDirectory(prefix="tracker-bench-law-") as place:
        _copy_half(whole, Path(place))
        folders = {"half": Path(place), "all": PACKAGE_FOLDER}
        rounds = [{name: _cost(folder) for name, folder in folders.items()} for _ in range(RUNS)]
        laws = {name: regimes.load_law(folder) for name, folder in folders.items()}
    costs = {
        name: Cost(*(median(getattr(one[name], part.name) for one in rounds) for part in fields(Cost))) for name in folders
    }
    _print(laws, costs)


def _print(laws: dict[str, Law], costs: dict[str, Cost]) -> None:
    title(f"The law, facts with people in {PLACES} places, processor time, medians of {RUNS}")
    rows = [
        (
            name, len(law.regimes), len(law.obligations), len(assess(_facts(law), law=law).duties), f"{cost.load * 1000:.0f}", f"{cost.load * 1000 / len(law.regimes):.1f}",
            f"{cost.first * 1000:.1f}", f"{cost.following * 1000:.1f}", f"{cost.following * 1e6 / len(law.obligations):.0f}",
        ) for (name, law), cost in zip(laws.items(), costs.values(), strict=True)
    ]
    table(("packs", "regimes", "obligations", "duties", "cold load ms", "ms a regime", "first assess ms", "next assess ms", "µs an obligation"), rows)
    half, full = costs["half"], costs["all"]
    grown = len(laws["all"].obligations) / len(laws["half"].obligations)
    note(f"obligations × {grown:.2f}: cold load × {full.load / half.load:.2f}, first assess × {full.first / half.first:.2f}, next assess × {full.following / half.following:.2f}")


def _cost(folder: Path) -> Cost:
    load, law = _time(lambda: regimes.load_law(folder))
    facts = _facts(law)
    first, _ = _time(lambda: assess(facts, law=law))
    # the least of a few: what else the machine does only ever adds
    following = min(_time(lambda: assess(facts, law=law))[0] for _ in range(AGAIN))
    return Cost(load, first, following)


def _facts(law: Law) -> dict[str, object]:
    """A breach of which nearly everything is known, with people everywhere."""
    codes = sorted(law.places.by_code)
    chosen = codes[:: max(1, len(codes) // PLACES)][:PLACES]
    aware = {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin", "precision": "instant"}
    return {
        "organisation.zone": "Europe/Berlin", "organisation.establishments": {"known": ["DE"], "complete": True}, "organisation.lead_authority": "DE-BE",
        "entity.sectors": {"known": ["none_of_these"], "complete": True}, "personal_data_breach": True, "role": {"known": ["controller"], "complete": True},
        "risk_level": "high", "data.elements": {"known": ["name", "ssn", "medical", "fin_acct"], "complete": True}, "data.unsecured": True,
        "moments": {"detected": aware, "aware": aware, "discovery": aware, "determination": aware},
        "affected.total": {"value": 61_000, "certainty": "about"},
        "affected.by_place": {code: {"value": 1000 + number, "certainty": "about"} for number, code in enumerate(chosen)}, "affected.places_complete": True,
    }


def _copy_half(law: Law, folder: Path) -> None:
    """The data files and half of the regimes, each with those whose duties its own refer to."""
    for path in PACKAGE_FOLDER.glob("*.yaml"):
        shutil.copy(path, folder)
    chosen: set[str] = set()
    for regime in sorted(law.regimes)[::2]:
        if len(chosen) < len(law.regimes) / 2:
            chosen |= _with_others(regime, law)
    for name in chosen:
        target = folder / law.regimes[name].file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE_FOLDER / law.regimes[name].file, target)


def _with_others(regime: str, law: Law) -> set[str]:
    found, left = set[str](), [regime]
    while left:
        one = left.pop()
        found.add(one)
        named = {name for obligation in law.obligations.values() if obligation.regime.id == one for name in _named(obligation)}
        needed = {law.obligations[name].regime.id for name in named if name in law.obligations} | _profiles(one, law)
        left += sorted(needed - found)
    return found


def _named(one: Obligation) -> Iterable[str]:
    """The obligations that this one speaks of."""
    yield from one.trigger_after
    yield from filter(None, (one.same_filing_as, *(modifier.filing for modifier in one.modifiers)))
    roots = [one.period.within, one.period.not_before, *(term for modifier in one.modifiers for term in (modifier.resume, modifier.adds))]
    for term in (term for root in roots if root for term in root.walk()):
        yield from filter(None, (term.other, term.after))


def _profiles(regime: str, law: Law) -> set[str]:
    """The regimes that say what personal information is in a place that this one asks about."""
    by_place = {one.profile.place: one.id for one in law.regimes.values() if one.profile}
    asked = {name for obligation in law.obligations.values() if obligation.regime.id == regime for name in law.checks[obligation.id].facts}
    return {by_place[name.rpartition(".")[2]] for name in asked if law.facts[name].derive[:1] == ("personal_information",)}


def _time(what: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    result = what()
    return time.process_time() - began, result
