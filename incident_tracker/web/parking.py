"""Text that was typed into a form whose session had ended: kept for the person, given back after signing in."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

NEVER_SHOWN = frozenset({"csrf_token", "password", "password_confirm", "new_password", "new_password_confirm", "code", "submit"})


def typed_fields() -> list[tuple[str, str]]:
    """What this request's form held, without secrets, in the form's order."""
    if request.method != "POST":
        return []
    return [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER_SHOWN and value.strip()]


def park_and_ask() -> Response:
    """Ask to sign in again."""
    return redirect(url_for("security.login"))
