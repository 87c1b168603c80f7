"""Taking a duty's warnings, and sending again what could not be delivered."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from incident_tracker.actions import alerts as acts
from incident_tracker.actions import deliveries
from incident_tracker.errors import NotFound
from incident_tracker.models.base import db
from incident_tracker.models.messages import find_message, undelivered
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.work import unit_of_work

pages = Blueprint("alerts", __name__)

PER_PAGE = 50


@pages.post("/incidents/<reference>/duties/<int:duty_id>/acknowledge")
def acknowledge(reference: str, duty_id: int) -> ResponseReturnValue:
    """Take the warnings of one duty."""
    with unit_of_work(current_user) as work:
        acts.acknowledge(work, finding.duty(finding.incident(reference, lock=True), duty_id))
    flash("Acknowledged. Later warnings go to the owner and to you. The deadline stands.", "good")
    if request.form.get("back") == "duty":
        return redirect(url_for("duties.show", reference=reference, duty_id=duty_id))
    return redirect(url_for("bell.index"))


@pages.get("/warnings/undelivered")
def lost() -> ResponseReturnValue:
    """What was given up."""
    choosing.demand(Permission.SEND_AGAIN)
    page = db.paginate(undelivered(current_user), per_page=PER_PAGE, max_per_page=PER_PAGE, error_out=False)
    return render_template("alerts/undelivered.html", page=page)


@pages.post("/messages/<int:message_id>/send-again")
def send_again(message_id: int) -> ResponseReturnValue:
    """Try one message again that was given up."""
    with unit_of_work(current_user) as work:
        message = find_message(current_user, message_id)
        if message is None:
            raise NotFound("message")
        deliveries.send_again(work, message)
    flash("It is sent again with the next round, within a minute.", "good")
    return redirect(url_for(".lost"))
