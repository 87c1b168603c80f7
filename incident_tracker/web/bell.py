"""The bell: what rang for the person who looks."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from incident_tracker import clock
from incident_tracker.actions import deliveries
from incident_tracker.models.alerts import Acknowledgement, newest_acknowledgements
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message, bell_of, mails_beside
from incident_tracker.work import unit_of_work

pages = Blueprint("bell", __name__)

PER_PAGE = 50


@dataclass(frozen=True)
class Ring:
    """One line of the bell: a message, its duty's deadline as it is now, who took it, and the mail that went beside it."""

    message: Message
    deadline: datetime | None
    has_moved: bool
    is_open: bool
    taken: Acknowledgement | None
    mail: Message | None


@pages.get("/warnings")
def index() -> ResponseReturnValue:
    """Newest first: those not seen yet, or all."""
    unseen = request.args.get("show", "unseen") != "all"
    page = db.paginate(bell_of(current_user, unseen=unseen), per_page=PER_PAGE, max_per_page=PER_PAGE, error_out=False)
    return render_template("alerts/index.html", page=page, rings=_rings(page.items), unseen=unseen)


@pages.post("/warnings/seen")
def seen() -> ResponseReturnValue:
    """Mark everything that rings for oneself as seen."""
    with unit_of_work(current_user) as work:
        deliveries.see_all(work)
    flash("Marked as seen. The deadlines stand.", "good")
    return redirect(url_for(".index"))


def _rings(messages: list[Message]) -> list[Ring]:
    now, mails = clock.now(), mails_beside(messages)
    taken = newest_acknowledgements({one.duty_id for one in messages if one.duty_id})
    return [_ring(one, now, taken.get(one.duty_id or 0), mails.get(one.rung_id or 0)) for one in messages]


def _ring(message: Message, now: datetime, taken: Acknowledgement | None, mail: Message | None) -> Ring:
    duty, rung = message.duty, message.rung
    deadline = duty.deadline_at if duty else None
    return Ring(
        message=message,
        deadline=deadline,
        has_moved=rung is not None and rung.deadline_at != deadline,
        is_open=duty is not None and duty.is_warned_of,
        taken=taken if taken is not None and duty is not None and taken.counts_for(duty, now) else None,
        mail=mail,
    )
