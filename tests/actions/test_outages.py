"""When mail reaches nobody, administrators hear of it once by every other way, and once more when it works again."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from incident_tracker.actions import deliveries, outages
from incident_tracker.config import Config
from incident_tracker.diary import Diary
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.destinations import Destination, Seal
from incident_tracker.models.messages import Message, is_mail_failing
from incident_tracker.models.outages import Outage
from incident_tracker.models.people import Person
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import run_once
from tests.conftest import test_config
from tests.post_office import PostOffice
from tests.receivers import Receiver, open_receiver
from tests.stories import FRIDAY, person

MINUTE = timedelta(minutes=1)
_diaries: dict[str, Diary] = {}
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True)
def diaries() -> Iterator[None]:
    """Every test has workers of its own."""
    _diaries.clear()
    yield
    _diaries.clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


@pytest.fixture
def config(database_url: str, tmp_path: Path, office: PostOffice) -> Config:
    return test_config(
        tmp_path, database_url, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none", mail_from="tracker@harbour.example",
        allow_private_targets="127.0.0.1",
    )


def a_room(receiver: Receiver, config: Config, owner: str | None = None) -> None:
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        seal = Seal.of(config.instance)
        work.session.add(Destination(
            name="Our program", kind="webhook", person_id=person(owner).id if owner else None, address=seal.close(f"{receiver.address}/{owner}"),
            secret=seal.close(SECRET), shown="127.0.0.1", options={}, created_at=FRIDAY,
        ))


def queue(*names: str, at: datetime = FRIDAY) -> None:
    with unit_of_work(CLOCKWORK, at) as work:
        for name in names:
            deliveries.queue(work, "password_reset", person=person(name), content={"link": "https://x"})


def rounds(app: Flask, minutes: float, start: datetime = FRIDAY, step: float = 0.5, worker: str = "w") -> None:
    """Rounds of a worker from `start` on."""
    db.session.rollback()
    for number in range(int(minutes / step) + 1):
        run_once(app, start + number * step * MINUTE, diary=_diaries.setdefault(worker, Diary(worker)))
    db.session.rollback()


def bells(kind: str) -> list[str]:
    db.session.rollback()
    query = select(Person.email).join(Message, Message.person_id == Person.id).where(Message.kind == kind, Message.channel == "bell")
    return [email.partition("@")[0] for email in db.session.scalars(query)]


def trail() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("mail.")).order_by(AuditEntry.id)))


def times() -> list[tuple[datetime, datetime | None]]:
    db.session.rollback()
    return [(one.began_at, one.ended_at) for one in db.session.scalars(select(Outage).order_by(Outage.id))]


def test_one_letter_is_enough_when_the_server_cannot_be_used(app: Flask, office: PostOffice, receiver: Receiver, config: Config):
    a_room(receiver, config)
    office.on_sender = "421 4.3.2 closing"
    queue("ines")
    rounds(app, 4.5)
    assert (bells("mail_failing"), trail()) == ([], [])
    rounds(app, 10, FRIDAY + 5 * MINUTE)
    assert (bells("mail_failing"), trail()) == (["adam"], ["mail.fail"])
    assert [(one["type"], one["data"]["text"], one["data"]["urgent"]) for one in receiver.bodies] == [("tracker.note", "E-mail reaches nobody", True)]
    assert times() == [(FRIDAY, None)] and is_mail_failing()
    office.on_sender = ""
    rounds(app, 6, FRIDAY + 16 * MINUTE)
    assert (bells("mail_working"), trail()) == (["adam"], ["mail.fail", "mail.work"])
    assert [one["data"]["text"] for one in receiver.bodies] == ["E-mail reaches nobody", "E-mail works again"]
    assert len({one.headers["webhook-id"] for one in receiver.requests}) == 2
    assert times()[0][1] is not None and not is_mail_failing()


def test_letters_to_several_people_that_are_refused_are_an_outage(app: Flask, office: PostOffice):
    for name in ("ines", "ravi"):
        office.to[f"{name}@harbour.example"] = "451 4.7.1 come back later"
    queue("ines", "ravi")
    rounds(app, 4.5)
    assert trail() == []
    rounds(app, 2, FRIDAY + 5 * MINUTE)
    assert (bells("mail_failing"), times()[0][0]) == (["adam"], FRIDAY)


def test_letters_that_are_refused_for_good_are_a_sign_too(app: Flask, office: PostOffice):
    for name in ("ines", "ravi"):
        office.to[f"{name}@harbour.example"] = "550 5.7.1 we know you not"
    queue("ines", "ravi")
    rounds(app, 6)
    assert trail() == ["mail.fail"]


def test_one_person_whose_mail_is_refused_is_no_outage(app: Flask, office: PostOffice):
    office.to["ines@harbour.example"] = "451 4.7.1 come back later"
    queue("ines", "ines", "ines")
    rounds(app, 20)
    assert trail() == []


def test_no_outage_is_told_while_other_letters_are_taken(app: Flask, office: PostOffice):
    for name in ("ines", "ravi"):
        office.to[f"{name}@harbour.example"] = "451 4.7.1 come back later"
    queue("ines", "ravi")
    for minute in range(12):
        queue("mona", at=FRIDAY + minute * MINUTE)
        rounds(app, 0.5, FRIDAY + minute * MINUTE)
    assert trail() == []
    rounds(app, 6, FRIDAY + 12 * MINUTE)
    assert trail() == ["mail.fail"]


def test_two_outages_are_told_twice(app: Flask, office: PostOffice):
    for start in (FRIDAY, FRIDAY + 60 * MINUTE):
        office.on_sender = "421 closing"
        queue("ines", at=start)
        rounds(app, 8, start)
        office.on_sender = ""
        rounds(app, 8, start + 9 * MINUTE)
    assert (len(bells("mail_failing")), len(bells("mail_working")), trail()) == (2, 2, ["mail.fail", "mail.work"] * 2)


def test_several_workers_tell_it_once(app: Flask, office: PostOffice):
    office.on_sender = "421 closing"
    queue("ines")
    for number in range(20):
        for worker in ("a", "b", "c"):
            rounds(app, 0, FRIDAY + number * MINUTE / 2, worker=worker)
    assert (bells("mail_failing"), trail()) == (["adam"], ["mail.fail"])


def test_a_worker_that_is_gone_does_not_keep_an_outage_going(app: Flask, office: PostOffice):
    office.on_sender = "421 closing"
    queue("ines")
    rounds(app, 0, worker="gone")
    office.on_sender = ""
    rounds(app, 20, FRIDAY + MINUTE)
    assert trail() == []


def test_administrators_are_told_by_their_own_ways_and_nobody_elses(app: Flask, office: PostOffice, receiver: Receiver, config: Config):
    a_room(receiver, config, "adam")
    office.on_sender = "421 closing"
    queue("ines")
    rounds(app, 7)
    assert [one.path for one in receiver.requests] == ["/adam"]
    mails = [one.to for one in office.letters]
    assert mails == []


def test_somebody_else_is_not_told(app: Flask, office: PostOffice, receiver: Receiver, config: Config):
    a_room(receiver, config, "ravi")
    office.on_sender = "421 closing"
    queue("ines")
    rounds(app, 7)
    assert trail() == ["mail.fail"] and receiver.requests == []


def test_switching_mail_off_ends_an_outage_without_a_word(app: Flask, office: PostOffice):
    office.on_sender = "421 closing"
    queue("ines")
    rounds(app, 7)
    with unit_of_work(CLOCKWORK, FRIDAY + 8 * MINUTE) as work:
        outages.look_after_mail(work, is_on=False, patience=5 * MINUTE, stale=MINUTE)
    assert (trail(), bells("mail_working")) == (["mail.fail", "mail.end"], [])


def test_every_page_says_so_and_the_bell_says_since_when(app: Flask, office: PostOffice, browse: Callable[[str], Any]):
    office.on_sender = "421 closing"
    queue("ines")
    rounds(app, 7)
    assert "E-mail is not getting through" in browse("mona").get("/board").text
    page = browse("adam").get("/warnings").text
    assert "E-mail reaches nobody" in page and "Since Fri 27 Nov 2026, 17:30 (UTC+01:00) no mail has been taken" in page
