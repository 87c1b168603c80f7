"""What is measured on: a database of each kind with a large register, and somebody who is signed in."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from incident_tracker import clock
from incident_tracker.config import from_environment
from incident_tracker.factory import create_app
from incident_tracker.models.alerts import beat
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from tests import doors, postgres
from tests.bench.copies import Copier
from tests.bench.seeds import Seed, sow
from tests.bench.statements import listening
from tests.bench.tables import doing
from tests.visitor import Visitor

KINDS = ("sqlite", "postgresql")


@event.listens_for(Engine, "connect")
def _hurry(connection: Any, _record: Any) -> None:
    """What this process writes is only made ready; the servers that are measured wait for the disk as always."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@dataclass
class Ground:
    """One database: its kind, its address, the folder of secrets beside it, and the application in this process."""

    kind: str
    instance: Path
    url: str
    app: Flask
    seeds: list[Seed] = field(default_factory=list)
    cookie: str = ""

    def grow(self, open_count: int, ended_count: int) -> None:
        """Copy the seeds until there are so many more incidents."""
        began = time.monotonic()
        with self.app.app_context(), db.engine.begin() as connection:
            Copier(connection, self.seeds, clock.now()).copy(open_count, ended_count)
        doing(f"{self.kind}: {open_count + ended_count:,} incidents copied in {time.monotonic() - began:.0f} s")

    def paths(self) -> dict[str, str]:
        """The pages that are measured, by name."""
        with self.app.app_context():
            query = select(Incident.reference).where(Incident.ended_at.is_(None), Incident.restricted.is_(False), Incident.open_duty_count > 2)
            references = list(db.session.scalars(query.order_by(Incident.id)))
            db.session.rollback()
        return {
            "list": "/incidents", "incident": f"/incidents/{references[len(references) // 2]}", "search": "/incidents?q=mailbox+clinic&stage=all", "board": "/board",
        }

    def queries(self) -> dict[str, int]:
        """How many statements each page runs, the second time it is asked for."""
        client, found = self._client(), {}
        paths = self.paths()
        with self.app.app_context():
            for name, path in paths.items():
                client.get(path)
                with listening(db.engine) as heard:
                    assert client.get(path).status_code == 200
                found[name] = len(heard)
        return found

    def _client(self) -> FlaskClient:
        client = self.app.test_client()
        client.set_cookie("tracker", self.cookie.partition("=")[2])
        return client


@contextmanager
def prepared(kind: str) -> Iterator[Ground]:
    """A database with the people and the seeds; it is gone when the block ends."""
    instance = Path(tempfile.mkdtemp(prefix="tracker-bench-"))
    url = f"sqlite:///{instance / 'tracker.sqlite3'}"
    if kind == "postgresql":
        server = postgres.server()
        url = server.url(server.create(f"bench_{instance.name[-6:].lower()}"))
    app = create_app(from_environment({}, instance=instance, database_url=url, testing=True, log_level="ERROR", stale_seconds=86_400))
    app.test_client_class = Visitor
    ground = Ground(kind, instance, url, app)
    try:
        with app.app_context():
            db.create_all()
            with db.engine.begin() as connection:
                MigrationContext.configure(connection).stamp(ScriptDirectory(str(files("incident_tracker.migrations"))), "head")
            ground.seeds = sow(clock.now())
            # somebody is at work: its absence would be shown on every page
            beat(db.session(), "the worker", clock.now(), clock.now())
            db.session.commit()
            ground.cookie = _sign_in(app)
            db.session.remove()
        yield ground
    finally:
        with app.app_context():
            db.engine.dispose()
        shutil.rmtree(instance)


def _sign_in(app: Flask) -> str:
    """Ines shows her password and her code; the cookie she gets."""
    secret = doors.give_app("ines")
    client = app.test_client()
    assert doors.walk_in(client, "ines", secret).status_code == 302
    # the first page adds what every later one expects
    assert client.get("/incidents").status_code == 200
    cookie = client.get_cookie("tracker")
    assert cookie is not None
    return f"tracker={cookie.value}"
