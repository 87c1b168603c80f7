"""Rows for any table of any revision: what a migration has to carry along. The tables are read from the database itself."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Column, MetaData, insert, select, types
from sqlalchemy.engine import Connection

PER_TABLE = 2
#: the migrations' own
NOT_OURS = {"alembic_version"}
AT = datetime(2026, 11, 27, 16, 30, 15, 250000, tzinfo=UTC)

Contents = dict[str, list[dict[str, Any]]]


def read(connection: Connection) -> MetaData:
    """The tables as they lie in the database now."""
    found = MetaData()
    found.reflect(connection)
    return found


def fill(connection: Connection) -> None:
    """Put two rows into every table, with every column filled and every reference pointing somewhere."""
    for table in read(connection).sorted_tables:
        if table.name not in NOT_OURS:
            for number in range(1, PER_TABLE + 1):
                connection.execute(insert(table).values({column.name: _value(column, number, connection) for column in table.columns}))


def contents(connection: Connection) -> Contents:
    """Every row of every table, by table, in the order of the primary key."""
    return {
        table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()]
        for table in read(connection).sorted_tables if table.name not in NOT_OURS
    }


def lost(before: Contents, after: Contents) -> list[str]:
    """What stood there before, in tables and columns that still are, and stands there no more."""
    found = []
    for table in sorted(before.keys() & after.keys()):
        if len(after[table]) != len(before[table]):
            found.append(f"{table}: {len(before[table])} rows became {len(after[table])}")
            continue
        for old, new in zip(before[table], after[table], strict=True):
            found += [f"{table}.{name}: {old[name]!r} became {new[name]!r}" for name in old.keys() & new.keys() if old[name] != new[name]]
    return found


def _value(column: Column[Any], number: int, connection: Connection) -> Any:
    for reference in column.foreign_keys:
        if reference.column.table is column.table:
            return None if column.nullable else number
        keys = list(connection.scalars(select(reference.column).order_by(reference.column)))
        return keys[(number - 1) % len(keys)]
    for kind, value in (
        (types.Boolean, number == 1), (types.DateTime, AT.replace(day=number)), (types.Date, date(2026, 11, number)), (types.LargeBinary, f"bytes {number}".encode()),
        (types.JSON, {"number": number, "words": ["ä", None]}), (types.Integer, number), (types.Float, float(number)),
    ):
        if isinstance(column.type, kind):
            return value
    return f"{number} ä {column.name}"[: getattr(column.type, "length", None) or 200]
