"""The ground the tests stand on: a real database of each kind, the cast, and a client signed in as one of them."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from incident_tracker import library
from incident_tracker.config import Config, from_environment
from incident_tracker.factory import create_app
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from tests import cast, postgres
from tests.post_office import PostOffice, open_office
from tests.visitor import Visitor

DATABASES = ("sqlite", "postgresql")

_runs: list[postgres.Run] = []


def pytest_configure(config: pytest.Config) -> None:
    """One run begins, whatever the number of its worker processes."""
    if not hasattr(config, "workerinput"):
        _runs.append(postgres.Run())


def pytest_unconfigure(config: pytest.Config) -> None:
    while _runs:
        _runs.pop().end()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever touches a database runs on both kinds, unless the test says which it means."""
    said = any(mark.name == "parametrize" and "database_kind" in mark.args[0] for mark in metafunc.definition.iter_markers())
    if "database_kind" in metafunc.fixturenames and not said and metafunc.definition.path.parent.name != "browser":
        metafunc.parametrize("database_kind", os.environ.get("TRACKER_TEST_DATABASES", ",".join(DATABASES)).split(","))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "postgresql" in getattr(getattr(item, "callspec", None), "params", {}).values():
            item.add_marker(pytest.mark.postgres)


def missing(what: str) -> None:
    """A part of the machine is missing: with CI=true the run fails, for a person at work the test is passed over with the reason."""
    if os.environ.get("CI") == "true":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def test_config(folder: Path, url: str, **more: object) -> Config:
    """Settings for a test: everything in `folder`, nothing from the environment of the machine."""
    return from_environment({}, instance=folder, database_url=url, organisation="Harbour Health", testing=True, log_level="CRITICAL", **more)


test_config.__test__ = False  # type: ignore[attr-defined]


@event.listens_for(Engine, "connect")
def _hurry(connection: Any, _record: Any) -> None:
    """Nothing in these files has to survive a power cut: no commit waits for the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """A real mail server on this machine."""
    with open_office() as found:
        yield found


@pytest.fixture(scope="session")
def home() -> Path:
    """The instance folder of this process: always the same one, so that the application need not be built anew for each test."""
    folder = Path(os.environ[postgres.RUN_FOLDER]) / "homes" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    folder.mkdir(parents=True, mode=0o700)
    return folder


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """A database file with all tables and the cast, made once a run, copied for each test."""
    folder = Path(os.environ[postgres.RUN_FOLDER])
    path = folder / "template.sqlite3"
    with postgres.locked(folder / "sqlite.lock"):
        if not path.exists():
            draft = folder / "draft.sqlite3"
            _lay_out(folder / "laid-out", f"sqlite:///{draft}")
            draft.rename(path)
    return path


@pytest.fixture(scope="session")
def slate() -> postgres.Slate:
    """This process's PostgreSQL database, with all tables and the cast."""
    found = postgres.Slate(a_server(), os.environ.get("PYTEST_XDIST_WORKER", "alone"))
    _lay_out(Path(os.environ[postgres.RUN_FOLDER]) / "laid-out", found.url)
    found.remember()
    return found


@pytest.fixture(scope="session")
def bare_slate() -> postgres.Slate:
    """Another one, without tables."""
    return postgres.Slate(a_server(), f"{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_bare")


def _lay_out(folder: Path, url: str) -> None:
    app = create_app(test_config(folder, url))
    with app.app_context():
        db.create_all()
        cast.hire()
        db.session.remove()
        db.engine.dispose()


def a_server() -> postgres.Server:
    """The PostgreSQL of this run."""
    try:
        return postgres.server()
    except postgres.Missing as error:
        missing(str(error))
        raise


@pytest.fixture
def empty_database_url(database_kind: str, home: Path, request: pytest.FixtureRequest) -> str:
    """A database of this test's own without any table."""
    if database_kind == "sqlite":
        for path in home.glob("empty.sqlite3*"):
            path.unlink()
        return f"sqlite:///{home / 'empty.sqlite3'}"
    slate: postgres.Slate = request.getfixturevalue("bare_slate")
    slate.clear()
    return slate.url


@pytest.fixture
def database_url(database_kind: str, home: Path, request: pytest.FixtureRequest) -> str:
    """A database of this test's own with all tables and the cast in it."""
    if database_kind == "sqlite":
        for path in home.glob("tracker.sqlite3*"):
            path.unlink()
        shutil.copy(request.getfixturevalue("sqlite_template"), home / "tracker.sqlite3")
        return f"sqlite:///{home / 'tracker.sqlite3'}"
    slate: postgres.Slate = request.getfixturevalue("slate")
    slate.wipe()
    return slate.url


@pytest.fixture
def config(database_url: str, home: Path) -> Config:
    """Settings as after an installation; the instance folder holds the secrets and nothing else but the SQLite file."""
    for path in home.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "secrets.json" and not path.name.startswith("tracker.sqlite3"):
            path.unlink()
    return test_config(home, database_url)


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """The application on a database that holds the cast alone, with its context open."""
    app = built(config)
    with app.app_context():
        yield app
        db.session.remove()
        held = db.engine.pool.checkedout()  # type: ignore[attr-defined]
        db.engine.dispose()
    assert not held, f"{held} connections to the database were not given back"


_built: dict[Config, tuple[Flask, dict[str, Any], library.Shelf]] = {}


def built(config: Config) -> Flask:
    """The application with these settings, built once: that takes 20 times as long as an average test. What a test set on it is undone."""
    if config not in _built:
        app = create_app(config)
        app.test_client_class = Visitor
        _built[config] = app, dict(app.config), library.shelf()
    app, settings, shelf = _built[config]
    app.config.clear()
    app.config.update(settings)
    library._shelf = shelf
    return app


@pytest.fixture
def now() -> datetime:
    """A Friday evening: 27 November 2026, 17:30 in Berlin."""
    return datetime(2026, 11, 27, 16, 30, tzinfo=UTC)


@pytest.fixture
def people(app: Flask) -> dict[str, Person]:
    """The cast by first name in small letters: ines, ravi, laura, mona, adam, olga, otto."""
    return {person.email.split("@")[0]: person for person in db.session.query(Person).order_by(Person.id)}


@pytest.fixture
def browse(app: Flask) -> Callable[[str | None], FlaskClient]:
    """`browse("ines")`: a client signed in as her; `browse()`: a stranger."""

    def client(name: str | None = None) -> FlaskClient:
        one = app.test_client()
        if name:
            cast.sign_in(one, name)
        return one

    return client
