"""Reading what a program sends: strict JSON of a sensible size and depth, and values of the right shape."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, request
from webargs.flaskparser import FlaskParser

from incident_tracker.api.problems import INVALID, NO_JSON, TOO_LARGE, UNREADABLE, Refusal

#: a facts document with every fact in it has a tenth of this
LARGEST = 1_000_000

DEEPEST = 32

#: more digits than any number of people, and fewer than the database's largest number has
MOST_DIGITS = 15


class Reader(FlaskParser):
    """Reads bodies and queries; a name that nobody knows is refused, for it may be a slip."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        return read_json(req)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_: Any) -> NoReturn:
        """Say of each field what is wrong with it. Raises Refusal."""
        found = [
            {"field": ".".join(path), "in": "body" if place == "json" else place, "detail": text}
            for place, messages in error.normalized_messages().items()  # type: ignore[no-untyped-call]
            for path, text in _flat(messages, ())
        ]
        raise Refusal(INVALID, " ".join(f"{one['field'] or one['in']}: {one['detail']}" for one in found)[:2000], found)


def read_json(req: Request) -> Any:
    """The body as JSON values. Raises Refusal, or what the framework raises for a body that is too large."""
    if not req.is_json:
        raise Refusal(NO_JSON, "Send it with the header Content-Type: application/json.")
    raw = req.get_data(cache=False)
    if len(raw) >= LARGEST:
        # what comes without a length is cut off there, and a part of it may look like all of it
        raise Refusal(TOO_LARGE, "Send less than 1 MB.")
    try:
        found = json.loads(
            raw.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_real, parse_int=_whole, object_pairs_hook=_without_doubles
        )
    except RecursionError as error:
        raise Refusal(UNREADABLE, _TOO_DEEP) from error
    except json.JSONDecodeError as error:
        raise Refusal(UNREADABLE, f"That is no JSON: line {error.lineno}, column {error.colno}.") from error
    except UnicodeDecodeError as error:
        raise Refusal(UNREADABLE, "The body is not in UTF-8.") from error
    _check(found)
    return found


def refuse_odd_signs() -> None:
    """Refuse a query with a sign that no text has and no database takes. Raises Refusal."""
    for name, value in request.args.items(multi=True):
        if _is_odd(name) or _is_odd(value):
            raise Refusal(UNREADABLE, _ODD)


_TOO_DEEP = f"The body is nested too deeply: {DEEPEST} levels at most."
_ODD = "A text holds the sign NUL or half a sign."


def _check(document: Any) -> None:
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise Refusal(UNREADABLE, _TOO_DEEP)
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str) and _is_odd(value):
            raise Refusal(UNREADABLE, _ODD)


def _is_odd(text: str) -> bool:
    return "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text)


def _refuse_constant(name: str) -> NoReturn:
    raise Refusal(UNREADABLE, f"{name} is no number in JSON.")


def _real(digits: str) -> float:
    found = float(digits)
    if not math.isfinite(found):
        raise Refusal(UNREADABLE, "A number is too large.")
    return found


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise Refusal(UNREADABLE, f"A number is too large: {MOST_DIGITS} digits at most.")
    return int(digits)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal(UNREADABLE, "An object names the same thing twice.")
    return found


def _flat(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            own = () if name == "_schema" else (str(name),)
            yield from _flat(inner, (*path, *own))
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path, str(messages)
