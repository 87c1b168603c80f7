"""The API keeps the house's rules: no stranger comes in, no outsider learns, no reader changes, and nothing is undocumented."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from incident_tracker.actions import tokens
from incident_tracker.api import ENTRANCES, problems
from incident_tracker.errors import TrackerError
from incident_tracker.models.tokens import Scope
from incident_tracker.work import unit_of_work
from tests import addresses, stories
from tests.addresses import Told
from tests.guards.test_routes import AnyBlank

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: how every operation may end
ALWAYS = {"400", "401", "429", "500", "503"}
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])


def operations(app: Flask) -> list[tuple[str, Rule]]:
    return [(method, rule) for method in METHODS for rule in addresses.routes(app, method) if addresses.is_of_the_api(rule)]


def undocumented(app: Flask, spec: dict[str, Any]) -> list[str]:
    """Operations that the description does not have, or has without a summary, its scope or its errors; and what it has too much."""
    found = []
    told = {(method.upper(), path): one for path, part in spec["paths"].items() for method, one in part.items() if method.upper() in METHODS}
    for method, rule in operations(app):
        one = told.pop((method, re.sub(r"<(?:[^<>]+:)?([^:<>]+)>", r"{\1}", rule.rule)), None)
        if one is None:
            found.append(f"{method} {rule.rule}: not in the description")
            continue
        found += [f"{method} {rule.rule}: {said}" for said in faults(one, has_blank=bool(rule.arguments))]
    return found + [f"{method} {path}: there is no such operation" for method, path in told]


def faults(one: dict[str, Any], *, has_blank: bool) -> list[str]:
    """What the description of one operation lacks."""
    found = [] if one.get("summary") else ["no summary"]
    scopes = [scope for way in one.get("security", []) for needed in way.values() for scope in needed]
    found += [] if one.get("security") and set(scopes) <= {scope.value for scope in Scope} else ["no security, or an unknown scope"]
    wanted = ALWAYS | ({"403"} if scopes else set()) | ({"404"} if has_blank else set()) | ({"413", "415", "422"} if "requestBody" in one else set())
    missing = sorted(wanted - {str(status) for status in one["responses"]})
    found += [f"errors without a word: {', '.join(missing)}"] if missing else []
    found += [] if any(str(status).startswith("2") for status in one["responses"]) else ["no answer"]
    return found


def unnamed(kinds: Iterable[type[TrackerError]]) -> list[str]:
    """Errors of ours that the table to problems does not know."""
    return [kind.__name__ for kind in kinds if kind not in problems.TABLE]


@on_sqlite
def test_every_api_route_is_documented(app: Flask) -> None:
    assert len(operations(app)) > 8
    assert undocumented(app, app.extensions["openapi"]) == []


@on_sqlite
def test_every_api_route_refuses_a_stranger(app: Flask) -> None:
    for method, rule in operations(app):
        answer = FlaskClient(app, app.response_class, use_cookies=False).open(addresses.address(rule, Told("1", AnyBlank())), method=method)
        assert (answer.status_code, answer.content_type) == (401, problems.MEDIA_TYPE), rule.rule
        assert answer.headers["WWW-Authenticate"].startswith("Bearer "), rule.rule


def test_every_api_route_of_a_restricted_incident_is_not_found_by_an_outsider(app: Flask) -> None:
    told = addresses.tell(app, restricted=True)
    found = {rule.rule: _status(app, "otto", method, rule, told) for method, rule in operations(app) if "reference" in rule.arguments}
    assert len(found) >= 2
    assert set(found.values()) == {404}


def test_every_change_by_the_api_is_refused_to_a_reader(app: Flask) -> None:
    told = addresses.tell(app, restricted=False)
    changes = {rule.rule: _status(app, "olga", method, rule, told) for method, rule in operations(app) if method != "GET" and "reference" in rule.arguments}
    assert changes
    assert set(changes.values()) == {403}


def _status(app: Flask, name: str, method: str, rule: Rule, told: Told) -> int:
    with unit_of_work(stories.person(name)) as work:
        text = tokens.make_token(work, f"{method} {rule.rule}"[:60], [scope.value for scope in Scope], 7)[1]
    client = FlaskClient(app, app.response_class, use_cookies=False)
    return client.open(addresses.address(rule, told), method=method, headers={"Authorization": f"Bearer {text}"}).status_code


def test_every_error_of_ours_has_its_problem() -> None:
    assert TrackerError.__subclasses__()
    assert unnamed(TrackerError.__subclasses__()) == []
    assert len({kind.name for kind in problems.KINDS}) == len({kind.status for kind in problems.KINDS}) == len(problems.KINDS)


@on_sqlite
def test_nothing_below_the_apis_address_is_a_page(app: Flask) -> None:
    own = {entrance.name for entrance in ENTRANCES}
    assert {rule.endpoint.split(".")[0] for _, rule in operations(app)} == own
    assert [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] in own and not addresses.is_of_the_api(rule)] == []


@on_sqlite
def test_it_would_notice_an_undocumented_route(app: Flask) -> None:
    spec = app.extensions["openapi"]
    less = {**spec, "paths": {path: part for path, part in spec["paths"].items() if path != "/api/v1/me"}}
    assert undocumented(app, less) == ["GET /api/v1/me: not in the description"]
    assert faults({"responses": {"200": {}}, "security": [{"token": ["all"]}], "requestBody": {}}, has_blank=True) == [
        "no summary", "no security, or an unknown scope", "errors without a word: 400, 401, 403, 404, 413, 415, 422, 429, 500, 503",
    ]
    assert undocumented(app, {"paths": {**spec["paths"], "/api/v1/gone": {"get": {}}}}) == ["GET /api/v1/gone: there is no such operation"]


def test_it_would_notice_an_error_without_a_problem() -> None:
    assert unnamed([type("Planted", (Exception,), {})]) == ["Planted"]  # type: ignore[list-item]
