"""The door: nothing is shown to a stranger unless its page is on the short list here."""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app, redirect, request, session, url_for
from flask_security import current_user, logout_user
from werkzeug.wrappers import Response

from incident_tracker import clock
from incident_tracker.web import parking

#: what somebody without a session may open: signing in, one-time links, static files, health
OPEN_ENDPOINTS = frozenset({
    "static", "security.login", "security.logout", "security.two_factor_token_validation", "security.two_factor_rescue", "security.mf_recovery",
    "security.wan_signin", "security.wan_signin_response", "security.forgot_password", "security.reset_password",
    "accounts.accept", "health.healthz",
})


def register(app: Flask) -> None:
    """Check every request before anything else sees it."""
    app.before_request(_end_old_session)
    app.before_request(_ask_to_sign_in)


def _end_old_session() -> None:
    """A session ends after idling, and after its longest life, counted by the server's clock."""
    if not current_user.is_authenticated:
        return
    config = current_app.extensions["tracker"]
    now = clock.now()
    began = _read(session.get("began_at")) or now
    seen = _read(session.get("seen_at")) or now
    if now - seen > timedelta(minutes=config.session_idle_minutes) or now - began > timedelta(hours=config.session_hours):
        session["ended_for"] = current_user.id
        logout_user()
        return
    session.setdefault("began_at", now.isoformat())
    if "seen_at" not in session or now - seen > timedelta(seconds=30):
        session["seen_at"] = now.isoformat()


def _ask_to_sign_in() -> Response | None:
    if current_user.is_authenticated or request.endpoint in OPEN_ENDPOINTS or request.endpoint is None:
        return None
    if request.method == "POST":
        return parking.park_and_ask()
    return redirect(url_for("security.login", next=request.full_path.rstrip("?")))


def _read(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
