"""Digests: each person's own deadlines once a day, a manager's view once a week, one letter whatever the number of workers."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from incident_tracker.actions import digests
from incident_tracker.actions.digests import Wanted
from incident_tracker.config import Config
from incident_tracker.errors import Invalid
from incident_tracker.models.base import db
from incident_tracker.models.digests import SHOWN, DigestChoice
from incident_tracker.models.incidents import Incident, Membership
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import run_once
from tests.alarms import HOUR, a_duty, an_incident, change
from tests.conftest import test_config
from tests.post_office import PostOffice, Received
from tests.stories import FRIDAY, person

#: eight in the morning in Berlin, on the Saturday after and on the Monday after that
SATURDAY, MONDAY = datetime(2026, 11, 28, 7, tzinfo=UTC), datetime(2026, 11, 30, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def as_they_come(app: Flask) -> None:
    """Nobody has chosen anything yet."""
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        work.session.execute(delete(DigestChoice))


@pytest.fixture
def config(database_url: str, tmp_path: Path, office: PostOffice) -> Config:
    return test_config(tmp_path, database_url, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none", mail_from="tracker@harbour.example")


@pytest.fixture
def letters(app: Flask, office: PostOffice) -> Callable[[datetime], dict[str, Received]]:
    """The digests that two rounds of the worker at a moment write and send, by kind and first name."""

    def at(now: datetime) -> dict[str, Received]:
        office.clear()
        db.session.rollback()
        for _ in range(2):
            run_once(app, now, "w")
        db.session.rollback()
        found = [one for one in office.letters if "digest." in one.message_id]
        assert len({(one.to, one.message_id) for one in found}) == len(found)
        return {f"{one.message_id[1:].split('.')[1]} {one.to.partition('@')[0]}": one for one in found}

    return at


def zone(name: str, where: str) -> None:
    with unit_of_work(person("adam"), FRIDAY) as work:
        work.session.get_one(Person, person(name).id).zone = where


def wish(name: str, now: datetime = FRIDAY, **values: Any) -> None:
    with unit_of_work(person(name), now) as work:
        digests.choose(work, Wanted(**{"daily": True, "weekly": True, "hour": 8, **values}))


# -- what stands in one -----------------------------------------------------------------------------------------------------


def test_it_names_what_one_owns_or_leads_and_nobody_elses(letters: Any):
    a_duty(an_incident(), 72, owner="ravi", title="Tell the authority")
    a_duty(an_incident(lead="otto"), 12, title="Tell the people")
    a_duty(an_incident(lead=None), 60, title="Nobody has this")
    found = letters(SATURDAY)
    assert set(found) == {"daily ines", "daily ravi", "daily otto"}
    text = found["daily ravi"].part("plain")
    assert found["daily ravi"].subject == "1 deadline in the next seven days"
    assert "Tell the authority" in text and "Mon 30 Nov 2026, 17:30 (UTC+01:00), 57 h left" in text and "owner: Ravi Menon" in text
    assert "Tell the people" not in text and "Nobody has this" not in text
    assert found["daily otto"].subject == "1 overdue, 0 deadlines in the next seven days"
    for part in (found["daily otto"].part("plain"), found["daily otto"].part("html")):
        assert "Tell the people" in part and "overdue" in part.lower() and "/me#digests" in part


def test_it_looks_seven_days_ahead_of_ones_own_clock(letters: Any):
    incident = an_incident()
    for title, due in (("the last moment", datetime(2026, 12, 4, 23, tzinfo=UTC)), ("a minute too late", datetime(2026, 12, 4, 23, 1, tzinfo=UTC))):
        a_duty(incident, (due - FRIDAY) / HOUR, owner="ravi", title=title)
    text = letters(SATURDAY)["daily ravi"].part("plain")
    assert "the last moment" in text and "a minute too late" not in text


def test_those_who_decide_see_what_is_undecided_where_they_are_on_it(letters: Any):
    a_duty(an_incident(lead=None, members=("laura", "olga")), 30, state="undecided", title="Perhaps tell them")
    shared = an_incident(lead=None, members=("laura",))
    first = a_duty(shared, 30, state="undecided", title="One speaks")
    a_duty(shared, 30, state="undecided", title="for another", warned_with_id=first.id)
    found = letters(SATURDAY)
    assert set(found) == {"daily laura"}
    text = found["daily laura"].part("plain")
    assert "Perhaps tell them" in text and "not settled yet whether this applies" in text and "One speaks" in text and "for another" not in text


def test_of_a_restricted_incident_it_says_the_reference_the_deadline_and_where_to_look(letters: Any):
    duty = a_duty(an_incident(members=("ines",), restricted=True), 72, owner="ines", title="Notify the people of ward 7", recipient_name="Ward 7")
    a_duty(an_incident(members=("ines",), restricted=True), 72, owner="otto", title="Otto is on it no more")
    found = letters(SATURDAY)
    assert set(found) == {"daily ines"}
    for part in (found["daily ines"].part("plain"), found["daily ines"].part("html")):
        assert duty.incident.reference in part and f"/duties/{duty.id}" in part and "30 Nov 2026, 17:30" in part
        for word in ("ward", "Ward 7", "Laptop", "Berlin authority", "Otto"):
            assert word not in part


def test_it_is_gated_at_the_moment_of_sending(app: Flask, letters: Any, office: PostOffice):
    incident = an_incident()
    a_duty(incident, 72, owner="ravi", title="Tell the authority")
    office.on_sender = "421 closing"
    assert letters(SATURDAY) == {}
    office.on_sender = ""
    with unit_of_work(person("ines"), SATURDAY) as work:
        found = work.session.get_one(Incident, incident.id)
        found.restricted, found.memberships = True, [Membership(person_id=person("ines").id, added_by_id=person("ines").id, added_at=SATURDAY)]
    assert set(letters(SATURDAY + 6 * MINUTE)) == {"daily ines"}


def test_nothing_to_say_is_not_said(letters: Any):
    duty = a_duty(an_incident(), 72, owner="ravi")
    a_duty(an_incident(), 24 * 30, owner="otto")
    change(duty, FRIDAY, state="met", done_at=FRIDAY)
    assert letters(SATURDAY) == {}
    a_duty(an_incident(), 72, owner="ravi", start=SATURDAY, plan_at=SATURDAY)
    assert letters(SATURDAY + 5 * MINUTE) == {}, "the day was seen to at eight"


def test_a_long_digest_says_how_many_there_are(letters: Any):
    incident = an_incident()
    for number in range(SHOWN + 3):
        a_duty(incident, 72 + number, owner="ravi")
    text = letters(SATURDAY)["daily ravi"].part("plain")
    assert f"({SHOWN + 3}, the first {SHOWN} of them)" in text and text.count("/duties/") == SHOWN


# -- when one comes ---------------------------------------------------------------------------------------------------------


def test_it_comes_at_eight_of_ones_own_clock_and_once(letters: Any):
    zone("ravi", "America/New_York")
    a_duty(an_incident(), 72, owner="ravi")
    assert set(letters(SATURDAY - MINUTE)) == set()
    assert set(letters(SATURDAY)) == {"daily ines"}
    assert set(letters(SATURDAY + HOUR)) == set()
    assert set(letters(SATURDAY + 6 * HOUR)) == {"daily ravi"}
    assert set(letters(SATURDAY + 24 * HOUR)) == {"daily ines"}


def test_a_worker_that_slept_sends_it_late_the_same_day_and_not_for_the_days_before(letters: Any):
    a_duty(an_incident(lead=None), 24 * 6, owner="ravi")
    found = letters(SATURDAY + 3 * 24 * HOUR + 9 * HOUR)
    assert [one.message_id for one in found.values()] == [f"<digest.daily.2026-12-01.{person('ravi').id}@harbour.example>"]


def test_one_that_could_not_go_that_day_is_not_sent_the_next(app: Flask, letters: Any, office: PostOffice):
    a_duty(an_incident(lead=None), 24 * 6, owner="ravi")
    office.on_sender = "421 closing"
    assert letters(SATURDAY) == {}
    office.on_sender = ""
    found = letters(SATURDAY + 24 * HOUR)
    assert [one.message_id.split(".")[2] for one in found.values()] == ["2026-11-29"]
    late = db.session.scalars(select(Message).where(Message.message_id.contains("2026-11-28"))).one()
    assert late.withdrawn_at is not None and "day was over" in str(late.last_error)


def test_it_respects_quiet_time_and_a_statutory_warning_does_not(letters: Any, office: PostOffice):
    wish("ravi", quiet_from="20:00", quiet_to="9:30")
    duty = a_duty(an_incident(lead=None), 14.5, owner="ravi", start=FRIDAY)
    assert letters(SATURDAY) == {}
    assert [one.subject for one in office.letters if one.to.startswith("ravi")] == [f"Deadline {duty.incident.reference}: now"]
    assert set(letters(SATURDAY + 1.5 * HOUR)) == {"daily ravi"}


def test_one_may_do_without_and_choose_the_hour(letters: Any):
    a_duty(an_incident(lead="otto"), 72, owner="ravi")
    wish("ravi", daily=False)
    wish("otto", hour=17)
    assert letters(SATURDAY) == {}
    assert set(letters(SATURDAY + 9 * HOUR)) == {"daily otto"}


def test_two_workers_at_once_write_one(app: Flask):
    for name in ("ines", "ravi", "laura", "otto"):
        a_duty(an_incident(lead=None), 72, owner=name)
    db.session.rollback()
    ready, failed = threading.Barrier(4), list[BaseException]()

    def work_on() -> None:
        try:
            with app.app_context():
                ready.wait(10)
                with unit_of_work(CLOCKWORK, SATURDAY) as work:
                    digests.queue_due(work)
                db.session.remove()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work_on) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert failed == []
    names = list(db.session.scalars(select(Message.message_id).where(Message.kind == digests.DAILY)))
    assert len(names) == len(set(names)) == 4


def test_a_day_whose_claim_was_lost_still_gives_no_second_letter(app: Flask, letters: Any):
    a_duty(an_incident(lead=None), 72, owner="ravi")
    assert set(letters(SATURDAY)) == {"daily ravi"}
    with unit_of_work(CLOCKWORK, SATURDAY) as work:
        work.session.get_one(DigestChoice, person("ravi").id).daily_on = None
    assert letters(SATURDAY + HOUR) == {}


def test_without_mail_none_is_written(app: Flask, monkeypatch: pytest.MonkeyPatch, letters: Any, config: Config):
    a_duty(an_incident(), 72, owner="ravi")
    monkeypatch.setitem(app.extensions, "tracker", test_config(config.instance, config.database_url))
    assert letters(SATURDAY) == {}
    assert db.session.scalars(select(Message.id).where(Message.kind.in_(digests.KINDS))).all() == []


# -- the week of a manager --------------------------------------------------------------------------------------------------


def test_a_manager_sees_the_week_of_everything_on_monday(letters: Any):
    incident = an_incident(lead="otto")
    a_duty(incident, 12, title="Overdue one")
    a_duty(incident, 24 * 5, title="Due this week")
    a_duty(incident, 24 * 20, title="Due much later")
    late = a_duty(incident, 5, title="Met late on Friday")
    change(late, FRIDAY + 6 * HOUR, state="met_late", done_at=FRIDAY + 6 * HOUR)
    hidden = a_duty(an_incident(members=("ines",), restricted=True), 24 * 5, title="Hidden from Mona")
    assert [name for name in letters(SATURDAY) if name.startswith("weekly")] == []
    found = letters(MONDAY)
    assert [name for name in found if name.startswith("weekly")] == ["weekly mona"]
    for part in (found["weekly mona"].part("plain"), found["weekly mona"].part("html")):
        assert "Open incidents: 1. Overdue: 1. Due this week: 1. Met late last week: 1." in part
        for title in ("Overdue one", "Due this week", "Met late on Friday"):
            assert title in part
        assert "Due much later" not in part and hidden.incident.reference not in part
    assert found["weekly mona"].subject == "The week from Mon 30 Nov 2026: 1 open incident, 1 overdue"
    assert [name for name in letters(MONDAY + HOUR) if name.startswith("weekly")] == []
    assert [name for name in letters(MONDAY + 24 * HOUR) if name.startswith("weekly")] == []


def test_a_week_without_anything_is_not_told(letters: Any):
    assert letters(MONDAY) == {}


# -- choosing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "field"), [
    ({"quiet_from": "late", "quiet_to": "07:00"}, "quiet_from"), ({"quiet_from": "22:00"}, "quiet_to"), ({"quiet_to": "7:00"}, "quiet_from"),
    ({"hour": 22, "quiet_from": "21:00", "quiet_to": "7:00"}, "hour"), ({"hour": 24}, "hour"), ({"hour": -1}, "hour"),
])
def test_what_cannot_be_is_refused(app: Flask, values: dict[str, Any], field: str):
    with pytest.raises(Invalid) as refused:
        wish("ravi", **values)
    assert field in refused.value.fields
    assert db.session.get(DigestChoice, person("ravi").id) is None
