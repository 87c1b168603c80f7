"""What a program can do here: the page about the API, made from the API's own description."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from incident_tracker.models.tokens import SCOPE_MEANINGS

pages = Blueprint("programs", __name__)

#: what stands for the blanks of an address in an example
BLANKS = {"obligation_id": "eu-gdpr-33-1", "reference": "INC-2026-0001", "duty_id": "1"}


@dataclass(frozen=True)
class Route:
    """One thing that a program can ask or do."""

    method: str
    path: str
    summary: str
    text: str
    scope: str
    parameters: list[dict[str, str]]
    errors: list[int]
    example: str


@pages.get("/help/api")
def index() -> ResponseReturnValue:
    """Every route with its method, its scope and an example; and every kind of problem."""
    spec = current_app.extensions["openapi"]
    parts: dict[str, list[Route]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method in ("get", "post", "put", "patch", "delete"):
                parts.setdefault(operation["tags"][0], []).append(_route(spec, path, method, operation, operations.get("parameters", [])))
    always = sorted(set.intersection(*(set(route.errors) for routes in parts.values() for route in routes)))
    return render_template("help/api.html", parts=parts, always=always, problems=current_app.extensions["problems"], scopes=SCOPE_MEANINGS, base=_base(spec))


def _route(spec: dict[str, Any], path: str, method: str, operation: dict[str, Any], shared: list[dict[str, Any]]) -> Route:
    scopes = [scope for way in operation["security"] for needed in way.values() for scope in needed]
    asked = [one for one in [*shared, *operation.get("parameters", [])] if one["in"] == "query"]
    return Route(
        method.upper(), path, operation["summary"], operation.get("description", ""), scopes[0] if scopes else "",
        [{"name": one["name"], "text": one.get("description", "")} for one in asked],
        sorted(int(status) for status in operation["responses"] if int(status) >= 400), _example(spec, path, method, operation),
    )


def _example(spec: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    """A command line that asks for it; the token in it is none."""
    for name, value in BLANKS.items():
        path = path.replace(f"{{{name}}}", value)
    way = "" if method == "get" else f"-X {method.upper()} "
    lines = [f"curl {way}{_base(spec)}{path}", "-H 'Authorization: Bearer bt_…'"]
    content = operation.get("requestBody", {}).get("content", {})
    for media_type, body in content.items():
        lines += [f"-H 'Content-Type: {media_type}'", f"-d '{json.dumps(body.get('example', {}), ensure_ascii=False)}'"]
    return " \\\n  ".join(lines)


def _base(spec: dict[str, Any]) -> str:
    return str(spec["servers"][0]["url"])
