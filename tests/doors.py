"""Going in by the front door: passwords, authenticator apps and what a browser would send."""

import html
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from sqlalchemy import select
from werkzeug.test import TestResponse

from incident_tracker import clock
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from incident_tracker.web.identity import identity
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.cast import PASSWORD
from tests.stories import person

WRONG = "not the password at all"


def give_app(name: str) -> str:
    """A password and an authenticator app for one of the cast; the app's secret, as the database keeps it."""
    secret = str(identity().totp_factory.generate_totp_secret())
    change(name, password=hash_password(PASSWORD), tf_totp_secret=secret, tf_primary_method="authenticator")
    return secret


def give_password(name: str) -> None:
    """A password and nothing else for one of the cast."""
    change(name, password=hash_password(PASSWORD))


def change(name: str, **values: Any) -> None:
    """Set columns of one of the cast, past every action; also while a worker writes beside us."""
    with unit_of_work(CLOCKWORK):
        one = person(name)
        for column, value in values.items():
            setattr(one, column, value)


def code(secret: str, at: datetime | None = None) -> str:
    """What the app shows at that moment, now if none is given."""
    return str(identity().totp_factory._totp.from_source(secret).generate(time=at or clock.now()).token)


def other_code(secret: str) -> str:
    """Six digits that the app does not show around now."""
    around = {code(secret, datetime.fromtimestamp(clock.now().timestamp() + shift, clock.now().tzinfo)) for shift in (-60, -30, 0, 30, 60)}
    return next(digits for digits in ("000000", "111111", "222222", "333333", "444444", "555555") if digits not in around)


def enter_password(client: FlaskClient, name: str, password: str = PASSWORD, then: str = "", **kwargs: Any) -> TestResponse:
    """Send the sign-in page."""
    return client.post("/sign-in" + (f"?next={then}" if then else ""), data={"email": f"{name}@harbour.example", "password": password}, **kwargs)


def enter_code(client: FlaskClient, digits: str) -> TestResponse:
    return client.post("/sign-in/code", data={"code": digits})


def walk_in(client: FlaskClient, name: str, secret: str, then: str = "") -> TestResponse:
    """Password and code; the answer to the code."""
    assert enter_password(client, name, then=then).status_code == 302
    return enter_code(client, code(secret))


def is_in(client: FlaskClient) -> bool:
    """Whether this browser is signed in."""
    return client.get("/me").status_code == 200


def forget_codes(name: str) -> None:
    """Let the code of this half minute be used again, as if time had passed."""
    change(name, totp_counter=None)


def look(name: str) -> Person:
    """One of the cast as the database has them now."""
    db.session.rollback()
    db.session.expire_all()
    return person(name)


def trail(action: str = "") -> list[AuditEntry]:
    """The audit entries of an action, all if none is named, the oldest first."""
    db.session.rollback()
    query = select(AuditEntry).order_by(AuditEntry.id)
    return list(db.session.scalars(query.where(AuditEntry.action == action) if action else query))


def field(page: str, name: str) -> str:
    """The value of a field of that name in a page."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None, f"no field {name}"
    return html.unescape(found[1])


def secret_on(page: str) -> str:
    """The authenticator secret that a page shows, in words."""
    found = re.search(r'class="secret">([^<]+)<', page)
    assert found is not None, "no secret"
    return found[1].replace("-", "").replace(" ", "")


def text_of(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def switch_mail_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a mail server were set, for this test."""
    monkeypatch.setitem(app.extensions, "tracker", replace(app.extensions["tracker"], smtp_host="mail.harbour.example"))
