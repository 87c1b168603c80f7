"""What a channel carries, how it is asked to, and how it says no."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

#: what a letter to a destination is about: a warning, that a duty's warnings were taken, that it needs no more warnings, the tracker
#: itself (a note, without duties), or nothing (a test)
KINDS = ("warning", "taken", "settled", "note", "test")


@dataclass(frozen=True, slots=True)
class Item:
    """One duty that a letter speaks of. Its `title` is empty where nobody outside may read it; `due` says in words when it is due."""

    title: str
    due: str
    #: an instant with the offset of the duty's own zone
    deadline: datetime
    is_over: bool
    is_target: bool
    link: str
    #: the same for everything about this duty and deadline, and for nothing else
    key: str


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
    kind: str = "warning"
    #: the incident, and the page that tells more
    reference: str = ""
    link: str = ""
    #: the duties that it speaks of, the most urgent first
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Where a destination's letters go: as it is kept sealed, opened for this one use."""

    address: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


#: for channels without destinations
NOWHERE = Target()


class ChannelError(Exception):
    """A channel did not take a letter; `str()` says why, and holds nothing of the letter.

    `is_permanent`: this letter will never be taken. `is_down`: the way itself does not work, so no other would be either.
    `is_unclear`: the talk broke off, and the letter may have been taken all the same. `is_gone`: nothing will ever be taken
    at this address. `retry_after`: how long the receiver asks to be left alone.
    """

    def __init__(
        self, text: str, *, is_permanent: bool = False, is_down: bool = False, is_unclear: bool = False, is_gone: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(text)
        self.is_permanent = is_permanent
        self.is_down = is_down
        self.is_unclear = is_unclear
        self.is_gone = is_gone
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Blank:
    """Something that an administrator fills in to set a channel up."""

    label: str
    hint: str
    is_needed: bool = True
    #: what is used where nothing is filled in: always the same, or made anew
    default: str = ""
    made_by: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What is asked for to set a channel up. `options` are the blanks by name; what they hold is no secret."""

    label: str
    #: a sentence that says what it is and where one finds what is asked for
    about: str
    address: Blank
    secret: Blank | None = None
    options: Mapping[str, Blank] = field(default_factory=dict)


class Way(Protocol):
    """A channel that is open for a batch of letters."""

    def send(self, letter: Letter) -> str:
        """Hand the letter over. Returns once it was taken, with what was answered; raises ChannelError else."""
        ...


class Channel(Protocol):
    """A way out for messages; `settings` are the tracker's, `target` is a destination's."""

    name: str
    #: whether a message has arrived as soon as it is written
    is_immediate: bool
    #: whether it is told, too, that a duty's warnings were taken and that it is settled
    follows_duties: bool
    #: whether several warnings of one incident go as one letter, and those that fired late, after an outage, whatever their incidents
    gathers: bool
    sums_up: bool

    @property
    def setup(self) -> Setup | None:
        """What an administrator enters to make a destination of it; None where there are no destinations."""
        ...

    def is_on(self, settings: Any) -> bool: ...

    def check(self, target: Target) -> dict[str, str]:
        """What is wrong with what was entered: a sentence by the blank's name (address, secret, or an option's)."""
        ...

    def open(self, settings: Any, target: Target) -> AbstractContextManager[Way]: ...
