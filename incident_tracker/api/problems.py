"""What can go wrong, as a program reads it: problem details (RFC 9457), one table from our errors to them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from incident_tracker import logs
from incident_tracker.errors import Conflict, Invalid, NotAllowed, NotFound, TooManyTries, TrackerError
from incident_tracker.models.base import db

MEDIA_TYPE = "application/problem+json"

log = logs.logger("api.problems")


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its status, the last part of its type's address, and its title, which never changes."""

    status: int
    name: str
    title: str


UNREADABLE = Kind(400, "unreadable", "The request could not be read")
NO_TOKEN = Kind(401, "no-token", "A live token is needed")
FORBIDDEN = Kind(403, "forbidden", "This is not allowed")
NO_SUCH = Kind(404, "not-found", "There is no such thing")
NO_METHOD = Kind(405, "method-not-allowed", "This address does not do that")
CONFLICT = Kind(409, "conflict", "It stands differently by now")
TOO_LARGE = Kind(413, "too-large", "The body is too large")
NO_JSON = Kind(415, "not-json", "The body must be JSON")
INVALID = Kind(422, "invalid", "Something in it cannot be taken")
TOO_MANY = Kind(429, "too-many", "Too many wrong tokens")
BROKEN = Kind(500, "broken", "Something broke on our side")
UNAVAILABLE = Kind(503, "unavailable", "The database does not answer")

KINDS = (UNREADABLE, NO_TOKEN, FORBIDDEN, NO_SUCH, NO_METHOD, CONFLICT, TOO_LARGE, NO_JSON, INVALID, TOO_MANY, BROKEN, UNAVAILABLE)

#: the one table from what went wrong to what a program is told
TABLE: dict[type[TrackerError], Kind] = {NotFound: NO_SUCH, NotAllowed: FORBIDDEN, Conflict: CONFLICT, Invalid: INVALID, TooManyTries: TOO_MANY}

_BY_STATUS = {kind.status: kind for kind in KINDS}

#: what is said where nothing more is known
_WORDS = {
    UNREADABLE: "Look at the request again.", NO_SUCH: "There is no such address, or nothing there that you may know of.",
    NO_METHOD: "See the header Allow.", TOO_LARGE: "Send less than 1 MB.",
    BROKEN: "Nothing was saved by this request. The error was written to the log.", UNAVAILABLE: "Nothing was saved. Try again in a minute.",
}


class Refusal(Exception):
    """The request is refused before anything was asked of the tracker. `errors` are {field, in, detail}."""

    def __init__(self, kind: Kind, detail: str, errors: Sequence[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.errors, self.headers = kind, detail, errors, dict(headers or {})


def answer(kind: Kind, detail: str = "", errors: Sequence[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None) -> Response:
    """The response for a problem. Its type is the address of the words about it, under /help/api."""
    base = current_app.extensions["tracker"].base_url.rstrip("/")
    said: dict[str, Any] = {
        "type": f"{base}/help/api#{kind.name}", "title": kind.title, "status": kind.status, "detail": detail or _WORDS.get(kind, kind.title),
    }
    if errors:
        said["errors"] = [dict(one) for one in errors]
    return Response(json.dumps(said), kind.status, headers=dict(headers or {}), content_type=MEDIA_TYPE)


def of_refusal(refusal: Refusal) -> Response:
    """As the refusal says."""
    return answer(refusal.kind, refusal.detail, refusal.errors, refusal.headers)


def of_tracker_error(error: TrackerError) -> Response:
    """By the table; a field's words stand beside its name."""
    kind = next((found for known, found in TABLE.items() if isinstance(error, known)), UNREADABLE)
    fields = error.fields if isinstance(error, Invalid) else {}
    errors = [{"field": name, "in": "body", "detail": said} for name, texts in fields.items() for said in texts]
    return answer(kind, str(error), errors, {"Retry-After": str(error.seconds)} if isinstance(error, TooManyTries) else None)


def of_http(error: HTTPException) -> Response:
    """What the framework refused. A detour to another address is none of ours: there is nothing at this one."""
    kind = _BY_STATUS.get(error.code or 500, NO_SUCH if (error.code or 500) < 400 else UNREADABLE if (error.code or 500) < 500 else BROKEN)
    allowed = getattr(error, "valid_methods", None)
    return answer(kind, headers={"Allow": ", ".join(sorted(allowed))} if allowed else None)


def of_database(error: OperationalError) -> Response:
    """The database is away."""
    db.session.rollback()
    log.error("database", problem=type(error.orig).__name__, endpoint=request.endpoint)
    return answer(UNAVAILABLE, headers={"Retry-After": "60"})


def of_anything(error: Exception) -> Response:
    """Something broke. The type and place only go into the log: the message of an error can hold what somebody sent."""
    db.session.rollback()
    log.error("unexpected", problem=type(error).__name__, place=logs.place_of(error), endpoint=request.endpoint)
    return answer(BROKEN)
