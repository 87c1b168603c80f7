"""When nobody answers: the next people; who is away and who stands in; who is on call; what could not be delivered is told to others."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker.actions import deliveries, rotas
from incident_tracker.actions.deliveries import Failure
from incident_tracker.errors import Invalid, NotAllowed
from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.models.rotas import Absence, Shift, absences_listed, on_call_at, stand_ins_at
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.alarms import HOUR, a_duty, acknowledge, an_incident, change, fire, ladder_of
from tests.stories import FRIDAY, person

DEADLINE = FRIDAY + 72 * HOUR

pytestmark = pytest.mark.usefixtures("app")


def names_of(messages: Any) -> list[str]:
    return sorted({db.session.get_one(Person, one.person_id).email.partition("@")[0] for one in messages})


# -- nobody answers ---------------------------------------------------------------------------------------------------------


def test_who_does_not_answer_is_followed_by_the_next_people() -> None:
    duty = a_duty(an_incident(), owner="ravi")
    assert fire(FRIDAY) == {"start": ["ravi"]}
    assert fire(FRIDAY + 2 * HOUR) == {"unanswered-1-start": ["ines", "ravi"]}
    assert fire(FRIDAY + 4 * HOUR) == {"unanswered-2-start": ["ines", "laura", "mona", "ravi"]}
    assert fire(FRIDAY + 12 * HOUR) == {}
    assert ladder_of(duty, with_unanswered=True)[:3] == [("start", "fired"), ("unanswered-1-start", "fired"), ("unanswered-2-start", "fired")]


def test_an_acknowledgement_ends_the_climb_and_not_the_ladder() -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    acknowledge(duty, "ravi", FRIDAY + HOUR)
    assert fire(FRIDAY + 2 * HOUR) == {}
    assert ("unanswered-1-start", "answered") in ladder_of(duty, with_unanswered=True)
    assert fire(DEADLINE - 48 * HOUR) == {"48h-before": ["ravi"]}
    assert fire(DEADLINE - 46 * HOUR) == {}, "who took it is not climbed over at the next rung either"


def test_an_answer_at_the_very_moment_of_the_climb_counts() -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    acknowledge(duty, "ravi", FRIDAY + HOUR)
    db.session.query(Rung).filter_by(key="unanswered-1-start").update({"ended_at": None, "outcome": None})
    db.session.commit()
    assert fire(FRIDAY + 2 * HOUR) == {}
    assert ("unanswered-1-start", "answered") in ladder_of(duty, with_unanswered=True)


def test_the_next_warning_ends_the_climb_of_the_one_before() -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(DEADLINE - 3 * HOUR)
    assert ("unanswered-1-3h-before", None) in ladder_of(duty, with_unanswered=True)
    assert fire(DEADLINE - HOUR) == {"1h-before": ["laura", "mona", "ravi"]}
    assert ("unanswered-1-3h-before", "overtaken") in ladder_of(duty, with_unanswered=True)


def test_after_the_deadline_nothing_climbs_the_reminders_come_to_all() -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(DEADLINE)
    assert [key for key, outcome in ladder_of(duty, with_unanswered=True) if outcome is None] == ["overdue-1"]


def test_a_deadline_that_moves_ends_the_climb() -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    change(duty, FRIDAY + HOUR, conservative_at=FRIDAY + 96 * HOUR)
    assert ("unanswered-1-start", "cancelled") in ladder_of(duty, with_unanswered=True)


def test_the_climb_never_reaches_who_may_not_know() -> None:
    a_duty(an_incident(members=("ines", "ravi"), restricted=True), owner="ravi")
    fire(FRIDAY)
    assert fire(FRIDAY + 2 * HOUR) == {"unanswered-1-start": ["ines", "ravi"]}
    assert set(fire(FRIDAY + 4 * HOUR)["unanswered-2-start"]) <= {"ines", "ravi"}


# -- on call, and away ------------------------------------------------------------------------------------------------------


def shift(name: str, *, days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6), starts: str = "00:00", ends: str = "00:00", by: str = "mona") -> Shift:
    with unit_of_work(person(by), FRIDAY) as work:
        return rotas.add_shift(work, person(name), days, starts, ends)


def away(name: str, stand_in: str, hours: float = 100, *, by: str | None = None) -> Absence:
    with unit_of_work(person(by or name), FRIDAY - HOUR) as work:
        return rotas.add_absence(work, person(name), person(stand_in), FRIDAY - HOUR, FRIDAY + timedelta(hours=hours))


def test_who_is_on_call_hears_when_nobody_answers() -> None:
    shift("otto")
    a_duty(an_incident(), owner="ravi")
    assert fire(FRIDAY) == {"start": ["ravi"]}
    assert fire(FRIDAY + 2 * HOUR) == {"unanswered-1-start": ["ines", "otto", "ravi"]}


def test_hours_pass_midnight_and_belong_to_the_day_they_begin_on() -> None:
    # Friday 22:00 to Saturday 06:00 in Berlin
    shift("otto", days=(4,), starts="22:00", ends="06:00")
    friday_night = FRIDAY.replace(hour=21, minute=0)
    assert on_call_at(friday_night) == {person("otto").id}
    assert on_call_at(friday_night + 7 * HOUR) == {person("otto").id}
    assert on_call_at(friday_night + 8 * HOUR) == frozenset()
    assert on_call_at(friday_night - 24 * HOUR) == frozenset()


def test_who_stands_in_is_told_as_well() -> None:
    away("ravi", "otto")
    a_duty(an_incident(), owner="ravi")
    assert fire(FRIDAY) == {"start": ["otto", "ravi"]}


def test_a_stand_in_who_is_away_has_one_too_and_a_circle_ends() -> None:
    away("ravi", "otto")
    away("otto", "laura")
    away("laura", "ravi")
    a_duty(an_incident(), owner="ravi")
    assert fire(FRIDAY) == {"start": ["laura", "otto", "ravi"]}


def test_nobody_stands_in_on_an_incident_that_they_may_not_know_of() -> None:
    away("ravi", "otto")
    a_duty(an_incident(members=("ines", "ravi"), restricted=True), owner="ravi")
    assert fire(FRIDAY) == {"start": ["ravi"]}


def test_an_absence_that_is_over_counts_no_more() -> None:
    away("ravi", "otto", hours=1)
    assert stand_ins_at(FRIDAY) == {person("ravi").id: person("otto").id}
    assert stand_ins_at(FRIDAY + HOUR) == {}
    assert absences_listed(FRIDAY + HOUR) == []


@pytest.mark.parametrize(("days", "starts", "ends", "field"), [((), "22:00", "06:00", "weekdays"), ((1,), "25:00", "06:00", "starts"), ((1,), "22:00", "six", "ends")])
def test_hours_that_cannot_be_are_refused_by_name(days: tuple[int, ...], starts: str, ends: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        shift("otto", days=days, starts=starts, ends=ends)
    assert list(refused.value.fields) == [field]


def test_everybody_says_for_themselves_that_they_are_away_and_managers_for_others() -> None:
    assert away("ravi", "ines").person_id == person("ravi").id
    assert away("ravi", "ines", by="mona").person_id == person("ravi").id
    with pytest.raises(NotAllowed):
        away("ravi", "ines", by="otto")
    with pytest.raises(Invalid, match="somebody else"):
        away("ravi", "ravi")


# -- what could not be delivered ----------------------------------------------------------------------------------------------


def refuse_mail_to(name: str | None, now: Any) -> None:
    with unit_of_work(CLOCKWORK, now) as work:
        numbers = deliveries.take(work, "worker", "email")
    for number in numbers:
        with unit_of_work(CLOCKWORK, now) as work:
            message = work.session.get_one(Message, number)
            if name is not None and message.person_id == person(name).id:
                deliveries.mark_failed(work, message, "worker", Failure("550 unknown mailbox", is_permanent=True))
            else:
                deliveries.mark_sent(work, {str(message.message_id): now})


def mails(key: str) -> list[Message]:
    query = select(Message).join(Rung, Rung.id == Message.rung_id).where(Rung.key == key, Message.channel == "email")
    return list(db.session.scalars(query))


def test_a_mail_that_is_refused_for_good_goes_to_the_next_person() -> None:
    a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    assert names_of(mails("start")) == ["ravi"]
    refuse_mail_to("ravi", FRIDAY)
    assert names_of(mails("start")) == ["ines", "ravi"]
    assert {one.dead_at is not None for one in mails("start") if one.person_id == person("ravi").id} == {True}
    refuse_mail_to("ines", FRIDAY + HOUR)
    assert names_of(mails("start")) == ["ines", "laura", "ravi"], "and to the one after"


def test_a_mail_that_is_refused_for_now_is_not_passed_on() -> None:
    a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        [number] = deliveries.take(work, "worker", "email")
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        deliveries.mark_failed(work, work.session.get_one(Message, number), "worker", Failure("451 later"))
    assert names_of(mails("start")) == ["ravi"]


def test_a_refused_mail_of_a_restricted_incident_goes_to_its_members_alone() -> None:
    a_duty(an_incident(lead=None, members=("ravi", "otto"), restricted=True), owner="ravi")
    fire(FRIDAY)
    refuse_mail_to("ravi", FRIDAY)
    assert names_of(mails("start")) == ["otto", "ravi"]
    refuse_mail_to("otto", FRIDAY)
    assert names_of(mails("start")) == ["otto", "ravi"], "nobody else may know"


def test_sending_again_by_hand_and_refused_again_tells_nobody_twice() -> None:
    a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    refuse_mail_to("ravi", FRIDAY)
    refuse_mail_to(None, FRIDAY)
    with unit_of_work(person("mona"), FRIDAY + HOUR) as work:
        deliveries.send_again(work, next(one for one in mails("start") if one.dead_at))
    refuse_mail_to("ravi", FRIDAY + HOUR)
    messages = mails("start")
    assert len({(one.rung_id, one.person_id, one.channel) for one in messages}) == len(messages)
