"""The ground the tests stand on: a real database of each kind, the cast, and a browser's client signed in as one of them."""

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from incident_tracker import create_app
from incident_tracker.config import Config, from_environment
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from tests import cast, postgres

DATABASES = ("sqlite", "postgresql")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever touches a database runs on both kinds, unless the test says which it means."""
    if "database_kind" in metafunc.fixturenames and not any(mark.name == "parametrize" and "database_kind" in mark.args[0] for mark in metafunc.definition.iter_markers()):
        wanted = os.environ.get("TRACKER_TEST_DATABASES", ",".join(DATABASES)).split(",")
        metafunc.parametrize("database_kind", wanted)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "postgresql" in getattr(getattr(item, "callspec", None), "params", {}).values():
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    path = folder / "template.sqlite3"
    app = create_app(test_config(folder, f"sqlite:///{path}"))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database with all tables, used as the template of each test's own."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    server = postgres.server()
    server.create(name)
    app = create_app(test_config(tmp_path_factory.mktemp("template"), server.url(name)))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return name


def test_config(folder: Path, url: str, **more: object) -> Config:
    """Settings for a test: everything in `folder`, nothing from the environment of the machine."""
    return from_environment({}, instance=folder, database_url=url, organisation="Harbour Health", testing=True, log_level="CRITICAL", **more)


test_config.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of this test's own."""
    if database_kind == "sqlite":
        path = tmp_path / "tracker.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server, name = postgres.server(), f"test_{uuid.uuid4().hex[:16]}"
    server.create(name, template=request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    return test_config(tmp_path, database_url)


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """The application on an empty database, with its context open, and the cast hired."""
    app = create_app(config)
    with app.app_context():
        cast.hire()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def now() -> datetime:
    """A Friday evening: 27 November 2026, 17:30 in Berlin."""
    return datetime(2026, 11, 27, 16, 30, tzinfo=UTC)


@pytest.fixture
def people(app: Flask) -> dict[str, Person]:
    """The cast by first name in small letters: ines, ravi, laura, mona, adam, olga, otto."""
    return {person.email.split("@")[0]: person for person in db.session.query(Person).order_by(Person.id)}


@pytest.fixture
def browse(app: Flask):
    """`browse("ines")`: a client signed in as her; `browse()`: a stranger."""

    def client(name: str | None = None) -> FlaskClient:
        one = app.test_client()
        if name:
            cast.sign_in(one, name)
        return one

    return client


