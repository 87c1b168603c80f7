"""A worker killed at any step loses no warning, and says none twice but under the same id and where nobody could have known."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from incident_tracker.actions import deliveries
from incident_tracker.config import Config
from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.messages import Message
from tests.alarms import a_duty, an_incident, change
from tests.conftest import test_config
from tests.post_office import PostOffice
from tests.stories import FRIDAY

ROOT = Path(__file__).parents[1]
#: more steps than a round has
ENOUGH = 200


@pytest.fixture
def config(database_url: str, tmp_path: Path, office: PostOffice) -> Config:
    return test_config(tmp_path, database_url, **mail_settings(office))


def mail_settings(office: PostOffice) -> dict[str, Any]:
    return {"smtp_host": "127.0.0.1", "smtp_port": office.port, "smtp_security": "none", "mail_from": "tracker@harbour.example"}


@contextmanager
def workers(config: Config, office: PostOffice) -> Iterator[Any]:
    """`order(now, kill_at)`: a new worker does one round, and is killed at that step."""
    made = {"instance": str(config.instance), "database_url": config.database_url, **mail_settings(office)}
    first = plant(ENOUGH, FRIDAY - timedelta(hours=1))
    process = subprocess.Popen([sys.executable, "-m", "tests.killing", json.dumps(made), FRIDAY.isoformat()], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def order(now: datetime, kill_at: int | None) -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps({"now": now.isoformat(), "kill_at": kill_at}) + "\n")
        process.stdin.flush()
        found: dict[str, Any] = json.loads(process.stdout.readline())
        return found

    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        settle(first, FRIDAY)
        yield order
    finally:
        process.communicate(timeout=30)


@pytest.mark.slow
def test_it_loses_nothing_and_repeats_only_what_may_not_have_arrived(app: Flask, config: Config, office: PostOffice):
    labels: list[str] = []
    repeated: list[str] = []
    with workers(config, office) as order:
        for kill_at in range(ENOUGH):
            now = FRIDAY + kill_at * timedelta(hours=1)
            titles = plant(kill_at, now)
            ended = order(now, kill_at)
            if not ended["killed"]:
                assert ended["exit"] == 0
                break
            labels.append(ended["label"])
            db.session.rollback()
            assert order(now + deliveries.LEASE + timedelta(seconds=1), None)["exit"] == 0
            if check(titles, office, ended["label"]):
                repeated.append(ended["label"])
            settle(titles, now)
    assert len(labels) >= 30 and len(labels) < ENOUGH - 1, labels
    window = may_repeat(labels)
    assert repeated, "not one kill fell between the text and the note of the server's answer: the test tests nothing"
    assert set(repeated) <= {labels[index] for index in window}, (repeated, labels)


def plant(number: int, now: datetime) -> list[str]:
    """An incident of its own with two duties that Ravi has: one mail, two warnings."""
    incident, titles = an_incident(), [f"Duty {number}-{part} of the kill" for part in "ab"]
    for title in titles:
        a_duty(incident, 72, start=now, plan_at=now, owner="ravi", title=title)
    db.session.rollback()
    return titles


def settle(titles: list[str], now: datetime) -> None:
    """Meet the duties, so that every round has the same to do."""
    for duty in db.session.scalars(select(Duty).where(Duty.title.in_(titles))).all():
        change(duty, now, state="met", done_at=now)
    db.session.rollback()


def check(titles: list[str], office: PostOffice, label: str) -> bool:
    """Both warnings arrived, in one mail; whether it came twice, then under one id. The database agrees."""
    letters = [letter for letter in office.letters if any(title in letter.part("plain") for title in titles)]
    assert letters, f"lost, killed {label}"
    assert all(title in letter.part("plain") for letter in letters for title in titles), f"parted, killed {label}"
    assert len({letter.message_id for letter in letters}) == 1, f"two ids for one warning, killed {label}"
    assert len(letters) <= 2, f"more than twice, killed {label}"
    db.session.rollback()
    rows = db.session.execute(
        select(Rung.outcome, Message.channel, Message.sent_at, Message.next_attempt_at).join(Message, Message.rung_id == Rung.id)
        .where(Rung.key == "start", Rung.duty.has(title=titles[0]))
    ).all()
    assert sorted((outcome, channel, sent is not None, due) for outcome, channel, sent, due in rows) == [("fired", "bell", True, None), ("fired", "email", True, None)], label
    return len(letters) == 2


def may_repeat(labels: list[str]) -> range:
    """From the moment the server has the text until its answer is noted in the book."""
    had = labels.index("after saying the text of the mail")
    return range(had, had + 2)
