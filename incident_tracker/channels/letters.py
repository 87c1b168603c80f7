"""What a channel carries, how it is asked to, and how it says no."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, rendered, on its way to one address."""

    to_name: str
    to_address: str
    subject: str
    text: str
    html: str
    #: the part of its id that stays the same on every try
    message_id: str
    #: what it belongs to, so that all about one incident stands together; empty for none
    thread: str
    is_urgent: bool
    at: datetime


class ChannelError(Exception):
    """A channel did not take a letter; `str()` says why, and holds nothing of the letter.

    `is_permanent`: this letter will never be taken. `is_down`: the way itself does not work, so no other would be either.
    `is_unclear`: the talk broke off, and the letter may have been taken all the same.
    """

    def __init__(self, text: str, *, is_permanent: bool = False, is_down: bool = False, is_unclear: bool = False) -> None:
        super().__init__(text)
        self.is_permanent = is_permanent
        self.is_down = is_down
        self.is_unclear = is_unclear


class Way(Protocol):
    """A channel that is open for a batch of letters."""

    def send(self, letter: Letter) -> None:
        """Hand the letter over. Returns once it was taken; raises ChannelError else."""
        ...


class Channel(Protocol):
    """A way out for messages; `settings` are the tracker's."""

    name: str
    #: whether a message has arrived as soon as it is written
    is_immediate: bool

    def is_on(self, settings: Any) -> bool: ...

    def open(self, settings: Any) -> AbstractContextManager[Way]: ...
