"""For an outside monitor: whether the database answers and the worker beats. Says nothing of any incident."""

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from incident_tracker import clock
from incident_tracker.models.alerts import newest_heartbeat
from incident_tracker.models.base import db
from incident_tracker.models.messages import is_mail_failing
from incident_tracker.web.pulse import is_stale

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while warnings work, else 503. `mail` does not count: warnings then still ring in the pages."""
    config = current_app.extensions["tracker"]
    said: dict[str, object] = {"status": "failing", "database": "ok", "worker": "stale", "mail": "on" if config.mail_is_on else "off"}
    try:
        beat, now = newest_heartbeat(), clock.now()
        if config.mail_is_on and is_mail_failing():
            said["mail"] = "failing"
    except SQLAlchemyError:
        db.session.rollback()
        return jsonify(said | {"database": "failing"}), 503
    beat_at = beat.beat_at if beat else None
    if beat_at is not None:
        said["seconds_since_beat"] = int((now - beat_at).total_seconds())
    if is_stale(beat_at, now, config.stale_seconds):
        return jsonify(said), 503
    return jsonify(said | {"status": "ok", "worker": "ok"}), 200
