"""People, for the administrator alone."""

import re
from typing import Any

import pytest
from flask import Flask

from incident_tracker.models.base import db
from incident_tracker.models.people import Invitation, Person
from tests.doors import enter_password, give_app, is_in, look, switch_mail_on, text_of, trail
from tests.stories import person

CHANGES = ("roles", "switch-off", "switch-on", "second-factor", "password-link")


def number_of(name: str) -> int:
    return person(name).id


def act(client: Any, what: str, name: str, **data: Any) -> Any:
    return client.post(f"/people/{number_of(name)}/{what}", data=data)


@pytest.mark.parametrize("name", ["ines", "laura", "mona", "olga", "otto"])
def test_nobody_else_sees_or_changes_anything(browse: Any, name: str) -> None:
    client = browse(name)
    for address in ("/people", "/people.csv", "/people/invite", f"/people/{number_of('ravi')}"):
        assert client.get(address).status_code == 403
    for what in CHANGES:
        assert act(client, what, "ravi", roles=["administrator"]).status_code == 403
    assert client.post("/people/invite", data={"email": "x@y.example", "roles": ["administrator"]}).status_code == 403
    assert client.post("/people/invitations/1/revoke").status_code == 403
    assert "/people" not in client.get("/me").text
    assert look("ravi").role_names == {"officer"}


def test_the_list_shows_everybody_with_their_roles(browse: Any) -> None:
    page = text_of(browse("adam").get("/people").text)
    assert "7 people" in page
    assert "Ines Vargas ines@harbour.example officer not yet never" in page


@pytest.mark.parametrize(("query", "found"), [
    ("text=vargas", {"Ines Vargas"}), ("text=LAURA@", {"Laura Beck"}), ("role=manager", {"Mona Haddad"}), ("state=off", {"Otto Brandt"}),
    ("role=officer&state=on", {"Ines Vargas", "Ravi Menon"}), ("text=%25", set()), ("text=_", set()),
])
def test_the_list_can_be_filtered(browse: Any, query: str, found: set[str]) -> None:
    person("otto").active = False
    db.session.commit()
    page = browse("adam").get(f"/people?{query}").text
    assert set(re.findall(r'<a href="/people/\d+">([^<]+)</a>', page)) == found
    rows = browse("adam").get(f"/people.csv?{query}").text.splitlines()[1:]
    assert {row.split(",")[0] for row in rows} == found


def test_an_empty_list_says_what_to_do(browse: Any) -> None:
    page = text_of(browse("adam").get("/people?text=nobody-has-this").text)
    assert "Nobody matches" in page
    assert "Clear the filter" in page


def test_roles_are_changed_and_count_at_once(browse: Any) -> None:
    olga = browse("olga")
    assert olga.get("/incidents/report").status_code == 403
    assert act(browse("adam"), "roles", "olga", roles=["officer", "auditor"]).status_code == 302
    assert olga.get("/incidents/report").status_code == 200
    entry = trail("person.change_roles")[-1]
    assert (entry.before["roles"], entry.after["roles"]) == (["auditor"], ["officer", "auditor"])


@pytest.mark.parametrize("roles", [[], ["emperor"], ["officer", "emperor"]])
def test_roles_that_do_not_exist_are_refused(browse: Any, roles: list[str]) -> None:
    answer = act(browse("adam"), "roles", "olga", roles=roles)
    assert answer.status_code == 422
    assert 'id="roles-error"' in answer.text
    assert look("olga").role_names == {"auditor"}


def test_the_last_administrator_stays(browse: Any) -> None:
    adam = browse("adam")
    assert "is the last administrator" in act(adam, "roles", "adam", roles=["officer"]).text
    assert "is the last administrator" in act(adam, "switch-off", "adam").text
    assert look("adam").role_names == {"administrator"}
    assert look("adam").active


def test_with_a_second_one_the_first_may_go(browse: Any) -> None:
    adam = browse("adam")
    act(adam, "roles", "ines", roles=["administrator", "officer"])
    assert act(adam, "switch-off", "adam").status_code == 302
    assert not is_in(adam)
    assert act(browse("ines"), "roles", "ines", roles=["officer"]).status_code == 422


def test_an_administrator_who_is_switched_off_does_not_count_as_one(browse: Any) -> None:
    adam = browse("adam")
    act(adam, "roles", "ines", roles=["administrator"])
    act(adam, "switch-off", "ines")
    assert act(adam, "switch-off", "adam").status_code == 422


def test_whoever_left_is_out_and_stays_in_the_record(browse: Any) -> None:
    give_app("ravi")
    ravi, adam = browse("ravi"), browse("adam")
    assert is_in(ravi)
    assert act(adam, "switch-off", "ravi").status_code == 302
    assert not is_in(ravi)
    assert enter_password(browse(), "ravi").status_code == 422
    assert look("ravi").switched_off_at is not None
    assert "Switch on again" in adam.get(f"/people/{number_of('ravi')}").text


def test_switched_on_again_old_sessions_stay_ended(browse: Any) -> None:
    ravi, adam = browse("ravi"), browse("adam")
    act(adam, "switch-off", "ravi")
    act(adam, "switch-on", "ravi")
    assert look("ravi").active
    assert not is_in(ravi)
    assert [entry.action for entry in trail()] == ["person.switch_off", "person.switch_on"]


def test_switching_off_twice_is_said_to_be_so(browse: Any) -> None:
    adam = browse("adam")
    act(adam, "switch-off", "ravi")
    assert act(adam, "switch-off", "ravi").status_code == 409


def test_a_lost_phone_means_a_new_second_factor(browse: Any) -> None:
    give_app("ravi")
    ravi = browse("ravi")
    assert act(browse("adam"), "second-factor", "ravi").status_code == 302
    assert not is_in(ravi)
    assert not look("ravi").has_second_factor
    assert enter_password(browse(), "ravi").location == "/sign-in/second-factor"


def test_a_password_link_is_shown_once_and_still_asks_for_the_second_factor(browse: Any) -> None:
    give_app("ravi")
    answer = act(browse("adam"), "password-link", "ravi")
    found = re.search(r"http://127\.0\.0\.1:8000(/new-password/[^<\s]+)", answer.text)
    assert found is not None
    client, new = browse(), "marmalade tractor umbrella 31 fjord"
    client.post(found[1], data={"password": new, "password_again": new})
    assert enter_password(client, "ravi", new).location == "/sign-in/code"
    assert found[1].rpartition("/")[2] not in str([entry.content() for entry in trail()])


def test_an_invitation_is_shown_once_and_listed_until_used(browse: Any) -> None:
    adam = browse("adam")
    answer = adam.post("/people/invite", data={"email": " New@Harbour.example", "roles": ["legal"]})
    assert re.search(r"http://127\.0\.0\.1:8000/invitation/[\w-]{40,}", answer.text)
    page = adam.get("/people").text
    assert "new@harbour.example" in page
    assert "/invitation/" not in page


def test_an_invitation_is_withdrawn(browse: Any) -> None:
    adam = browse("adam")
    adam.post("/people/invite", data={"email": "new@harbour.example", "roles": ["legal"]})
    number = db.session.query(Invitation).one().id
    assert adam.post(f"/people/invitations/{number}/revoke").status_code == 302
    assert "new@harbour.example" not in adam.get("/people").text
    assert adam.post(f"/people/invitations/{number}/revoke").status_code == 409
    assert adam.post("/people/invitations/999/revoke").status_code == 404


@pytest.mark.parametrize(("email", "said"), [
    ("ines@harbour.example", "Ines Vargas has this address already."), ("INES@HARBOUR.EXAMPLE", "Ines Vargas has this address already."),
    ("no address", "Enter an e-mail address"), ("a@b\r\nBcc: x@y", "Enter an e-mail address"), ("", "Enter an e-mail address"), ("@x", "Enter an e-mail address"),
])
def test_an_invitation_that_cannot_be_made_says_why_and_keeps_the_rest(browse: Any, email: str, said: str) -> None:
    answer = browse("adam").post("/people/invite", data={"email": email, "roles": ["legal", "manager"]})
    assert answer.status_code == 422
    assert said in answer.text
    assert len(re.findall(r'value="(?:legal|manager)" checked', answer.text)) == 2
    assert db.session.query(Invitation).count() == 0


def test_the_page_says_when_the_invitation_was_mailed(browse: Any, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_mail_on(app, monkeypatch)
    answer = browse("adam").post("/people/invite", data={"email": "new@harbour.example", "roles": ["legal"]})
    assert "It is on its way to new@harbour.example" in answer.text


def test_people_who_are_not_there_are_not_there(browse: Any) -> None:
    assert browse("adam").get("/people/999").status_code == 404
    assert browse("adam").post("/people/999/switch-off").status_code == 404


def test_the_list_for_a_spreadsheet_runs_nothing_in_it(browse: Any) -> None:
    person("otto").name = '=HYPERLINK("http://evil.example")'
    db.session.commit()
    answer = browse("adam").get("/people.csv?text=hyperlink")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "'=HYPERLINK" in answer.text


def test_every_change_needs_the_token_of_our_own_pages(browse: Any) -> None:
    adam = browse("adam")
    for what in CHANGES:
        assert adam.post(f"/people/{number_of('ravi')}/{what}", data={"csrf_token": "", "roles": "administrator"}).status_code == 400
    assert db.session.query(Person).filter(Person.active).count() == 7
