"""Whether the tables are those of this version: cheap enough to be asked by a monitor every few seconds."""

from functools import cache
from importlib.resources import files

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from incident_tracker.models.base import db


@cache
def head() -> str:
    """The newest revision, by the numbers at the head of the migrations' file names."""
    names = [path.name for path in files("incident_tracker.migrations.versions").iterdir()]
    return max(name[:4] for name in names if name.endswith(".py") and name[:4].isdigit())


def is_at_head() -> bool:
    """Whether the database is at the newest revision; False too where it has none. Raises what the database raises if it does not answer."""
    db.session.execute(text("SELECT 1"))
    try:
        return list(db.session.scalars(text("SELECT version_num FROM alembic_version"))) == [head()]
    except DatabaseError:
        # there is no such table
        db.session.rollback()
        return False
