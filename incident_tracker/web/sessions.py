"""The session of one browser: how it begins, what is known between two proofs, how long it lasts, how it ends."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import after_this_request, current_app, g, redirect, request, session, url_for
from flask_security import current_user, login_user, logout_user
from flask_security.utils import set_request_attr
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from incident_tracker import clock
from incident_tracker.actions import sign_ins
from incident_tracker.models import sign_ins as kept
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from incident_tracker.rules import throttles
from incident_tracker.work import unit_of_work

#: how long the second proof may take after the first
PENDING_FOR = timedelta(minutes=10)

#: how long after a proof something delicate may be done without another
FRESH_FOR = timedelta(minutes=15)

_DEVICE_COOKIE = "tracker_device"
_DEVICE_FOR = timedelta(days=365)


def begin(person: Person) -> None:
    """Start a session after a complete sign-in. Nothing of the session before is carried over.

    Except the secret of the form tokens where the same person comes back after their session ran out: what they were
    typing in another tab can then still be sent.
    """
    form_secret = session.get("csrf_token") if session.get("ended_for") == person.id else None
    session.clear()
    g.pop("csrf_token", None)
    if form_secret:
        session["csrf_token"] = form_secret
    login_user(person, remember=False)
    freshen()
    now = clock.now().isoformat()
    session.update(who=person.id, sid=secrets.token_urlsafe(16), began_at=now, seen_at=now)
    after_this_request(lambda response: _remember_device(response, person.id))


def renew(person: Person) -> None:
    """Go on under a new identity after every other session was ended; how long this one lasts does not change."""
    began, proved = session.get("began_at"), session.get("fs_paa")
    begin(person)
    session.update(began_at=began or session["began_at"], fs_paa=proved or 0)


def enter(person: Person, via: str, buckets: Collection[str] = ()) -> Response:
    """Record the complete sign-in, start the session, and lead on to where the person wanted to go."""
    path = landing(person, then())
    with unit_of_work(person) as work:
        sign_ins.sign_in(work, person, via, address(), buckets)
    begin(person)
    return redirect(path)


def end(*, by_choice: bool) -> None:
    """End the session of this browser. Whose it was stays known, so that a form sent too late can be kept for them."""
    who, form_secret, session_id = session.get("who"), session.get("csrf_token"), session.get("sid")
    if by_choice and session_id:
        with unit_of_work(current_user) as work:
            sign_ins.sign_out(work, session_id, work.now + timedelta(hours=_config().session_hours + 1))
    logout_user()
    session.clear()
    g.pop("csrf_token", None)
    if who:
        session["ended_for"] = who
    if form_secret and not by_choice:
        session["csrf_token"] = form_secret


def load(uniquifier: str) -> Person | None:
    """The person of this request's session, None if they may no longer sign in; Flask-Login asks once a request."""
    session_id = session.get("sid")
    found = kept.holder(uniquifier, sign_ins.digest(session_id) if session_id else "")
    if found is None or not found[0].active:
        return None
    person, g.is_spent = found
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", session.get("fs_paa", 0))
    return person


def is_over(now: datetime) -> bool:
    """Whether the session has idled too long, lived too long, or was signed out of elsewhere. By the server's clock alone."""
    config = _config()
    began, seen = _moment("began_at"), _moment("seen_at")
    return bool(
        (seen and now - seen > timedelta(minutes=config.session_idle_minutes))
        or (began and now - began > timedelta(hours=config.session_hours))
        or g.get("is_spent")
    )


def touch(now: datetime) -> None:
    """Note that somebody is there. What a page fetches by itself does not count, or an open page would never time out."""
    session.setdefault("began_at", now.isoformat())
    if session.get("who") != current_user.id:
        session["who"] = current_user.id
    seen = _moment("seen_at")
    by_itself = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "empty"
    if seen is None or (now - seen > timedelta(seconds=30) and not by_itself):
        session["seen_at"] = now.isoformat()


def whose() -> Person | None:
    """Whose session this browser had last, if they may still sign in."""
    who = session.get("ended_for") or session.get("who")
    person = db.session.get(Person, who) if who else None
    return person if person is not None and person.active else None


def wait_for_second(person: Person, then: str) -> None:
    """The password was right; remember whose, until the second proof or ten minutes have passed."""
    session["pending"] = {"id": person.id, "uniquifier": person.fs_uniquifier, "at": clock.now().isoformat(), "then": then}


def awaited() -> Person | None:
    """Who has shown the right password and still owes the second proof."""
    pending = session.get("pending")
    if not pending or clock.now() - datetime.fromisoformat(pending["at"]) > PENDING_FOR:
        session.pop("pending", None)
        return None
    person = db.session.get(Person, pending["id"])
    if person is None or not person.active or person.fs_uniquifier != pending["uniquifier"]:
        return None
    return person


def then() -> str:
    """Where the one who is signing in wanted to go."""
    return safe_path((session.get("pending") or {}).get("then"))


def landing(person: Person, path: str) -> str:
    """Where to go after signing in: to what was typed into the ended session, if there is something, else to `path`."""
    if kept.parked_forms(person.id, clock.now() - sign_ins.KEPT_FOR):
        return url_for("parking.show", then=path)
    return path


def is_fresh() -> bool:
    """Whether the last proof is recent enough for something delicate."""
    proved = datetime.fromtimestamp(float(session.get("fs_paa") or 0), UTC)
    return timedelta(minutes=-1) <= clock.now() - proved <= FRESH_FOR


def freshen() -> None:
    """A proof was given once more."""
    session["fs_paa"] = clock.now().timestamp()


def safe_path(text: Any) -> str:
    """The path if it leads to a page of ours, else `/`. Browsers read `//host`, `/\\host` and tabs as other sites."""
    path = str(text or "")
    if not path.startswith("/") or path[1:2] in ("/", "\\") or "\\" in path or any(ord(mark) < 33 or ord(mark) == 127 for mark in path):
        return "/"
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc and not parts.path.startswith(("/sign-in", "/sign-out")) else "/"


def address() -> str:
    """Where the request came from; of an IPv6 address the part that one customer has."""
    return throttles.network(request.remote_addr)


def password_buckets(email: str, person: Person | None) -> set[str]:
    """Where the tries of a password are counted: for the address, and for the account.

    On a device that this person has signed in from before they are counted for that device alone: somebody else's
    guessing, be it next door, does not keep them out.
    """
    device = _known_device(person)
    if device:
        return {throttles.bucket("device", device)}
    return {throttles.bucket("address", address()), throttles.bucket("account", email.strip().lower())}


def code_buckets(kind: str, person: Person) -> set[str]:
    """Where the tries of a second proof (`code`) or of a repeated one (`confirm`) are counted."""
    own = throttles.bucket(kind, str(person.id))
    return {own} if _known_device(person) else {throttles.bucket("address", address()), own}


def _remember_device(response: Response, person_id: int) -> Response:
    if _device_of(person_id) is None:
        value = _signer().dumps([person_id, secrets.token_urlsafe(12)])
        response.set_cookie(
            _DEVICE_COOKIE, value, max_age=int(_DEVICE_FOR.total_seconds()), httponly=True, samesite="Lax", secure=_config().base_url.startswith("https"),
        )
    return response


def _known_device(person: Person | None) -> str | None:
    return _device_of(person.id) if person is not None else None


def _device_of(person_id: int) -> str | None:
    try:
        found = _signer().loads(request.cookies.get(_DEVICE_COOKIE, ""))
    except BadSignature:
        return None
    return f"{person_id}:{found[1]}" if found[0] == person_id else None


def _signer() -> URLSafeSerializer:
    assert current_app.secret_key
    return URLSafeSerializer(current_app.secret_key, salt="known device")


def _moment(name: str) -> datetime | None:
    text = session.get(name)
    return datetime.fromisoformat(text) if text else None


def _config() -> Any:
    return current_app.extensions["tracker"]
