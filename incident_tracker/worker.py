"""The heartbeat: a scheduler ticks a few fixed jobs. What is due is remembered in the database, never here."""

import gc
import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from incident_tracker import clock, library, logs
from incident_tracker.actions import alerts, clock_jumps, clocks, deliveries, digests, movements, outages, sign_ins
from incident_tracker.delivery import Door, Tally, open_channels, tell_monitor
from incident_tracker.diary import Diary
from incident_tracker.models.alerts import beat, live, next_rung_at, note_failure
from incident_tracker.models.messages import next_attempt_at
from incident_tracker.posting import PostRoom
from incident_tracker.rules.jumps import Jump
from incident_tracker.work import CLOCKWORK, unit_of_work

log = logs.logger("worker")


@dataclass(slots=True)
class Pass:
    """One round of the jobs: for which application, by whom, at which moment (None: the present), and what came of it."""

    app: Flask
    diary: Diary
    now: datetime | None = None
    fired: int = 0
    letters: Tally = field(default_factory=Tally)
    posted: Tally = field(default_factory=Tally)

    @property
    def worker(self) -> str:
        return self.diary.worker


def fire(one: Pass) -> None:
    """Fire the rungs that are due, batch by batch, each in a transaction of its own."""
    channels = open_channels(one.app.extensions["tracker"])
    while True:
        with unit_of_work(CLOCKWORK, one.now) as work:
            result = alerts.fire_due(work, channels=channels)
            now = work.now
        one.fired += result.fired
        one.diary.add(fired=result.fired, unheard=result.unheard)
        one.diary.note_late(result.late)
        if result.unheard:
            log.error("warnings reached nobody: no active person may know of their incidents", count=result.unheard)
        if not result.claimed or result.next_due_at is None or result.next_due_at > now:
            return


def watch_over(one: Pass) -> None:
    """See that no duty is without a warning ahead."""
    with unit_of_work(CLOCKWORK, one.now) as work:
        if found := alerts.watch_over(work):
            log.error("duties had no warning ahead and were planned again", count=found)


def refresh(one: Pass) -> None:
    """Recompute some of the incidents whose law or profile changed; the next round takes the next ones."""
    with unit_of_work(CLOCKWORK, one.now) as work:
        # once a process: while a new version is rolled out, two workers with different rules must not undo each other's work
        if one.app.extensions.get("law_in_use") != library.shelf().law.pack.name:
            movements.take_law_into_use(work)
        clocks.refresh_stale(work)
    one.app.extensions["law_in_use"] = library.shelf().law.pack.name


def take_over(one: Pass) -> None:
    """Take up the letters of workers that stopped."""
    with unit_of_work(CLOCKWORK, one.now) as work:
        deliveries.take_over(work, one.worker, timedelta(seconds=one.app.extensions["tracker"].stale_seconds))


def deliver(one: Pass) -> None:
    """Send the messages that are due."""
    door = Door(one.app.extensions["tracker"], one.app.jinja_env, one.worker, one.now)
    one.letters = door.tally
    try:
        door.deliver_due()
    finally:
        done = one.letters
        one.diary.add(sent=done.sent, failed=done.failed, dead=done.dead, withdrawn=done.withdrawn)
        one.diary.note_mail("email" in done.went, "email" in done.down, one.now or clock.now())


def post(one: Pass) -> None:
    """Send what is due to rooms and to people's own ways beside mail."""
    room = PostRoom(one.app.extensions["tracker"], one.app.jinja_env, one.worker, one.now)
    try:
        room.post_due()
    finally:
        done = one.posted = room.tally
        one.diary.add(sent=done.sent, failed=done.failed, dead=done.dead, withdrawn=done.withdrawn)


def show_life(one: Pass) -> None:
    """Say that this process lives, even if its other jobs are slow or fail: its letters are left to it while it does."""
    with unit_of_work(CLOCKWORK, one.now) as work:
        live(work.session, one.worker, one.diary.started_at, work.now, one.diary.signs())


def look_after_mail(one: Pass) -> None:
    """Tell the administrators when mail reaches nobody, and when it works again."""
    config = one.app.extensions["tracker"]
    patience, stale = timedelta(minutes=config.mail_alarm_minutes), timedelta(seconds=config.stale_seconds)
    with unit_of_work(CLOCKWORK, one.now) as work:
        outages.look_after_mail(work, is_on=config.mail_is_on, patience=patience, stale=stale)


def queue_digests(one: Pass) -> None:
    """Write the digests that are due. Without mail there are none: what they say stands on the board."""
    if not one.app.extensions["tracker"].mail_is_on:
        return
    while True:
        with unit_of_work(CLOCKWORK, one.now) as work:
            seen_to = digests.queue_due(work)
        if seen_to < digests.BATCH:
            return


def sweep_up(one: Pass) -> None:
    """Forget what signing in left behind and no longer matters."""
    with unit_of_work(CLOCKWORK, one.now) as work:
        sign_ins.forget_old(work)


@dataclass(frozen=True, slots=True)
class Job:
    """Something done with every round of its track, or once in `every` seconds.

    Jobs of one track wait for each other; a slow mail server holds up only its own track.
    """

    name: str
    track: str
    run: Callable[[Pass], None]
    every: float = 0.0


#: in this order; a new job gets its line here
JOBS = (
    Job("fire", "clock", fire), Job("refresh", "clock", refresh), Job("watch over", "clock", watch_over), Job("take over", "mail", take_over),
    Job("deliver", "mail", deliver),
    Job("post", "post", post),
    Job("show life", "life", show_life),
    Job("look after mail", "upkeep", look_after_mail), Job("digests", "upkeep", queue_digests, 60), Job("sweep up", "upkeep", sweep_up, 86_400),
)
#: the job whose running through is the pulse: without it nobody is warned
VITAL = "fire"
TRACKS = ("clock", "mail", "post", "life", "upkeep")
#: what hangs on the clock is settled before these go on, and they wake at the next moment that is due
TIMED = ("clock", "mail", "post")
#: how long stopping waits for a round; a mail server may take longer
STOP_SECONDS = 8.0
#: seconds between two signs of life to the outside monitor, however many workers this process has
PING_SECONDS = 60.0
#: between a round and the next one for what fell due meanwhile
PAUSE = timedelta(milliseconds=20)
#: how often the clock is compared with one that never jumps
LOOK_SECONDS = 1.0


class Pace:
    """Lets something happen once in a while, whoever asks."""

    def __init__(self) -> None:
        self._lock, self._last = threading.Lock(), -PING_SECONDS

    def allows(self, seconds: float) -> bool:
        """Whether the last time is so long ago; this is the last time then."""
        with self._lock:
            now = clock.elapsed()
            if now - self._last < seconds:
                return False
            self._last = now
            return True


class Worker:
    """Runs the jobs in the background of this process, every `sweep_seconds` and at each due moment that it knows of."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.name = worker_name()
        self.diary = Diary(self.name)
        self.started_at = self.diary.started_at
        self._stopping, self._rounds, self._quiet = False, 0, threading.Condition()
        self._settling, self._compared = threading.Lock(), False
        self._ran: dict[str, float] = {}
        self._stopped, self._lookout = threading.Event(), threading.Thread(target=self._look_out, name="lookout", daemon=True)
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 2})

    def start(self) -> None:
        """Begin, with a round at once: what fell due while nobody was at work is fired now."""
        settle_in()
        for track in TRACKS:
            self._sweep(track, next_run_time=clock.now())
        self._scheduler.start()
        self._lookout.start()

    def _sweep(self, track: str, **more: datetime) -> None:
        """Sweep from now on, each track at a moment of its own: all at once they would hold up what falls due just then."""
        seconds = self.app.extensions["tracker"].sweep_seconds
        first = clock.now() + timedelta(seconds=seconds * (TRACKS.index(track) + 1) / len(TRACKS))
        self._scheduler.add_job(self._round, "interval", args=[track], seconds=seconds, start_date=first, id=f"{track}-sweep", replace_existing=True, **more)

    def stop(self) -> None:
        """End, after the rounds that are under way, but no later than `STOP_SECONDS` from now: what is left is due again later."""
        if not self._scheduler.running:
            return
        self._stopping = True
        self._stopped.set()
        # not with wait=True: the scheduler would hold its lock, and a round that arms the next moment would wait for it for ever
        self._scheduler.shutdown(wait=False)
        with self._quiet:
            self._quiet.wait_for(lambda: self._rounds == 0, STOP_SECONDS)

    def _look_out(self) -> None:
        """Compare the clocks, and wake the scheduler after a jump: it sleeps by the wall clock, and after one back it would sleep as long as that was."""
        while not self._stopped.wait(LOOK_SECONDS):
            try:
                if self.diary.look_at_the_clock():
                    for track in TRACKS:
                        # counted anew from the present; and once now, whatever the clock says
                        self._sweep(track)
                        self._scheduler.add_job(self._round, "date", args=[track], id=f"{track}-now", replace_existing=True)
            except Exception as error:  # whatever it is, the next jump must be seen too
                log.error("the clocks could not be compared", problem=type(error).__name__, place=logs.place_of(error))

    def _round(self, track: str) -> None:
        """All jobs of one track. Nothing that goes wrong in one stops another, or the scheduler."""
        with self._quiet:
            if self._stopping:
                return
            self._rounds += 1
        try:
            with self.app.app_context():
                if track in TIMED:
                    self._settle()
                for job in JOBS:
                    if job.track == track and self._is_time_for(job):
                        self._run(job)
                if track in TIMED:
                    self._arm(track)
        except Exception as error:  # the sweep goes on without it
            log.error("the next moment is not known", problem=type(error).__name__)
        finally:
            with self._quiet:
                self._rounds -= 1
                self._quiet.notify_all()

    def _is_time_for(self, job: Job) -> bool:
        """Whether a job that is not done with every round is to be done now; a new worker begins with it."""
        if not job.every:
            return True
        now, last = clock.elapsed(), self._ran.get(job.name)
        if last is not None and now - last < job.every:
            return False
        self._ran[job.name] = now
        return True

    def _settle(self) -> None:
        """Settle the jumps of the clock that were seen, and at first one that lies between the last worker and this one."""
        stale = timedelta(seconds=self.app.extensions["tracker"].stale_seconds)
        with self._settling:
            self.diary.look_at_the_clock()
            try:
                if not self._compared:
                    with unit_of_work(CLOCKWORK) as work:
                        found = clock_jumps.note_since_last(work, self.name, stale)
                        # before it takes a letter: of who never showed life nobody takes one over
                        live(work.session, self.name, self.started_at, work.now, self.diary.signs())
                    self._compared = True
                    self._tell_of(found)
                while (jump := self.diary.unsettled()) is not None:
                    with unit_of_work(CLOCKWORK) as work:
                        clock_jumps.note(work, self.name, jump, stale)
                    self._tell_of(jump)
            except Exception as error:  # firing does not wait for it; it is tried again with the next round
                log.error("a jump of the clock could not be settled", problem=type(error).__name__, place=logs.place_of(error))
                self._note(f"clock: {type(error).__name__} at {logs.place_of(error)}")

    def _tell_of(self, jump: Jump | None) -> None:
        if jump is not None:
            self.diary.settled(jump)
            log.warning("the clock jumped", seconds=round(jump.span.total_seconds()), expected=jump.expected_at.isoformat(), found=jump.at.isoformat())

    def _run(self, job: Job) -> None:
        try:
            job.run(Pass(self.app, self.diary))
            if job.name == VITAL:
                with unit_of_work(CLOCKWORK) as work:
                    beat(work.session, self.name, self.started_at, work.now, self.diary.signs())
                self._tell_monitor()
        except Exception as error:  # whatever it is, the other jobs go on, and this one in the next round
            log.error("a job failed", job=job.name, problem=type(error).__name__, place=logs.place_of(error))
            self._note(f"{job.name}: {type(error).__name__} at {logs.place_of(error)}")

    def _tell_monitor(self) -> None:
        """Let the outside monitor hear that warnings fire; on a thread of its own, for nothing waits for it."""
        pace: Pace = self.app.extensions.setdefault("tracker_pace", Pace())
        if self.app.extensions["tracker"].dead_man_url and not self._stopping and pace.allows(PING_SECONDS):
            self._scheduler.add_job(self._ping, "date", id="ping", replace_existing=True)

    def _ping(self) -> None:
        try:
            error = tell_monitor(self.app.extensions["tracker"])
        except Exception as unexpected:  # its words might hold the address, which is a secret
            error = f"it could not be asked: {type(unexpected).__name__}"
        if error:
            log.warning("the outside monitor did not take the sign of life", problem=error)
        self.diary.note_ping(clock.now(), error)

    def _note(self, error: str) -> None:
        try:
            with unit_of_work(CLOCKWORK) as work:
                note_failure(work.session, self.name, self.started_at, error)
        except Exception as second:  # the database itself may be what fails; the pulse then ages by itself
            log.error("the failure could not be noted", problem=type(second).__name__)

    def _arm(self, track: str) -> None:
        """Wake up at the next due moment. Letters that are due already are left to the sweep, but for those that were just written.

        A warning that fell due during the round has its own a moment later, not at once: another worker may have it.
        """
        now = clock.now()
        if self._stopping:
            return
        for other, moment in (("clock", next_rung_at()), ("mail", next_attempt_at()), ("post", next_attempt_at())):
            if moment is not None and (moment > now or track == "clock"):
                soon = now + PAUSE if other == "clock" and moment <= now else now
                self._scheduler.add_job(self._round, "date", args=[other], run_date=max(moment, soon), id=f"{other}-next", replace_existing=True)


def run_once(app: Flask, now: datetime | None = None, worker: str = "", diary: Diary | None = None) -> Pass:
    """One round of every job, in this thread, at `now` (UTC; None: the present), with a beat at its end. Lets errors through.

    `diary` is that of a worker which did rounds before; without it a new one does this round.
    """
    one = Pass(app, diary or Diary(worker or worker_name()), now)
    with app.app_context():
        for job in JOBS:
            job.run(one)
        with unit_of_work(CLOCKWORK, now) as work:
            beat(work.session, one.worker, work.now, work.now, one.diary.signs())
    return one


def settle_in() -> None:
    """Take what is loaded by now, the law above all, out of the search for garbage: to go through it stopped everything for a fifth of a second."""
    gc.freeze()


def worker_name() -> str:
    """A name that no other worker has or had: host, process, and a random part."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
