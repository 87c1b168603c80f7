"""Threads that hand letters over, each by a talk of its own with the mail server. They touch neither the database nor a template."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from incident_tracker import logs
from incident_tracker.channels import Channel, ChannelError, Letter, Target
from incident_tracker.config import Config
from incident_tracker.dispatches import DispatchBook

#: a letter that was made so long ago is made anew: it must read as things stand
FRESH = timedelta(seconds=2)

log = logs.logger("lanes")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the letter of a message: taken, or why not; with neither it was not begun."""

    number: int
    is_taken: bool = False
    error: ChannelError | None = None
    #: it waited too long, and is to be made anew
    is_stale: bool = False


class Lanes:
    """Several lanes over one queue. Each sends a letter at a time and goes on to the next only when that one is noted in the book."""

    def __init__(self, channel: Channel, settings: Config, book: DispatchBook, now: Callable[[], datetime], count: int) -> None:
        self._channel, self._settings, self._book, self._now, self._count = channel, settings, book, now, count
        self._letters: SimpleQueue[tuple[int, Letter] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._ways = ExitStack()
        self._stopped = threading.Event()
        #: how many letters were given and have no outcome yet
        self.waiting = 0
        #: why no lane begins another letter: the talk broke off twice in a row
        self.closed_by: ChannelError | None = None

    def __enter__(self) -> Self:
        for number in range(self._count):
            way = self._ways.enter_context(self._channel.open(self._settings, Target()))
            self._threads.append(threading.Thread(target=self._run, args=(way.send,), name=f"lane-{number}", daemon=True))
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        """Wait for the letters that are on their way, and end the talks."""
        self.stop()
        for _ in self._threads:
            self._letters.put(None)
        for one in self._threads:
            one.join()
        self._ways.close()

    def give(self, number: int, letter: Letter) -> None:
        """Put a letter into the queue."""
        self.waiting += 1
        self._letters.put((number, letter))

    def next(self) -> Outcome:
        """The next outcome, as soon as there is one."""
        found = self._outcomes.get()
        self.waiting -= 1
        return found

    def stop(self) -> None:
        """Begin no more letters: what still waits comes back as not begun."""
        self._stopped.set()

    def _run(self, send: Callable[[Letter], str]) -> None:
        broken = 0
        while (given := self._letters.get()) is not None:
            number, letter = given
            if self._stopped.is_set() or self.closed_by is not None:
                self._outcomes.put(Outcome(number))
            elif self._now() - letter.at > FRESH:
                self._outcomes.put(Outcome(number, is_stale=True))
            else:
                error = self._hand_over(send, letter)
                # one that breaks the talk off does not stop the others, a second one does
                broken = broken + 1 if error is not None and error.is_down else 0
                if broken > 1:
                    self.closed_by = error
                self._outcomes.put(Outcome(number, is_taken=error is None, error=error))

    def _hand_over(self, send: Callable[[Letter], str], letter: Letter) -> ChannelError | None:
        try:
            send(letter)
        except ChannelError as error:
            return error
        except Exception as error:  # one letter that cannot be sent must not keep the others from going
            log.error("a letter was not sent", problem=type(error).__name__, place=logs.place_of(error))
            return ChannelError(f"it could not be sent: {type(error).__name__}", is_unclear=True)
        self._book.note(letter.message_id, self._now())
        return None
