"""The link in a warning's mail: a page with a button, for one person and one mail."""

import re
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from incident_tracker.actions import incidents
from incident_tracker.models.alerts import Acknowledgement
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.models.receipts import sign
from incident_tracker.rendering import letter
from incident_tracker.work import unit_of_work
from tests.alarms import HOUR, a_duty, an_incident, change, fire
from tests.stories import FRIDAY, person


def the_mail(name: str = "ravi") -> Message:
    query = select(Message).where(Message.person_id == person(name).id, Message.channel == "email").order_by(Message.id.desc())
    return db.session.scalars(query).first()  # type: ignore[return-value]


def link_in_mail(app: Flask, name: str = "ravi") -> str:
    text = letter(the_mail(name).id, app.extensions["tracker"], app.jinja_env, FRIDAY).text
    found = re.search(r"(/acknowledge/\S+)", text)
    assert found is not None, text
    return found[1]


def test_the_link_shows_a_button_and_opening_it_changes_nothing(app: Flask, browse: Any) -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    path = link_in_mail(app)
    page = browse(None).get(path)
    assert page.status_code == 200
    assert "As Ravi" in page.text and duty.title in page.text
    assert db.session.query(Acknowledgement).count() == 0


def test_the_button_acknowledges_for_the_person_the_mail_went_to(app: Flask, browse: Any) -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    answer = browse(None).post(link_in_mail(app))
    assert "you have taken 1 duty" in answer.text
    [given] = db.session.query(Acknowledgement).all()
    assert (given.duty_id, given.person_id) == (duty.id, person("ravi").id)
    assert browse(None).post(link_in_mail(app)).status_code in (200, 409)
    assert db.session.query(Acknowledgement).count() == 1


def test_a_link_that_is_forged_cut_or_of_somebody_who_left_is_not_found_alike(app: Flask, browse: Any) -> None:
    a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    path = link_in_mail(app)
    other = sign("another key", the_mail())
    with unit_of_work(person("adam"), FRIDAY) as work:
        work.session.get_one(Person, person("ravi").id).active = False
        work.record("test", "left")
    for broken in (path, path[:-3], f"/acknowledge/{other}", "/acknowledge/x"):
        assert browse(None).get(broken).status_code == 404, broken
        assert browse(None).post(broken).status_code == 404, broken


def test_of_a_restricted_incident_the_page_says_no_more_than_the_mail(app: Flask, browse: Any) -> None:
    incident = an_incident(members=("ines", "ravi"), restricted=True)
    duty = a_duty(incident, owner="ravi")
    fire(FRIDAY)
    page = browse(None).get(link_in_mail(app)).text
    assert incident.reference in page
    assert duty.title not in page and duty.recipient_name not in page and incident.title not in page


def test_who_was_taken_off_a_restricted_incident_can_take_nothing(app: Flask, browse: Any) -> None:
    incident = an_incident(members=("ines", "ravi"), restricted=True)
    a_duty(incident, owner="ravi")
    fire(FRIDAY)
    path = link_in_mail(app)
    with unit_of_work(person("ines"), FRIDAY + timedelta(minutes=1)) as work:
        incidents.remove_member(work, work.session.get_one(Incident, incident.id), person("ravi"))
    page = browse(None).get(path).text
    assert "Nothing is left to acknowledge" in page and incident.reference not in page
    assert browse(None).post(path).status_code == 409
    assert db.session.query(Acknowledgement).count() == 0


def test_a_duty_that_is_met_leaves_nothing_to_acknowledge(app: Flask, browse: Any) -> None:
    duty = a_duty(an_incident(), owner="ravi")
    fire(FRIDAY)
    path = link_in_mail(app)
    change(duty, FRIDAY + HOUR, state="met", done_at=FRIDAY + HOUR)
    assert "Nothing is left" in browse(None).get(path).text


def test_who_only_reads_gets_no_link(app: Flask) -> None:
    a_duty(an_incident(lead=None, members=("olga",), restricted=True))
    fire(FRIDAY)
    assert "/acknowledge/" not in letter(the_mail("olga").id, app.extensions["tracker"], app.jinja_env, FRIDAY).text
