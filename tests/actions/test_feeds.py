"""What a calendar feed shows: the deadlines that one may know of, how they move, and when they are over."""

import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from icalendar import Calendar

from incident_tracker.actions import duties, feeds, incidents, people
from incident_tracker.errors import Conflict, NotAllowed, TrackerError
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.feeds import CalendarFeed
from incident_tracker.models.incidents import Incident
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Mechanism, unit_of_work
from tests.bench.statements import listening
from tests.doors import trail
from tests.drafts import approved, breach, file
from tests.stories import AWARE, CERTAIN, FRIDAY, again, duty_of, person, record, report

pytestmark = pytest.mark.usefixtures("app")

BASE = "https://tracker.example:8443"


def make(name: str = "ines") -> str:
    with unit_of_work(person(name), FRIDAY) as work:
        return feeds.make_feed(work)[1]


def shown(name: str = "ines", now: datetime = FRIDAY, *, as_todos: bool = False) -> list[Any]:
    """The events that somebody's calendar would show."""
    db.session.rollback()
    found = Calendar.from_ical(feeds.read_feed(person(name), now, BASE, as_todos=as_todos).content())
    return list(found.walk("VTODO" if as_todos else "VEVENT"))


def event_of(incident: Incident, name: str = "ines", now: datetime = FRIDAY, obligation: str = "eu-gdpr-33-1", *, as_todos: bool = False) -> Any:
    """The one event of a duty."""
    number = duty_of(again(incident.reference), obligation).id
    (found,) = [one for one in shown(name, now, as_todos=as_todos) if one["UID"] == f"{'todo' if as_todos else 'deadline'}-{number}@tracker.example"]
    return found


def test_a_secret_opens_the_feed_and_is_kept_as_a_hash_alone() -> None:
    secret = make()
    found = feeds.feed_of(secret)
    assert found is not None and found.person_id == person("ines").id
    assert len(secret) >= 43
    assert secret not in str([(one.token_hash, one.id) for one in db.session.query(CalendarFeed)])
    assert feeds.feed_of(found.token_hash) is None and feeds.feed_of("") is None
    (entry,) = trail("feed.make")
    assert secret not in str(entry.content()) and found.token_hash not in str(entry.content())


def test_a_new_address_ends_the_one_before() -> None:
    first, other = make(), make("ravi")
    second = make()
    assert feeds.feed_of(first) is None
    assert feeds.feed_of(second) is not None and feeds.feed_of(other) is not None
    assert trail("feed.make")[-1].summary == "replaced the address of their calendar feed"


def test_a_stopped_feed_shows_nothing() -> None:
    secret = make()
    with unit_of_work(person("ines")) as work:
        feeds.revoke_feed(work)
    assert feeds.feed_of(secret) is None
    assert trail("feed.revoke")
    with pytest.raises(Conflict), unit_of_work(person("ines")) as work:
        feeds.revoke_feed(work)


def test_the_feed_of_somebody_who_left_shows_nothing() -> None:
    secret = make()
    with unit_of_work(person("adam")) as work:
        people.switch_off(work, person("ines"))
    assert feeds.feed_of(secret) is None


def test_whoever_has_no_account_makes_none() -> None:
    for act in (feeds.make_feed, feeds.revoke_feed):
        with pytest.raises(NotAllowed), unit_of_work(Mechanism("nobody", frozenset({Permission.ENTER}))) as work:
            act(work)


def test_made_twice_at_the_same_moment_one_of_them_lives(app: Flask) -> None:
    make("ravi")
    gate, made = threading.Barrier(2), []

    def run() -> None:
        with app.app_context():
            gate.wait()
            try:
                made.append(make())
            except TrackerError as error:
                made.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 2
    db.session.rollback()
    assert db.session.query(CalendarFeed).filter_by(person_id=person("ines").id, revoked_at=None).count() == 1


def test_it_shows_a_deadline_by_reference_and_link_and_nothing_else() -> None:
    incident = breach()
    event = event_of(incident)
    assert event.decoded("dtstart") == FRIDAY + timedelta(hours=72)
    assert (event["SUMMARY"], event["STATUS"]) == (f"Deadline {incident.reference}", "CONFIRMED")
    assert event["URL"] == f"{BASE}/incidents/{incident.reference}/duties/{duty_of(incident, 'eu-gdpr-33-1').id}"
    raw = feeds.read_feed(person("ines"), FRIDAY, BASE).content().decode().replace("\r\n ", "")
    for word in ("Mailbox", "billing", "Seen in the log", "GDPR", "Article", "authority", "Berlin", "Ines", "Vargas", "harbour"):
        assert word not in raw


def test_a_deadline_that_is_a_day_is_a_whole_day() -> None:
    incident = report({"personal_data_breach": True, "moments.aware": AWARE, "affected.by_place.US-NY": {"value": 900, "certainty": "exact"}})
    duties_by_day = [duty for duty in db.session.query(Duty).filter_by(incident_id=incident.id, warned_with_id=None) if duty.conservative_value and "T" not in duty.conservative_value]
    expected = {f"deadline-{duty.id}@tracker.example": date.fromisoformat(duty.conservative_value or "") for duty in duties_by_day}
    assert expected
    assert {event["UID"]: event.decoded("dtstart") for event in shown() if event["UID"] in expected} == expected


def test_what_cannot_be_decided_yet_is_tentative_and_stands_once_for_all_of_the_same_hours() -> None:
    incident = report({"moments.aware": AWARE})
    undecided = db.session.query(Duty).filter_by(incident_id=incident.id, state="undecided").filter(Duty.conservative_at.is_not(None)).count()
    events = shown()
    assert {event["STATUS"] for event in events} == {"TENTATIVE"}
    assert 0 < len(events) < undecided
    assert "This date may still change." in events[0]["DESCRIPTION"]


def test_a_clock_that_moves_keeps_its_event_and_raises_its_sequence() -> None:
    incident = breach()
    before = event_of(incident)
    record(incident, {"moments.aware": {**AWARE, "at": "2026-11-27T16:00:00+01:00"}}, now=FRIDAY + timedelta(hours=1))
    after = event_of(incident)
    assert after.decoded("dtstart") == before.decoded("dtstart") - timedelta(minutes=90)
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after.decoded("last-modified") == FRIDAY + timedelta(hours=1)
    assert event_of(incident)["SEQUENCE"] == after["SEQUENCE"]


def test_a_duty_that_was_met_is_cancelled_for_thirty_days() -> None:
    incident = breach()
    before, filed_at = event_of(incident), FRIDAY + timedelta(hours=20)
    file(approved(incident), filed_at)
    event, todo = event_of(incident, now=filed_at), event_of(incident, now=filed_at, as_todos=True)
    assert (event["STATUS"], todo["STATUS"]) == ("CANCELLED", "COMPLETED")
    assert event["SEQUENCE"] > before["SEQUENCE"]
    assert event.decoded("dtstart") == before.decoded("dtstart")
    assert event.walk("VALARM") == []
    assert event_of(incident, now=filed_at + timedelta(days=29))["STATUS"] == "CANCELLED"
    assert f"deadline-{duty_of(again(incident.reference), 'eu-gdpr-33-1').id}@tracker.example" not in [one["UID"] for one in shown(now=filed_at + timedelta(days=31))]


def test_a_duty_that_is_not_required_or_no_longer_applies_is_cancelled() -> None:
    incident, other = breach(), breach()
    with unit_of_work(person("ines"), FRIDAY) as work:
        decision = duties.ask_decision(work, duty_of(again(incident.reference), "eu-gdpr-33-1"), "not_required", "Nothing was read.")
        number = decision.id
    assert event_of(incident)["STATUS"] == "CONFIRMED"
    with unit_of_work(person("laura"), FRIDAY) as work:
        duty = duty_of(again(incident.reference), "eu-gdpr-33-1")
        duties.answer_decision(work, next(one for one in duty.decisions if one.id == number), duty, True)
    assert event_of(incident)["STATUS"] == "CANCELLED"
    before = event_of(other)
    record(other, {"personal_data_breach": False}, now=FRIDAY + timedelta(hours=1))
    assert duty_of(again(other.reference), "eu-gdpr-33-1").state == "does_not_apply"
    after = event_of(other)
    assert (after["STATUS"], after.decoded("dtstart")) == ("CANCELLED", before.decoded("dtstart"))
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_a_duty_whose_clock_was_taken_back_is_cancelled() -> None:
    incident = breach()
    record(incident, {"moments.aware": None}, now=FRIDAY + timedelta(hours=1))
    assert duty_of(again(incident.reference), "eu-gdpr-33-1").conservative_at is None
    assert event_of(incident)["STATUS"] == "CANCELLED"


def test_a_dismissed_incident_is_cancelled_altogether() -> None:
    incident = breach()
    with unit_of_work(person("laura"), FRIDAY) as work:
        incidents.change_stage(work, again(incident.reference), "dismissed", "A test of our own.")
    assert shown()
    assert {event["STATUS"] for event in shown()} == {"CANCELLED"}


def test_our_own_target_stands_where_the_law_has_no_number() -> None:
    incident = report({**CERTAIN, "risk_level": "high"})
    duty = duty_of(incident, "eu-gdpr-34-1")
    assert duty.conservative_at is None
    for days in (2, 3):
        with unit_of_work(person("mona"), FRIDAY) as work:
            duties.set_target(work, db.session.get_one(Duty, duty.id), FRIDAY + timedelta(days=days))
        event = event_of(incident, obligation="eu-gdpr-34-1")
        assert event.decoded("dtstart") == FRIDAY + timedelta(days=days)
    assert event["SEQUENCE"] >= 2


def test_a_duty_on_hold_is_tentative_and_no_more_is_said_of_it() -> None:
    incident = breach()
    with unit_of_work(person("laura"), FRIDAY):
        duty_of(again(incident.reference), "eu-gdpr-33-1").state = "held"
    event = event_of(incident)
    assert (event["STATUS"], len(event.walk("VALARM"))) == ("TENTATIVE", 2)
    assert "hold" not in event.to_ical().decode().lower() and "enforcement" not in event.to_ical().decode().lower()


def test_its_mark_changes_with_its_content_alone() -> None:
    incident = breach()

    def mark(now: datetime = FRIDAY, base: str = BASE, *, as_todos: bool = False) -> str:
        db.session.rollback()
        return feeds.read_feed(person("ines"), now, base, as_todos=as_todos).mark

    first = mark()
    assert mark(FRIDAY + timedelta(minutes=15)) == first
    assert len({first, mark(as_todos=True), mark(base="https://other.example")}) == 3
    record(incident, {"moments.aware": {**AWARE, "at": "2026-11-27T16:00:00+01:00"}}, now=FRIDAY + timedelta(hours=1))
    assert mark() != first


def test_a_restricted_incident_stands_in_the_calendars_of_those_on_it_alone() -> None:
    incident = breach()
    with unit_of_work(person("ines"), FRIDAY) as work:
        incidents.restrict(work, again(incident.reference), True)
    assert event_of(incident)["SUMMARY"] == f"Deadline {incident.reference}"
    for name in ("otto", "adam", "laura", "mona", "olga"):
        assert shown(name) == []


def test_it_asks_one_question_however_many_duties_there_are() -> None:
    breach()
    ines, counted = person("ines"), []
    assert ines.role_names
    for _ in range(2):
        with listening(db.engine) as heard:
            feeds.read_feed(ines, FRIDAY, BASE)
        counted.append((len(heard), len(feeds.read_feed(ines, FRIDAY, BASE).entries)))
        report({"moments.aware": AWARE})
        ines = person("ines")
        assert ines.role_names
    assert [count for count, _ in counted] == [1, 1]
    assert counted[1][1] > counted[0][1]
