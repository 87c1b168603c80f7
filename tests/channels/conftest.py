"""A receiver beside the application, and the application allowed to post to it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from incident_tracker.config import Config
from incident_tracker.models.base import db
from incident_tracker.worker import Pass, run_once
from tests.conftest import test_config
from tests.receivers import Receiver, open_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    """Settings under which a server on this machine may be posted to; mail is off."""
    return test_config(tmp_path, database_url, allow_private_targets="127.0.0.0/8", base_url="https://breaches.example")


@pytest.fixture
def tick(app: Flask) -> Callable[[datetime], Pass]:
    """One round of the worker at a moment."""

    def run(now: datetime) -> Pass:
        db.session.rollback()
        done = run_once(app, now, "worker-of-the-test")
        db.session.rollback()
        return done

    return run
