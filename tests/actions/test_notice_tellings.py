"""Whose turn it is with a notice is told: reviewers when it comes in, the author when it comes back."""

import pytest

from incident_tracker.actions import incidents as incident_acts
from incident_tracker.actions import notices as acts
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.models.notices import Notice
from incident_tracker.work import unit_of_work
from tests.stories import CERTAIN, FRIDAY, again, duty_of, person, report, set_profile

pytestmark = pytest.mark.usefixtures("app")


def handed_in(*, restricted: bool = False) -> Notice:
    """A draft of Ines, waiting for review."""
    set_profile()
    incident = report(CERTAIN)
    if restricted:
        with unit_of_work(person("ines"), FRIDAY) as work:
            incident_acts.restrict(work, again(incident.reference), True)
    with unit_of_work(person("ines"), FRIDAY) as work:
        notice = acts.start_notice(work, again(incident.reference), duty_of(incident, "eu-gdpr-33-1"))
        acts.submit_notice(work, notice, 1)
        number = notice.id
    return db.session.get_one(Notice, number)


def told(channel: str = "bell") -> set[tuple[str, str]]:
    """Who was told what."""
    found = db.session.query(Message).filter_by(kind="notice_moved", channel=channel)
    return {(message.person.email.split("@")[0], message.content["part"]) for message in found}


def test_it_tells_counsel_that_a_text_waits() -> None:
    handed_in()
    assert told() == {("laura", "to_review")}
    assert told("email") == {("laura", "to_review")}


def test_it_tells_the_author_what_became_of_it() -> None:
    notice = handed_in()
    with unit_of_work(person("laura"), FRIDAY) as work:
        text = acts.newest(notice)
        acts.send_back_notice(work, notice, text.number, text.sha256, "Say more.")
    assert ("ines", "sent_back") in told()


def test_of_a_restricted_incident_only_its_members_are_told() -> None:
    handed_in(restricted=True)
    assert told() == set()
