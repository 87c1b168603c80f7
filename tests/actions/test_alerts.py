"""Warnings: planned with the clock, fired when due, to the people they concern, and to nobody else."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from incident_tracker.actions import alerts
from incident_tracker.errors import Conflict, NotAllowed, NotFound
from incident_tracker.models.alerts import Acknowledgement, Rung, claim
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.alarms import HOUR, a_duty, acknowledge, an_incident, change, fire, ladder_of, waiting
from tests.stories import FRIDAY, person
from tests.test_plans import heard

DEADLINE = FRIDAY + 72 * HOUR
EVERY_RUNG = ["start", "48h-before", "24h-before", "12h-before", "6h-before", "3h-before", "1h-before", "15min-before", "at-deadline"]

pytestmark = pytest.mark.usefixtures("app")


def entries(action: str) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


# -- planning ---------------------------------------------------------------------------------------------------------------


def test_a_new_clock_has_its_whole_ladder_waiting():
    assert waiting(a_duty(an_incident())) == EVERY_RUNG


def test_planning_again_changes_nothing():
    duty = a_duty(an_incident())
    fire(FRIDAY)
    columns = select(Rung.__table__).order_by(Rung.id)
    before = db.session.execute(columns).all()
    change(duty, FRIDAY + HOUR)
    assert db.session.execute(columns).all() == before


def test_a_duty_that_cannot_be_decided_yet_is_warned_of_by_its_provisional_clock():
    duty = a_duty(an_incident(), state="undecided", missing=["risk_level"])
    assert fire(FRIDAY) == {"start": ["ines"]}
    assert waiting(duty) == EVERY_RUNG[1:]


@pytest.mark.parametrize("state", ["met", "met_late", "held", "not_required", "withdrawn", "does_not_apply"])
def test_a_duty_that_is_settled_or_held_is_warned_of_no_more(state: str):
    duty = a_duty(an_incident())
    fire(FRIDAY)
    change(duty, FRIDAY + HOUR, state=state)
    assert waiting(duty) == []
    assert fire(DEADLINE + HOUR) == {}


def test_a_duty_whose_clock_has_not_started_has_no_rungs():
    assert ladder_of(a_duty(an_incident(), None, state="not_started", trigger_at=None)) == []


def test_a_held_duty_that_goes_on_is_warned_of_again():
    duty = a_duty(an_incident())
    fire(FRIDAY)
    change(duty, FRIDAY + HOUR, state="held")
    change(duty, FRIDAY + 30 * HOUR, state="running")
    assert fire(FRIDAY + 30 * HOUR) == {"48h-before": ["ines"]}
    assert waiting(duty) == EVERY_RUNG[2:]


def test_a_moved_deadline_is_told_at_once_and_the_old_rungs_are_cancelled():
    duty = a_duty(an_incident())
    fire(FRIDAY)
    change(duty, FRIDAY + HOUR, conservative_at=FRIDAY + 20 * HOUR)
    assert fire(FRIDAY + HOUR) == {"start": ["ines", "laura"]}
    assert [key for key, outcome in ladder_of(duty) if outcome == "cancelled"] == EVERY_RUNG[1:]
    assert fire(DEADLINE - 48 * HOUR) != {"48h-before": ["ines"]}


def test_a_clock_entered_late_warns_once_of_what_is_most_urgent():
    duty = a_duty(an_incident(), plan_at=DEADLINE - 2 * HOUR)
    assert fire(DEADLINE - 2 * HOUR) == {"3h-before": ["ines", "laura", "mona"]}
    assert dict(ladder_of(duty))["24h-before"] == "overtaken"
    assert db.session.scalars(select(Rung.overtaken_count).where(Rung.outcome == "fired")).all() == [0], "nothing was late: it was not known before"


def test_an_own_target_is_warned_of_where_the_law_names_no_number():
    duty = a_duty(an_incident(), None, standard="without undue delay", target_at=FRIDAY + 30 * HOUR)
    assert waiting(duty) == ["start", "24h-before", "6h-before", "1h-before", "at-deadline"]


def test_the_laws_number_goes_before_an_own_target():
    duty = a_duty(an_incident(), 72, target_at=FRIDAY + 30 * HOUR)
    assert waiting(duty) == EVERY_RUNG


def test_two_people_who_plan_the_same_duty_at_once_do_not_plan_it_twice(app: Flask):
    duty = a_duty(an_incident(), plan_at=None)
    duty_id, together, failures = duty.id, threading.Barrier(4), []
    db.session.rollback()

    def plan() -> None:
        with app.app_context():
            together.wait(10)
            try:
                with unit_of_work(CLOCKWORK, FRIDAY) as work:
                    alerts.plan_all(work, [duty_id])
            except Exception as error:
                failures.append(error)

    in_threads(plan, 4)
    assert failures == []
    assert waiting(duty) == EVERY_RUNG


# -- who is told ------------------------------------------------------------------------------------------------------------


def test_it_warns_the_owner_first_counsel_a_day_before_and_managers_six_hours_before():
    a_duty(an_incident(), owner="ravi")
    assert fire(FRIDAY) == {"start": ["ravi"]}
    assert fire(DEADLINE - 48 * HOUR) == {"48h-before": ["ravi"]}
    assert fire(DEADLINE - 24 * HOUR) == {"24h-before": ["laura", "ravi"]}
    assert fire(DEADLINE - 12 * HOUR) == {"12h-before": ["laura", "ravi"]}
    assert fire(DEADLINE - 6 * HOUR) == {"6h-before": ["laura", "mona", "ravi"]}


def test_without_owner_and_lead_it_warns_everybody_who_could_own_the_duty():
    a_duty(an_incident(lead=None))
    assert fire(FRIDAY) == {"start": ["ines", "laura", "otto", "ravi"]}


def test_it_never_warns_people_who_left():
    with unit_of_work(CLOCKWORK) as work:
        work.session.get(Person, person("ravi").id).active = False
    a_duty(an_incident(), owner="ravi")
    assert fire(FRIDAY) == {"start": ["ines"]}


def test_of_a_restricted_incident_only_members_are_told():
    a_duty(an_incident(members=("ines", "laura"), restricted=True), owner="otto")
    assert fire(FRIDAY) == {"start": ["ines"]}
    assert fire(DEADLINE) == {"at-deadline": ["ines", "laura"]}


def test_a_warning_that_nobody_may_know_of_is_recorded_as_unheard_and_the_ladder_goes_on():
    incident = an_incident(lead=None, restricted=True)
    duty = a_duty(incident)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        assert alerts.fire_due(work).unheard == 1
    assert ladder_of(duty)[0] == ("start", "unheard")
    assert waiting(duty) == EVERY_RUNG[1:]
    assert [(entry.incident_id, "reached nobody" in entry.summary) for entry in entries("alert.fire")] == [(incident.id, True)]


def test_a_duty_that_is_warned_of_with_another_brings_its_owner_along_and_has_no_rungs_of_its_own():
    incident = an_incident()
    first = a_duty(incident, state="undecided")
    with_it = a_duty(incident, 73, state="undecided", owner="ravi", warned_with_id=first.id)
    assert ladder_of(with_it) == []
    assert fire(FRIDAY) == {"start": ["ines", "ravi"]}


def test_a_duty_whose_speaker_is_settled_speaks_for_itself_though_nobody_planned_it():
    incident = an_incident()
    first = a_duty(incident, state="undecided")
    with_it = a_duty(incident, 73, state="undecided", owner="ravi", warned_with_id=first.id)
    fire(FRIDAY)
    change(first, FRIDAY, state="met", done_at=FRIDAY)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        assert alerts.watch_over(work) == 1
    assert waiting(with_it) == EVERY_RUNG
    assert fire(FRIDAY) == {"start": ["ravi"]}


# -- firing -----------------------------------------------------------------------------------------------------------------


def test_it_fires_by_the_bell_and_by_mail_one_message_each():
    a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    found = {one.channel: one for one in db.session.scalars(select(Message))}
    assert set(found) == {"bell", "email"}
    assert (found["bell"].sent_at, found["bell"].next_attempt_at) == (FRIDAY, None)
    assert (found["email"].sent_at, found["email"].next_attempt_at) == (None, FRIDAY)
    assert found["email"].message_id and found["email"].content == {}


def test_it_fires_nothing_before_its_moment():
    duty = a_duty(an_incident())
    fire(FRIDAY)
    acknowledge(duty, "ines", FRIDAY)
    with unit_of_work(CLOCKWORK, DEADLINE - 48 * HOUR - timedelta(microseconds=1)) as work:
        result = alerts.fire_due(work)
    assert (result.fired, result.next_due_at) == (0, DEADLINE - 48 * HOUR)


def test_it_fires_each_rung_once():
    a_duty(an_incident())
    assert fire(FRIDAY) and not fire(FRIDAY) and not fire(FRIDAY + HOUR)


def test_after_an_outage_it_fires_the_most_urgent_and_counts_the_others():
    duty = a_duty(an_incident())
    fire(FRIDAY)
    assert fire(DEADLINE - 2 * HOUR) == {"3h-before": ["ines", "laura", "mona"]}
    assert [key for key, outcome in ladder_of(duty) if outcome == "overtaken"] == ["48h-before", "24h-before", "12h-before", "6h-before"]
    assert db.session.scalar(select(Rung.overtaken_count).where(Rung.key == "3h-before")) == 5, "the one for want of an answer is among them"


def test_an_outage_over_the_deadline_counts_the_reminders_that_were_missed():
    a_duty(an_incident())
    fire(DEADLINE)
    assert fire(DEADLINE + 5.5 * HOUR) == {"overdue-1": ["ines", "laura", "mona"]}
    assert db.session.scalar(select(Rung.overtaken_count).where(Rung.key == "overdue-1")) == 4
    assert fire(DEADLINE + 6 * HOUR) == {"overdue-6": ["ines", "laura", "mona"]}


def test_a_batch_that_parts_the_rungs_of_a_duty_still_fires_one_of_them():
    a_duty(an_incident())
    a_duty(an_incident(), start=FRIDAY + timedelta(minutes=1))
    fire(FRIDAY + HOUR)
    fired = fire(DEADLINE - 20 * HOUR, limit=1)
    assert fired == {"24h-before": ["ines", "ines", "laura", "laura"]}


def test_after_the_deadline_it_reminds_every_hour_until_the_duty_is_met():
    duty = a_duty(an_incident())
    fire(DEADLINE)
    for hour in (1, 2, 3):
        assert list(fire(DEADLINE + hour * HOUR)) == [f"overdue-{hour}"]
        assert len(waiting(duty)) == 1
    change(duty, DEADLINE + 3.5 * HOUR, state="met_late", done_at=DEADLINE + 3.5 * HOUR)
    assert fire(DEADLINE + 4 * HOUR) == {}
    assert waiting(duty) == []


def test_a_duty_that_was_met_a_moment_before_is_not_warned_of_though_nobody_planned_it():
    duty = a_duty(an_incident())
    change(duty, FRIDAY, plan=False, state="met", done_at=FRIDAY)
    assert fire(FRIDAY) == {}
    assert ladder_of(duty)[0] == ("start", "cancelled")


def test_a_deadline_that_was_moved_a_moment_before_is_warned_of_as_it_is_now():
    duty = a_duty(an_incident())
    change(duty, FRIDAY, plan=False, conservative_at=FRIDAY + 10 * HOUR)
    assert fire(FRIDAY) == {"start": ["ines", "laura"]}
    assert waiting(duty) == ["6h-before", "3h-before", "1h-before", "15min-before", "at-deadline"]
    assert set(db.session.scalars(select(Rung.deadline_at).where(Rung.outcome == "fired"))) == {FRIDAY + 10 * HOUR}


def test_only_the_clockwork_fires():
    with pytest.raises(NotAllowed), unit_of_work(person("adam"), FRIDAY) as work:
        alerts.fire_due(work)
    with pytest.raises(NotAllowed), unit_of_work(person("ines"), FRIDAY) as work:
        alerts.watch_over(work)


def test_it_leaves_one_entry_a_batch_and_a_restricted_incident_its_own():
    first, second = an_incident(), an_incident()
    hidden = an_incident(members=("ines",), restricted=True)
    duties = [a_duty(first), a_duty(first), a_duty(second), a_duty(hidden)]
    fire(FRIDAY)
    found = {entry.incident_id: entry.after["rungs"] for entry in entries("alert.fire")}
    assert set(found) == {None, hidden.id}
    started = dict(db.session.execute(select(Rung.duty_id, Rung.id).where(Rung.key == "start")).all())
    assert found == {None: [started[duty.id] for duty in duties[:3]], hidden.id: [started[duties[3].id]]}


def test_a_duty_that_nothing_waits_for_is_planned_again_and_that_is_recorded():
    duty = a_duty(an_incident(), plan_at=None)
    settled = a_duty(an_incident(), plan_at=None, state="met", done_at=FRIDAY)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        assert alerts.watch_over(work) == 1
    assert (waiting(duty), waiting(settled)) == (EVERY_RUNG, [])
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        assert alerts.watch_over(work) == 0
    assert len(entries("alert.watch_over")) == 1


def in_threads(target: Any, number: int) -> None:
    threads = [threading.Thread(target=target) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_several_workers_fire_every_rung_once_between_them(app: Flask):
    incident = an_incident()
    for _ in range(60):
        a_duty(incident, owner="ravi")
    db.session.rollback()
    fired, together = [], threading.Barrier(4)

    def work_off() -> None:
        with app.app_context():
            together.wait(10)
            while True:
                with unit_of_work(CLOCKWORK, FRIDAY) as work:
                    result = alerts.fire_due(work, limit=7)
                fired.append(result.fired)
                if not result.claimed:
                    return

    in_threads(work_off, 4)
    assert sum(fired) == 60
    assert db.session.scalar(select(func.count()).select_from(Message)) == 120
    assert db.session.scalar(select(func.count()).select_from(Rung).where(Rung.outcome == "fired")) == 60


def test_the_claim_finds_what_is_due_by_the_partial_index(database_kind: str):
    duty = a_duty(an_incident(), plan_at=None)
    rows = [
        {"duty_id": duty.id, "incident_id": duty.incident_id, "key": f"k{number}", "due_at": FRIDAY + timedelta(seconds=number), "planned_at": FRIDAY, "deadline_at": DEADLINE,
         "audience": ["owner"], "loudness": "normal", "overtaken_count": 0, "ended_at": None if number >= 19_900 else FRIDAY, "outcome": None if number >= 19_900 else "fired"}
        for number in range(20_000)
    ]
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        work.session.connection().execute(Rung.__table__.insert(), rows)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        work.session.execute(text("ANALYZE"))
    with unit_of_work(CLOCKWORK, FRIDAY) as work, heard() as said:
        assert len(claim(work.session, FRIDAY + timedelta(seconds=19_950), 50)) == 50
        work.session.rollback()
    ((statement, parameters),) = said
    with db.engine.connect() as connection:
        plan = "\n".join(map(str, connection.exec_driver_sql(f"{'EXPLAIN QUERY PLAN' if database_kind == 'sqlite' else 'EXPLAIN'} {statement}", parameters)))
    assert "ix_rung_waiting_due_at" in plan
    assert "SCAN rung" not in plan and "Seq Scan on rung" not in plan


# -- acknowledging ----------------------------------------------------------------------------------------------------------


def test_an_acknowledgement_stops_the_climb_but_not_the_warnings():
    duty = a_duty(an_incident(), owner="ravi")
    fire(DEADLINE - 24 * HOUR)
    acknowledge(duty, "laura", DEADLINE - 23 * HOUR)
    assert fire(DEADLINE - 6 * HOUR) == {"6h-before": ["laura", "ravi"]}
    assert fire(DEADLINE - HOUR) == {"1h-before": ["laura", "ravi"]}


def test_from_the_deadline_on_everybody_is_told_again_until_somebody_acknowledges_anew():
    duty = a_duty(an_incident(), owner="ravi")
    acknowledge(duty, "laura", DEADLINE - 23 * HOUR)
    assert fire(DEADLINE) == {"at-deadline": ["laura", "mona", "ravi"]}
    assert fire(DEADLINE + HOUR) == {"overdue-1": ["laura", "mona", "ravi"]}
    acknowledge(duty, "ravi", DEADLINE + 1.5 * HOUR)
    assert fire(DEADLINE + 2 * HOUR) == {"overdue-2": ["ravi"]}


def test_a_moved_deadline_has_to_be_acknowledged_anew():
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    acknowledge(duty, "ravi", FRIDAY + HOUR)
    change(duty, FRIDAY + 2 * HOUR, conservative_at=DEADLINE - 10 * HOUR)
    fire(FRIDAY + 2 * HOUR)
    assert fire(DEADLINE - 16 * HOUR) == {"6h-before": ["laura", "mona", "ravi"]}


def test_an_acknowledgement_is_recorded_once_and_what_rang_counts_as_seen():
    incident = an_incident()
    duty = a_duty(incident)
    fire(FRIDAY)
    acknowledge(duty, "ines", FRIDAY + HOUR)
    acknowledge(duty, "ines", FRIDAY + 2 * HOUR)
    assert [(entry.incident_id, entry.actor_name) for entry in entries("alert.acknowledge")] == [(incident.id, "Ines Vargas")]
    assert db.session.scalar(select(func.count()).select_from(Acknowledgement)) == 1
    assert db.session.scalars(select(Message.seen_at).where(Message.channel == "bell")).all() == [FRIDAY + HOUR]


def test_a_reader_cannot_acknowledge_and_an_outsider_learns_nothing():
    duty = a_duty(an_incident(members=("ines", "olga"), restricted=True))
    with pytest.raises(NotAllowed):
        acknowledge(duty, "olga", FRIDAY)
    with pytest.raises(NotFound):
        acknowledge(duty, "otto", FRIDAY)


def test_a_settled_duty_cannot_be_acknowledged():
    duty = a_duty(an_incident(), state="met", done_at=FRIDAY)
    with pytest.raises(Conflict, match="warned of no more"):
        acknowledge(duty, "ines", FRIDAY)
