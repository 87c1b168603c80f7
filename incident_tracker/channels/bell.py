"""The bell in the pages: a message lies there as soon as it is written, so there is nothing to send and nothing to fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from incident_tracker.channels.letters import Letter


class Bell:
    """Always on."""

    name = "bell"
    is_immediate = True

    def is_on(self, settings: Any) -> bool:
        """Whether it can be used."""
        return True

    @contextmanager
    def open(self, settings: Any) -> Iterator["Bell"]:
        """Nothing needs to be opened."""
        yield self

    def send(self, letter: Letter) -> None:
        """It is there already."""
