"""A great many warnings that are over, put straight into the database: what a tick must not notice."""

from sqlalchemy import text
from sqlalchemy.engine import Connection

#: ended rungs of one duty, each of a deadline of its own; numbers come from the database itself
_RUNGS = """
INSERT INTO rung (duty_id, incident_id, key, due_at, planned_at, deadline_at, audience, loudness, channels, ended_at, outcome, late, overtaken_count)
SELECT :duty, :incident, 'old-' || n, :at, :at, :at, '["owner"]', 'normal', '[]', :at, 'fired', {false}, 0 FROM {numbers}
"""
_MESSAGES = """
INSERT INTO message (duty_id, incident_id, person_id, channel, kind, content, message_id, created_at, attempts, sent_at)
SELECT :duty, :incident, :person, 'email', 'warning', '{{}}', 'old.' || n, :at, 1, :at FROM {numbers}
"""
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < :count) SELECT n FROM count)",
    "postgresql": "generate_series(1, :count) AS n",
}


def store(connection: Connection, count: int, *, duty: int, incident: int, person: int, at: str) -> None:
    """Add so many rungs that fired and letters that were sent, all at `at` (UTC, as text), and let the database learn of them."""
    kind = connection.dialect.name
    numbers, false = _NUMBERS[kind], "0" if kind == "sqlite" else "false"
    values = {"duty": duty, "incident": incident, "person": person, "at": at, "count": count}
    connection.execute(text(_RUNGS.format(numbers=numbers, false=false)), {key: value for key, value in values.items() if key != "person"})
    connection.execute(text(_MESSAGES.format(numbers=numbers)), values)
    connection.execute(text("ANALYZE"))
