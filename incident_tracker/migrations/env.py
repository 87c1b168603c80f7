"""How Alembic reaches the database: through the application's own engine, so that both see the same settings."""

from typing import Any, Literal

from alembic import context
from flask import current_app
from flask_security import AsaList

from incident_tracker.models.base import UTCDateTime


def _render(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Write our own column types by their name."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen.imports.add("from incident_tracker.models.base import UTCDateTime")
        return "UTCDateTime()"
    if kind == "type" and isinstance(item, AsaList):
        return "sa.UnicodeText()"
    return False


def run() -> None:
    """Bring the database to the wanted revision, all in one transaction."""
    database = current_app.extensions["migrate"].db
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_item=_render,
            render_as_batch=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
