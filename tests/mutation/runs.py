"""Runs the tests against each fault, in a process of its own that is forked off a test session in which everything is loaded."""

import copyreg
import functools
import gc
import hashlib
import importlib
import json
import os
import pickle
import resource
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import coverage
import holidays
import pytest
import yaml
from _pytest.runner import runtestprotocol
from hypothesis import settings

from incident_tracker.rules import regimes, sources
from incident_tracker.rules.laws import Law
from tests.mutation.changes import Mutant, mutants_of
from tests.mutation.swaps import NotPlanted, forget_what_was_remembered, plant

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "incident_tracker" / "rules"
#: where the figures of the last run are kept; git does not see it
KEPT = ROOT / "mutants"
#: outcomes in which no test noticed; "unreached" where none runs the line
ALIVE = ("survived", "unreached")
_MEMORY = 3 * 1024**3
_FEW_EXAMPLES = 5
#: seconds of the processor after which a fault counts as not noticed; the quickest tests come first
_ENOUGH = 8.0
#: what is read once from files
_LOADED = frozenset({"default_law", "default_catalogue", "default_places", "default_calendars", "default_contents", "parse_yaml"})
#: what of the law is made of closures and cannot be compared
_MADE = ("checks", "roll_checks", "single_targets", "cache")

#: the modules that faults are planted in, by name
_MODULES = {path.stem: importlib.import_module(f"incident_tracker.rules.{path.stem}") for path in sorted(RULES.glob("[!_]*.py"))}

copyreg.pickle(MappingProxyType, lambda found: (dict, (dict(found),)))


class Trials:
    """A plugin of pytest: instead of running all tests once it runs, for each fault, those that reach it until one fails.

    `keep` is told the outcomes of each module: the name of the test that noticed, "timeout", "law" (the law could not be read
    any more), "import" (nor the module), "invalid" (no change that can be made), "survived" or "unreached". Faults to `skip` are left out.
    """

    def __init__(self, modules: list[str], keep: Callable[[str, dict[str, str]], None], skip: frozenset[str] = frozenset()) -> None:
        self.modules, self.keep, self.skip = modules, keep, skip
        self._items: dict[str, pytest.Item] = {}
        self._reach: dict[str, dict[str, list[int]]] = {}
        self._cost: dict[str, float] = {}
        self._while_loading: dict[str, list[int]] = {}
        self._law = b""
        self._killers: dict[tuple[str, str], deque[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of the loop over the tests."""
        # a test that starts a program of its own does not see the fault
        self._items = {item.nodeid: item for item in session.items if "web_framework" not in item.nodeid}
        for item in self._items.values():
            _with_few_examples(item)
        yaml.compose = functools.lru_cache(maxsize=None)(yaml.compose)
        for country in {one.place.partition("-")[0] for one in regimes.load_law().authorities.values()} & set(holidays.list_supported_countries()):
            holidays.country_holidays(country, years=2026)
        gc.collect()
        gc.freeze()
        self._measure()
        self._law = _in_child(_picture_of_the_law)[1]
        for name in self.modules:
            self.keep(name, self._try(name))
        return True

    def _measure(self) -> None:
        """Which lines each test runs, and how long it takes; kept from one run to the next while neither has changed."""
        file = KEPT / "reach.json"
        law = _digest(*sorted(RULES.glob("*.py")))
        old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if old.get("law") != law:
            old = {"tests": {}, "loading": None}
        digests = {path: _digest(ROOT / path) for path in {nodeid.split("::")[0] for nodeid in self._items}}
        found = {}
        for nodeid, item in self._items.items():
            digest, seen = digests[nodeid.split("::")[0]], old["tests"].get(nodeid)
            if seen is None or seen["file"] != digest:
                code, answer = _in_child(lambda item=item: _reached(lambda: _passes(item)))
                if code:
                    raise pytest.UsageError(f"{nodeid} fails without any fault")
                seen = {**pickle.loads(answer), "file": digest}
            found[nodeid] = seen
        loading = old["loading"] or pickle.loads(_in_child(lambda: _reached(_rebuilt))[1])["lines"]
        file.write_text(json.dumps({"law": law, "tests": found, "loading": loading}), encoding="utf-8")
        self._reach = {nodeid: seen["lines"] for nodeid, seen in found.items()}
        self._cost = {nodeid: seen["cost"] for nodeid, seen in found.items()}
        self._while_loading = loading

    def _try(self, name: str) -> dict[str, str]:
        module = _MODULES[name]
        reach = {nodeid: set(lines.get(name, ())) for nodeid, lines in self._reach.items()}
        loading = set(self._while_loading.get(name, ()))
        outcomes = {}
        with _files_parsed_once(name):
            for mutant in mutants_of(RULES / f"{name}.py"):
                if mutant.name not in self.skip:
                    loads = bool(mutant.lines & loading) or not mutant.in_function
                    told = outcomes[mutant.name] = self._one(mutant, module, reach, loads)
                    print(f"\n{told}: {mutant.name}" if told in ALIVE else ".", end="", flush=True)
        return outcomes

    def _one(self, mutant: Mutant, module: ModuleType, reach: dict[str, set[int]], loads: bool) -> str:
        near = {nodeid for nodeid, lines in reach.items() if mutant.lines & lines}
        far = self._items.keys() - near if loads else set()
        if not near and not far:
            return "unreached"
        killers = self._killers.setdefault((mutant.module, mutant.where), deque(maxlen=8))
        own = mutant.module.rstrip("s")
        order = (*self._ordered(near, killers, own), None, *self._ordered(far, killers, own))
        code, answer = _in_child(lambda: self._first_to_notice(mutant, module, order, loads))
        if code == -1:
            return "timeout"
        told = answer.decode()
        if told in self._items:
            if told in killers:
                killers.remove(told)
            killers.appendleft(told)
        return told or "survived"

    def _ordered(self, nodeids: set[str], killers: deque[str], own: str) -> list[str]:
        """Those first that noticed the last faults of the same function, then those of the module's own files, then a few of each kind; quick ones first."""
        rank = {nodeid: at for at, nodeid in enumerate(killers)}
        seen: Counter[str] = Counter()
        turn = {}
        for nodeid in sorted(nodeids, key=self._cost.__getitem__):
            kind = nodeid.partition("[")[0]
            turn[nodeid], seen[kind] = min(seen[kind] // 3, 3), seen[kind] + 1
        return sorted(nodeids, key=lambda one: (rank.get(one, len(rank)), own not in one.partition("::")[0], turn[one], self._cost[one]))

    def _first_to_notice(self, mutant: Mutant, module: ModuleType, order: tuple[str | None, ...], loads: bool) -> bytes:
        """In the child: the name of the test that fails, or nothing. Tests after the None matter only if the law reads otherwise."""
        try:
            plant(mutant, module)
        except NotPlanted:
            return b"invalid"
        except Exception:
            return b"import"
        forget_what_was_remembered(frozenset({"parse_yaml"}) if loads else _LOADED)
        other_law = mutant.module == "conditions" or not mutant.in_function
        if loads:
            _hurry(5)
            try:
                other_law = _picture_of_the_law() != self._law or other_law
            except Exception:
                return b"law"
        for nodeid in order:
            if time.process_time() > _ENOUGH or (nodeid is None and not other_law):
                break
            if nodeid is not None:
                _hurry(3 + 8 * self._cost[nodeid])
                if not _passes(self._items[nodeid]):
                    return nodeid.encode()
        return b""


def _digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def _with_few_examples(item: pytest.Item) -> None:
    chosen = getattr(getattr(item, "obj", None), "_hypothesis_internal_use_settings", None)
    if chosen is not None:
        few = settings(chosen, max_examples=_FEW_EXAMPLES, derandomize=True, database=None)
        item.obj._hypothesis_internal_use_settings = few


@contextmanager
def _files_parsed_once(name: str) -> Iterator[None]:
    """Reading the law is mostly parsing YAML, which only a fault in `sources` can change."""
    plain = sources.parse_yaml
    if name != "sources":
        sources.parse_yaml = functools.lru_cache(maxsize=None)(plain)
        regimes.load_law()
    yield
    sources.parse_yaml = plain


def _passes(item: pytest.Item) -> bool:
    return all(report.passed for report in runtestprotocol(item, log=False, nextitem=None))


def _rebuilt() -> Law:
    """The law read again, put where the tests have it."""
    old = regimes.default_law()
    regimes.default_law.cache_clear()
    new = regimes.default_law()
    old.__dict__.clear()
    old.__dict__.update(new.__dict__)
    return new


def _picture_of_the_law() -> bytes:
    law = _rebuilt()
    return hashlib.sha256(pickle.dumps({name: value for name, value in law.__dict__.items() if name not in _MADE})).digest()


def _reached(act: Callable[[], Any]) -> bytes:
    watching = coverage.Coverage(data_file=None, include=[f"{RULES}/*.py"], config_file=False)
    watching.set_option("run:disable_warnings", ["no-data-collected"])
    forget_what_was_remembered(_LOADED)
    began = time.process_time()
    watching.start()
    passed = act()
    watching.stop()
    if not passed:
        raise AssertionError
    data = watching.get_data()
    lines = {Path(file).stem: sorted(data.lines(file) or ()) for file in data.measured_files()}
    return pickle.dumps({"lines": lines, "cost": time.process_time() - began})


def _hurry(seconds: float) -> None:
    """The process ends itself once it has used so much more of the processor."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _in_child(act: Callable[[], bytes]) -> tuple[int, bytes]:
    """The exit code of a process of its own and what the act answered in it; -1 if it had to be ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _act_and_leave(act, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        answer = told.read()
    _, status = os.waitpid(child, 0)
    return (-1 if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)), answer


def _act_and_leave(act: Callable[[], bytes], writing: int) -> None:
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        with os.fdopen(writing, "wb") as told:
            told.write(act())
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)
