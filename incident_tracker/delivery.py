"""The door by which messages leave: take, render, send outside of any transaction, mark."""

import secrets
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from jinja2 import Environment

from incident_tracker import clock, logs, rendering
from incident_tracker.actions import deliveries
from incident_tracker.actions.deliveries import Failure
from incident_tracker.channels import CHANNELS, Channel, ChannelError, Letter, monitors, open_channels
from incident_tracker.config import Config
from incident_tracker.dispatches import DispatchBook, left_behind
from incident_tracker.lanes import Lanes
from incident_tracker.rendering import NotToBeSent
from incident_tracker.work import CLOCKWORK, unit_of_work

#: after so many seconds no more letters of a batch are begun: what is left is due again
BATCH_SECONDS = 60.0
#: talks with the mail server at once, where more than a few letters wait
LANES, FEW = 2, 10
#: so many letters are marked in one transaction; until then they stand in the book
TOGETHER = 25

__all__ = ["Door", "Tally", "open_channels"]

log = logs.logger("delivery")


@dataclass(slots=True)
class Tally:
    """How many letters were sent, failed, were given up and were withdrawn; by which channels some went, and which could not be used."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    withdrawn: int = 0
    went: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)


def tell_monitor(settings: Config) -> str | None:
    """Give the outside monitor its sign of life; why it did not take it, None if it did. Takes a few seconds at most."""
    try:
        monitors.ping(settings)
    except ChannelError as error:
        return str(error)
    return None


class Door:
    """Everything that sending needs: the settings, the templates, and the name under which letters are taken."""

    def __init__(self, settings: Config, templates: Environment, worker: str, now: datetime | None = None) -> None:
        """`now` (UTC) stands for the present in tests; else each step reads the clock."""
        self.settings, self.templates, self.worker, self.now = settings, templates, worker, now
        self.tally = Tally()

    def deliver_due(self) -> Tally:
        """Send what is due to people's addresses, until nothing is or a channel is down. What goes to destinations is posted by `posting`."""
        self._settle_what_others_left()
        for channel in CHANNELS.values():
            if not channel.is_immediate and channel.setup is None:
                self._deliver_by(channel)
        return self.tally

    def present(self) -> datetime:
        """The moment that counts as the present (UTC)."""
        return self.now or clock.now()

    def _settle_what_others_left(self) -> None:
        """Mark what workers of this machine handed over before they were stopped: else it would go again."""
        with left_behind(self.settings.instance) as taken:
            if taken:
                with unit_of_work(CLOCKWORK, self.now) as work:
                    self.tally.sent += deliveries.mark_sent(work, taken)

    def _deliver_by(self, channel: Channel) -> None:
        if not channel.is_on(self.settings):
            with unit_of_work(CLOCKWORK, self.now) as work:
                self.tally.withdrawn += deliveries.withdraw_all(work, channel.name, "E-mail is not set up.")
            return
        batch = self.take(channel)
        if batch:
            count = LANES if len(batch) > FEW else 1
            with closing(DispatchBook(self.settings.instance)) as book, Lanes(channel, self.settings, book, self.present, count) as lanes:
                _Round(self, channel, book, lanes).send(batch)

    def take(self, channel: Channel) -> list[int]:
        """Some of the letters that are due; nobody else has them until their lease ends."""
        with unit_of_work(CLOCKWORK, self.now) as work:
            return deliveries.take(work, self.worker, channel.name)

    def letters(self, numbers: Sequence[int]) -> dict[int, Letter]:
        """The letters as they read now. What must not go is withdrawn, what cannot be made has failed."""
        made = rendering.letters(numbers, self.settings, self.templates, self.present())
        found = {}
        for number, letter in made.items():
            if isinstance(letter, Letter):
                found[number] = letter
            elif isinstance(letter, NotToBeSent):
                with unit_of_work(CLOCKWORK, self.now) as work:
                    deliveries.mark_withdrawn(work, rendering.message(number), str(letter))
                self.tally.withdrawn += 1
            else:
                log.error("a letter cannot be made", message=number, problem=type(letter).__name__)
                self.fail(number, ChannelError(f"the letter could not be made: {type(letter).__name__}"))
        return found

    def fail(self, number: int, error: ChannelError) -> None:
        """A letter was not sent: it is tried again, or given up."""
        failure = Failure(str(error), is_permanent=error.is_permanent, is_unclear=error.is_unclear, jitter=secrets.randbelow(1000) / 1000)
        with unit_of_work(CLOCKWORK, self.now) as work:
            message = rendering.message(number)
            deliveries.mark_failed(work, message, self.worker, failure)
            is_dead, channel = message.dead_at is not None, message.channel
        self.tally.failed += 1
        self.tally.dead += is_dead
        if error.is_down:
            self.tally.down.add(channel)


class _Round:
    """One round over what is due by a channel: the next letters are made while the lanes send those before."""

    def __init__(self, door: Door, channel: Channel, book: DispatchBook, lanes: Lanes) -> None:
        self.door, self.channel, self.book, self.lanes = door, channel, book, lanes
        #: messages that were taken and not begun
        self.back: list[int] = []
        self.began = clock.elapsed()

    def send(self, batch: list[int]) -> None:
        """Send this batch and what else is due, until nothing is or the channel is down."""
        try:
            while batch and not self.back and self.lanes.closed_by is None:
                self.began = clock.elapsed()
                self._give(batch)
                ahead = self.door.take(self.channel) if len(batch) == deliveries.BATCH else None
                self._gather(down_to=len(ahead) // 2 if ahead else 0)
                batch = self.door.take(self.channel) if ahead is None else ahead
            self.back += batch
            self._gather(down_to=0)
        finally:
            self._end()

    def _give(self, numbers: Sequence[int]) -> None:
        for number, letter in self.door.letters(numbers).items():
            self.lanes.give(number, letter)

    def _gather(self, down_to: int) -> None:
        """Take outcomes until no more than so many letters have none. What was handed over is marked together, for a commit each takes as long as a mail."""
        tally, handed_over = self.door.tally, len(self.book.taken())
        while self.lanes.waiting > down_to:
            one = self.lanes.next()
            if one.is_taken:
                tally.sent += 1
                tally.went.add(self.channel.name)
                handed_over += 1
            elif one.is_stale:
                self._give([one.number])
            elif one.error is not None:
                self.door.fail(one.number, one.error)
            elif self.lanes.closed_by is not None:
                self.door.fail(one.number, ChannelError(str(self.lanes.closed_by), is_down=True))
            else:
                self.back.append(one.number)
            if handed_over >= (TOGETHER if self.book.is_kept else 1):
                self._settle()
                handed_over = 0
            if clock.elapsed() - self.began > BATCH_SECONDS:
                self.lanes.stop()
        self._settle()

    def _settle(self) -> None:
        taken = self.book.taken()
        if taken:
            with unit_of_work(CLOCKWORK, self.door.now) as work:
                deliveries.mark_sent(work, taken)
            self.book.forget(taken)

    def _end(self) -> None:
        """Give back what was not begun. Where something went wrong, what was handed over is written down all the same, or stays in the book."""
        self.lanes.stop()
        while self.lanes.waiting:
            one = self.lanes.next()
            if not one.is_taken and one.error is None:
                self.back.append(one.number)
        try:
            self._settle()
            if self.back:
                with unit_of_work(CLOCKWORK, self.door.now) as work:
                    deliveries.give_back(work, self.door.worker, self.back)
        except Exception as error:  # what led here is told by itself; the lease ends, and the book is read
            log.error("what was taken could not be given back", problem=type(error).__name__)
