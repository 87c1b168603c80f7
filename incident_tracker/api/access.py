"""Who calls: a bearer token in the header, and nothing else, lets a program in."""

from contextlib import suppress
from typing import NoReturn

from flask import Response, g, request
from sqlalchemy.exc import OperationalError

from incident_tracker import clock
from incident_tracker.actions import tokens as acts
from incident_tracker.actions.sign_ins import STRANGER
from incident_tracker.actions.tokens import Holder
from incident_tracker.api import bodies, problems
from incident_tracker.api.problems import FORBIDDEN, NO_SUCH, NO_TOKEN, Refusal
from incident_tracker.errors import Conflict
from incident_tracker.models.tokens import NOTED_EVERY, ApiToken, Scope, note_use
from incident_tracker.rules import throttles
from incident_tracker.work import unit_of_work

#: everything below it is answered by this floor alone, also what is not there
ROOT = "/api/"

_REALM = 'Bearer realm="incident tracker"'


def check() -> Response | None:
    """Before every request: let in whoever shows a live token, and remember them; a page's request passes by."""
    if not request.path.startswith(ROOT):
        return None
    request.max_content_length = bodies.LARGEST
    if request.routing_exception is not None:
        return problems.of_http(request.routing_exception)
    g.caller = _holder()
    if "\0" in request.path:
        raise Refusal(NO_SUCH, "There is no such address.")
    bodies.refuse_odd_signs()
    return None


def caller() -> Holder:
    """Who calls."""
    found: Holder = g.caller
    return found


def demand(scope: Scope | None) -> None:
    """Refuse a token that was not made for this. Raises Refusal."""
    if scope is not None and scope.value not in caller().scopes:
        challenge = f'{_REALM}, error="insufficient_scope", scope="{scope.value}"'
        raise Refusal(FORBIDDEN, f"This token does not have the scope {scope.value}.", headers={"WWW-Authenticate": challenge})


def _holder() -> Holder:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Refusal(NO_TOKEN, "Send a token in the header Authorization: Bearer.", headers={"WWW-Authenticate": _REALM})
    now = clock.now()
    holder, token = acts.holder_of(text.strip(), now)
    if holder is None or token is None:
        _refuse(token)
    if token.last_used_at is None or now - token.last_used_at >= NOTED_EVERY:
        # somebody else's note of the same minute says as much, and no request fails for want of a note
        with suppress(Conflict, OperationalError), unit_of_work(holder, now) as work:
            note_use(work.session, token.id, work.now)
    return holder


def _refuse(token: ApiToken | None) -> NoReturn:
    with unit_of_work(STRANGER) as work:
        acts.refuse_token(work, token, throttles.network(request.remote_addr))
    raise Refusal(NO_TOKEN, "This token opens nothing.", headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'})
