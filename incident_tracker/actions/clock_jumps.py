"""When a machine's clock jumps: it is written down, and nothing is lost by it, said twice in silence, or stuck in a future that never was."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, func, or_, select, update

from incident_tracker.actions import alerts, deliveries
from incident_tracker.models import sign_ins
from incident_tracker.models.alerts import Heartbeat, Rung, add_rungs
from incident_tracker.models.clock_jumps import ClockJump, newest_moment
from incident_tracker.models.digests import DigestChoice
from incident_tracker.models.duties import WARNED_STATES, Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.models.outages import Outage
from incident_tracker.models.people import Person
from incident_tracker.rules import retries
from incident_tracker.rules.jumps import Jump
from incident_tracker.rules.ladder import AGAIN, REMINDER, UNANSWERED, followed
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: whatever was written within this time ahead of the clock was not written by a clock that had run away
AHEAD = timedelta(minutes=1)
#: no message waits longer than this for its next try
LONGEST_WAIT = max(deliveries.LEASE, retries.LONGEST * 1.25) + timedelta(minutes=1)
#: the step of an authenticator's codes, in seconds (RFC 6238)
CODE_STEP = 30
BATCH = 500
#: what a rung that is planned again has of its own; all else is as in the one that fired too early
_OWN = frozenset({"id", "key", "planned_at", "ended_at", "outcome", "overtaken_count"})
_COPIED = tuple(column.key for column in Rung.__table__.columns if column.key not in _OWN)
#: how a rung ends that was to say something; and the keys of those that others bring when they fire
_SAID = ("fired", "unheard", "overtaken")
_BROUGHT = (REMINDER, UNANSWERED)


def note(work: Work, worker: str, jump: Jump, stale: timedelta) -> None:
    """Write down a jump that a worker saw, and settle what hangs on the clock. To do it twice, or by several workers, changes nothing more.

    `stale` is the time after which a worker without a sign of life counts as gone.
    """
    work.require(Permission.RUN_CLOCKWORK)
    work.session.add(ClockJump(worker=worker, at=jump.at, expected_at=jump.expected_at, seconds=round(jump.span.total_seconds())))
    settled = _go_back(work) if jump.is_back else _go_on(work, jump, stale)
    seconds = abs(round(jump.span.total_seconds()))
    work.record(
        "clock.jump", f"The clock of a worker went {'back' if jump.is_back else 'forward'} by {seconds} s", subject=f"worker:{worker}",
        before={"expected": jump.expected_at.isoformat()}, after={"at": jump.at.isoformat(), "seconds": round(jump.span.total_seconds()), **settled},
    )


def note_since_last(work: Work, worker: str, stale: timedelta) -> Jump | None:
    """At a worker's start: treat what the record says of the future as a jump back while nobody was at work; None if it says nothing of it."""
    work.require(Permission.RUN_CLOCKWORK)
    newest = newest_moment()
    if newest is None or newest <= work.now + AHEAD:
        return None
    jump = Jump(newest, work.now)
    note(work, worker, jump, stale)
    return jump


def _go_on(work: Work, jump: Jump, stale: timedelta) -> dict[str, int]:
    """What fell due fires by itself. Leases that ended only because the clock was put on go on: their worker may be sending just now."""
    held = update(Message).where(Message.leased_by.is_not(None), Message.next_attempt_at > jump.expected_at, Message.next_attempt_at <= work.now)
    # whoever lived before the jump has had no time to say so since
    lived = update(Heartbeat).where(Heartbeat.alive_at > jump.expected_at - stale, Heartbeat.alive_at < work.now)
    return {"leases": _run(work, held.values(next_attempt_at=work.now + deliveries.LEASE)), "workers": _run(work, lived.values(alive_at=work.now))}


def _go_back(work: Work) -> dict[str, int]:
    """Bring back what waits for a moment that is now far away, and let no sign of that future hold anybody up."""
    ahead, far = work.now + AHEAD, work.now + LONGEST_WAIT
    waits = update(Message).where(Message.next_attempt_at > far)
    step = int(work.now.timestamp()) // CODE_STEP
    today = work.now.date()
    _run(work, update(Heartbeat).where(Heartbeat.beat_at > ahead).values(beat_at=None))
    _run(work, update(Heartbeat).where(Heartbeat.alive_at > ahead).values(alive_at=work.now))
    _run(work, update(Heartbeat).where(Heartbeat.mail_down_at > ahead).values(mail_down_at=work.now))
    _run(work, update(Outage).where(Outage.ended_at.is_(None), Outage.noticed_at > ahead).values(noticed_at=work.now))
    # a day more: somewhere it is tomorrow already
    for column in (DigestChoice.daily_on, DigestChoice.weekly_on):
        _run(work, update(DigestChoice).where(column > today + timedelta(days=1)).values({column.key: None}))
    return {
        "messages": _run(work, waits.where(Message.leased_by.is_(None)).values(next_attempt_at=work.now)),
        # their worker may be sending them just now
        "leases": _run(work, waits.where(Message.leased_by.is_not(None)).values(next_attempt_at=work.now + deliveries.LEASE)),
        "throttles": sign_ins.reopen(work.session, ahead),
        # codes of that future count as used; those of the present must work, from the next one on
        "codes": _run(work, update(Person).where(Person.totp_counter > step + 2).values(totp_counter=step)),
        "warnings": _warn_again(work),
    }


def _warn_again(work: Work) -> int:
    """Plan again what ended too early: warnings whose moment is still to come. Returns how many there were.

    A rung that fired is never changed. Its moment gets a rung of its own, so that people are warned when they should be,
    and the record says that it is the second time.
    """
    # the one query that reads all rungs; clocks seldom jump
    touched = select(Rung.duty_id).where(or_(Rung.ended_at > work.now, Rung.planned_at > work.now)).distinct()
    open_duties = select(Duty.id).where(Duty.done_at.is_(None), Duty.state.in_(WARNED_STATES), Duty.id.in_(touched)).order_by(Duty.id)
    ids = list(work.session.scalars(open_duties.with_for_update(of=Duty, key_share=True)))
    found = 0
    for start in range(0, len(ids), BATCH):
        some = ids[start:start + BATCH]
        found += _plan_again(work, some)
        alerts.plan_all(work, some)
    return found


def _plan_again(work: Work, duty_ids: Sequence[int]) -> int:
    deadline = func.coalesce(Duty.conservative_at, Duty.target_at)
    query = (
        select(*(getattr(Rung, name) for name in (*_COPIED, *sorted(_OWN))))
        .join(Duty, Duty.id == Rung.duty_id).where(Rung.duty_id.in_(duty_ids), Rung.deadline_at == deadline).order_by(Rung.duty_id, Rung.due_at, Rung.id)
    )
    by_duty: dict[int, list[Any]] = defaultdict(list)
    for row in work.session.execute(query):
        by_duty[row.duty_id].append(row)
    added, incidents = [], defaultdict[int, list[int]](list)
    for rungs in by_duty.values():
        early = [one for one in rungs if one.outcome in _SAID and one.ended_at > work.now and one.due_at > work.now + AHEAD]
        _put_right(work, [one for one in rungs if one.outcome is None and one.key.startswith(_BROUGHT) and one.planned_at > work.now], early)
        planned = {one.due_at for one in rungs if one.outcome is None and one.planned_at <= work.now}
        known = sum(AGAIN in one.key for one in rungs)
        for number, (one, prefix) in enumerate(_to_be_repeated(early, planned), known + 1):
            added.append(_copy(one, f"{prefix}{AGAIN}{number}", work.now))
            incidents[one.incident_id].append(one.id)
    add_rungs(work.session, added)
    for incident_id, rungs in incidents.items():
        work.record(
            "alert.plan_again", "Warnings that went out early, because the clock had run ahead, will go out again at their moment",
            incident=work.session.get(Incident, incident_id), after={"rungs": rungs},
        )
    return len(added)


def _to_be_repeated(early: Sequence[Any], planned: Collection[datetime]) -> list[tuple[Any, str]]:
    """Of one deadline's rungs that ended too `early` those that get a new one, each with what the new key begins with.

    That is one for each moment that nothing is `planned` for. A warning for want of an answer comes with the rung that it
    follows; where that one was right, the first of its warnings is repeated and brings the next.
    """
    by_moment = {one.due_at: one for one in early if not one.key.startswith(UNANSWERED)}
    repeated, firsts = {one.key for one in early}, dict[str, tuple[int, Any]]()
    for one in early:
        number, of = followed(one.key)
        if number and of not in repeated and (of not in firsts or number < firsts[of][0]):
            firsts[of] = number, one
    found = [(one, "") for one in by_moment.values()] + [(one, f"{UNANSWERED}{number}-") for number, one in firsts.values()]
    return [(one, prefix) for one, prefix in found if one.due_at not in planned]


def _put_right(work: Work, brought: Sequence[Any], early: Sequence[Any]) -> None:
    """What was brought by rungs that fired in a false present: it waits as long from now on, or goes, where what brings it is repeated."""
    repeated = {followed(one.key)[1] for one in early}
    for one in brought:
        number, of = followed(one.key)
        due_at = work.now + (one.due_at - one.planned_at)
        keeps = number > 0 and of not in repeated and due_at < one.deadline_at
        values: dict[str, Any] = {"due_at": due_at, "planned_at": work.now} if keeps else {"ended_at": work.now, "outcome": "cancelled"}
        _run(work, update(Rung).where(Rung.id == one.id).values(values))


def _copy(rung: Any, key: str, now: datetime) -> dict[str, Any]:
    same = {name: getattr(rung, name) for name in _COPIED}
    return {**same, "key": key, "planned_at": now, "ended_at": None, "outcome": None, "overtaken_count": 0}


def _run(work: Work, statement: Update) -> int:
    """Run an UPDATE; how many rows it changed."""
    return int(work.session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
