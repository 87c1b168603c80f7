"""How Alembic reaches the database: through the application's own engine, so that both see the same settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from flask import current_app
from flask_security import AsaList
from sqlalchemy import Connection

from incident_tracker.models.base import UTCDateTime


def _render(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Write our own column types by their name."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen.imports.add("from incident_tracker.models.base import UTCDateTime")
        return "UTCDateTime()"
    if kind == "type" and isinstance(item, AsaList):
        return "sa.UnicodeText()"
    return False


@contextmanager
def _without_checking_references(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew: while the old one is dropped, rows of others refer to nothing."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw = connection.connection
    # not through SQLAlchemy: it would begin a transaction, in which the switch does nothing
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection) -> None:
    """Raise RuntimeError, and so change nothing, if a row refers to one that is gone."""
    if connection.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)):
        raise RuntimeError(f"rows would refer to nothing after this migration: {[row[0] for row in lost]}")


def run() -> None:
    """Bring the database to the wanted revision, all in one transaction."""
    database = current_app.extensions["migrate"].db
    with database.engine.connect() as connection, _without_checking_references(connection):
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_item=_render,
            render_as_batch=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            _check_references(connection)


run()
