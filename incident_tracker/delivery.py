"""The door by which messages leave: take, render, send outside of any transaction, mark."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jinja2 import Environment

from incident_tracker import clock, logs, rendering
from incident_tracker.actions import deliveries
from incident_tracker.actions.deliveries import Failure
from incident_tracker.channels import CHANNELS, Channel, ChannelError, Letter, Target, Way, monitors, open_channels
from incident_tracker.config import Config
from incident_tracker.rendering import NotToBeSent
from incident_tracker.work import CLOCKWORK, unit_of_work

#: after so many seconds no more letters of a batch are begun: what is left is taken again when its lease ends
BATCH_SECONDS = 60.0
#: a letter that was made so long ago is made anew: it must read as things stand
FRESH = timedelta(seconds=2)

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
        for channel in CHANNELS.values():
            if not channel.is_immediate and channel.setup is None:
                self._deliver_by(channel)
        return self.tally

    def _deliver_by(self, channel: Channel) -> None:
        if not channel.is_on(self.settings):
            with unit_of_work(CLOCKWORK, self.now) as work:
                self.tally.withdrawn += deliveries.withdraw_all(work, channel.name, "E-mail is not set up.")
            return
        with channel.open(self.settings, Target()) as way:
            while batch := self._take(channel):
                if not self._send_batch(way, batch):
                    return

    def _take(self, channel: Channel) -> list[int]:
        with unit_of_work(CLOCKWORK, self.now) as work:
            return deliveries.take(work, self.worker, channel.name)

    def _send_batch(self, way: Way, batch: list[int]) -> bool:
        """Send each letter; False if the channel is down. One that breaks the talk off does not stop the others, a second one does.

        The letters of a batch are made together, and one that waited is made anew. None is begun before what came of the one
        before is written down: of a process that is killed at most one letter goes again.
        """
        began, down = clock.elapsed(), 0
        last: ChannelError | None = None
        made = rendering.letters(batch, self.settings, self.templates, self.now or clock.now())
        for number in batch:
            if clock.elapsed() - began > BATCH_SECONDS:
                return False
            if last is not None and down > 1:
                self._fail(number, ChannelError(str(last), is_down=True))
                continue
            letter = made[number]
            if isinstance(letter, Letter) and (self.now or clock.now()) - letter.at > FRESH:
                letter = rendering.letters([number], self.settings, self.templates, self.now or clock.now())[number]
            error = self._send(way, number, letter)
            last, down = (error, down + 1) if error is not None and error.is_down else (None, 0)
        return down == 0

    def _send(self, way: Way, number: int, letter: Letter | Exception) -> ChannelError | None:
        """Send one letter and mark what came of it; returns why it failed."""
        if isinstance(letter, NotToBeSent):
            with unit_of_work(CLOCKWORK, self.now) as work:
                deliveries.mark_withdrawn(work, rendering.message(number), str(letter))
            self.tally.withdrawn += 1
            return None
        if isinstance(letter, Exception):
            log.error("a letter cannot be made", message=number, problem=type(letter).__name__)
            self._fail(number, ChannelError(f"the letter could not be made: {type(letter).__name__}"))
            return None
        try:
            way.send(letter)
        except ChannelError as error:
            self._fail(number, error)
            return error
        with unit_of_work(CLOCKWORK, self.now) as work:
            channel = deliveries.mark_sent(work, number)
        self.tally.sent += 1
        self.tally.went.add(channel)
        return None

    def _fail(self, number: int, error: ChannelError) -> None:
        failure = Failure(str(error), is_permanent=error.is_permanent, is_unclear=error.is_unclear, jitter=secrets.randbelow(1000) / 1000)
        with unit_of_work(CLOCKWORK, self.now) as work:
            message = rendering.message(number)
            deliveries.mark_failed(work, message, self.worker, failure)
            is_dead, channel = message.dead_at is not None, message.channel
        self.tally.failed += 1
        self.tally.dead += is_dead
        if error.is_down:
            self.tally.down.add(channel)
