"""Plants faults into the rules and tells which of them no test notices: `python -m tests.mutation counting eu1182`."""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping

import pytest
import yaml

from tests.mutation.changes import mutants_of
from tests.mutation.runs import ALIVE, KEPT, ROOT, RULES, Trials

#: pytest without what a run in child processes cannot use
_PYTEST = ("-q", "-s", "--noconftest", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_EQUIVALENT = ROOT / "tests" / "mutation" / "equivalents.yaml"


def main() -> int:
    """Try every fault of the modules asked for, print what survived and a table. 1 where something survived that is not on the list."""
    asked = _arguments()
    kept = KEPT / "outcomes.json"
    before: dict[str, dict[str, str]] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    skip: frozenset[str] = frozenset()
    if asked.survivors:
        noticed = (name for outcomes in before.values() for name, told in outcomes.items() if told not in ALIVE)
        skip = frozenset(noticed) | _equivalents().keys()
    KEPT.mkdir(exist_ok=True)

    def keep(name: str, outcomes: dict[str, str]) -> None:
        before[name] = {**before.get(name, {}), **outcomes} if asked.survivors else outcomes
        kept.write_text(json.dumps(before, indent=1, ensure_ascii=False), encoding="utf-8")

    began = time.process_time()
    if not asked.table:
        pytest.main([*_PYTEST, str(ROOT / "tests" / "rules")], plugins=[Trials(asked.modules, keep, skip)])
    open_ones = _show(before, asked.modules)
    print(f"\n{time.process_time() - began:.0f} s in this process, and its children's beside.")
    return 1 if open_ones else 0


def _equivalents() -> dict[str, str]:
    """Faults that change nothing anybody can see, with the reason."""
    found: dict[str, str] = yaml.safe_load(_EQUIVALENT.read_text(encoding="utf-8"))
    return found


def _show(outcomes: Mapping[str, Mapping[str, str]], modules: Iterable[str]) -> int:
    equivalent = _equivalents()
    rows, alive, stale = [], [], []
    for module in modules:
        told = outcomes.get(module)
        if told is None:
            continue
        now = {mutant.name for mutant in mutants_of(RULES / f"{module}.py")}
        told = {name: outcome for name, outcome in told.items() if name in now and outcome != "invalid"}
        survived = [name for name, outcome in told.items() if outcome in ALIVE]
        alive += [name for name in survived if name not in equivalent]
        stale += [name for name in equivalent if name.startswith(f"{module}.") and name not in survived]
        rows.append((module, len(told), len(told) - len(survived), sum(name in equivalent for name in survived)))
    for heading, names in (("Nobody noticed", alive), ("On the list of equivalents, but noticed or gone", stale)):
        if names:
            print(f"\n{heading}:", *names, sep="\n  ")
    rows.append(("together", *(sum(row[at] for row in rows) for at in (1, 2, 3))))
    print(f"\n{'module':14} {'faults':>6} {'noticed':>7}  {'%':>5}  {'equivalent':>10} {'open':>4}")
    for name, total, killed, same in rows:
        print(f"{name:14} {total:6} {killed:7}  {100 * killed / max(total, 1):5.1f}  {same:10} {total - killed - same:4}")
    return len(alive)


def _arguments() -> argparse.Namespace:
    known = sorted(path.stem for path in RULES.glob("*.py") if path.stem != "__init__")
    asking = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    asking.add_argument("modules", nargs="*", default=known, choices=[*known, []], metavar="module", help=f"of incident_tracker/rules: {', '.join(known)}")
    asking.add_argument("--survivors", action="store_true", help="try those again that survived the last time, and those that are new")
    asking.add_argument("--table", action="store_true", help="try nothing, show what the last runs found")
    asked = asking.parse_args()
    asked.modules = asked.modules or known
    return asked


if __name__ == "__main__":
    sys.exit(main())
