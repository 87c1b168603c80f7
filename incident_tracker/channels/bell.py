"""The bell in the pages: a message lies there as soon as it is written, so there is nothing to send and nothing to fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from incident_tracker.channels.letters import NOWHERE, Letter, Target


class Bell:
    """Always on."""

    name = "bell"
    is_immediate = True
    setup = None
    follows_duties = False
    gathers = True
    sums_up = True

    def is_on(self, settings: Any) -> bool:
        """Whether it can be used."""
        return True

    def check(self, target: Target) -> dict[str, str]:
        """Nothing is entered."""
        return {}

    @contextmanager
    def open(self, settings: Any, target: Target = NOWHERE) -> Iterator["Bell"]:
        """Nothing needs to be opened."""
        yield self

    def send(self, letter: Letter) -> str:
        """It is there already."""
        return ""
