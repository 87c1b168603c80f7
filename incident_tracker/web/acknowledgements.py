"""The page behind the link in a warning's mail: it acknowledges what the mail was about, for the person it went to."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from incident_tracker.actions import receipts as acts
from incident_tracker.models import receipts
from incident_tracker.work import unit_of_work

pages = Blueprint("acknowledgements", __name__)


@pages.get("/acknowledge/<signed>")
def show(signed: str) -> ResponseReturnValue:
    """What would be acknowledged; opening it changes nothing, for mail programs open links by themselves."""
    message = receipts.read(current_app.config["SECRET_KEY"], signed)
    return render_template("alerts/acknowledge.html", signed=signed, person=message.person, duties=receipts.duties_to_take(message), given=0)


@pages.post("/acknowledge/<signed>")
def give(signed: str) -> ResponseReturnValue:
    """Acknowledge, as the person the mail went to."""
    person = receipts.read(current_app.config["SECRET_KEY"], signed).person
    with unit_of_work(person) as work:
        message = receipts.read(current_app.config["SECRET_KEY"], signed)
        given = len(acts.acknowledge_letter(work, message))
    message = receipts.read(current_app.config["SECRET_KEY"], signed)
    return render_template("alerts/acknowledge.html", signed=signed, person=message.person, duties=receipts.duties_to_take(message), given=given)
