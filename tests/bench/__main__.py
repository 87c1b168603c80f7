"""Measures and prints: `make bench`, or `python -m tests.bench --only law`."""

import argparse
import time

from tests import postgres
from tests.bench import lateness, law, pages, storms
from tests.bench.ground import KINDS, prepared
from tests.bench.tables import doing, note, title

PARTS = ("pages", "law", "warnings", "storms")
FEW = 100
#: of a hundred incidents so many are open
OPEN = 15


def main() -> None:
    """Everything, or the parts that were asked for."""
    asked = _arguments()
    began = time.monotonic()
    run = postgres.Run()
    try:
        if "law" in asked.only:
            law.measure()
        for kind in asked.databases:
            if "pages" in asked.only:
                _pages(kind, asked.incidents)
            if "warnings" in asked.only:
                with prepared(kind) as ground:
                    ground.grow(1400, 0)
                    lateness.measure(ground)
            if "storms" in asked.only:
                storms.measure(kind, asked.warnings)
    finally:
        run.end()
    title("Done")
    note(f"{time.monotonic() - began:.0f} s. Compare ratios within one run; the rest depends on the machine and on what else it does.")


def _pages(kind: str, incidents: int) -> None:
    with prepared(kind) as ground:
        seeds = len(ground.seeds)
        ground.grow(FEW * OPEN // 100 - seeds // 2, FEW - FEW * OPEN // 100 - seeds + seeds // 2)
        few = ground.queries()
        ground.grow((incidents - FEW) * OPEN // 100, (incidents - FEW) - (incidents - FEW) * OPEN // 100)
        pages.show_queries(kind, few, ground.queries(), (FEW, incidents))
        pages.measure(ground, incidents)


def _arguments() -> argparse.Namespace:
    asking = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    asking.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="measure these alone")
    asking.add_argument("--databases", nargs="+", choices=KINDS, default=KINDS)
    asking.add_argument("--incidents", type=int, default=10_000)
    asking.add_argument("--warnings", type=int, default=100_000, help="due at the same instant, in the storms")
    found = asking.parse_args()
    if "postgresql" in found.databases and not postgres.programs():
        doing(postgres.HOW_TO_GET_IT)
        found.databases = [kind for kind in found.databases if kind != "postgresql"]
    return found


if __name__ == "__main__":
    main()
