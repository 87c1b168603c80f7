"""Whether the database fits this version of the tracker; one that is ahead or behind is refused, with the command to run."""

from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from incident_tracker.errors import TrackerError
from incident_tracker.models.base import db


class SchemaError(TrackerError):
    """The database cannot be used as it is; the text names the command that mends it."""


class Fit(StrEnum):
    """How the database stands to this version."""

    FITS = "fits"
    EMPTY = "empty"
    BEHIND = "behind"
    AHEAD = "ahead"


def fit() -> Fit:
    """Look at the database; needs the application's context. Raises SchemaError when it does not answer."""
    scripts = ScriptDirectory(str(Path(str(files("incident_tracker.migrations")))))
    try:
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            tables = inspect(connection).get_table_names()
    except OperationalError as error:
        raise SchemaError(
            f"The database does not answer ({type(error.orig).__name__}). Check INCIDENT_TRACKER_DATABASE_URL and that the server runs."
        ) from error
    if current is None:
        return Fit.BEHIND if tables else Fit.EMPTY
    if current == scripts.get_current_head():
        return Fit.FITS
    known = {script.revision for script in scripts.walk_revisions()}
    return Fit.BEHIND if current in known else Fit.AHEAD


def demand_fit() -> None:
    """Raise SchemaError unless the database fits."""
    found = fit()
    if found in (Fit.EMPTY, Fit.BEHIND):
        raise SchemaError(f"The database is {found}. Back it up, then run: incident-tracker migrate")
    if found is Fit.AHEAD:
        raise SchemaError(
            "The database was written by a newer version of the tracker. Install that version, or restore a back-up made with this one."
        )
