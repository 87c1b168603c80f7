"""What moved on an incident since somebody last accepted it: the difference, why, and with which rules."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from incident_tracker.actions import movements as acts
from incident_tracker.models.incidents import Incident
from incident_tracker.models.movements import Movement, movements_of
from incident_tracker.web import finding
from incident_tracker.work import unit_of_work

pages = Blueprint("movements", __name__)

#: so many changes of one movement stand in sight; the rest unfolds
IN_SIGHT = 12


@pages.get("/incidents/<reference>/moved")
def index(reference: str) -> ResponseReturnValue:
    """What waits to be accepted, then what was accepted, newest first."""
    incident = finding.incident(reference)
    found = movements_of(incident.id)
    waiting = [one for one in found if one.accepted_at is None]
    return render_template(
        "movements/index.html",
        incident=incident,
        waiting=waiting,
        accepted=[one for one in found if one.accepted_at is not None],
        held=held_back(waiting),
        newest=waiting[0].id if waiting else None,
        in_sight=IN_SIGHT,
    )


@pages.post("/incidents/<reference>/moved/accept")
def accept(reference: str) -> ResponseReturnValue:
    """Accept everything that was on the page."""
    with unit_of_work(current_user) as work:
        acts.accept(work, _locked(reference), request.form.get("newest", 0, type=int))
    flash("Accepted. It stays in the record.", "good")
    return redirect(url_for("incidents.show", reference=reference))


def _locked(reference: str) -> Incident:
    return finding.incident(reference, lock=True)


def held_back(waiting: list[Movement]) -> list[dict[str, Any]]:
    """What is not done until it is accepted: of each duty the newest word, `waiting` being newest first."""
    newest: dict[int, dict[str, Any]] = {}
    for movement in waiting:
        for entry in movement.moved:
            newest.setdefault(entry["duty"], entry)
    return [entry for entry in newest.values() if entry["held"]]
