"""The door: nothing is shown to a stranger unless its page is on the short list here."""

from collections.abc import Callable
from functools import wraps

from flask import Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from incident_tracker import clock
from incident_tracker.web import parking, sessions

#: what somebody without a session may open: signing in, one-time links, calendars at a secret address, static files, health
OPEN_ENDPOINTS = frozenset({
    "static", "health.healthz", "health.readyz", "metrics.show",
    "security.login", "security.logout", "security.code", "security.recovery", "security.set_up_code",
    "passkeys.sign_in", "resets.ask", "resets.reset",
    "invitations.accept", "invitations.set_up", "feeds.read",
    "acknowledgements.show", "acknowledgements.give",
})

#: below it the API answers, which lets nobody in by a session and asks for a token itself
OTHER_DOOR = "/api/"


def register(app: Flask) -> None:
    """Check every request before anything else sees it, the check of form tokens included."""
    # a form lives as long as its session: whoever types for two hours may still send it
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.extensions["security"].login_manager.user_loader(sessions.load)
    app.before_request(_end_old_session)
    app.before_request(_ask_to_sign_in)
    app.before_request(_refuse_nul)
    parking.register(app)


def fresh(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Let a view be used only shortly after a proof of who it is; else ask for one first. What was sent is kept and given back."""

    @wraps(view)
    def asked(*args: object, **kwargs: object) -> ResponseReturnValue:
        if sessions.is_fresh():
            return view(*args, **kwargs)
        then = request.full_path.rstrip("?")
        if request.method == "POST":
            parking.park_until_confirmed()
            then = url_for("parking.show")
        flash("Before this, show once more that it is you.", "plain")
        return redirect(url_for("accounts.confirm", next=then))

    return asked


def _end_old_session() -> None:
    if request.endpoint == "static" or _is_elsewhere() or not current_user.is_authenticated:
        return
    now = clock.now()
    if sessions.is_over(now):
        sessions.end(by_choice=False)
    else:
        sessions.touch(now)


def _refuse_nul() -> None:
    # no text has this sign, no keyboard types it, and PostgreSQL does not take it
    if request.endpoint != "static" and not _is_elsewhere() and ("\0" in request.path or any("\0" in text for _, text in request.values.items(multi=True))):
        raise BadRequest


def _ask_to_sign_in() -> Response | None:
    if request.endpoint is None or _is_elsewhere() or request.endpoint in OPEN_ENDPOINTS or current_user.is_authenticated:
        return None
    if request.method not in ("GET", "HEAD"):
        return parking.park_and_ask()
    if sessions.whose() is not None:
        flash("Your session has ended. Sign in again to go on where you were.", "plain")
    path = request.full_path.rstrip("?")
    return redirect(url_for("security.login", next=path if path != "/" else None))


def _is_elsewhere() -> bool:
    return request.path.startswith(OTHER_DOOR)
