"""Passkeys in a real browser with an authenticator of its own, under the strict policy of contents; and the door without scripts."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
import time_machine
from passlib.totp import TOTP
from playwright.sync_api import BrowserContext, Page, expect

from incident_tracker import clock
from incident_tracker.models.base import db
from incident_tracker.models.people import Passkey
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.browser.site import Site
from tests.cast import PASSWORD
from tests.doors import change, code, forget_codes, give_app, give_password, trail

Look = Callable[[Page, str], None]
BOARD = re.compile(r"/board$")


@pytest.fixture(autouse=True)
def inside(site: Site) -> Any:
    """The tracker's own context, to look into its database."""
    with site.app.app_context():
        yield
        db.session.remove()


def plug_in(context: BrowserContext, page: Page, **options: Any) -> tuple[Any, str]:
    """Give the browser an authenticator that is built in and knows its owner."""
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    return devtools, devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**kind, **options}})["authenticatorId"]


def register(page: Page, name: str = "work laptop") -> None:
    page.goto("/me/passkeys/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the passkey").click()
    page.wait_for_url("**/me")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/sign-in")


@pytest.fixture
def holder(as_person: Callable[..., BrowserContext]) -> tuple[BrowserContext, Page]:
    """Ines with a passkey, signed in."""
    context = as_person("ines")
    page = context.new_page()
    plug_in(context, page)
    register(page)
    return context, page


def test_a_passkey_is_made_and_lets_in_alone(holder: tuple[BrowserContext, Page]) -> None:
    _, page = holder
    expect(page.get_by_text("work laptop", exact=True)).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(BOARD)
    expect(page.get_by_role("link", name="Ines Vargas")).to_be_visible()
    assert [entry.after["with"] for entry in trail("sign_in.succeed")] == ["the passkey “work laptop”"]


def test_it_leads_on_to_the_page_that_was_asked_for(holder: tuple[BrowserContext, Page]) -> None:
    _, page = holder
    sign_out(page)
    page.goto("/incidents?stage=all")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/incidents?stage=all")


def test_the_same_answer_of_a_passkey_lets_in_once(holder: tuple[BrowserContext, Page], as_person: Callable[..., BrowserContext]) -> None:
    _, page = holder
    sign_out(page)
    with page.expect_request("**/sign-in/passkey") as sent:
        page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(BOARD)
    # as with a passkey that lives on many devices: it does not count its uses
    with unit_of_work(CLOCKWORK):
        db.session.query(Passkey).one().sign_count = 0
    thief = as_person()
    other = thief.new_page()
    other.goto("/sign-in")
    token = other.locator("[name=csrf_token]").first.get_attribute("value")
    answer = thief.request.post("/sign-in/passkey", form={**dict(parse_qsl(sent.value.post_data or "")), "csrf_token": token or ""})
    assert "/sign-in" in answer.url
    assert "That passkey was not accepted" in answer.text()
    assert [entry.action for entry in trail("sign_in.refuse_replay")] == ["sign_in.refuse_replay"]


def test_a_passkey_without_pin_finger_or_face_is_not_enough(as_person: Callable[..., BrowserContext]) -> None:
    context = as_person("ines")
    page = context.new_page()
    devtools, authenticator = plug_in(context, page)
    register(page)
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used")).to_be_visible()


def test_a_removed_passkey_no_longer_lets_in(holder: tuple[BrowserContext, Page]) -> None:
    _, page = holder
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("is removed")).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("That passkey was not accepted")).to_be_visible()
    assert db.session.query(Passkey).count() == 0


def test_the_passkey_of_somebody_who_left_does_not_let_in(holder: tuple[BrowserContext, Page]) -> None:
    _, page = holder
    sign_out(page)
    change("ines", active=False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("That passkey was not accepted")).to_be_visible()
    assert "wrong passkey" in trail("sign_in.fail")[-1].summary


def test_one_device_makes_one_passkey_for_a_person(holder: tuple[BrowserContext, Page]) -> None:
    _, page = holder
    page.goto("/me/passkeys/new")
    page.get_by_label("Name").fill("once more")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_text("This device has a passkey for your account already.")).to_be_visible()


def test_a_name_that_is_taken_is_said_beside_the_field(holder: tuple[BrowserContext, Page]) -> None:
    context, page = holder
    page.goto("/me/passkeys/new")
    plug_in(context, page, transport="usb")
    page.get_by_label("Name").fill("work laptop")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.locator("#name-error")).to_contain_text("already")
    expect(page.get_by_label("Name")).to_have_value("work laptop")


def test_a_passkey_confirms_before_something_delicate(holder: tuple[BrowserContext, Page]) -> None:
    _, page = holder
    with time_machine.travel(clock.now() + timedelta(minutes=20)):
        page.goto("/me/second-factor")
        expect(page.get_by_role("heading", name="Show that it is you")).to_be_visible()
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/me/second-factor")


def test_a_browser_without_passkeys_shows_no_button_for_them(as_person: Callable[..., BrowserContext]) -> None:
    page = as_person().new_page()
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto("/sign-in")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_text("Sign in with a passkey")).to_be_hidden()


def test_the_first_sign_in_from_password_to_board(as_person: Callable[..., BrowserContext], look: Look) -> None:
    give_password("ines")
    page = as_person().new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill("ines@harbour.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    look(page, "sign-in-wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    look(page, "second-factor-set-up")
    page.get_by_text("Type the secret instead").click()
    key = page.locator(".secret").inner_text().replace("-", "")
    page.get_by_label("Enter the code that it shows").fill("12")
    page.get_by_role("button", name="Turn it on").click()
    look(page, "second-factor-wrong-code")
    page.get_by_label("Enter the code that it shows").fill(TOTP(key=key).generate().token)
    page.get_by_role("button", name="Turn it on").click()
    look(page, "recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url(BOARD)


def test_the_code_and_the_recovery_code_read_well(as_person: Callable[..., BrowserContext], look: Look) -> None:
    give_app("ines")
    page = as_person().new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill("ines@harbour.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_be_focused()
    look(page, "code")
    page.get_by_role("link", name="Use a recovery code").click()
    for _ in range(6):
        page.get_by_label("Recovery code").fill("0000-0000-0000")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Too many tries")).to_be_visible()
    look(page, "too-many-tries")


def test_typed_text_comes_back_without_any_script(as_person: Callable[..., BrowserContext], look: Look) -> None:
    """Sign in, type, let the session end, send, sign in again, send again: all of it with scripts switched off."""
    secret = give_app("ines")
    page = as_person(None, java_script_enabled=False).new_page()

    def come_in() -> None:
        page.get_by_label("E-mail address").fill("ines@harbour.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_label("Code").fill(code(secret))
        page.get_by_role("button", name="Go on").click()

    page.goto("/incidents/report")
    expect(page.get_by_text("Sign in with a passkey")).to_be_hidden()
    come_in()
    expect(page.get_by_role("heading", name="Report a breach")).to_be_visible()
    page.get_by_label("What happened, in a few words").fill("Lost laptop of the ward")
    page.get_by_label("What is known so far").fill("First line\n  second, indented\n\n“quotes” & <tags>")
    forget_codes("ines")
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        page.locator("main form button.button-primary").last.click()
        expect(page.get_by_text("What you typed is kept for you")).to_be_visible()
        come_in()
        expect(page.get_by_role("heading", name="You were signed out while typing. Nothing is lost.")).to_be_visible()
        expect(page.get_by_text("“quotes” & <tags>")).to_be_visible()
        page.get_by_role("button", name="Send it now").click()
        expect(page.get_by_role("heading", name="Lost laptop of the ward")).to_be_visible()
        page.goto("/kept-text")
        page.wait_for_url(BOARD)
