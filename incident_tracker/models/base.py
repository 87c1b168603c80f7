"""The database handle, the base of all tables, and the columns that every table may use."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.pagination import Pagination
from sqlalchemy import JSON, ColumnElement, DateTime, Integer, MetaData, String, any_, cast, event, func, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

__all__ = ["Base", "Pagination", "UTCDateTime", "among", "db", "listed"]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An instant, stored in UTC and given back in UTC; a naive value is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no offset: which instant is meant cannot be told")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """SQLite gives text: read at once with its zone, which takes a third of the time."""
        return _read_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _read_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


class Base(DeclarativeBase):
    """Every table's base: its constraints have names, so that migrations can speak of them on both databases."""

    # as one registry: Flask-SQLAlchemy makes a second base of this one, which may not have a map of its own
    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UTCDateTime, dict[str, Any]: JSON, list[Any]: JSON, list[str]: JSON},
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": True})


def among(session: Session, column: Any, numbers: Collection[int]) -> ColumnElement[bool]:
    """Whether `column` is one of many numbers, sent across as one value: a list of hundreds of parameters took longer than the query."""
    if session.get_bind().dialect.name == "postgresql":
        found: ColumnElement[bool] = column == any_(listed(numbers, postgresql.ARRAY(Integer)))
        return found
    read = func.json_each(json.dumps(list(numbers))).table_valued("value")
    within: ColumnElement[bool] = column.in_(select(read.c.value))
    return within


def listed(values: Iterable[object], kind: postgresql.ARRAY[Any]) -> ColumnElement[Any]:
    """Many numbers, names without punctuation but dots, or None as an array of PostgreSQL: one text, for each value by itself costs the driver more."""
    return cast(literal(f"{{{','.join('NULL' if one is None else str(one) for one in values)}}}", String), kind)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """SQLite: transactions are begun by us, several processes may wait for each other, references are checked."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "busy_timeout=15000"):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    """A unit of work takes the write lock at once: a plain BEGIN that turns to writing later fails or loses updates."""
    if connection.dialect.name == "sqlite":
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
