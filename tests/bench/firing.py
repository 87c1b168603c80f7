"""A worker's firing as a program: waits for a word, fires until nothing is due, and says how many and how long it took."""

import json
import re
import sys
import time
from pathlib import Path

from sqlalchemy import text

from incident_tracker.config import from_environment
from incident_tracker.diary import Diary
from incident_tracker.factory import create_app
from incident_tracker.models.alerts import newest_heartbeat
from incident_tracker.models.base import db
from incident_tracker.worker import Pass, deliver, fire, worker_name

COMMITS = 300


def peak() -> float:
    """The most memory that this program held, in megabytes; what its parent held before it began is not counted."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0.0


def raw_commits() -> float:
    """Small transactions a second that this database takes from a program that does nothing else."""
    began = time.perf_counter()
    for _ in range(COMMITS):
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE incident SET version = version WHERE id = 1"))
    return COMMITS / (time.perf_counter() - began)


def main() -> None:
    made = json.loads(sys.argv[1])
    app = create_app(from_environment({}, **made | {"instance": Path(made["instance"]), "testing": True, "log_level": "CRITICAL"}))
    with app.app_context():
        # opens the connection, which is no part of firing
        newest_heartbeat()
        one = Pass(app, Diary(worker_name()))
        print("ready", flush=True)
        for line in sys.stdin:
            if line == "commit\n":
                print(json.dumps({"commits": raw_commits()}), flush=True)
                continue
            began, spent = time.monotonic(), time.process_time()
            {"fire": fire, "deliver": deliver}[line.strip()](one)
            print(json.dumps({
                "fired": one.fired, "sent": one.letters.sent, "seconds": time.monotonic() - began, "cpu": time.process_time() - spent,
                "rss": peak(),
            }), flush=True)


if __name__ == "__main__":
    main()
