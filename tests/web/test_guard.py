"""The door: strangers see nothing, sessions end by the server's clock."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from incident_tracker import clock
from incident_tracker.models.base import db
from incident_tracker.web.guard import OPEN_ENDPOINTS
from tests.doors import give_app, is_in, look, text_of, walk_in
from tests.stories import person


def pages_of(app: Flask) -> list[tuple[str, str, set[str]]]:
    """Every page that is not on the short list: (endpoint, an address of it, methods)."""
    fill = {"int": 1, "string": "x", "default": "x", "path": "x"}
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in OPEN_ENDPOINTS:
            values = {name: fill.get(type(converter).__name__.removesuffix("Converter").lower().replace("integer", "int"), "x") for name, converter in rule._converters.items()}
            with app.test_request_context():
                found.append((rule.endpoint, app.url_for(rule.endpoint, **values), rule.methods or set()))
    return found


def test_a_stranger_is_asked_to_sign_in_wherever_they_go(app: Flask, browse: Any) -> None:
    found = pages_of(app)
    assert len(found) > 40
    stranger = browse()
    for endpoint, address, methods in found:
        if "GET" in methods:
            answer = stranger.get(address)
            if address.startswith("/api/"):
                # a program is told so, and led nowhere
                assert (answer.status_code, answer.location) == (401, None), endpoint
                continue
            assert (answer.status_code, answer.location.split("?")[0]) == (302, "/sign-in"), endpoint


def test_a_stranger_can_change_nothing(app: Flask, browse: Any) -> None:
    stranger = browse()
    for endpoint, address, methods in pages_of(app):
        if "POST" in methods:
            assert stranger.post(address, data={"anything": "typed"}).status_code == 401, endpoint


def test_the_short_list_names_pages_that_exist(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= OPEN_ENDPOINTS


def test_a_session_ends_after_idling(browse: Any) -> None:
    client, start = browse("ines"), clock.now()
    with time_machine.travel(start):
        assert is_in(client)
    with time_machine.travel(start + timedelta(minutes=29)):
        assert is_in(client)
    with time_machine.travel(start + timedelta(minutes=58)):
        assert is_in(client)
    with time_machine.travel(start + timedelta(minutes=89)):
        assert not is_in(client)
    with time_machine.travel(start + timedelta(minutes=89)):
        assert not is_in(client)


def test_what_a_page_fetches_by_itself_does_not_keep_a_session_alive(browse: Any) -> None:
    client, start = browse("ines"), clock.now()
    for minute in (0, 20, 25):
        with time_machine.travel(start + timedelta(minutes=minute)):
            assert client.get("/me", headers={"Sec-Fetch-Dest": "empty"} if minute else {}).status_code == 200
    with time_machine.travel(start + timedelta(minutes=31)):
        assert not is_in(client)


def test_a_session_ends_after_twelve_hours_however_busy(browse: Any) -> None:
    client, start = browse("ines"), clock.now()
    for quarter in range(12 * 4):
        with time_machine.travel(start + timedelta(minutes=15 * quarter)):
            assert is_in(client), quarter
    with time_machine.travel(start + timedelta(hours=12, minutes=10)):
        assert not is_in(client)


def test_ending_every_other_session_does_not_lengthen_ones_own(browse: Any) -> None:
    client, start = browse("ines"), clock.now()
    with time_machine.travel(start):
        assert is_in(client)
    for quarter in range(1, 48):
        with time_machine.travel(start + timedelta(minutes=15 * quarter)):
            client.get("/me")
    with time_machine.travel(start + timedelta(hours=11, minutes=55)):
        assert client.post("/me/sign-out-everywhere").location == "/me"
    with time_machine.travel(start + timedelta(hours=12, minutes=10)):
        assert not is_in(client)


def test_an_ended_session_says_so_and_leads_back(browse: Any) -> None:
    secret, client, start = give_app("ines"), browse(), clock.now()
    walk_in(client, "ines", secret)
    with time_machine.travel(start + timedelta(hours=1)):
        answer = client.get("/incidents?q=laptop")
        assert answer.location == "/sign-in?next=/incidents?q%3Dlaptop"
        assert "Your session has ended." in text_of(client.get(answer.location).text)


def test_somebody_switched_off_is_out_with_their_next_click(browse: Any) -> None:
    client = browse("ines")
    assert is_in(client)
    ines = look("ines")
    ines.active = False
    db.session.commit()
    assert not is_in(client)


def test_a_cookie_that_was_tampered_with_opens_nothing(browse: Any) -> None:
    client = browse("ines")
    kept = client.get_cookie("tracker").value
    client.set_cookie("tracker", kept[:-2] + ("aa" if kept[-2:] != "aa" else "bb"), domain="localhost")
    assert not is_in(client)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app: Flask, browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    walk_in(client, "ines", secret)
    for name in ("tracker", "tracker_device"):
        cookie = client.get_cookie(name)
        assert cookie.http_only
        assert cookie.same_site == "Lax"
    assert client.get_cookie("tracker").expires is None


def test_something_delicate_asks_for_a_proof_when_the_last_is_old(browse: Any) -> None:
    client, start = browse("adam"), clock.now()
    assert client.get("/people/invite").status_code == 200
    with time_machine.travel(start + timedelta(minutes=16)):
        assert client.get("/people/invite").location == "/me/confirm?next=/people/invite"


@pytest.mark.parametrize("address", ["/me/second-factor", "/me/recovery-codes", "/me/passkeys/new", "/people/invite", "/people/3/roles", "/people/3/second-factor", "/people/3/password-link", "/people/3/switch-off"])
def test_each_delicate_change_asks_for_it(browse: Any, address: str) -> None:
    client = browse("adam")
    with client.session_transaction() as session:
        session["fs_paa"] = 0
    assert client.post(address, data={"email": "x@harbour.example"}).location.startswith("/me/confirm")


@pytest.mark.parametrize("who", [None, "adam"])
def test_a_sign_that_no_text_has_is_refused_before_it_reaches_the_database(browse: Any, who: str | None) -> None:
    client = browse(who)
    assert client.post("/sign-in", data={"email": "a\0b", "password": "x"}).status_code == 400
    assert client.get("/sign-in?next=/%00").status_code == 400
    assert client.get("/invitation/%00").status_code == 400
    if who:
        assert client.get("/people?text=%00").status_code == 400


def test_a_page_that_is_not_there_is_not_there(browse: Any) -> None:
    assert browse().get("/nowhere").status_code == 404
    assert browse("ines").get("/nowhere").status_code == 404


def test_health_and_static_files_ask_nobody(browse: Any) -> None:
    assert browse().get("/static/app.css").status_code == 200


def test_a_session_of_one_person_is_none_of_another(browse: Any) -> None:
    assert "Ravi Menon" not in browse("ines").get("/me").text
    assert person("ravi").name in browse("ravi").get("/me").text
