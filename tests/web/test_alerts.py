"""The bell's page, acknowledging, sending again, and what every page says of warnings that do not work."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from incident_tracker.actions import deliveries
from incident_tracker.models.alerts import Acknowledgement
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import run_once
from tests.alarms import HOUR, a_duty, acknowledge, an_incident, change, fire
from tests.stories import FRIDAY, person

DEADLINE = FRIDAY + 72 * HOUR
STOPPED = "Warnings have stopped"


@pytest.fixture(autouse=True)
def at() -> Iterator[Callable[[datetime], None]]:
    """`at(moment)`: what the time is; Friday evening at first."""
    with time_machine.travel(FRIDAY, tick=False) as travel:
        yield travel.move_to


@pytest.fixture
def mail_is_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """`mail_is_on()`: from then on a mail server is set."""
    return lambda: monkeypatch.setitem(app.extensions, "tracker", replace(app.extensions["tracker"], smtp_host="mail.harbour.example"))


def the_mail() -> Message:
    """The first one: what is given up goes on to others."""
    db.session.rollback()
    return db.session.scalars(select(Message).where(Message.channel == "email").order_by(Message.id).limit(1)).one()


def give_up(error: str = "the mail server refused the recipient: 550 5.1.1 no such mailbox") -> Message:
    """The one mail there is, refused for good."""
    number = the_mail().id
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        deliveries.take(work, "w", "email")
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        deliveries.mark_failed(work, work.session.get(Message, number), "w", deliveries.Failure(error, is_permanent=True))
    return the_mail()


# -- the bell ---------------------------------------------------------------------------------------------------------------


def test_the_bell_counts_what_was_not_seen_on_every_page(app: Flask, browse: Any):
    a_duty(an_incident())
    a_duty(an_incident())
    fire(FRIDAY)
    assert 'bell-count">2<' in browse("ines").get("/incidents").text
    assert "bell-count" not in browse("ravi").get("/incidents").text


def test_the_page_shows_my_warnings_newest_first_with_the_deadline_in_words_and_absolutely(app: Flask, browse: Any, at: Any):
    first, second = a_duty(an_incident(), title="First duty"), a_duty(an_incident(), start=FRIDAY + HOUR, title="Second duty")
    fire(FRIDAY)
    fire(FRIDAY + HOUR)
    at(DEADLINE - 3 * HOUR)
    text = browse("ines").get("/warnings").text
    assert text.index("Second duty") < text.index("First duty")
    assert "3 h left" in text and "Mon 30 Nov 2026, 17:30" in text and f"/incidents/{first.incident.reference}/duties/{first.id}" in text
    assert "Laptop of the ward lost" in text and second.incident.reference in text
    assert "First duty" not in browse("ravi").get("/warnings?show=all").text


def test_an_empty_bell_says_what_to_do_next(app: Flask, browse: Any):
    assert "Nothing new" in browse("ines").get("/warnings").text
    assert "No warnings yet" in browse("ines").get("/warnings?show=all").text


def test_what_was_seen_stays_under_all(app: Flask, browse: Any):
    a_duty(an_incident(), title="First duty")
    fire(FRIDAY)
    client = browse("ines")
    assert client.get("/warnings").status_code == 200 and "First duty" in client.get("/warnings").text, "looking is not acknowledging"
    assert client.post("/warnings/seen").status_code == 302
    assert "First duty" not in client.get("/warnings").text
    assert "First duty" in client.get("/warnings?show=all").text
    assert "bell-count" not in client.get("/incidents").text


def test_a_warning_of_a_moved_or_settled_duty_says_so(app: Flask, browse: Any):
    moved, met = a_duty(an_incident(), title="Moved duty"), a_duty(an_incident(), title="Met duty")
    fire(FRIDAY)
    change(moved, FRIDAY, conservative_at=DEADLINE + HOUR)
    change(met, FRIDAY, state="met", done_at=FRIDAY)
    text = browse("ines").get("/warnings").text
    assert "The deadline has moved since this warning" in text
    assert 'state-met">met<' in text and text.count("Acknowledge</button>") == 1


def test_other_words_to_me_ring_too(app: Flask, browse: Any):
    incident = an_incident()
    with unit_of_work(person("mona"), FRIDAY) as work:
        deliveries.queue(work, "assigned", person=person("ravi"), content={"part": "owner", "duty": "Notify the people"}, incident=incident)
        deliveries.queue(work, "account_changed", person=person("ravi"), content={"what": "A passkey was added."})
    text = browse("ravi").get("/warnings").text
    assert "You own a duty of" in text and "Notify the people" in text and "A passkey was added." in text


def test_whoever_is_taken_off_a_restricted_incident_no_longer_sees_its_warnings(app: Flask, browse: Any):
    duty = a_duty(an_incident(members=("ines", "ravi"), restricted=True), owner="ravi", title="Secret duty")
    fire(FRIDAY)
    assert "Secret duty" in browse("ravi").get("/warnings").text
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        incident = work.session.get(Incident, duty.incident_id)
        work.session.delete(next(one for one in incident.memberships if one.person_id == person("ravi").id))
    client = browse("ravi")
    assert "Secret duty" not in client.get("/warnings?show=all").text
    assert "bell-count" not in client.get("/incidents").text


def test_pages_of_the_bell_ask_the_database_no_more_for_more_warnings(app: Flask, browse: Any):
    def asked() -> int:
        statements: list[str] = []
        listener = lambda _c, _cursor, statement, *_more: statements.append(statement)
        event.listen(db.engine, "before_cursor_execute", listener)
        browse("ines").get("/warnings")
        event.remove(db.engine, "before_cursor_execute", listener)
        return len(statements)

    a_duty(an_incident())
    fire(FRIDAY)
    few = asked()
    for _ in range(20):
        a_duty(an_incident())
    fire(FRIDAY)
    assert asked() <= few


# -- acknowledging ----------------------------------------------------------------------------------------------------------


def test_one_button_acknowledges_a_duty(app: Flask, browse: Any):
    duty = a_duty(an_incident())
    fire(FRIDAY)
    address = f"/incidents/{duty.incident.reference}/duties/{duty.id}/acknowledge"
    client = browse("ines")
    assert address in client.get("/warnings").text
    answer = client.post(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/warnings")
    page = client.get("/warnings?show=all").text
    assert "Acknowledged by Ines Vargas" in page and address not in page
    assert db.session.scalars(select(Acknowledgement.person_id)).all() == [person("ines").id]


def test_from_the_duty_it_goes_back_to_the_duty(app: Flask, browse: Any):
    duty = a_duty(an_incident())
    here = f"/incidents/{duty.incident.reference}/duties/{duty.id}"
    assert browse("ines").post(f"{here}/acknowledge", data={"back": "duty"}).headers["Location"] == here


def test_an_acknowledgement_from_before_the_deadline_no_longer_shows_after_it(app: Flask, browse: Any, at: Any):
    duty = a_duty(an_incident())
    fire(FRIDAY)
    acknowledge(duty, "mona", FRIDAY + HOUR)
    at(FRIDAY + 2 * HOUR)
    assert "Acknowledged by Mona Haddad" in browse("ines").get("/warnings").text
    at(DEADLINE + HOUR)
    text = browse("ines").get("/warnings").text
    assert "Acknowledged by" not in text and "Acknowledge</button>" in text


def test_an_outsider_cannot_acknowledge_and_a_settled_duty_says_why_not(app: Flask, browse: Any):
    duty = a_duty(an_incident(members=("ines",), restricted=True))
    address = f"/incidents/{duty.incident.reference}/duties/{duty.id}/acknowledge"
    assert browse("otto").post(address).status_code == 404
    change(duty, FRIDAY, state="met", done_at=FRIDAY)
    answer = browse("ines").post(address)
    assert answer.status_code == 409 and "nothing to acknowledge" in answer.text


def test_a_duty_of_another_incident_is_not_found(app: Flask, browse: Any):
    duty, other = a_duty(an_incident()), an_incident()
    assert browse("ines").post(f"/incidents/{other.reference}/duties/{duty.id}/acknowledge").status_code == 404


# -- what was not delivered -------------------------------------------------------------------------------------------------


def test_a_mail_that_was_given_up_is_shown_to_those_who_can_send_it_again(app: Flask, browse: Any, mail_is_on: Any):
    mail_is_on()
    a_duty(an_incident())
    fire(FRIDAY)
    mail = give_up()
    client = browse("mona")
    assert "1 message could not be delivered" in client.get("/incidents").text
    page = client.get("/warnings/undelivered").text
    assert "550 5.1.1 no such mailbox" in page and "ines@harbour.example" in page and f"/messages/{mail.id}/send-again" in page
    assert "Not delivered:" in browse("ines").get("/warnings").text
    assert client.post(f"/messages/{mail.id}/send-again").status_code == 302
    assert (the_mail().dead_at, the_mail().next_attempt_at) == (None, FRIDAY)
    assert "Everything was delivered" in client.get("/warnings/undelivered").text
    assert client.post(f"/messages/{mail.id}/send-again").status_code == 409


def test_a_reader_sees_no_undelivered_mails_and_an_outsider_none_of_a_restricted_incident(app: Flask, browse: Any, mail_is_on: Any):
    mail_is_on()
    a_duty(an_incident(members=("ines",), restricted=True), title="Secret duty")
    fire(FRIDAY)
    mail = give_up()
    assert browse("olga").get("/warnings/undelivered").status_code == 403
    for page in ("/incidents", "/warnings/undelivered"):
        assert "could not be delivered" not in browse("otto").get(page).text and "Secret duty" not in browse("otto").get(page).text
    assert browse("otto").post(f"/messages/{mail.id}/send-again").status_code == 404
    assert browse("otto").post("/messages/999999/send-again").status_code == 404


# -- the pulse --------------------------------------------------------------------------------------------------------------


def test_every_page_says_that_the_worker_has_not_run_yet(app: Flask, browse: Any):
    text = browse("ines").get("/incidents").text
    assert STOPPED in text and "the worker has not run yet" in text


def test_every_page_says_when_the_worker_stopped_and_how_to_start_it(app: Flask, browse: Any, at: Any):
    run_once(app, FRIDAY)
    assert STOPPED not in browse("olga").get("/warnings").text
    at(FRIDAY + timedelta(seconds=60))
    assert STOPPED not in browse("olga").get("/warnings").text
    at(FRIDAY + timedelta(minutes=12))
    text = browse("olga").get("/warnings").text
    assert STOPPED in text and "last beat 12 min ago" in text and "incident-tracker worker" in text


def test_the_newest_beat_of_several_workers_counts(app: Flask, browse: Any, at: Any):
    run_once(app, FRIDAY, "first")
    run_once(app, FRIDAY + HOUR, "second")
    at(FRIDAY + HOUR)
    assert STOPPED not in browse("ines").get("/warnings").text


def test_every_page_says_calmly_that_mail_is_off_or_failing(app: Flask, browse: Any, mail_is_on: Any):
    assert "E-mail is not set up" in browse("ines").get("/warnings").text
    mail_is_on()
    assert "E-mail" not in browse("ines").get("/warnings").text
    a_duty(an_incident())
    fire(FRIDAY)
    for attempt in range(3):
        number = the_mail().id
        with unit_of_work(CLOCKWORK, FRIDAY + attempt * HOUR) as work:
            deliveries.take(work, "w", "email")
        with unit_of_work(CLOCKWORK, FRIDAY + attempt * HOUR) as work:
            deliveries.mark_failed(work, work.session.get(Message, number), "w", deliveries.Failure("the mail server is closing"))
    assert "E-mail is not getting through" in browse("olga").get("/warnings").text


def test_a_stranger_sees_no_pulse(app: Flask, browse: Any):
    assert STOPPED not in browse().get("/sign-in").text


def test_the_frame_of_a_page_asks_once(app: Flask, browse: Any):
    statements: list[str] = []
    listener = lambda _c, _cursor, statement, *_more: statements.append(statement)
    event.listen(db.engine, "before_cursor_execute", listener)
    assert browse("ines").get("/warnings/undelivered").status_code == 200
    event.remove(db.engine, "before_cursor_execute", listener)
    assert sum("heartbeat" in statement for statement in statements) == 1


# -- for a monitor ----------------------------------------------------------------------------------------------------------


def test_a_monitor_learns_whether_warnings_work(app: Flask, browse: Any, at: Any):
    answer = browse().get("/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "failing", "database": "ok", "worker": "stale", "mail": "off"})
    run_once(app, FRIDAY)
    answer = browse().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "database": "ok", "worker": "ok", "mail": "off", "seconds_since_beat": 0})
    at(FRIDAY + timedelta(seconds=61))
    answer = browse().get("/healthz")
    assert (answer.status_code, answer.json["worker"], answer.json["seconds_since_beat"]) == (503, "stale", 61)


def test_a_monitor_learns_that_the_database_fails(app: Flask, browse: Any, monkeypatch: pytest.MonkeyPatch):
    run_once(app, FRIDAY)

    def fail() -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr("incident_tracker.web.health.newest_heartbeat", fail)
    answer = browse().get("/healthz")
    assert (answer.status_code, answer.json["database"]) == (503, "failing")


def test_the_links_in_mails_lead_somewhere(app: Flask):
    duty = db.session.get(Duty, a_duty(an_incident()).id)
    find = app.url_map.bind("127.0.0.1").match
    assert find(f"/incidents/{duty.incident.reference}/duties/{duty.id}")[0] == "duties.show"
    assert find(f"/incidents/{duty.incident.reference}")[0] == "incidents.show"
    assert find("/warnings")[0] == "bell.index"
    assert {find("/sign-in")[0], find("/me")[0]} == {"security.login", "accounts.me"}
