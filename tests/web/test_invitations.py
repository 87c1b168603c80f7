"""One-time links: the set-up of the first administrator, invitations, forgotten passwords."""

import re
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
import time_machine
from flask import Flask

from incident_tracker import clock
from incident_tracker.actions import people as acts
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Invitation, Person, person_by_email
from incident_tracker.models.sign_ins import Throttle
from incident_tracker.work import OPERATOR, unit_of_work
from tests.cast import PASSWORD
from tests.doors import code, enter_code, enter_password, field, give_app, is_in, look, secret_on, switch_mail_on, text_of, trail
from tests.stories import person

JOIN = {"name": "Nora Lang", "zone": "Europe/Vienna", "password": PASSWORD, "password_again": PASSWORD}
#: where the tests' tracker says it is reached
OWN = "http://127.0.0.1:8000"
SET_UP = {**JOIN, "email": "Nora@Harbour.example"}


@pytest.fixture
def nobody_administers(app: Flask) -> None:
    person("adam").active = False
    db.session.commit()


def setup_link() -> str:
    with unit_of_work(OPERATOR) as work:
        return acts.make_setup_link(work)


def invited(roles: tuple[str, ...] = ("legal",), email: str = "nora@harbour.example") -> str:
    with unit_of_work(person("adam")) as work:
        return acts.invite(work, email, roles, "https://breaches.harbour.example")[1].removeprefix("https://breaches.harbour.example")


@pytest.mark.usefixtures("nobody_administers")
def test_the_set_up_link_makes_the_first_administrator(browse: Any) -> None:
    client, link = browse(), setup_link()
    assert client.get(link).status_code == 200
    assert client.post(link, data={**SET_UP, "handles_incidents": "y"}).location == "/sign-in/second-factor"
    nora = person_by_email("nora@harbour.example")
    assert nora is not None
    assert nora.role_names == {"administrator", "officer"}
    assert nora.zone == "Europe/Vienna"
    page = client.get("/sign-in/second-factor").text
    assert secret_on(page)
    assert not is_in(client)


@pytest.mark.usefixtures("nobody_administers")
def test_without_the_box_an_administrator_sees_no_incidents(browse: Any) -> None:
    browse().post(setup_link(), data=SET_UP)
    nora = person_by_email("nora@harbour.example")
    assert nora is not None
    assert nora.role_names == {"administrator"}


@pytest.mark.usefixtures("nobody_administers")
def test_the_set_up_link_works_once_for_a_day_and_only_the_newest() -> None:
    first, second = (setup_link().rpartition("/")[2] for _ in range(2))
    now = clock.now()
    assert acts.open_invitation(first, now) is None
    assert acts.open_invitation(second, now) is not None
    assert acts.open_invitation(second, now + timedelta(hours=24)) is None


@pytest.mark.usefixtures("nobody_administers")
def test_the_set_up_link_is_dead_as_soon_as_somebody_administers(browse: Any) -> None:
    link = setup_link()
    person("adam").active = True
    db.session.commit()
    assert browse().get(link).status_code == 410
    assert browse().post(link, data=SET_UP).status_code == 410
    assert person_by_email("nora@harbour.example") is None


def test_no_set_up_link_is_made_while_somebody_administers(app: Flask) -> None:
    with pytest.raises(Exception, match="administrator already"):
        setup_link()


@pytest.mark.usefixtures("nobody_administers")
def test_the_set_up_keeps_what_was_typed_and_says_what_is_wrong_beside_it(browse: Any) -> None:
    answer = browse().post(setup_link(), data={**SET_UP, "email": "nora at harbour", "password": "tooshort", "password_again": "tooshort"})
    assert answer.status_code == 422
    assert 'value="Nora Lang"' in answer.text
    assert 'id="password-error"' in answer.text
    assert 'selected value="Europe/Vienna"' in answer.text
    answer = browse().post(setup_link(), data={**SET_UP, "email": "nora at harbour"})
    assert 'id="email-error"' in answer.text


@pytest.mark.usefixtures("nobody_administers")
@pytest.mark.parametrize(("language", "zone"), [("de-AT,de;q=0.9", "Europe/Vienna"), ("en-US", "America/New_York"), ("en", "UTC"), ("sv", "UTC"), ("xx-YY", "UTC")])
def test_the_zone_is_proposed_from_what_the_browser_says(browse: Any, language: str, zone: str) -> None:
    page = browse().get(setup_link(), headers={"Accept-Language": language}).text
    assert f'selected value="{zone}"' in page


def test_an_invitation_makes_a_person_with_its_roles(browse: Any) -> None:
    client = browse()
    link = invited(("legal", "manager"))
    assert "Adam Novak invited nora@harbour.example" in text_of(client.get(link).text)
    assert client.post(link, data=JOIN).location == "/sign-in/second-factor"
    nora = person_by_email("nora@harbour.example")
    assert nora is not None
    assert nora.role_names == {"legal", "manager"}
    assert trail("person.accept_invitation")[-1].summary == "Nora Lang accepted the invitation"


def test_whoever_joined_signs_in_only_with_a_second_factor(browse: Any) -> None:
    client = browse()
    client.post(invited(), data=JOIN)
    assert not is_in(client)
    page = client.get("/sign-in/second-factor").text
    client.post("/sign-in/second-factor", data={"code": "no code", "sealed_state": field(page, "sealed_state")})
    assert not is_in(client)


def test_an_invitation_works_once(browse: Any) -> None:
    link = invited()
    browse().post(link, data=JOIN)
    assert browse().get(link).status_code == 410
    assert browse().post(link, data={**JOIN, "name": "Second"}).status_code == 410
    assert db.session.query(Person).filter_by(name="Second").count() == 0


def test_looking_at_an_invitation_does_not_use_it_up(browse: Any) -> None:
    """Mail programs open links to look for malware."""
    link = invited()
    for _ in range(3):
        assert browse().get(link).status_code == 200


def test_an_invitation_ends_after_seven_days_by_withdrawal_or_with_who_made_it(browse: Any) -> None:
    link = invited()
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
        assert browse().get(link).status_code == 410
    with unit_of_work(person("adam")) as work:
        acts.revoke_invitation(work, db.session.query(Invitation).one())
    assert browse().get(link).status_code == 410


def test_only_the_hash_of_a_link_is_kept_until_it_is_mailed(app: Flask) -> None:
    secret = invited().rpartition("/")[2]
    row = db.session.query(Invitation).one()
    assert secret not in str({column.name: getattr(row, column.name) for column in Invitation.__table__.columns})
    assert secret not in str([entry.content() for entry in trail()])


def test_an_address_cannot_join_twice_by_two_invitations(browse: Any) -> None:
    first, second = invited(), invited()
    assert browse().get(first).status_code == 410
    assert browse().post(second, data=JOIN).status_code == 302


def test_a_link_made_up_opens_nothing(browse: Any) -> None:
    for address in ("/invitation/nonsense", "/set-up/nonsense", "/new-password/nonsense"):
        assert browse().get(address).status_code == 410
        assert browse().post(address, data=SET_UP).status_code == 410


@pytest.mark.usefixtures("nobody_administers")
def test_a_set_up_link_is_no_invitation_and_the_other_way_round(browse: Any) -> None:
    assert browse().get(setup_link().replace("/set-up/", "/invitation/")).status_code == 410
    person("adam").active = True
    db.session.commit()
    assert browse().get(invited().replace("/invitation/", "/set-up/")).status_code == 410


@pytest.fixture
def mail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_mail_on(app, monkeypatch)


def asked_by_mail(client: Any, email: str, **kwargs: Any) -> tuple[Any, str]:
    """Ask for a new password; the answer, and the link that is mailed, empty if none is."""
    answer = client.post("/forgotten-password", data={"email": email, **kwargs.pop("data", {})}, **kwargs)
    db.session.rollback()
    message = db.session.query(Message).filter_by(kind="password_reset").order_by(Message.id.desc()).first()
    return answer, message.content["link"] if message else ""


def path_of(link: str) -> str:
    assert link.startswith(OWN)
    return link.removeprefix(OWN)


@pytest.mark.usefixtures("mail")
def test_a_forgotten_password_is_set_anew_by_a_link_once(browse: Any) -> None:
    secret, new = give_app("ines"), "marmalade tractor umbrella 31 fjord"
    session = browse("ines")
    _, link = asked_by_mail(browse(), "INES@harbour.example")
    path = path_of(link)
    assert browse().get(path).status_code == 200
    assert browse().post(path, data={"password": new, "password_again": new}).location == "/sign-in"
    assert browse().post(path, data={"password": new + "2", "password_again": new + "2"}).status_code == 410
    assert not is_in(session)
    client = browse()
    assert enter_password(client, "ines", new).location == "/sign-in/code"
    assert enter_code(client, code(secret)).status_code == 302


@pytest.mark.usefixtures("mail")
def test_the_answer_does_not_tell_whether_anybody_has_the_address(browse: Any) -> None:
    person("otto").active = False
    db.session.commit()
    shown = set()
    for email in ("ines@harbour.example", "otto@harbour.example", "nobody@harbour.example"):
        answer, _ = asked_by_mail(browse(), email)
        shown.add((answer.status_code, re.sub(r"\w+@harbour\.example", "X", text_of(answer.text))))
    assert len(shown) == 1
    assert db.session.query(Message).filter_by(kind="password_reset").count() == 1


@pytest.mark.usefixtures("mail")
def test_the_answer_does_not_come_later_for_an_address_that_somebody_has(browse: Any) -> None:
    took: dict[str, list[float]] = {"ines": [], "nobody": []}
    for number in range(12):
        for name in took:
            began = clock.elapsed()
            asked_by_mail(browse(), f"{name}@harbour.example", environ_base={"REMOTE_ADDR": f"198.51.100.{number}"})
            took[name].append(clock.elapsed() - began)
            db.session.query(Throttle).delete()
            db.session.commit()
    assert median(took["ines"]) < 3 * median(took["nobody"]) + 0.01


@pytest.mark.usefixtures("mail")
def test_a_link_is_built_from_the_settings_not_from_the_request(browse: Any) -> None:
    client, claimed = browse(), {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    token = field(client.get("/forgotten-password", headers=claimed).text, "csrf_token")
    _, link = asked_by_mail(client, "ines@harbour.example", headers=claimed, data={"csrf_token": token})
    assert link.startswith(f"{OWN}/new-password/")


@pytest.mark.usefixtures("mail")
def test_a_link_for_a_password_ends_after_an_hour(browse: Any) -> None:
    _, link = asked_by_mail(browse(), "ines@harbour.example")
    with time_machine.travel(clock.now() + timedelta(minutes=62)):
        assert browse().get(path_of(link)).status_code == 410


@pytest.mark.usefixtures("mail")
def test_a_link_for_a_password_is_dead_for_somebody_who_left(browse: Any) -> None:
    _, link = asked_by_mail(browse(), "ines@harbour.example")
    person("ines").active = False
    db.session.commit()
    assert browse().get(path_of(link)).status_code == 410
    assert browse().post(path_of(link), data={"password": PASSWORD, "password_again": PASSWORD}).status_code == 410


def test_without_mail_the_page_says_whom_to_ask(browse: Any) -> None:
    page = text_of(browse().get("/forgotten-password").text)
    assert "This tracker sends no mail. Ask an administrator" in page
    browse().post("/forgotten-password", data={"email": "ines@harbour.example"})
    assert db.session.query(Message).count() == 0


@pytest.mark.usefixtures("mail")
def test_a_new_password_lifts_the_wait_that_guessing_brought(browse: Any) -> None:
    give_app("ines")
    for _ in range(5):
        enter_password(browse(), "ines", "wrong")
    _, link = asked_by_mail(browse(), "ines@harbour.example")
    new = "marmalade tractor umbrella 31 fjord"
    browse().post(path_of(link), data={"password": new, "password_again": new})
    assert enter_password(browse(), "ines", new).status_code == 302
    assert look("ines").password
