"""What a tick asks of the database is answered by indexes: it costs the same with a thousand warnings stored and with a million."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Connection

from incident_tracker.models.base import db
from incident_tracker.worker import run_once
from tests.alarms import HOUR, a_duty, an_incident
from tests.storage import store
from tests.stories import FRIDAY, person

STORED = 40_000
#: tables that grow with every warning there ever was
GROWING = ("rung", "message")


@contextmanager
def heard() -> Iterator[list[tuple[str, Any]]]:
    """The statements that are run meanwhile, with their parameters."""
    found: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many and statement.split(None, 1)[0] in ("SELECT", "UPDATE", "DELETE", "WITH"):
            found.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def scans(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """The growing tables that the database would read from end to end for a statement."""
    ask = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    plan = [" ".join(map(str, row)) for row in connection.exec_driver_sql(ask + statement, parameters)]
    return [f"{line.strip()} in: {' '.join(statement.split())[:160]}" for line in plan for table in GROWING if reads_whole(line, table)]


def reads_whole(line: str, table: str) -> bool:
    if "Seq Scan on" in line:
        return line.split("Seq Scan on", 1)[1].split()[0] == table
    words = line.split()
    return "SCAN" in words and table in words and "INDEX" not in words


@pytest.mark.slow
def test_a_tick_reads_no_growing_table_from_end_to_end(app: Flask) -> None:
    incident = an_incident()
    duty = a_duty(incident)
    with db.engine.begin() as connection:
        store(connection, STORED, duty=a_duty(incident, plan_at=None).id, incident=incident.id, person=person("ines").id, at="2026-01-05 09:00:00")
    run_once(app, FRIDAY - HOUR)
    for _ in range(10):
        a_duty(an_incident(), start=FRIDAY + timedelta(minutes=1), plan_at=FRIDAY)
    db.session.rollback()
    with heard() as statements:
        assert run_once(app, FRIDAY + HOUR).fired >= 10
    assert duty.id and len(statements) > 10
    with db.engine.connect() as connection:
        found = [line for statement, parameters in statements for line in scans(connection, statement, parameters)]
    assert found == []


def test_it_would_notice_a_table_that_is_read_whole(app: Flask) -> None:
    incident = an_incident()
    with db.engine.begin() as connection:
        store(connection, STORED, duty=a_duty(incident).id, incident=incident.id, person=person("ines").id, at="2026-01-05 09:00:00")
    with db.engine.connect() as connection:
        assert scans(connection, "SELECT count(*) FROM rung WHERE loudness = 'odd'", ())
