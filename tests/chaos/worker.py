"""A worker as a program, whose clock is as wrong as a file says. Nothing else of it is other than in use."""

import json
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors import base as executing
from apscheduler.schedulers import base as scheduling
from apscheduler.triggers import date, interval

from incident_tracker import clock
from incident_tracker.config import from_environment
from incident_tracker.factory import create_app
from incident_tracker.worker import Worker


class Offset:
    """Seconds that the wall clock is off by; read anew each time, as a machine's clock is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> timedelta:
        try:
            return timedelta(seconds=float(self.path.read_text(encoding="utf-8") or "0"))
        except (OSError, ValueError):
            return timedelta(0)


def put_off(offset: Offset) -> None:
    """The wall clock of this process, also that by which the scheduler sleeps; the one that never jumps stays right."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + offset.read()

    clock.now = lambda: datetime.now(UTC) + offset.read()
    for module in (scheduling, executing, interval, date):
        module.datetime = Shifted  # type: ignore[attr-defined]


def main() -> None:
    made = json.loads(sys.argv[1])
    put_off(Offset(Path(sys.argv[2])))
    worker = Worker(create_app(from_environment({}, **made | {"instance": Path(made["instance"]), "testing": True, "log_level": "CRITICAL"})))
    worker.start()
    print("ready", flush=True)
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    done.wait()
    worker.stop()


if __name__ == "__main__":
    main()
