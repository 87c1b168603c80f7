"""When the clock jumps, people are warned at the right moment all the same, nothing is stuck, and the record says what happened."""

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from incident_tracker.actions import alerts, clock_jumps, deliveries, people, sign_ins
from incident_tracker.errors import TooManyTries
from incident_tracker.models.alerts import Heartbeat, Rung, live
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.clock_jumps import ClockJump, latest_jumps
from incident_tracker.models.digests import DigestChoice
from incident_tracker.models.duties import Duty
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.rules import throttles
from incident_tracker.rules.jumps import Jump
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.alarms import HOUR, a_duty, acknowledge, an_incident, change, fire, waiting
from tests.stories import FRIDAY, person

STALE = timedelta(seconds=60)
DEADLINE = FRIDAY + 72 * HOUR


def jump(expected: datetime, at: datetime) -> None:
    """The clock, which should say `expected`, says `at`, and a worker notices."""
    with unit_of_work(CLOCKWORK, at) as work:
        clock_jumps.note(work, "a worker", Jump(expected, at), STALE)


def rang(duty: Duty, name: str, since: int = 0) -> list[datetime]:
    """The moments at which somebody's bell rang for a duty."""
    db.session.rollback()
    query = select(Message.created_at).where(Message.duty_id == duty.id, Message.person_id == person(name).id, Message.channel == "bell", Message.id > since)
    return list(db.session.scalars(query.order_by(Message.id)))


def walk(start: datetime, hours: int, step: timedelta = HOUR / 2) -> None:
    """Let the worker fire and watch over the duties regularly."""
    for number in range(int(hours * HOUR / step) + 1):
        fire(start + number * step)
        with unit_of_work(CLOCKWORK, start + number * step) as work:
            alerts.watch_over(work)


def last_message() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.max(Message.id))) or 0


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def undisturbed(app: Flask) -> dict[str, list[datetime]]:
    """When people are warned of a deadline of 72 hours on a clock that never jumps, from an hour after the start on."""
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    since = last_message()
    walk(FRIDAY + HOUR, 96)
    found = {name: rang(duty, name, since) for name in ("ravi", "laura", "mona")}
    change(duty, FRIDAY + 98 * HOUR, state="met", done_at=FRIDAY + 98 * HOUR)
    return found


@pytest.mark.parametrize("ahead", [2 * HOUR, 71 * HOUR, 90 * HOUR, 24 * 400 * HOUR])
def test_after_a_clock_ran_ahead_people_are_warned_when_they_would_have_been(undisturbed: dict[str, list[datetime]], ahead: timedelta):
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    fire(FRIDAY + ahead)
    fire(FRIDAY + ahead + HOUR / 2)
    since = last_message()
    jump(FRIDAY + ahead + HOUR, FRIDAY + HOUR)
    walk(FRIDAY + HOUR, 96)
    assert {name: rang(duty, name, since) for name in undisturbed} == undisturbed
    assert len(undisturbed["ravi"]) > 3


def test_reminders_go_on_after_a_clock_that_ran_ahead_behind_the_deadline(undisturbed: dict[str, list[datetime]]):
    duty = a_duty(an_incident(), owner="ravi")
    walk(FRIDAY, 74)
    fire(FRIDAY + 9000 * HOUR)
    since = last_message()
    back_at = FRIDAY + 75 * HOUR + HOUR / 4
    jump(FRIDAY + 9001 * HOUR, back_at)
    walk(back_at + HOUR / 4, 22)
    assert rang(duty, "ravi", since) == [at for at in undisturbed["ravi"] if at > back_at] != []


def test_what_was_due_before_the_true_present_is_not_said_again(app: Flask):
    duty = a_duty(an_incident(), owner="ravi")
    walk(FRIDAY, 50)
    before = rang(duty, "ravi")
    jump(FRIDAY + 51 * HOUR, FRIDAY + 50 * HOUR)
    fire(FRIDAY + 50 * HOUR)
    assert rang(duty, "ravi") == before
    assert count(Rung) == len({rung.key for rung in db.session.scalars(select(Rung))})


def test_a_clock_that_was_a_moment_fast_repeats_nothing(app: Flask):
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    early = DEADLINE - 24 * HOUR
    fire(early)
    before = rang(duty, "ravi")
    jump(early + timedelta(seconds=5), early - timedelta(seconds=30))
    walk(early - timedelta(seconds=30), 1, timedelta(seconds=30))
    assert rang(duty, "ravi") == before


def test_settling_twice_changes_nothing_more(app: Flask):
    a_duty(an_incident(), owner="ravi")
    fire(FRIDAY + 80 * HOUR)
    jump(FRIDAY + 80 * HOUR, FRIDAY + HOUR)
    rungs = count(Rung)
    jump(FRIDAY + 80 * HOUR, FRIDAY + HOUR)
    assert count(Rung) == rungs
    fire(FRIDAY + 80 * HOUR)
    jump(FRIDAY + 80 * HOUR, FRIDAY + HOUR)
    again = count(Rung)
    jump(FRIDAY + 80 * HOUR, FRIDAY + HOUR)
    assert count(Rung) == again


def test_a_duty_that_was_met_meanwhile_is_left_alone(app: Flask):
    duty = a_duty(an_incident())
    fire(FRIDAY + 80 * HOUR)
    change(duty, FRIDAY + 80 * HOUR, state="met", done_at=FRIDAY + 80 * HOUR)
    jump(FRIDAY + 80 * HOUR, FRIDAY + HOUR)
    assert waiting(duty) == []


def test_the_same_reminder_is_never_made_to_wait_a_second_time(app: Flask):
    """It would be refused when it fires, for its messages are there already, and nothing else could fire beside it."""
    duty, other = a_duty(an_incident(), owner="ravi"), a_duty(an_incident(), owner="ravi")
    for hours in (72, 76, 80, 84, 88):
        fire(FRIDAY + hours * HOUR)
    jump(FRIDAY + 88 * HOUR, FRIDAY + 73 * HOUR)
    change(duty, FRIDAY + 73 * HOUR, conservative_at=DEADLINE + HOUR)
    change(duty, FRIDAY + 73 * HOUR, conservative_at=DEADLINE)
    acknowledge(other, "ravi", FRIDAY + 74 * HOUR)
    walk(FRIDAY + 73 * HOUR, 24)
    assert len(waiting(duty)) >= 1 and len(waiting(other)) >= 1


def test_the_record_says_what_is_said_a_second_time_to_those_who_may_know(app: Flask):
    open_one, hidden = an_incident(), an_incident(members=("ines",), restricted=True)
    a_duty(open_one)
    a_duty(hidden)
    fire(FRIDAY + 80 * HOUR)
    jump(FRIDAY + 80 * HOUR, FRIDAY + HOUR)
    db.session.rollback()
    entries = list(db.session.scalars(select(AuditEntry).where(AuditEntry.action.in_(("clock.jump", "alert.plan_again"))).order_by(AuditEntry.id)))
    assert [(one.action, one.incident_id) for one in entries] == [("alert.plan_again", open_one.id), ("alert.plan_again", hidden.id), ("clock.jump", None)]
    assert entries[-1].before["expected"] == (FRIDAY + 80 * HOUR).isoformat() and entries[-1].after["seconds"] == -79 * 3600
    assert entries[-1].after["warnings"] == sum(len(one.after["rungs"]) for one in entries[:-1]) > 4
    (row,) = latest_jumps()
    assert (row.seconds, row.at, row.expected_at, row.worker) == (-79 * 3600, FRIDAY + HOUR, FRIDAY + 80 * HOUR, "a worker")


# -- what else hangs on the clock -------------------------------------------------------------------------------------------


def queued(now: datetime, next_at: datetime, leased_by: str | None = None) -> int:
    with unit_of_work(CLOCKWORK, now) as work:
        message = Message(
            person_id=person("ines").id, channel="email", kind="account_changed", content={"what": "x"}, message_id=f"x.{now}.{next_at}.{leased_by}",
            created_at=now, next_attempt_at=next_at, leased_by=leased_by,
        )
        work.session.add(message)
        work.session.flush()
        return message.id


def next_try(number: int) -> datetime | None:
    db.session.rollback()
    return db.session.get_one(Message, number).next_attempt_at


def test_messages_do_not_wait_for_a_far_future(app: Flask):
    waits, leased, soon = queued(FRIDAY, FRIDAY + 50 * HOUR), queued(FRIDAY, FRIDAY + 50 * HOUR, "w"), queued(FRIDAY, FRIDAY + HOUR / 12)
    jump(FRIDAY + 50 * HOUR, FRIDAY)
    assert (next_try(waits), next_try(leased), next_try(soon)) == (FRIDAY, FRIDAY + deliveries.LEASE, FRIDAY + HOUR / 12)


def test_a_lease_that_ended_only_because_the_clock_went_forward_goes_on(app: Flask):
    held, ended, free = queued(FRIDAY, FRIDAY + 4 * HOUR / 60, "w"), queued(FRIDAY, FRIDAY - HOUR, "w"), queued(FRIDAY, FRIDAY + HOUR / 60)
    jump(FRIDAY, FRIDAY + 10 * HOUR)
    assert (next_try(held), next_try(ended), next_try(free)) == (FRIDAY + 10 * HOUR + deliveries.LEASE, FRIDAY - HOUR, FRIDAY + HOUR / 60)


def test_workers_that_lived_before_a_jump_forward_have_time_to_say_so(app: Flask):
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        live(work.session, "lives", FRIDAY, FRIDAY, {})
        live(work.session, "gone", FRIDAY, FRIDAY - HOUR, {})
    jump(FRIDAY + timedelta(seconds=10), FRIDAY + 10 * HOUR)
    db.session.rollback()
    assert {one.worker: one.alive_at for one in db.session.scalars(select(Heartbeat))} == {"lives": FRIDAY + 10 * HOUR, "gone": FRIDAY - HOUR}


def test_a_beat_of_the_future_says_nothing_of_now(app: Flask):
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        live(work.session, "w", FRIDAY, FRIDAY + 9 * HOUR, {"beat_at": FRIDAY + 9 * HOUR})
    jump(FRIDAY + 9 * HOUR, FRIDAY)
    db.session.rollback()
    (row,) = db.session.scalars(select(Heartbeat))
    assert (row.beat_at, row.alive_at) == (None, FRIDAY)


def test_nobody_is_locked_out_by_tries_and_codes_of_a_future_that_never_was(app: Flask):
    bucket, later = throttles.bucket("account", "ines"), FRIDAY + 100 * HOUR
    for _ in range(throttles.LIMITS["account"]):
        with unit_of_work(sign_ins.STRANGER, later) as work:
            sign_ins.count_try(work, [bucket], "192.0.2.1")
    used = int(later.timestamp()) // 30
    with unit_of_work(sign_ins.STRANGER, later) as work:
        assert sign_ins.use_code(work, person("ines"), used)
    with pytest.raises(TooManyTries), unit_of_work(sign_ins.STRANGER, FRIDAY) as work:
        sign_ins.count_try(work, [bucket], "192.0.2.1")
    jump(later, FRIDAY)
    now = int(FRIDAY.timestamp()) // 30
    with unit_of_work(sign_ins.STRANGER, FRIDAY) as work:
        sign_ins.count_try(work, [bucket], "192.0.2.1")
        assert not sign_ins.use_code(work, person("ines"), now), "a code that may have been used counts as used"
        assert sign_ins.use_code(work, person("ines"), now + 1)
    assert db.session.get_one(Person, person("ines").id).totp_counter == now + 1


def test_digests_go_on_after_a_clock_that_ran_ahead(app: Flask):
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        row = work.session.get_one(DigestChoice, person("ines").id)
        row.daily_on, row.weekly_on = date(2027, 11, 27), FRIDAY.date()
    jump(FRIDAY + 24 * 365 * HOUR, FRIDAY)
    db.session.rollback()
    row = db.session.get_one(DigestChoice, person("ines").id)
    assert (row.daily_on, row.weekly_on) == (None, FRIDAY.date())


# -- while nobody was at work -----------------------------------------------------------------------------------------------


@pytest.fixture
def a_year_ahead(app: Flask) -> Duty:
    """Somebody did something, and a worker fired, by a clock that was a year ahead."""
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    fire(FRIDAY + 24 * 365 * HOUR)
    with unit_of_work(person("adam"), FRIDAY + 24 * 365 * HOUR) as work:
        people.invite(work, "new@harbour.example", ["officer"], "http://localhost")
    return duty


def test_a_worker_that_starts_sees_that_the_record_is_ahead_of_the_clock_and_once_only(a_year_ahead: Duty):
    for expected in (-24 * 365 * 3600, None):
        with unit_of_work(CLOCKWORK, FRIDAY + HOUR) as work:
            found = clock_jumps.note_since_last(work, "new", STALE)
        assert (round(found.span.total_seconds()) + 3600 if found else None) == (expected + 2 * 3600 if expected else None)
    assert count(ClockJump) == 1
    since = last_message()
    walk(FRIDAY + HOUR, 72)
    assert rang(a_year_ahead, "ravi", since) != []


def test_a_worker_that_starts_with_a_clock_that_is_right_notes_nothing(app: Flask):
    a_duty(an_incident())
    with unit_of_work(CLOCKWORK, FRIDAY - timedelta(seconds=30)) as work:
        assert clock_jumps.note_since_last(work, "new", STALE) is None
