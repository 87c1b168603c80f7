"""What goes to destinations: each has a lane of its own, so that one which hangs holds up nobody else."""

import secrets
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from jinja2 import Environment

from incident_tracker import clock, logs, rendering
from incident_tracker.actions import deliveries, postings
from incident_tracker.actions.deliveries import Failure
from incident_tracker.channels import CHANNELS, ChannelError, Target, Way
from incident_tracker.config import Config
from incident_tracker.delivery import Tally
from incident_tracker.models.base import db
from incident_tracker.models.destinations import Seal, Unreadable
from incident_tracker.models.messages import waited_for
from incident_tracker.rendering import NotToBeSent
from incident_tracker.work import CLOCKWORK, unit_of_work

#: so many destinations are talked to at once; the database is read and written by one thread alone
LANES = 8
#: a lane begins no more letters after so many seconds: what it took is sent in its lease
LANE_SECONDS = 60.0

log = logs.logger("posting")


@dataclass(slots=True)
class Lane:
    """One destination, its open way, and the messages that were taken for it."""

    destination_id: int
    channel: str
    way: Way
    gathers: bool
    sums_up: bool
    began: float
    waiting: deque[int] = field(default_factory=deque)
    #: how many letters in a row broke the talk off; why the rest of what was taken does not go
    broken: int = 0
    closed_by: ChannelError | None = None


class PostRoom:
    """Sends what is due to destinations, one letter at a time to each, to several at once."""

    def __init__(self, settings: Config, templates: Environment, worker: str, now: datetime | None = None) -> None:
        """`now` (UTC) stands for the present in tests; else each step reads the clock."""
        self.settings, self.templates, self.worker, self.now = settings, templates, worker, now
        self.tally = Tally()

    def post_due(self) -> Tally:
        """Send until nothing is due any more, or the receivers do not answer."""
        with ExitStack() as ways:
            lanes = self._lanes(ways)
            if lanes:
                with ThreadPoolExecutor(min(LANES, len(lanes)), "posting") as pool:
                    self._drive(lanes, pool)
        return self.tally

    def _lanes(self, ways: ExitStack) -> list[Lane]:
        """A lane for each destination that waits for something. What waits for one that is switched off is withdrawn."""
        due = [(one.id, one.kind, one.active, one.address, one.secret, dict(one.options)) for one in waited_for(self.now or clock.now())]
        db.session.rollback()
        seal = Seal.of(self.settings.instance) if due else None
        lanes = []
        for destination_id, kind, is_active, address, secret, options in due:
            channel = CHANNELS.get(kind)
            if not is_active or channel is None:
                reason = "The destination is switched off." if channel else "There is no such channel."
                with unit_of_work(CLOCKWORK, self.now) as work:
                    self.tally.withdrawn += postings.withdraw_waiting(work, destination_id, reason)
                continue
            try:
                assert seal is not None
                target = Target(seal.open(address), seal.open(secret), options)
            except Unreadable:
                self._note(destination_id, ChannelError("its address cannot be read: secrets.json is not the one that it was saved with"))
                continue
            way = ways.enter_context(channel.open(self.settings, target))
            lanes.append(Lane(destination_id, kind, way, channel.gathers, channel.sums_up, clock.elapsed()))
        return lanes

    def _drive(self, lanes: list[Lane], pool: ThreadPoolExecutor) -> None:
        """Keep one letter of each lane on its way until the lanes are empty."""
        running: dict[Future[str], tuple[Lane, int, str]] = {}
        for lane in lanes:
            self._begin(lane, pool, running)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                lane, number, message_id = running.pop(future)
                self._end(lane, number, message_id, future)
                self._begin(lane, pool, running)

    def _begin(self, lane: Lane, pool: ThreadPoolExecutor, running: dict[Future[str], tuple[Lane, int, str]]) -> None:
        """Start the lane's next letter that can be sent, if there is one."""
        while (number := self._next(lane)) is not None:
            if lane.closed_by is not None:
                self._fail(lane, number, lane.closed_by)
                continue
            try:
                letter = rendering.letter(number, self.settings, self.templates, self.now or clock.now())
            except NotToBeSent as reason:
                with unit_of_work(CLOCKWORK, self.now) as work:
                    deliveries.mark_withdrawn(work, rendering.message(number), str(reason))
                self.tally.withdrawn += 1
                continue
            except Exception as error:  # one letter that cannot be made must not keep the others from going
                log.error("a letter cannot be made", message=number, problem=type(error).__name__)
                self._fail(lane, number, ChannelError(f"the letter could not be made: {type(error).__name__}"))
                continue
            running[pool.submit(lane.way.send, letter)] = (lane, number, letter.message_id)
            return

    def _next(self, lane: Lane) -> int | None:
        """The next message of a lane. A lane that was closed only ends what it had taken, unless its receiver is gone for good."""
        is_over = lane.closed_by is not None and not lane.closed_by.is_gone
        if not lane.waiting and not is_over and clock.elapsed() - lane.began < LANE_SECONDS:
            with unit_of_work(CLOCKWORK, self.now) as work:
                lane.waiting.extend(postings.take(work, self.worker, lane.destination_id, gathers=lane.gathers, sums_up=lane.sums_up))
        return lane.waiting.popleft() if lane.waiting else None

    def _end(self, lane: Lane, number: int, message_id: str, future: Future[str]) -> None:
        """Write down what came of a letter."""
        try:
            future.result()
        except ChannelError as error:
            lane.broken = lane.broken + 1 if error.is_down else 0
            # one letter that breaks the talk off does not stop the others, a second one does, and so does being asked to wait
            if error.is_gone or error.retry_after is not None or lane.broken > 1:
                # those that are not tried any more surely did not arrive
                lane.closed_by = ChannelError(
                    str(error), is_permanent=error.is_permanent, is_down=error.is_down, is_gone=error.is_gone, retry_after=error.retry_after,
                )
            self._fail(lane, number, error)
            self._note(lane.destination_id, error)
        except Exception as error:
            log.error("a letter was not sent", message=number, problem=type(error).__name__)
            self._fail(lane, number, ChannelError(f"it could not be sent: {type(error).__name__}"))
        else:
            lane.broken = 0
            with unit_of_work(CLOCKWORK, self.now) as work:
                deliveries.mark_sent(work, {message_id: work.now})
                postings.note_taken(work, lane.destination_id)
            self.tally.sent += 1
            self.tally.went.add(lane.channel)

    def _fail(self, lane: Lane, number: int, error: ChannelError) -> None:
        failure = Failure(
            str(error), is_permanent=error.is_permanent, is_unclear=error.is_unclear, jitter=secrets.randbelow(1000) / 1000, retry_after=error.retry_after,
        )
        with unit_of_work(CLOCKWORK, self.now) as work:
            message = rendering.message(number)
            deliveries.mark_failed(work, message, self.worker, failure)
            self.tally.dead += message.dead_at is not None
        self.tally.failed += 1
        if error.is_down:
            self.tally.down.add(lane.channel)

    def _note(self, destination_id: int, error: ChannelError) -> None:
        with unit_of_work(CLOCKWORK, self.now) as work:
            postings.note_refused(work, destination_id, str(error), retry_after=error.retry_after, is_gone=error.is_gone)
