"""Channels that are one HTTP request a letter: each says what it asks for, and how a letter becomes a request."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from incident_tracker.channels.letters import ChannelError, Letter, Setup, Target
from incident_tracker.channels.outgoing import Line

#: a wave of deadlines is a list of so many duties, and then the number of the others
MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Post:
    """One request. A body that is not bytes is sent as JSON."""

    address: str = field(repr=False)
    body: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "POST"


class Hook(ABC):
    """What these channels have in common."""

    name: str
    setup: Setup
    is_immediate: bool = False
    follows_duties: bool = False
    gathers: bool = True
    sums_up: bool = True

    def is_on(self, settings: Any) -> bool:
        """They need no setting; where they go is said by destinations."""
        return True

    def check(self, target: Target) -> dict[str, str]:
        """What is wrong with what was entered, by blank; whether the address may be used at all is seen by the doorkeeper."""
        return {}

    @abstractmethod
    def posts(self, letter: Letter, target: Target) -> Sequence[Post]:
        """The letter as requests; the answer to the first one counts. Raises ChannelError where it cannot be made."""

    def understand(self, error: ChannelError) -> ChannelError:
        """A refusal, with what this kind of receiver says in its body."""
        return error

    @contextmanager
    def open(self, settings: Any, target: Target) -> Iterator["Hooked"]:
        """A line to the receiver, which ends with the batch."""
        with Line(settings.allow_private_targets, secrets_of(target)) as line:
            yield Hooked(self, line, target)


class Hooked:
    """One receiver, on a line that is open."""

    def __init__(self, hook: Hook, line: Line, target: Target) -> None:
        self.hook, self.line, self.target = hook, line, target

    def send(self, letter: Letter) -> str:
        """Send a letter; returns what was answered. Raises ChannelError."""
        posts = self.hook.posts(letter, self.target)
        try:
            answers = [self.line.send(one.method, one.address, one.body, one.headers) for one in posts]
        except ChannelError as error:
            raise self.hook.understand(error) from None
        return str(answers[0])


def secrets_of(target: Target) -> tuple[str, ...]:
    """What no answer and no error may repeat: the address, all of its path, the pieces of it, and the secret."""
    path = target.address.partition("://")[2].partition("/")[2]
    return (target.address, path, *(piece for piece in path.replace("?", "/").replace("&", "/").replace("=", "/").split("/") if len(piece) > 7), target.secret)


def shown_items(letter: Letter) -> list[tuple[str, str, str]]:
    """Title, due and link of the duties that a letter lists; where the title may not be read, what to do in its place."""
    return [(one.title or "Open it in the tracker", one.due, one.link) for one in letter.items[:MOST_ITEMS]]


def others(letter: Letter) -> str:
    """How many duties are not listed, in words; empty if all are."""
    more = len(letter.items) - MOST_ITEMS
    return f"and {more} more, in the tracker" if more > 0 else ""


def plain(letter: Letter) -> str:
    """The letter without its subject as plain text."""
    lines = [letter.text, *(f"{title}\n{due}\n{link}" for title, due, link in shown_items(letter))]
    if not letter.items:
        lines.append(letter.link)
    return "\n\n".join(one for one in (*lines, others(letter)) if one)


def cut(text: str, most: int) -> str:
    """At most so many letters of a text, with a sign where it was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
