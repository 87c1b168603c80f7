"""The one table from what went wrong to the page that says so. These pages need no database."""

from typing import Any

from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from incident_tracker import logs
from incident_tracker.errors import Conflict, Invalid, NotAllowed, NotFound, TrackerError
from incident_tracker.web import parking

STATUS: dict[type[TrackerError], int] = {NotFound: 404, NotAllowed: 403, Conflict: 409, Invalid: 422}

HTTP_WORDS = {
    400: ("That request could not be read", "Go back and try again. If it happens again, open the page anew."),
    403: ("That is not yours to do", "Your role does not let you do this. An administrator can change roles under People."),
    404: ("Nothing here", "There is no such page, or you are not on the incident it belongs to."),
    405: ("That cannot be done from here", "Go back and use the button on the page."),
    413: ("That file is too large", "Go back and choose a smaller file; the largest size stands beside the field."),
    429: ("Too many tries", "Wait a few minutes, then try again."),
    500: (
        "Something broke on our side",
        "Nothing was saved by this step. Go back: your text should still be in the form. The error was written to the log.",
    ),
    503: (
        "The database does not answer",
        "Nothing was saved by this step. Go back and try again in a minute; warnings go on as soon as it answers.",
    ),
}

log = logs.logger("web.errors")


def register(app: Flask) -> None:
    """Hang the error pages on `app`."""
    app.register_error_handler(TrackerError, _tracker_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(Exception, _unexpected)


def _page(status: int, title: str, text: str, **more: Any) -> tuple[str, int]:
    return render_template("errors/error.html", status=status, title=title, text=text, **more), status


def _tracker_error(error: TrackerError) -> tuple[str, int]:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    if isinstance(error, Conflict):
        return render_template("errors/conflict.html", error=error, typed=parking.typed_fields()), status
    title = HTTP_WORDS[status][0] if status in HTTP_WORDS else "Please look again"
    return _page(status, title, str(error), typed=parking.typed_fields())


def _csrf_error(_error: CSRFError) -> Any:
    return _page(
        400,
        "This form is too old to be sent",
        "It was opened before you signed in, or too long ago. Nothing was saved. Your text is below: open the page anew and send it.",
        typed=parking.typed_fields(),
    )


def _http_error(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error
    title, text = HTTP_WORDS.get(error.code or 500, (error.name, "Go back and try again."))
    return _page(error.code or 500, title, text, typed=parking.typed_fields() if error.code == 403 else [])


def _database_error(error: OperationalError) -> tuple[str, int]:
    log.error("database", problem=type(error.orig).__name__, endpoint=request.endpoint)
    title, text = HTTP_WORDS[503]
    return _page(503, title, text, typed=parking.typed_fields())


def _unexpected(error: Exception) -> tuple[str, int]:
    # the type and place only: the message of an error can hold what a person typed
    log.error("unexpected", problem=type(error).__name__, place=logs.place_of(error), endpoint=request.endpoint)
    title, text = HTTP_WORDS[500]
    return _page(500, title, text, typed=parking.typed_fields())
