"""Every instant is kept in UTC, by the one column type that refuses a moment without an offset."""

from collections.abc import Iterable
from datetime import datetime

import pytest
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table
from sqlalchemy.types import Date, Time

from incident_tracker import models
from incident_tracker.models.base import Base, UTCDateTime

#: names under which a table keeps an instant
ENDINGS = ("_at", "_until", "_since")


def not_in_utc(tables: Iterable[Table]) -> list[str]:
    """Columns that hold an instant by another type, or are named as one and hold something else."""
    found = []
    for table in tables:
        for column in table.columns:
            named = column.name == "at" or column.name.endswith(ENDINGS)
            is_instant = isinstance(column.type, DateTime | Time | UTCDateTime)
            if (named or is_instant) and not isinstance(column.type, UTCDateTime):
                found.append(f"{table.name}.{column.name} is {column.type!r}")
            if isinstance(column.type, Date) and not column.name.endswith("_on"):
                found.append(f"{table.name}.{column.name} is a day: name it …_on")
    return found


def unnamed(tables: Iterable[Table]) -> list[str]:
    """Constraints without a name: a migration on SQLite could not speak of them."""
    return [f"{table.name}: {constraint!r}" for table in tables for constraint in table.constraints if constraint.name is None and constraint.__visit_name__ != "column"]


def test_it_keeps_every_instant_in_utc() -> None:
    assert len(models.__all__) > 5
    assert not_in_utc(Base.metadata.tables.values()) == []


def test_it_names_every_constraint() -> None:
    assert unnamed(Base.metadata.tables.values()) == []


def test_it_refuses_a_moment_without_offset() -> None:
    with pytest.raises(ValueError, match="no offset"):
        UTCDateTime().process_bind_param(datetime(2026, 11, 27, 17, 30), None)  # type: ignore[arg-type]


def test_it_would_notice_a_naive_column() -> None:
    table = Table("planted", MetaData(), Column("id", Integer, primary_key=True), Column("seen_at", String(30)), Column("came", DateTime), Column("due", Date), Column("fine_at", UTCDateTime))
    assert [said.split()[0] for said in not_in_utc([table])] == ["planted.seen_at", "planted.came", "planted.due"]
    assert len(unnamed([table])) == 1
