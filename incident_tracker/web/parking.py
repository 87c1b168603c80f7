"""Text that was typed into a form whose session had ended: kept for the person, given back after signing in."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf.csrf import validate_csrf
from werkzeug.wrappers import Response
from wtforms import ValidationError

from incident_tracker import clock
from incident_tracker.actions import sign_ins
from incident_tracker.config import load_secrets
from incident_tracker.errors import TrackerError
from incident_tracker.models import sign_ins as kept
from incident_tracker.models.sign_ins import ParkedForm
from incident_tracker.web import sessions
from incident_tracker.work import unit_of_work

pages = Blueprint("parking", __name__)

#: more than this is not kept but shown at once, to be copied
MOST_LETTERS = 500_000

#: a stranger's upload is not even read beyond this
MOST_BYTES_OF_A_STRANGER = 2_000_000

#: the mark by which a form that is sent again is known
MARK = "parked_form"

_SECRET_NAMES = frozenset({"csrf_token", "code", "credential", "sealed_state", MARK})
_SECRET_ENDS = re.compile(r"(^|_)(password|passphrase|secret|token|api_key)(_again)?$")


def register(app: Flask) -> None:
    """Make the key ready, and let go of a kept form once it was sent."""
    app.extensions["parking"] = Fernet(load_secrets(app.extensions["tracker"].instance).parked_forms_key)
    app.add_template_filter(_as_label, "as_label")
    app.after_request(_let_go)


def typed_fields() -> list[tuple[str, str]]:
    """What this request's form held, without secrets, in the form's order."""
    if request.method != "POST":
        return []
    return _shown(_fields())


def park_and_ask() -> Response:
    """Keep the form for the person whose session has ended and ask to sign in; where nobody can be told, show it to be copied."""
    person = sessions.whose()
    if person is None and (request.content_length or 0) > MOST_BYTES_OF_A_STRANGER:
        return _show([], too_large=True)
    fields, path = _fields(), request.full_path.rstrip("?")
    too_long = len(path) > 500 or sum(len(name) + len(value) for name, value in fields) > MOST_LETTERS
    if person is None or too_long or not _is_genuine():
        return _show(fields)
    _park(person, path, fields, "ended")
    flash("Your session had ended. What you typed is kept for you: sign in again and it comes back.", "plain")
    return redirect(url_for("security.login"), 303)


def park_until_confirmed() -> None:
    """Keep the form of somebody signed in who is asked to show once more that it is them."""
    _park(current_user, request.full_path.rstrip("?"), _fields(), "confirm")


@pages.get("/kept-text")
def show() -> ResponseReturnValue:
    """What one had typed when the session ended, with the offer to send it after all."""
    then = sessions.safe_path(request.args.get("then"))
    forms = [(form, content) for form in _own_forms() if (content := _open(form)) is not None]
    if not forms:
        return redirect(then)
    return render_template("security/kept.html", forms=forms, shown=_shown, is_long=_is_long, then=then, mark=MARK)


@pages.post("/kept-text/<int:form_id>/discard")
def discard(form_id: int) -> ResponseReturnValue:
    """Throw a kept form away."""
    with unit_of_work(current_user) as work:
        sign_ins.discard_form(work, form_id, "its owner did not want it")
    flash("Thrown away.", "good")
    return redirect(url_for(".show", then=sessions.safe_path(request.form.get("then"))))


def _park(person: Any, path: str, fields: list[tuple[str, str]], why: str) -> None:
    with unit_of_work(sign_ins.STRANGER) as work:
        sign_ins.park_form(work, person, path, _seal(person, fields, why), request.form.get(MARK, type=int))


def _fields() -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.form.items(multi=True) if not _is_secret(name)]


def _is_secret(name: str) -> bool:
    return name in _SECRET_NAMES or _SECRET_ENDS.search(name.lower()) is not None


def _shown(fields: Iterable[Iterable[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in fields if value.strip() and name != "submit"]


def _is_long(value: str) -> bool:
    return len(value) > 100 or "\n" in value.strip()


def _as_label(name: str) -> str:
    words = re.sub(r"[-_.]+", " ", name).strip()
    return words[:1].upper() + words[1:]


def _is_genuine() -> bool:
    # only a form of this browser's own session is kept: nobody else can put words into somebody's mouth
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return "csrf_token" in session


def _show(fields: list[tuple[str, str]], *, too_large: bool = False) -> Response:
    page = render_template("security/typed.html", typed=_shown(fields), files=[] if too_large else _files(), too_large=too_large)
    return Response(page, 401, content_type="text/html; charset=utf-8")


def _files() -> list[str]:
    return [upload.filename for upload in request.files.values() if upload.filename]


def _seal(person: Any, fields: list[tuple[str, str]], why: str) -> str:
    came_from = urlsplit(request.referrer or "")
    page = f"{came_from.path}?{came_from.query}".rstrip("?") if came_from.netloc == request.host else ""
    content = {"person": person.id, "fields": fields, "files": _files(), "page": page, "why": why}
    return _fernet().encrypt(json.dumps(content).encode()).decode()


def _open(form: ParkedForm) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(_fernet().decrypt(form.sealed.encode(), ttl=int(sign_ins.KEPT_FOR.total_seconds())))
    except InvalidToken:
        return None
    return content if content["person"] == current_user.id else None


def _own_forms() -> list[ParkedForm]:
    return kept.parked_forms(current_user.id, clock.now() - sign_ins.KEPT_FOR)


def _fernet() -> Fernet:
    found: Fernet = current_app.extensions["parking"]
    return found


def _let_go(response: Response) -> Response:
    """A kept form that was sent and taken is removed; one that was refused stays until it is taken or thrown away."""
    if request.method != "POST" or response.status_code >= 400 or MARK not in request.form or not current_user.is_authenticated:
        return response
    # gone already, or never theirs: what was sent is done all the same
    with suppress(TrackerError), unit_of_work(current_user) as work:
        sign_ins.discard_form(work, request.form.get(MARK, 0, type=int), "it was sent")
    return response
