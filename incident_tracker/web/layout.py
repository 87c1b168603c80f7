"""What every page shows around its content: navigation, the bell, whether the worker is alive."""

from typing import Any

from flask import Flask, current_app, g, request
from flask_security import current_user

from incident_tracker import clock
from incident_tracker.rules.permissions import Permission, may
from incident_tracker.version import VERSION
from incident_tracker.web.pulse import pulse

#: (endpoint, words, permission)
NAVIGATION: tuple[tuple[str, str, Permission], ...] = (
    ("board.index", "Board", Permission.READ),
    ("incidents.index", "Incidents", Permission.READ),
    ("reviews.index", "Reviews", Permission.REVIEW_NOTICE),
    ("playbooks.index", "Playbooks", Permission.READ),
    ("law.index", "Law", Permission.READ),
    ("organisations.edit", "Organisation", Permission.EDIT_ORGANISATION),
    ("people.index", "People", Permission.MANAGE_PEOPLE),
    ("destinations.index", "Channels", Permission.SET_UP_CHANNELS),
    ("records.everything", "Record", Permission.READ_AUDIT),
    ("health.index", "Health", Permission.MANAGE_PEOPLE),
)

#: the tabs of one incident: (endpoint, words)
INCIDENT_TABS = (
    ("incidents.show", "Duties"),
    ("facts.index", "Facts"),
    ("checklists.show", "Checklist"),
    ("notices.index", "Notices"),
    ("evidence.index", "Evidence"),
    ("members.index", "People"),
    ("records.index", "Record"),
)


def register(app: Flask) -> None:
    """Give the templates what the layout needs, without a query of their own."""

    @app.context_processor
    def around() -> dict[str, Any]:
        config = current_app.extensions["tracker"]
        # macros that are imported without the page's context still see `g`
        g.now = clock.now()
        return {
            "organisation": config.organisation,
            "version": VERSION,
            "now": g.now,
            "theme": _theme(),
            "navigation": [(endpoint, words) for endpoint, words, permission in NAVIGATION if _may(permission)],
            "incident_tabs": [(endpoint, words) for endpoint, words in INCIDENT_TABS if endpoint in current_app.view_functions],
            "pulse": pulse,
            "may": lambda permission, incident=None: _may(Permission(permission), incident),
        }


def _may(permission: Permission, incident: Any = None) -> bool:
    return current_user.is_authenticated and may(current_user, permission, incident)


def _theme() -> str:
    chosen = request.cookies.get("theme", "auto")
    return chosen if chosen in ("light", "dark") else "auto"
