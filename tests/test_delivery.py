"""Messages leave: rendered as things stand, tried again until they arrive, given up in the open, and never twice unmarked."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from incident_tracker.actions import deliveries
from incident_tracker.actions import incidents as incident_acts
from incident_tracker.channels import email
from incident_tracker.config import Config
from incident_tracker.delivery import Door
from incident_tracker.errors import Conflict, NotAllowed, NotFound
from incident_tracker.factory import create_app
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident, find_incident
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.rules import retries
from incident_tracker.work import CLOCKWORK, OPERATOR, unit_of_work
from incident_tracker.worker import Pass, run_once
from tests.alarms import HOUR, a_duty, an_incident, change, fire
from tests.conftest import test_config
from tests.post_office import PostOffice, Received
from tests.stories import FRIDAY, person

DEADLINE = FRIDAY + 72 * HOUR
MINUTE = timedelta(minutes=1)
#: what digests are made of; their own tests send them
OF_DIGESTS = {"digest_daily", "digest_weekly", "digest_lines"}


@pytest.fixture
def config(database_url: str, tmp_path: Path, office: PostOffice) -> Config:
    """Settings with a mail server beside the application."""
    return test_config(tmp_path, database_url, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none", mail_from="tracker@harbour.example")


@pytest.fixture
def tick(app: Flask) -> Callable[[datetime], Pass]:
    """One round of the worker at a moment."""

    def run(now: datetime) -> Pass:
        db.session.rollback()
        done = run_once(app, now, "worker-of-the-test")
        db.session.rollback()
        return done

    return run


def mails() -> list[Message]:
    return list(db.session.scalars(select(Message).where(Message.channel == "email").order_by(Message.id)))


def state(message: Message) -> str:
    found = [name for name in ("sent", "dead", "withdrawn") if getattr(message, f"{name}_at") is not None]
    return found[0] if found else "carried" if message.carried_by_id else "waiting"


def queue(kind: str, now: datetime = FRIDAY, **values: Any) -> None:
    with unit_of_work(CLOCKWORK, now) as work:
        deliveries.queue(work, kind, **values)


# -- what a warning says ----------------------------------------------------------------------------------------------------


def test_a_warning_says_what_is_due_when_and_where_to_look(office: PostOffice, tick: Any):
    duty = a_duty(an_incident(), owner="ravi", title="Notify the supervisory authority")
    tick(DEADLINE - 3 * HOUR + timedelta(seconds=2))
    letter = next(one for one in office.letters if one.to == "ravi@harbour.example")
    reference = duty.incident.reference
    assert letter.subject == f"Deadline {reference}: 3 h left"
    for part in (letter.part("plain"), letter.part("html")):
        assert "Notify the supervisory authority" in part and "Mon 30 Nov 2026, 17:30" in part and "Ravi Menon" in part
        assert f"http://127.0.0.1:8000/incidents/{reference}/duties/{duty.id}" in part and "Laptop of the ward lost" in part
    assert letter.mail["Importance"] == "high"


@pytest.mark.parametrize(("at", "said"), [(timedelta(0), "now"), (timedelta(minutes=-15), "15 min left"), (5 * HOUR, "5 h overdue"), (-48 * HOUR, "48 h left")])
def test_the_subject_says_how_much_time_is_left_and_nothing_else(office: PostOffice, tick: Any, at: timedelta, said: str):
    duty = a_duty(an_incident())
    fire(DEADLINE + at - MINUTE)
    tick(DEADLINE + at)
    assert {subject for subject in office.subjects() if subject.endswith(said)} == {f"Deadline {duty.incident.reference}: {said}"}


def test_of_a_restricted_incident_a_mail_says_the_reference_the_deadline_and_where_to_look(office: PostOffice, tick: Any):
    duty = a_duty(an_incident(members=("ines",), restricted=True), title="Notify the people of ward 7", owner="ines", recipient_name="Ward 7")
    tick(FRIDAY)
    (letter,) = office.letters
    assert letter.subject == f"Deadline {duty.incident.reference}: 72 h left"
    for word in ("ward", "Ward 7", "Laptop", "GDPR", "Berlin authority", "Ines Vargas"):
        assert word not in letter.part("plain") + letter.part("html")
    assert "Mon 30 Nov 2026, 17:30" in letter.part("plain") and f"/duties/{duty.id}" in letter.part("html")


def test_an_undecided_duty_says_which_facts_are_missing(office: PostOffice, tick: Any):
    a_duty(an_incident(), state="undecided", missing=["risk_level"])
    tick(FRIDAY)
    assert "not settled yet whether this applies" in office.letters[0].part("plain") and "Risk to people" in office.letters[0].part("html")


def test_an_own_target_is_never_called_a_deadline(office: PostOffice, tick: Any):
    duty = a_duty(an_incident(), None, standard="without undue delay", target_at=FRIDAY + 30 * HOUR)
    tick(FRIDAY + 32 * HOUR)
    assert office.subjects() == [f"Target {duty.incident.reference}: 2 h 00 min overdue"] * 3
    assert "deadline" not in (office.letters[0].part("plain") + office.letters[0].part("html")).lower()


def test_after_an_outage_each_person_gets_one_summary_of_all_incidents(office: PostOffice, tick: Any):
    duties = [a_duty(an_incident()) for _ in range(4)]
    hidden = a_duty(an_incident(members=("ines",), restricted=True))
    tick(FRIDAY)
    office.clear()
    tick(DEADLINE - 5 * HOUR)
    to_ines = [letter for letter in office.letters if letter.to == "ines@harbour.example"]
    (summary,) = to_ines
    assert summary.subject == "Catching up: 5 deadlines in 5 incidents"
    for duty in duties:
        assert duty.incident.reference in summary.part("plain") and duty.title in summary.part("html")
    assert hidden.incident.reference in summary.part("plain")
    assert hidden.title not in summary.part("plain") + summary.part("html")
    assert "20 earlier warnings could not go out in time" in summary.part("plain")
    (to_laura,) = [letter for letter in office.letters if letter.to == "laura@harbour.example"]
    assert hidden.incident.reference not in to_laura.part("plain")
    assert {state(mail) for mail in mails()} == {"sent"} or {state(mail) for mail in mails()} == {"sent", "withdrawn"}
    trails = set(db.session.scalars(select(AuditEntry.incident_id).where(AuditEntry.action == "message.send", AuditEntry.at == DEADLINE - 5 * HOUR)))
    assert trails == {duty.incident_id for duty in (*duties, hidden)}, "the record of each incident says that its warning went"


def test_what_a_person_typed_is_only_text(office: PostOffice, tick: Any):
    incident = an_incident()
    with unit_of_work(person("ines"), FRIDAY) as work:
        work.session.get(Incident, incident.id).title = "<script>alert(1)</script> {{ 7 * 7 }}\r\nBcc: x@y.example"
    a_duty(incident, title="{% for x in y %} <b>bold</b>")
    tick(FRIDAY)
    (letter,) = office.letters
    assert "<script>" not in letter.part("html") and "&lt;script&gt;" in letter.part("html") and "49" not in letter.part("plain").partition("Incident INC")[2]
    assert "{% for x in y %} <b>bold</b>" in letter.part("plain")
    assert letter.mail["Bcc"] is None


def test_after_an_outage_one_warning_says_how_many_it_stands_for(office: PostOffice, tick: Any):
    a_duty(an_incident())
    tick(FRIDAY)
    office.clear()
    tick(DEADLINE - 5 * HOUR)
    assert {letter.to for letter in office.letters} == {"ines@harbour.example", "laura@harbour.example", "mona@harbour.example"}
    assert "4 earlier warnings could not go out in time. This one stands for them." in office.letters[0].part("plain")


def test_all_warnings_of_an_incident_to_one_person_are_one_mail(office: PostOffice, tick: Any):
    incident, other = an_incident(), an_incident()
    later, sooner = a_duty(incident, 200, title="Tell the people"), a_duty(incident, 20, title="Tell the authority")
    a_duty(other)
    tick(FRIDAY)
    to_ines = [letter for letter in office.letters if letter.to == "ines@harbour.example"]
    assert sorted(letter.subject for letter in to_ines) == [f"Deadline {incident.reference}: 20 h left", f"Deadline {other.reference}: 72 h left"]
    text = next(letter for letter in to_ines if "20 h" in letter.subject).part("plain")
    assert text.index("Tell the authority") < text.index("Tell the people")
    assert [state(mail) for mail in mails()] == ["sent"] * 4 and later.id != sooner.id


# -- what goes wrong --------------------------------------------------------------------------------------------------------


def test_a_refusal_for_good_gives_the_mail_up_at_once_and_in_the_open(office: PostOffice, tick: Any):
    office.to["ines@harbour.example"] = "550 5.1.1 no such mailbox"
    duty = a_duty(an_incident())
    tick(FRIDAY)
    mail, *passed_on = mails()
    assert (state(mail), mail.attempts, mail.next_attempt_at) == ("dead", 1, None)
    assert {one.person_id for one in passed_on} == {person("laura").id}, "counsel comes next where owner and lead cannot be reached"
    assert "550 5.1.1 no such mailbox" in str(mail.last_error)
    assert [entry.incident_id for entry in db.session.scalars(select(AuditEntry).where(AuditEntry.action == "message.give_up"))] == [duty.incident_id]


def test_a_refusal_for_now_is_tried_again_later_and_later_under_the_same_id(office: PostOffice, tick: Any):
    office.to["ines@harbour.example"] = "451 4.7.1 come back later"
    a_duty(an_incident())
    now, waits = FRIDAY, []
    for _ in range(3):
        tick(now)
        (mail,) = mails()
        waits.append(mail.next_attempt_at - now)
        assert tick(mail.next_attempt_at - timedelta(seconds=1)).letters.failed == 0, "it was tried too early"
        now = mail.next_attempt_at
    for doubled, wait in zip((15, 30, 60), waits, strict=True):
        assert timedelta(seconds=doubled) <= wait <= timedelta(seconds=doubled * 1.25)
    office.to.clear()
    tick(now)
    assert state(mails()[0]) == "sent"
    assert [letter.message_id for letter in office.letters] == [f"<{mails()[0].message_id}@harbour.example>"]


def test_after_the_last_try_it_is_given_up_and_can_be_sent_again(office: PostOffice, tick: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retries, "TRIES", 3)
    office.to["ines@harbour.example"] = "451 4.7.1 come back later"
    a_duty(an_incident())
    for minutes in (0, 5, 10, 15):
        tick(FRIDAY + minutes * MINUTE)
    mail, *passed_on = mails()
    assert (state(mail), mail.attempts) == ("dead", 3)
    assert passed_on and all(state(one) == "sent" for one in passed_on)
    office.to.clear()
    office.clear()
    with unit_of_work(person("mona"), FRIDAY + 20 * MINUTE) as work:
        deliveries.send_again(work, work.session.get(Message, mail.id))
    tick(FRIDAY + 20 * MINUTE)
    assert state(mails()[0]) == "sent"
    assert [letter.message_id for letter in office.letters] == [f"<{mail.message_id}@harbour.example>"]


def test_sending_again_is_for_those_who_may_know_and_only_for_what_was_given_up(office: PostOffice, tick: Any):
    office.to["ines@harbour.example"] = "550 no"
    a_duty(an_incident(members=("ines", "olga"), restricted=True))
    tick(FRIDAY)
    number = mails()[0].id
    for name, error in (("otto", NotFound), ("olga", NotAllowed)):
        with pytest.raises(error), unit_of_work(person(name), FRIDAY) as work:
            deliveries.send_again(work, work.session.get(Message, number))
    with unit_of_work(person("ines"), FRIDAY) as work:
        deliveries.send_again(work, work.session.get(Message, number))
    with pytest.raises(Conflict), unit_of_work(person("ines"), FRIDAY) as work:
        deliveries.send_again(work, work.session.get(Message, number))


def test_a_server_that_is_down_is_not_asked_for_every_letter_and_none_is_lost(office: PostOffice, tick: Any):
    office.on_sender = "421 4.3.2 closing"
    for name in ("ines", "ravi", "laura", "mona", "otto"):
        a_duty(an_incident(lead=None), owner=name)
    done = tick(FRIDAY)
    assert (done.letters.failed, office.connections) == (5, 2)
    assert all(mail.next_attempt_at > FRIDAY and mail.attempts == 1 for mail in mails())
    office.on_sender = ""
    tick(FRIDAY + MINUTE)
    assert [state(mail) for mail in mails()] == ["sent"] * 5


def test_one_letter_that_breaks_the_talk_off_does_not_hold_up_the_others(office: PostOffice, tick: Any):
    office.to["ines@harbour.example"] = "hang up"
    for name in ("ines", "ravi", "laura"):
        a_duty(an_incident(lead=None), owner=name)
    tick(FRIDAY)
    assert [state(mail) for mail in mails()] == ["waiting", "sent", "sent"]


def test_a_server_that_hangs_holds_nothing_up_for_long(office: PostOffice, tick: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(email, "TIMEOUT", 0.2)
    office.on_data = "hang"
    a_duty(an_incident())
    tick(FRIDAY)
    assert state(mails()[0]) == "waiting"
    office.on_data = ""
    tick(FRIDAY + MINUTE)
    assert state(mails()[0]) == "sent"
    assert len({letter.message_id for letter in office.letters}) == 1, "it may arrive twice, but then under one id"


def test_a_letter_that_may_have_arrived_goes_again_as_it_was(office: PostOffice, tick: Any):
    incident = an_incident()
    a_duty(incident, title="First")
    office.on_data = "hang up"
    tick(FRIDAY)
    a_duty(incident, 80, start=FRIDAY + timedelta(seconds=10), title="Second")
    office.on_data = ""
    tick(FRIDAY + MINUTE)
    first, again, second = office.letters
    assert first.message_id == again.message_id != second.message_id
    assert "Second" not in again.part("plain") and "First" not in second.part("plain")


def test_a_letter_that_surely_did_not_arrive_goes_with_what_came_since(office: PostOffice, tick: Any):
    incident = an_incident()
    a_duty(incident, title="First")
    office.to["ines@harbour.example"] = "451 later"
    tick(FRIDAY)
    a_duty(incident, 80, start=FRIDAY + timedelta(seconds=10), title="Second")
    office.to.clear()
    tick(FRIDAY + MINUTE)
    (letter,) = office.letters
    assert "First" in letter.part("plain") and "Second" in letter.part("plain")


def test_when_mail_works_again_everybody_hears_once_how_things_stand(office: PostOffice, tick: Any):
    a_duty(an_incident())
    office.on_sender = "421 closing"
    for hours in (72, 48, 24, 12):
        tick(DEADLINE - hours * HOUR)
    office.on_sender = ""
    tick(DEADLINE - 11 * HOUR)
    assert sorted((letter.to, letter.subject[-9:]) for letter in office.letters) == [("ines@harbour.example", "11 h left"), ("laura@harbour.example", "11 h left")]
    assert sorted(state(mail) for mail in mails()) == ["sent", "sent", "withdrawn", "withdrawn", "withdrawn", "withdrawn"]


def test_a_warning_of_a_duty_that_was_met_meanwhile_is_not_sent(office: PostOffice, tick: Any):
    duty = a_duty(an_incident())
    fire(FRIDAY)
    change(duty, FRIDAY + MINUTE, state="met", done_at=FRIDAY + MINUTE)
    tick(FRIDAY + 2 * MINUTE)
    assert office.letters == [] and state(mails()[0]) == "withdrawn"
    assert "settled" in str(mails()[0].last_error)


@pytest.mark.parametrize("how", ["left", "taken off"])
def test_who_left_or_may_no_longer_know_is_not_written_to(office: PostOffice, tick: Any, how: str):
    duty = a_duty(an_incident(members=("ines", "ravi"), restricted=True), owner="ravi")
    fire(FRIDAY)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        if how == "left":
            work.session.get(Person, person("ravi").id).active = False
        else:
            incident = work.session.get(Duty, duty.id).incident
            work.session.delete(next(one for one in incident.memberships if one.person_id == person("ravi").id))
    tick(FRIDAY)
    assert office.letters == [] and state(mails()[0]) == "withdrawn"


def test_one_letter_that_cannot_be_made_does_not_keep_the_others_from_going(office: PostOffice, tick: Any):
    queue("invitation", address="new@harbour.example", content={"by": "Adam", "link": "https://x", "until": "not a day"})
    queue("welcome", person=person("ravi"))
    tick(FRIDAY)
    assert [letter.to for letter in office.letters] == ["ravi@harbour.example"]
    broken = mails()[0]
    assert (state(broken), broken.last_error) == ("waiting", "the letter could not be made: ValueError")


def test_a_worker_that_lost_its_lease_changes_nothing(app: Flask):
    a_duty(an_incident())
    fire(FRIDAY)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        (number,) = deliveries.take(work, "slow", "email")
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        assert deliveries.take(work, "other", "email") == [], "two workers took one letter"
    later = FRIDAY + deliveries.LEASE
    with unit_of_work(CLOCKWORK, later) as work:
        assert deliveries.take(work, "other", "email") == [number]
    with unit_of_work(CLOCKWORK, later) as work:
        deliveries.mark_failed(work, work.session.get(Message, number), "slow", deliveries.Failure("too late", is_permanent=True))
    db.session.rollback()
    assert (state(mails()[0]), mails()[0].leased_by) == ("waiting", "other")


# -- other mails ------------------------------------------------------------------------------------------------------------


def test_every_kind_of_mail_has_its_templates_and_goes_out(app: Flask, office: PostOffice, tick: Any):
    incident = an_incident()
    queue("assigned", person=person("ravi"), content={"part": "owner", "duty": "Notify"}, incident=incident)
    queue("account_changed", person=person("ravi"), content={"what": "A passkey was added."})
    queue("channel_gone", person=person("adam"), content={"id": 1, "name": "#privacy", "why": "it is gone for good: HTTP 410"})
    queue("password_reset", person=person("ravi"), content={"link": "https://x/new-password/1"})
    queue("welcome", person=person("ravi"), content={})
    queue("invitation", address="new@harbour.example", content={"link": "https://x/invitation/2", "by": "Adam Novak", "until": "2026-12-04T16:30:00+00:00"})
    a_duty(incident)
    tick(FRIDAY)
    assert sorted(office.subjects()) == sorted([
        f"Deadline {incident.reference}: 72 h left", f"You own a duty of {incident.reference}", "Your account was changed", "A channel was switched off", "A new password for the incident tracker",
        "Your account in the incident tracker is set up", "Harbour Health invites you to its incident tracker",
    ])
    folder = Path(app.template_folder or "") / "messages"
    assert {path.stem for path in folder.glob("*.txt")} == {path.stem for path in folder.glob("*.html")} == deliveries.KINDS | {"catch_up", *OF_DIGESTS}


def test_a_one_time_link_is_forgotten_once_it_is_sent(office: PostOffice, tick: Any):
    queue("password_reset", person=person("ravi"), content={"link": "https://x/new-password/secret"})
    tick(FRIDAY)
    assert "https://x/new-password/secret" in office.letters[0].part("plain")
    assert mails()[0].content == {}
    assert "secret" not in str([(entry.summary, entry.after) for entry in db.session.scalars(select(AuditEntry))])


def test_what_concerns_somebodys_work_rings_their_bell_too_and_a_link_never_lies_there(app: Flask):
    queue("assigned", person=person("ravi"), content={"part": "lead"}, incident=an_incident())
    queue("password_reset", person=person("ravi"), content={"link": "https://x"})
    assert sorted((one.kind, one.channel) for one in db.session.scalars(select(Message))) == [("assigned", "bell"), ("assigned", "email"), ("password_reset", "email")]


@pytest.mark.parametrize("wrong", [{"kind": "poem", "address": "x@y.example"}, {"kind": "welcome"}, {"kind": "welcome", "address": "x@y.example", "both": True}])
def test_a_mail_of_no_kind_or_to_nobody_is_refused(app: Flask, wrong: dict[str, Any]):
    values = {name: value for name, value in wrong.items() if name != "both"} | ({"person": person("ravi")} if "both" in wrong else {})
    with pytest.raises(ValueError, match="message of kind"):
        queue(**values)


def test_without_a_mail_server_mails_are_withdrawn_and_say_so_and_warnings_ring(database_url: str, tmp_path: Path):
    app = create_app(test_config(tmp_path, database_url))
    with app.app_context():
        queue("welcome", person=person("ravi"))
        a_duty(an_incident())
        db.session.rollback()
        run_once(app, FRIDAY)
        assert [(mail.kind, state(mail), mail.last_error) for mail in mails()] == [("welcome", "withdrawn", "E-mail is not set up.")]
        assert db.session.scalars(select(Message.kind).where(Message.channel == "bell")).all() == ["warning"]
        db.session.remove()
        db.engine.dispose()


def test_only_the_clockwork_takes_and_marks(app: Flask):
    queue("welcome", person=person("ravi"))
    number = mails()[0].id
    for act in (
        lambda work: deliveries.take(work, "x", "email"),
        lambda work: deliveries.mark_sent(work, {"x": work.now}),
        lambda work: deliveries.give_back(work, "x", [number]),
        lambda work: deliveries.mark_failed(work, work.session.get(Message, number), "x", deliveries.Failure("no")),
        lambda work: deliveries.mark_withdrawn(work, work.session.get(Message, number), "no"),
        lambda work: deliveries.withdraw_all(work, "email", "no"),
    ):
        for actor in (person("adam"), OPERATOR):
            with pytest.raises(NotAllowed), unit_of_work(actor, FRIDAY) as work:
                act(work)


def test_a_door_reads_the_clock_itself_where_no_moment_is_given(app: Flask, office: PostOffice):
    queue("welcome", person=person("ravi"), now=datetime.now(FRIDAY.tzinfo))
    assert Door(app.extensions["tracker"], app.jinja_env, "w").deliver_due().sent == 1
    received: Received = office.letters[0]
    assert abs(received.mail["Date"].datetime - datetime.now(FRIDAY.tzinfo)) < MINUTE


def test_sending_a_warning_and_changing_its_incident_never_wait_for_each_other_in_a_ring(app: Flask):
    duty = a_duty(an_incident())
    fire(FRIDAY)
    message_id, reference, ines = str(mails()[0].message_id), duty.incident.reference, person("ines").id
    db.session.rollback()
    locked, failures = threading.Event(), []

    def change_it() -> None:
        with app.app_context():
            try:
                with unit_of_work(db.session.get(Person, ines), FRIDAY) as work:
                    found = find_incident(work.actor, reference, lock=True)
                    locked.set()
                    # long enough for the other to come as far as it can
                    time.sleep(0.7)
                    work.record("incident.edit", "Changed", incident=found)
            except Exception as error:
                failures.append(error)

    thread = threading.Thread(target=change_it)
    thread.start()
    assert locked.wait(10)
    with unit_of_work(CLOCKWORK, FRIDAY) as work:
        deliveries.mark_sent(work, {message_id: work.now})
    thread.join(20)
    assert failures == []
    assert state(mails()[0]) == "sent"


def test_a_summary_is_not_named_after_an_incident_that_was_closed_to_its_reader(office: PostOffice, tick: Any):
    duties = [a_duty(an_incident(lead=None, members=("ines",)), owner="ravi") for _ in range(2)]
    tick(FRIDAY)
    office.clear()
    fire(DEADLINE - 5 * HOUR)
    secret, told = (duty.incident.reference for duty in duties)
    with unit_of_work(person("ines"), DEADLINE - 5 * HOUR) as work:
        incident_acts.restrict(work, work.session.get_one(Incident, duties[0].incident_id), True)
    tick(DEADLINE - 5 * HOUR)
    (to_ravi,) = [letter for letter in office.letters if letter.to == "ravi@harbour.example"]
    assert to_ravi.subject == f"Deadline {told}: 5 h left"
    assert secret.lower() not in to_ravi.raw.decode().lower() and told.lower() in str(to_ravi.mail["References"])
