"""The board: what is due next, who has it, what is late, what is undecided; on a desk, a wall, a phone, a sheet of paper."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from incident_tracker import clock
from incident_tracker.models import board
from incident_tracker.rules.permissions import Permission, may
from incident_tracker.web import choosing
from incident_tracker.web.axis import Axis

pages = Blueprint("board", __name__)

TITLES = {
    "overdue": ("Overdue", "Nothing is overdue."),
    "day": ("Due within 24 h", "Nothing in the next day."),
    "three_days": ("Due within 72 h", "Nothing more in the next three days."),
    "later": ("Later", "Nothing later."),
    "undecided": ("Cannot be decided yet", "Every duty is decided."),
    "legal": ("Awaiting legal", "No draft waits for review."),
}


@pages.get("/")
def home() -> ResponseReturnValue:
    """Where people start: the board for those who read incidents, the people page for those who only run the tracker."""
    if may(current_user, Permission.READ):
        return redirect(url_for(".index"))
    return redirect(url_for("people.index" if may(current_user, Permission.MANAGE_PEOPLE) else "accounts.me"))


@pages.get("/board")
def index() -> ResponseReturnValue:
    """The board at a desk."""
    choosing.demand(Permission.READ)
    return render_template("board/index.html", owners=choosing.people_choices("officer", "legal", "manager"), **_content())


@pages.get("/board/wall")
def wall() -> ResponseReturnValue:
    """The board for a screen in the room: large, by itself, renewed every half minute."""
    choosing.demand(Permission.READ)
    return render_template("board/wall.html", **_content())


def _content() -> dict[str, Any]:
    wanted = board.Wanted(owner=request.args.get("owner", ""), q=request.args.get("q", "").strip()[:200])
    now = clock.now()
    columns = board.columns(current_user, now, wanted)
    axis = Axis(now, current_user.zone, board.lanes(current_user, wanted))
    return {"columns": columns, "titles": TITLES, "axis": axis, "wanted": wanted, "zone": current_user.zone}
