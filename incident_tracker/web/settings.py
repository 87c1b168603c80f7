"""The help page of all settings, made from `config.py`; values are never shown."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from incident_tracker.config import PREFIX, settings
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing

pages = Blueprint("settings", __name__)


@pages.get("/help/settings")
def index() -> ResponseReturnValue:
    """Every setting with its meaning and default."""
    choosing.demand(Permission.MANAGE_PEOPLE)
    return render_template("help/settings.html", settings=settings(), prefix=PREFIX)
