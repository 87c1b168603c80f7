"""`make chaos`: three minutes of it on PostgreSQL with three workers, then on SQLite with one. Ends with 1 if anything was lost or doubled."""

import argparse
import sys

from tests import postgres
from tests.bench.tables import doing, note, table, title
from tests.chaos.run import Outcome, Storm, blow

WORKERS = {"postgresql": 3, "sqlite": 1}


def main() -> None:
    asking = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    asking.add_argument("--databases", nargs="+", choices=tuple(WORKERS), default=tuple(WORKERS))
    asking.add_argument("--warnings", type=int, default=2000)
    asking.add_argument("--seconds", type=float, default=180)
    asking.add_argument("--due-within", type=float, default=60)
    asking.add_argument("--seed", type=int, default=7)
    asked = asking.parse_args()
    run = postgres.Run()
    outcomes = []
    try:
        for kind in asked.databases:
            doing(f"{kind}: {asked.warnings:,} warnings within {asked.due_within:.0f} s, {asked.seconds:.0f} s of breaking things")
            outcomes.append(blow(Storm(kind, WORKERS[kind], asked.warnings, asked.due_within, asked.seconds, seed=asked.seed)))
    finally:
        run.end()
    show(outcomes)
    sys.exit(any(one.lost or one.doubled or one.repeated > one.damage.total for one in outcomes))


def show(outcomes: list[Outcome]) -> None:
    """What was planted and broken, and what the mail server counted."""
    title("Chaos: warnings counted at the mail server")
    table(
        ("database", "workers", "planted", "arrived", "lost", "doubled", "same id again", "dead", "kills", "mail server", "database cut", "clock moved", "seconds"),
        [(
            one.storm.kind, one.storm.workers, one.planted, one.arrived, len(one.lost), len(one.doubled), one.repeated, one.dead,
            one.damage.kills, one.damage.offices, one.damage.cuts, one.damage.jumps, f"{one.seconds:.0f}",
        ) for one in outcomes],
    )
    note("lost: never arrived; doubled: came under two Message-IDs; same id again: a receiver can tell it for a repetition, and no more often than something was killed or cut")


if __name__ == "__main__":
    main()
