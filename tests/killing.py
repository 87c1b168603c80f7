"""A worker that is killed at a given step. Run as a program: reads one order a line, answers each with one line of JSON.

An order is `{"now": …, "kill_at": …}`. For each a process of its own is made, which does one round of the worker and kills
itself, without any chance to tidy up, just before the step with that number. The answer names the step, or none.
"""

import json
import os
import re
import signal
import smtplib
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

from incident_tracker.config import Config, from_environment
from incident_tracker.factory import create_app
from incident_tracker.models.base import db
from incident_tracker.worker import run_once

WRITES = re.compile(r"\bUPDATE \w+ SET\b|\bINSERT INTO\b|\bDELETE FROM\b")


class Steps:
    """Counts the steps of this process, and ends it at the chosen one."""

    def __init__(self, kill_at: int | None, told: int) -> None:
        self.kill_at, self.told, self.number = kill_at, told, 0

    def step(self, label: str) -> None:
        if self.number == self.kill_at:
            os.write(self.told, label.encode())
            os.kill(os.getpid(), signal.SIGKILL)
        self.number += 1


def watch(app: Flask, steps: Steps) -> None:
    """Put a step before every write, before and after every commit, and around everything said to the mail server."""

    @event.listens_for(Engine, "before_cursor_execute")
    def before_write(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if WRITES.search(statement):
            steps.step(f"before: {' '.join(statement.split())[:60]}")

    dialect = db.engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        steps.step("before a commit")
        commit(connection)
        steps.step("after a commit")

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    say, hear = smtplib.SMTP.send, smtplib.SMTP.getreply

    def send(self: smtplib.SMTP, text: Any) -> None:
        words = text if isinstance(text, str) else text.decode("latin-1")
        what = words.split("\r\n")[0][:20] if len(words) < 200 else "the text of the mail"
        steps.step(f"before saying {what}")
        say(self, text)
        steps.step(f"after saying {what}")

    def getreply(self: smtplib.SMTP) -> tuple[int, bytes]:
        answer = hear(self)
        steps.step(f"after the answer {answer[0]} {answer[1].decode()[:20]}")
        return answer

    smtplib.SMTP.send, smtplib.SMTP.getreply = send, getreply  # type: ignore[method-assign]


def one_round(app: Flask, now: datetime, kill_at: int | None) -> dict[str, Any]:
    """One round in a process of its own; how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with app.app_context():
            watch(app, Steps(kill_at, writing))
            run_once(app, now)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        label = told.read()
    _, status = os.waitpid(child, 0)
    return {"label": label, "killed": os.WIFSIGNALED(status), "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None}


def main() -> None:
    made = json.loads(sys.argv[1])
    config: Config = from_environment({}, **made | {"instance": Path(made["instance"]), "testing": True, "log_level": "CRITICAL"})
    app = create_app(config)
    # one round in this process: what is compiled now need not be compiled in each of the others
    run_once(app, datetime.fromisoformat(sys.argv[2]))
    with app.app_context():
        db.engine.dispose()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(one_round(app, datetime.fromisoformat(order["now"]), order["kill_at"])), flush=True)


if __name__ == "__main__":
    main()
