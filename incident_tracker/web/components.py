"""In debug: one page with every macro in every state."""

from datetime import timedelta
from types import SimpleNamespace

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from incident_tracker import clock
from incident_tracker.web.reports import ReportForm

pages = Blueprint("components", __name__)

STATES = (
    "overdue",
    "running",
    "undecided",
    "not_started",
    "held",
    "met",
    "met_late",
    "not_required",
    "withdrawn",
    "does_not_apply",
    "draft",
    "in_review",
    "sent_back",
    "approved",
    "filed",
    "reported",
    "suspected",
    "confirmed",
    "closed",
    "dismissed",
    "open",
    "done",
    "skipped",
    "waiting",
)


@pages.get("/components")
def index() -> ResponseReturnValue:
    """All of them, on made-up values."""
    now = clock.now()
    moments = {
        name: now + span
        for name, span in {
            "over": timedelta(hours=-3),
            "hot": timedelta(hours=2),
            "warm": timedelta(hours=41),
            "far": timedelta(days=20),
        }.items()
    }
    good, bad = ReportForm(formdata=None), ReportForm(formdata=None)
    bad["data"].choices = good["data"].choices = [("name", "name"), ("medical", "health information")]
    bad.title.errors = ["Say in a few words what happened."]
    page = SimpleNamespace(pages=3, page=2, has_prev=True, has_next=True, prev_num=1, next_num=3)
    return render_template("components/index.html", states=STATES, moments=moments, good=good, bad=bad, page=page)
