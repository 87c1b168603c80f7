"""The migrations lead to the models, step by step, up and down, with rows in place, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, create_engine

from incident_tracker.factory import migrate
from incident_tracker.models.base import Base, db
from tests import rows
from tests.conftest import built, test_config
from tests.guards.sources import ROOT

SCRIPTS = ScriptDirectory(str(ROOT / "incident_tracker" / "migrations"))


def steps() -> list[tuple[str, str]]:
    """Every revision with the one before it (`base` for the first), the oldest first."""
    return [(str(one.down_revision or "base"), one.revision) for one in reversed(list(SCRIPTS.walk_revisions()))]


@pytest.fixture
def bare(empty_database_url: str, home: Path) -> Iterator[Flask]:
    """The application on a database without tables."""
    app = built(test_config(home, empty_database_url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def alembic(bare: Flask) -> AlembicConfig:
    found: AlembicConfig = migrate.get_config(str(ROOT / "incident_tracker" / "migrations"))
    return found


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    """What the models have and the database has not, or the other way round."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True, "include_object": _is_ours})
    return list(compare_metadata(context, metadata))


def _is_ours(_thing: object, name: str | None, kind: str, *_: object) -> bool:
    return not (kind == "table" and name in rows.NOT_OURS)


def _look(read: Callable[[Connection], rows.Contents]) -> rows.Contents:
    with db.engine.connect() as connection:
        return read(connection)


def _fill() -> None:
    with db.engine.begin() as connection:
        rows.fill(connection)


def test_it_has_one_line_of_migrations() -> None:
    assert len(SCRIPTS.get_heads()) == 1
    assert [revision for _, revision in steps()] == [f"{number:04}" for number in range(1, len(steps()) + 1)], "number them 0001, 0002, …"


def test_it_arrives_at_the_models(alembic: AlembicConfig) -> None:
    command.upgrade(alembic, "head")
    with db.engine.connect() as connection:
        assert differences(connection, Base.metadata) == []


@pytest.mark.parametrize(("before", "revision"), steps())
def test_it_goes_up_and_down_with_rows_in_place(alembic: AlembicConfig, before: str, revision: str) -> None:
    if before != "base":
        command.upgrade(alembic, before)
    _fill()
    old = _look(rows.contents)
    command.upgrade(alembic, revision)
    new = _look(rows.contents)
    assert rows.lost(old, new) == []
    command.downgrade(alembic, before)
    back = _look(rows.contents)
    assert sorted(back) == sorted(old)
    assert rows.lost(old, back) == []
    command.upgrade(alembic, revision)
    assert sorted(_look(rows.contents)) == sorted(new)


def test_it_carries_rows_from_the_first_migration_to_the_last_and_leaves_nothing_behind(alembic: AlembicConfig) -> None:
    command.upgrade(alembic, steps()[0][1])
    _fill()
    old = _look(rows.contents)
    command.upgrade(alembic, "head")
    assert rows.lost(old, _look(rows.contents)) == []
    command.downgrade(alembic, "base")
    assert _look(rows.contents) == {}


def test_it_would_notice_a_column_without_its_migration(bare: Flask) -> None:
    planned, built = MetaData(), MetaData()
    Table("thing", planned, Column("id", Integer, primary_key=True), Column("name", String(20)))
    Table("thing", built, Column("id", Integer, primary_key=True))
    with db.engine.begin() as connection:
        built.create_all(connection)
        assert differences(connection, planned) != []
        assert differences(connection, built) == []


def test_it_would_notice_a_row_that_a_migration_lost() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        tables = MetaData()
        thing = Table("thing", tables, Column("id", Integer, primary_key=True), Column("name", String(20)))
        tables.create_all(connection)
        rows.fill(connection)
        old = rows.contents(connection)
        assert len(old["thing"]) == rows.PER_TABLE
        connection.execute(thing.update().where(thing.c.id == 1).values(name="another"))
        assert rows.lost(old, rows.contents(connection)) == ["thing.name: '1 ä name' became 'another'"]
        connection.execute(thing.delete().where(thing.c.id == 1))
        assert rows.lost(old, rows.contents(connection)) == ["thing: 2 rows became 1"]
    engine.dispose()
