"""The audit trail of one incident, and of everything."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_security import current_user

from incident_tracker.models.audit import trail_page
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding

pages = Blueprint("records", __name__)


@pages.get("/incidents/<reference>/record")
def index(reference: str) -> ResponseReturnValue:
    """Who did what, when, from what to what."""
    incident = finding.incident(reference)
    choosing.demand(Permission.READ, incident)
    page = trail_page(current_user, request.args.get("page", 1, type=int), incident_id=incident.id, action=request.args.get("action", ""))
    return render_template("records/index.html", incident=incident, page=page, action=request.args.get("action", ""))


@pages.get("/record")
def everything() -> ResponseReturnValue:
    """The whole trail, less the incidents that one may not know of."""
    choosing.demand(Permission.READ_AUDIT)
    page = trail_page(current_user, request.args.get("page", 1, type=int), action=request.args.get("action", ""))
    return render_template("records/everything.html", page=page, action=request.args.get("action", ""))
