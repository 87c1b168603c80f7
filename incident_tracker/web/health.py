"""Whether the tracker works: for outside monitors, without a word of any incident; and for administrators, with what to do about it."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from incident_tracker import clock, library
from incident_tracker.models.alerts import Heartbeat, newest_heartbeat
from incident_tracker.models.base import db
from incident_tracker.models.clock_jumps import latest_jumps
from incident_tracker.models.messages import is_mail_failing
from incident_tracker.models.outages import last_outages
from incident_tracker.models.revisions import is_at_head
from incident_tracker.models.vitals import vitals
from incident_tracker.rules import lateness
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing
from incident_tracker.web.pulse import is_stale

pages = Blueprint("health", __name__)


@dataclass(frozen=True)
class Worker:
    """One line of the page: a worker, whether it fires what is due, and of a hundred warnings how many it fired within a second."""

    heartbeat: Heartbeat
    is_firing: bool
    lives: bool
    fired: int
    in_time: int | None


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


@pages.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 once this process can answer: the database does, its tables are those of this version, the rules are loaded; else 503."""
    shelf = library.shelf()
    said = {"database": "failing", "migrations": "unknown", "rules": "ok" if shelf.law.obligations and shelf.ladders else "missing"}
    try:
        said |= {"database": "ok", "migrations": "ok"} if is_at_head() else {"database": "ok", "migrations": "behind"}
    except SQLAlchemyError:
        db.session.rollback()
    is_ready = set(said.values()) == {"ok"}
    return jsonify({"status": "ready" if is_ready else "not ready", **said}), 200 if is_ready else 503


@pages.get("/health")
def index() -> ResponseReturnValue:
    """The workers, the mail, the clock and the outside monitor."""
    choosing.demand(Permission.MANAGE_PEOPLE)
    config, now = current_app.extensions["tracker"], clock.now()
    found = vitals(now)
    return render_template(
        "health/index.html", vitals=found, workers=[_worker(one, now, config.stale_seconds) for one in found.workers], jumps=latest_jumps(),
        outages=last_outages(), config=config, pinged_at=max((one.pinged_at for one in found.workers if one.pinged_at), default=None),
        ping_errors=[one for one in found.workers if one.ping_error and not is_stale(one.alive_at, now, config.stale_seconds)],
    )


def _worker(one: Heartbeat, now: datetime, stale: int) -> Worker:
    counts = one.counts or {}
    late = counts.get("late") or lateness.nothing()
    in_time = sum(late[: lateness.BOUNDS.index(1.0) + 1]) * 100 // sum(late) if sum(late) else None
    return Worker(one, not is_stale(one.beat_at, now, stale), not is_stale(one.alive_at, now, stale), counts.get("fired", 0), in_time)
