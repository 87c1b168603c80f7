"""What a page asks of the database: a few statements, and as many with many incidents as with few."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from tests.bench import seeds
from tests.bench.copies import Copier
from tests.bench.seeds import Seed
from tests.bench.statements import listening
from tests.stories import person

MOST = 8


def pages(restricted: str) -> dict[str, str]:
    """The pages that are opened most, by name; two of them on one incident."""
    query = select(Incident.reference).where(Incident.ended_at.is_(None), Incident.restricted.is_(False)).order_by(Incident.id)
    return {
        "list": "/incidents", "whole list": "/incidents?stage=all&page=2", "incident": f"/incidents/{db.session.scalars(query).first()}",
        "restricted incident": f"/incidents/{restricted}", "search": "/incidents?q=mailbox", "board": "/board", "board of one person": f"/board?owner={person('ravi').id}",
    }


def cost(client: FlaskClient, paths: dict[str, str]) -> dict[str, int]:
    """Statements a page, when it is opened for the second time."""
    found = {}
    for name, path in paths.items():
        client.get(path)
        with listening(db.engine) as heard:
            assert client.get(path).status_code == 200
        found[name] = len(heard)
    return found


@pytest.fixture
def sown(app: Flask, now: datetime) -> list[Seed]:
    """An incident with a draft in review, one with much undecided, a restricted one, and one that is closed."""
    seeds.fill_profile(now)
    made = [
        Seed(seeds.mailbox(now), 60, is_open=True), Seed(seeds.bucket(now), 30, is_open=True), Seed(seeds.insider(now), 10, is_open=True),
        Seed(seeds.filed(now), 100, is_open=False),
    ]
    seeds.warn(now)
    return made


def grow(sown: list[Seed], now: datetime, open_count: int, ended_count: int) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        Copier(connection, sown, now).copy(open_count, ended_count)


def test_a_page_asks_no_more_of_many_incidents_than_of_few(sown: list[Seed], browse: Callable[[str], FlaskClient], now: datetime) -> None:
    laura = browse("laura")
    paths = pages(sown[2].reference)
    grow(sown, now, 30, 40)
    few = cost(laura, paths)
    grow(sown, now, 200, 330)
    assert db.session.scalar(select(func.count(Incident.id))) == len(sown) + 600
    assert cost(laura, paths) == few
    assert {name: count for name, count in few.items() if count > MOST} == {}


def test_it_would_notice_a_query_for_each_line(sown: list[Seed], now: datetime) -> None:
    grow(sown, now, 20, 0)
    with listening(db.engine) as heard:
        incidents = db.session.scalars(select(Incident)).all()
        assert len([one.memberships for one in incidents]) == len(sown) + 20
    assert len(heard) == len(incidents) + 1
