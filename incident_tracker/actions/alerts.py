"""Warnings: planning a duty's rungs, firing those that are due, acknowledging them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import aliased

from incident_tracker import library
from incident_tracker.actions import ringing, rooms
from incident_tracker.actions.ringing import Firing, Rang
from incident_tracker.errors import Conflict
from incident_tracker.models.alerts import (
    Acknowledgement,
    Rung,
    add_followers,
    add_rungs,
    claim,
    claim_beside,
    end_unanswered,
    next_rung_at,
    words,
)
from incident_tracker.models.base import among
from incident_tracker.models.duties import WARNED_STATES, Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.rules import ladder
from incident_tracker.rules.ladder import Ladder, PlannedRung, Standing
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("plan", "plan_all")

#: a warning that fires so long after its moment was not slow: nobody was at work
CATCH_UP_AFTER = timedelta(minutes=10)

_first = aliased(Duty)
#: a duty is warned of with another one, and that one still is: else it is warned of by itself again
_IS_SPOKEN_FOR = exists().where(
    _first.id == Duty.warned_with_id, _first.state.in_(WARNED_STATES), _first.conservative_at.is_not(None), _first.warned_with_id.is_(None),
)
_CLOCKS = (
    select(
        Duty.id, Duty.incident_id, Duty.state, Duty.trigger_at, Duty.conservative_at, Duty.target_at, _IS_SPOKEN_FOR.label("is_spoken_for"),
        Incident.reported_at, Incident.restricted,
    )
    .join(Incident, Incident.id == Duty.incident_id).order_by(Duty.id)
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A duty's clock as the warnings see it: from `start` to `deadline` (UTC); no `ladder` where nothing is to be warned of."""

    duty_id: int
    incident_id: int
    restricted: bool
    start: datetime
    deadline: datetime | None
    ladder: Ladder | None


@dataclass(frozen=True, slots=True)
class FireResult:
    """What firing came to: how many rungs fired, how many were claimed for it, how many reached nobody, and when the next is due (UTC).

    `late` says of each that fired how many seconds after it was due, or planned, that was.
    """

    fired: int
    claimed: int
    unheard: int
    next_due_at: datetime | None
    late: tuple[float, ...] = ()


@dataclass(slots=True)
class _Sorted:
    """Claimed rungs by what becomes of them: ids of rungs, and of duties whose clock moved without their rungs."""

    firings: list[Firing] = field(default_factory=list)
    overtaken: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)


def plan(work: Work, duty: Duty) -> None:
    """Make a duty's waiting rungs agree with its clock; planning again changes nothing.

    What no longer fits is cancelled, what is new is added, what was fired for the same deadline is never repeated. Of the
    new rungs whose moment has passed one, the most urgent, fires at once; the others count as overtaken.
    """
    work.session.flush()
    plan_all(work, [duty.id])


def plan_all(work: Work, duty_ids: Sequence[int]) -> None:
    """Plan several duties, as `plan` does for one. What is not flushed yet is not seen."""
    if not duty_ids:
        return
    # nobody fires a duty's rungs, or plans them too, while this is under way
    work.session.execute(select(Duty.id).where(among(work.session, Duty.id, duty_ids)).order_by(Duty.id).with_for_update(key_share=True))
    remembered = _remembered(work, duty_ids)
    rows: list[dict[str, Any]] = []
    for clock in _clocks(work, duty_ids):
        deadline = clock.deadline or work.now
        agreement = ladder.agree(clock.ladder, clock.start, deadline, work.now, remembered[clock.duty_id])
        _end(work, agreement.cancel, "cancelled")
        _end(work, agreement.overtake, "overtaken")
        for rung_id, rung in agreement.renew:
            renewed = _row(work, clock, rung) | {"outcome": None}
            work.session.execute(update(Rung).where(Rung.id == rung_id).values(renewed).execution_options(synchronize_session=False))
        rows += [_row(work, clock, rung) for rung in agreement.add]
        rows += [_row(work, clock, rung, "overtaken") for rung in agreement.add_overtaken]
    add_rungs(work.session, rows)
    rooms.tell_settled(work, duty_ids)


def fire_due(work: Work, limit: int = 1000, channels: Collection[str] = ("bell", "email")) -> FireResult:
    """Fire up to `limit` rungs that are due, the longest waiting first: each becomes one message a person and channel.

    Everything is asked anew: a rung whose duty is done or whose deadline moved is cancelled, and a moved duty is planned
    again. Of a duty's rungs that are due together the most urgent fires and counts the others, which are overtaken. After
    a deadline each rung that fires brings the next reminder. Call it again while it claims something.
    """
    work.require(Permission.RUN_CLOCKWORK)
    claimed = _claimed(work, limit)
    clocks = {clock.duty_id: clock for clock in _clocks(work, {rung.duty_id for rung in claimed})}
    found = _sort_out(claimed, clocks, work.now)
    _end(work, found.cancelled, "cancelled")
    _end(work, found.overtaken, "overtaken")
    rang = ringing.ring(work, found.firings, channels)
    _end(work, rang.unheard, "unheard")
    _end(work, rang.answered, "answered")
    _count_overtaken(work, found.firings)
    _mark_late(work, found.firings)
    _follow_up(work, found.firings, clocks, rang)
    plan_all(work, sorted(found.moved))
    _record_firing(work, found, clocks, rang)
    late = tuple(_lateness(one, work.now).total_seconds() for one in found.firings)
    return FireResult(len(found.firings) - len(rang.answered), len(claimed), len(rang.unheard), next_rung_at(), late)


def watch_over(work: Work, limit: int = 500) -> int:
    """Plan duties that are warned of and have no rung waiting, should there be any; returns how many there were.

    Nothing should leave a duty so. But if something did, nobody would ever be warned, and nobody would know.
    """
    work.require(Permission.RUN_CLOCKWORK)
    waits = exists().where(Rung.duty_id == Duty.id, Rung.ended_at.is_(None))
    has_deadline = or_(Duty.conservative_at.is_not(None), Duty.target_at.is_not(None))
    unwatched = select(Duty.id).where(Duty.done_at.is_(None), Duty.state.in_(WARNED_STATES), has_deadline, ~waits, ~_IS_SPOKEN_FOR)
    # whoever is changing a duty plans it too: those are passed over
    free = unwatched.order_by(Duty.id).limit(limit).with_for_update(of=Duty, skip_locked=True, key_share=True)
    ids = list(work.session.scalars(free))
    plan_all(work, ids)
    if ids:
        work.record("alert.watch_over", "Duties with no warning ahead of them were planned again")
    return len(ids)


def acknowledge(work: Work, duty: Duty) -> Acknowledgement:
    """Take a duty's warnings: until its deadline passes or moves, later ones go only to its owner and to whoever took them.

    The deadline itself is not moved, and the warnings go on; those that would tell the next people for want of an answer
    end. Where another duty speaks for this one, that one's warnings are taken too. Raises Conflict for a duty that is warned of no more.
    """
    work.require(Permission.ACKNOWLEDGE, duty.incident)
    if not duty.is_warned_of:
        raise Conflict("This duty is warned of no more; there is nothing to acknowledge.")
    speaker = work.session.get(Duty, duty.warned_with_id) if duty.warned_with_id is not None else None
    for one in (speaker, duty):
        if one is not None and one.is_warned_of:
            given = _take(work, one)
    return given


def _take(work: Work, duty: Duty) -> Acknowledgement:
    deadline = duty.deadline_at
    assert deadline is not None
    _see(work, duty)
    end_unanswered(work.session, [duty.id], work.now, "answered")
    own = select(Acknowledgement).where(Acknowledgement.duty_id == duty.id, Acknowledgement.person_id == work.actor.id)
    given = work.session.scalar(own.where(Acknowledgement.deadline_at == deadline).order_by(Acknowledgement.id.desc()).limit(1))
    if given is not None and given.counts_for(duty, work.now):
        return given
    acknowledgement = Acknowledgement(duty_id=duty.id, person_id=work.actor.id, at=work.now, deadline_at=deadline)
    work.session.add(acknowledgement)
    rooms.tell_taken(work, duty)
    work.record(
        "alert.acknowledge", f"Took the warnings of: {duty.title}", incident=duty.incident, subject=f"duty:{duty.id}",
        after={"deadline": deadline.isoformat()},
    )
    return acknowledgement


def _clocks(work: Work, duty_ids: Collection[int]) -> list[Clock]:
    """The clocks of these duties, as they stand in the database."""
    if not duty_ids:
        return []
    # many clocks are of the same length
    choose = cache(partial(ladder.choose, library.shelf().ladders))
    return [_clock(row, choose) for row in work.session.connection().execute(_CLOCKS.where(among(work.session, Duty.id, duty_ids)))]


def _clock(row: Any, choose: Callable[[timedelta, str], Ladder]) -> Clock:
    """The law's number drives the warnings; where there is none, the organisation's own target does."""
    start = row.trigger_at or row.reported_at
    deadline = row.conservative_at or row.target_at
    chosen = None
    if row.state in WARNED_STATES and deadline is not None and not row.is_spoken_for:
        chosen = choose(deadline - start, "law" if row.conservative_at else "target")
    return Clock(row.id, row.incident_id, row.restricted, start, deadline, chosen)


def _row(work: Work, clock: Clock, rung: PlannedRung, outcome: str | None = None) -> dict[str, Any]:
    """A planned rung as a row of the table; one with an outcome has ended with it."""
    own = {"duty_id": clock.duty_id, "incident_id": clock.incident_id, "deadline_at": clock.deadline}
    return _shared(work, rung) | own | {"ended_at": work.now if outcome else None, "outcome": outcome}


def _shared(work: Work, rung: PlannedRung) -> dict[str, Any]:
    """What a planned rung is, whatever its duty."""
    return {
        "key": rung.key, "due_at": rung.due_at, "planned_at": work.now, "audience": list(rung.audience), "loudness": rung.loudness, "channels": list(rung.by),
        "overtaken_count": 0, "late": False,
    }


def _remembered(work: Work, duty_ids: Collection[int]) -> dict[int, list[Standing]]:
    query = select(Rung.duty_id, Rung.id, Rung.key, Rung.due_at, Rung.deadline_at, Rung.audience, Rung.loudness, Rung.outcome, Rung.ended_at, Rung.channels)
    found: dict[int, list[Standing]] = defaultdict(list)
    for row in work.session.execute(query.where(among(work.session, Rung.duty_id, duty_ids)).order_by(Rung.id)):
        found[row.duty_id].append(Standing(
            row.id, row.key, row.due_at, row.deadline_at, tuple(row.audience), row.loudness, row.outcome, row.ended_at, tuple(row.channels),
        ))
    return found


def _claimed(work: Work, limit: int) -> list[Firing]:
    rows = list(claim(work.session, work.now, limit))
    if len(rows) == limit:
        # the limit may have parted the rungs of one duty
        rows += claim_beside(work.session, work.now, {row.duty_id for row in rows})
    firings = (_firing(*row) for row in rows)
    return sorted(firings, key=lambda one: (one.due_at, not one.key.startswith(ladder.UNANSWERED), one.rung_id))


def _firing(
    rung: int, duty: int, incident: int, key: str, due_at: datetime, planned_at: datetime, deadline_at: datetime, audience: str, channels: str,
) -> Firing:
    return Firing(rung, duty, incident, key, due_at, planned_at, deadline_at, words(audience), words(channels))


def _sort_out(claimed: Iterable[Firing], clocks: Mapping[int, Clock], now: datetime) -> _Sorted:
    """What becomes of each claimed rung; `claimed` is in the order of their moments."""
    found, latest, before = _Sorted(), dict[int, Firing](), defaultdict[int, int](int)
    for rung in claimed:
        clock = clocks[rung.duty_id]
        if clock.ladder is None:
            found.cancelled.append(rung.rung_id)
        elif clock.deadline != rung.deadline_at:
            found.cancelled.append(rung.rung_id)
            found.moved.add(rung.duty_id)
        else:
            if rung.duty_id in latest:
                found.overtaken.append(latest[rung.duty_id].rung_id)
                before[rung.duty_id] += 1
            latest[rung.duty_id] = rung
    for duty_id, rung in latest.items():
        chosen = clocks[duty_id].ladder
        assert chosen is not None
        missed = before[duty_id] + _missed_reminders(chosen, rung, now)
        found.firings.append(replace(rung, overtaken=missed) if missed else rung)
    return found


def _missed_reminders(chosen: Ladder, rung: Firing, now: datetime) -> int:
    """How many reminders fell between a late rung and `now`: they were never made, for each is brought by the one before."""
    if now < rung.deadline_at:
        return 0
    waiting_since = max(rung.due_at, rung.planned_at)
    ahead, was_ahead = (ladder.next_after_deadline(chosen, rung.deadline_at, at) for at in (now, waiting_since))
    return ladder.reminder_number(ahead.key) - ladder.reminder_number(was_ahead.key)


def _reminder(firing: Firing, clocks: Mapping[int, Clock], now: datetime) -> PlannedRung | None:
    """The next reminder, once the deadline has passed."""
    chosen = clocks[firing.duty_id].ladder
    if chosen is None or now < firing.deadline_at:
        return None
    return ladder.next_after_deadline(chosen, firing.deadline_at, now)


def _follow_up(work: Work, firings: Sequence[Firing], clocks: Mapping[int, Clock], rang: Rang) -> None:
    """What each fired rung brings: after the deadline the next reminder, before it a warning to the next people while nobody answers."""
    newer = [one.duty_id for one in firings if not one.key.startswith(ladder.UNANSWERED)]
    end_unanswered(work.session, newer, work.now, "overtaken")
    answered, taken = set(rang.answered), set(rang.taken)
    rows, followed = [], defaultdict[PlannedRung, list[int]](list)
    for one in firings:
        chosen = clocks[one.duty_id].ladder
        rung = _reminder(one, clocks, work.now) if one.rung_id not in answered else None
        if rung is not None:
            rows.append(_row(work, clocks[one.duty_id], rung))
        elif chosen is not None and one.rung_id not in taken and (rung := ladder.next_if_unanswered(chosen, one.key, work.now, one.deadline_at)):
            followed[rung].append(one.rung_id)
    add_rungs(work.session, rows)
    for rung, rung_ids in followed.items():
        add_followers(work.session, rung_ids, _shared(work, rung))


def _lateness(firing: Firing, now: datetime) -> timedelta:
    return now - max(firing.due_at, firing.planned_at)


def _mark_late(work: Work, firings: Iterable[Firing]) -> None:
    """What fires long after its moment is told to each person in one letter, see `deliveries.take`."""
    ids = [one.rung_id for one in firings if _lateness(one, work.now) > CATCH_UP_AFTER]
    if ids:
        work.session.execute(update(Rung).where(among(work.session, Rung.id, ids)).values(late=True).execution_options(synchronize_session=False))


def _count_overtaken(work: Work, firings: Iterable[Firing]) -> None:
    for count in {one.overtaken for one in firings} - {0}:
        ids = [one.rung_id for one in firings if one.overtaken == count]
        work.session.execute(update(Rung).where(among(work.session, Rung.id, ids)).values(overtaken_count=count).execution_options(synchronize_session=False))


def _end(work: Work, rung_ids: Collection[int], outcome: str) -> None:
    if rung_ids:
        ended = update(Rung).where(among(work.session, Rung.id, rung_ids)).values(ended_at=func.coalesce(Rung.ended_at, work.now), outcome=outcome)
        work.session.execute(ended.execution_options(synchronize_session=False))


def _record_firing(work: Work, found: _Sorted, clocks: Mapping[int, Clock], rang: Rang) -> None:
    """One entry a batch; restricted incidents have their own, so that nobody else reads or counts them there."""
    apart: dict[int | None, list[int]] = defaultdict(list)
    answered = set(rang.answered)
    for firing in (one for one in found.firings if one.rung_id not in answered):
        clock = clocks[firing.duty_id]
        apart[clock.incident_id if clock.restricted else None].append(firing.rung_id)
    for incident_id, rungs in apart.items():
        incident = work.session.get(Incident, incident_id) if incident_id else None
        silent = sorted(set(rungs) & set(rang.unheard))
        said = "Warnings fired; some reached nobody, for no active person may know of their incident" if silent else "Warnings fired"
        work.record("alert.fire", said, incident=incident, after={"rungs": sorted(rungs), "unheard": silent})


def _see(work: Work, duty: Duty) -> None:
    """Whoever takes a duty's warnings has seen them."""
    rang = update(Message).where(Message.duty_id == duty.id, Message.person_id == work.actor.id, Message.channel == "bell", Message.seen_at.is_(None))
    work.session.execute(rang.values(seen_at=work.now).execution_options(synchronize_session=False))
