"""Parts of lists: so many items, how many there are in all, and the address of the next part."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, jsonify, request

from incident_tracker.api.problems import INVALID, Refusal

#: the header that leads on, for the description
LINK = {"Link": {"description": "The address of the next part, as rel=next; none at the end.", "schema": {"type": "string"}}}


def part_of(found: Sequence[Any], wanted: dict[str, Any], shown: Callable[[Any], dict[str, Any]], by: str = "id") -> Response:
    """The part of what was found that comes behind the one called `wanted["after"]`, by its attribute `by`.

    Raises Refusal where that is not among it.
    """
    start = 0
    if wanted["after"]:
        start = next((place for place, one in enumerate(found, 1) if getattr(one, by) == wanted["after"]), 0)
        if not start:
            raise unknown_place(wanted["after"])
    shown_now = found[start : start + wanted["limit"]]
    goes_on = start + len(shown_now) < len(found)
    return answer([shown(one) for one in shown_now], len(found), getattr(shown_now[-1], by) if goes_on else None)


def answer(items: list[dict[str, Any]], total: int, last: Any) -> Response:
    """The answer with a part of a list; `last` is the id of its last item where more follow, else None."""
    following = None
    if last is not None:
        base = current_app.extensions["tracker"].base_url.rstrip("/")
        following = f"{base}{request.path}?{urlencode({**request.args.to_dict(), 'after': last})}"
    response = jsonify({"items": items, "total": total, "next": following})
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def unknown_place(after: Any) -> Refusal:
    """There is nothing behind which to go on."""
    return Refusal(INVALID, f"after: {after} is not in this list.", [{"field": "after", "in": "query", "detail": "It is not in this list."}])
