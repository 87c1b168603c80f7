"""An expired session during typing: the text comes back to the one who typed it, and to nobody else."""

import io
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine

from incident_tracker import clock
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.sign_ins import ParkedForm
from tests.cast import PASSWORD
from tests.doors import code, enter_code, enter_password, forget_codes, give_app, look, text_of, trail, walk_in
from tests.stories import person

LATER = timedelta(hours=1)
TYPED = {
    "title": "Lost laptop of the ward", "summary": "First line\r\n  second, indented\r\n\r\n“quotes” & <tags> 'too'", "kind": "other", "awareness": "not_yet",
    "data": ["name", "contact", "medical"], "password": "hunter2 hunter2", "api_token": "t0psecret",
}


@pytest.fixture
def secret(app: Any) -> str:
    return give_app("ines")


@pytest.fixture
def typing(browse: Any, secret: str) -> Any:
    """Ines, signed in, whose session ends while she types."""
    client = browse()
    walk_in(client, "ines", secret)
    assert client.get("/incidents/report").status_code == 200
    forget_codes("ines")
    return client


def send(client: Any, data: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    return client.post("/incidents/report", data=TYPED if data is None else data, **kwargs)


def come_back(client: Any, name: str, secret: str) -> Any:
    """Sign in again; the page one lands on."""
    enter_password(client, name)
    return client.get(enter_code(client, code(secret)).location)


def sent_again(client: Any, page: str) -> Any:
    """Press `Send it now`, as a browser without scripts would."""
    form = re.search(r'<form method="post" action="([^"]+)" class="inline-form">(.*?Send it now)', page, re.DOTALL)
    assert form is not None
    fields = [(unescape(name), unescape(value)) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form[2])]
    data: dict[str, Any] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return client.post(unescape(form[1]), data=data)


def test_the_text_is_kept_and_comes_back_after_signing_in_again(typing: Any, secret: str) -> None:
    with time_machine.travel(clock.now() + LATER):
        answer = send(typing)
        assert (answer.status_code, answer.location) == (303, "/sign-in")
        assert "What you typed is kept" in text_of(typing.get("/sign-in").text)
        page = come_back(typing, "ines", secret)
        assert "You were signed out while typing. Nothing is lost." in text_of(page.text)
        assert "Lost laptop of the ward" in page.text
        assert "  second, indented" in page.text
        assert "“quotes” &amp; &lt;tags&gt;" in page.text


def test_it_can_be_sent_as_it_was_with_every_field_in_order(typing: Any, secret: str) -> None:
    with time_machine.travel(clock.now() + LATER):
        send(typing)
        page = come_back(typing, "ines", secret).text
        assert re.findall(r'name="data" value="(\w+)"', page) == ["name", "contact", "medical"]
        answer = sent_again(typing, page)
        assert answer.status_code == 302
        db.session.rollback()
        incident = db.session.query(Incident).one()
        assert (incident.title, incident.summary) == (TYPED["title"], TYPED["summary"].strip())
        assert db.session.query(ParkedForm).count() == 0


def test_what_is_refused_when_sent_again_stays_kept(typing: Any, secret: str) -> None:
    with time_machine.travel(clock.now() + LATER):
        send(typing, {**TYPED, "title": ""})
        page = come_back(typing, "ines", secret).text
        assert sent_again(typing, page).status_code == 422
        assert db.session.query(ParkedForm).count() == 1


def test_secrets_are_not_kept(typing: Any, secret: str) -> None:
    with time_machine.travel(clock.now() + LATER):
        send(typing, {**TYPED, "new_password": "another", "code": "123456", "current_password": "third"})
        page = come_back(typing, "ines", secret).text
        for hidden in ("hunter2", "t0psecret", "another", "123456", "third"):
            assert hidden not in page


def test_what_is_kept_cannot_be_read_in_the_database(typing: Any) -> None:
    with time_machine.travel(clock.now() + LATER):
        send(typing)
        row = db.session.query(ParkedForm).one()
        assert "laptop" not in row.sealed
        assert "laptop" not in str([entry.content() for entry in trail()])


def test_nobody_else_gets_it(typing: Any, browse: Any) -> None:
    others = give_app("ravi")
    with time_machine.travel(clock.now() + LATER):
        send(typing)
        landed = come_back(typing, "ravi", others)
        assert "Lost laptop" not in landed.text
        assert typing.get("/kept-text").location == "/"
        row = db.session.query(ParkedForm).one()
        assert typing.post(f"/kept-text/{row.id}/discard").status_code == 404
        assert typing.post("/me/theme", data={"parked_form": str(row.id), "theme": "dark"}).status_code == 302
        db.session.rollback()
        assert db.session.query(ParkedForm).count() == 1


def test_a_row_moved_to_somebody_else_in_the_database_opens_for_nobody(typing: Any, browse: Any) -> None:
    with time_machine.travel(clock.now() + LATER):
        send(typing)
        db.session.query(ParkedForm).one().person_id = person("ravi").id
        db.session.commit()
        assert browse("ravi").get("/kept-text").status_code == 302


def test_it_can_be_thrown_away(typing: Any, secret: str) -> None:
    with time_machine.travel(clock.now() + LATER):
        send(typing)
        come_back(typing, "ines", secret)
        number = db.session.query(ParkedForm).one().id
        assert typing.post(f"/kept-text/{number}/discard", data={"then": "//evil.example"}).location == "/kept-text?then=/"
        assert typing.get("/kept-text?then=/incidents").location == "/incidents"
        assert [entry.action for entry in trail() if entry.action.startswith("form.")] == ["form.park", "form.discard"]


def test_where_nobody_can_be_told_the_answer_itself_holds_the_text(browse: Any) -> None:
    answer = send(browse())
    assert answer.status_code == 401
    assert "Lost laptop of the ward" in answer.text
    assert "second, indented" in answer.text
    assert "hunter2" not in answer.text
    assert db.session.query(ParkedForm).count() == 0


def test_a_form_of_another_site_is_not_kept(typing: Any) -> None:
    """It has no token of this session: nobody may put words into somebody's mouth."""
    with time_machine.travel(clock.now() + LATER):
        assert send(typing, {**TYPED, "csrf_token": "forged"}).status_code == 401
        assert db.session.query(ParkedForm).count() == 0


def test_a_second_tab_can_still_send_after_signing_in_again_in_the_first(typing: Any, secret: str) -> None:
    """The form there carries the token of the session before."""
    page = typing.get("/incidents/report").text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    with time_machine.travel(clock.now() + LATER):
        typing.get("/incidents")
        come_back(typing, "ines", secret)
        assert send(typing, {**TYPED, "csrf_token": unescape(found[1])}).status_code == 302
        assert db.session.query(Incident).count() == 1


def test_a_form_open_for_hours_in_a_live_session_is_taken(typing: Any) -> None:
    page, start = typing.get("/incidents/report").text, clock.now()
    token = unescape(re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1])  # type: ignore[index]
    for quarter in range(1, 21):
        with time_machine.travel(start + timedelta(minutes=15 * quarter)):
            typing.get("/me")
    with time_machine.travel(start + timedelta(hours=5, minutes=1)):
        assert send(typing, {**TYPED, "csrf_token": token}).status_code == 302


def test_a_file_cannot_be_kept_and_the_page_says_so(typing: Any, secret: str) -> None:
    with time_machine.travel(clock.now() + LATER):
        typing.post("/incidents/INC-2026-0001/evidence", data={"note": "from the mail gateway", "file": (io.BytesIO(b"x" * 3000), "gateway.log")})
        page = text_of(come_back(typing, "ines", secret).text)
        assert "“gateway.log” could not be kept" in page
        assert "from the mail gateway" in page


def test_a_press_of_a_button_is_kept_too(typing: Any, secret: str) -> None:
    with time_machine.travel(clock.now() + LATER):
        typing.post("/me/theme", data={"theme": "dark"})
        page = come_back(typing, "ines", secret).text
        sent_again(typing, page)
        assert typing.get_cookie("theme").value == "dark"


def test_what_is_too_long_to_be_kept_is_shown_at_once(typing: Any) -> None:
    with time_machine.travel(clock.now() + LATER):
        answer = send(typing, {"title": "long", "summary": "word " * 110_000})
        assert answer.status_code == 401
        assert answer.text.count("word ") >= 110_000
        assert db.session.query(ParkedForm).count() == 0


def test_a_strangers_flood_is_not_read(browse: Any) -> None:
    answer = browse().post("/incidents/report", data={"title": "x", "file": (io.BytesIO(b"x" * 2_100_000), "big.bin")})
    assert answer.status_code == 401
    assert "too large to be shown" in answer.text


def test_signing_out_by_choice_keeps_no_token_and_yet_loses_no_text(typing: Any) -> None:
    typing.post("/sign-out")
    answer = send(typing, {**TYPED, "csrf_token": "of the session before"})
    assert answer.status_code == 401
    assert "Lost laptop of the ward" in answer.text


def test_ten_are_kept_and_the_oldest_go(typing: Any) -> None:
    with time_machine.travel(clock.now() + LATER):
        for number in range(12):
            send(typing, {"title": f"number {number}"})
        assert db.session.query(ParkedForm).count() == 10


def test_a_form_that_is_kept_again_takes_the_place_of_the_first(typing: Any, secret: str) -> None:
    start = clock.now()
    with time_machine.travel(start + LATER):
        send(typing)
        page = come_back(typing, "ines", secret).text
    with time_machine.travel(start + 2 * LATER):
        assert sent_again(typing, page).status_code == 303
        assert db.session.query(ParkedForm).count() == 1


def test_after_a_day_it_is_gone(typing: Any, secret: str) -> None:
    start = clock.now()
    with time_machine.travel(start + LATER):
        send(typing)
    with time_machine.travel(start + timedelta(hours=26)):
        assert "Lost laptop" not in come_back(typing, "ines", secret).text
        assert db.session.query(ParkedForm).count() == 0


def test_a_change_that_asks_for_a_proof_first_keeps_what_was_typed(browse: Any) -> None:
    give_app("adam")
    adam = browse("adam")
    with adam.session_transaction() as session:
        session["fs_paa"] = 0
    answer = adam.post("/people/invite", data={"email": "new@harbour.example", "roles": ["legal", "officer"]})
    assert answer.location == "/me/confirm?next=/kept-text"
    assert adam.post("/me/confirm?next=/kept-text", data={"password": PASSWORD}).location == "/kept-text"
    page = adam.get("/kept-text").text
    assert "Here is what you were about to send" in page
    assert "/invitation/" in sent_again(adam, page).text


def test_a_person_who_left_gets_the_text_to_copy(typing: Any) -> None:
    look("ines").active = False
    db.session.commit()
    answer = send(typing)
    assert answer.status_code == 401
    assert "Lost laptop of the ward" in answer.text
