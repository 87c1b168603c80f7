"""Counting what is asked of the database while something happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

#: what begins and ends a transaction is no question
NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK")


@contextmanager
def listening(engine: Engine) -> Iterator[list[str]]:
    """A list that grows with every statement `engine` runs, until the block ends."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(NOT_COUNTED):
            heard.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)
