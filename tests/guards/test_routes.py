"""Every page is closed to strangers, every change to those who may not make it, and looking changes nothing."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask
from werkzeug.routing import Rule

from incident_tracker.factory import create_app
from incident_tracker.models.base import db
from incident_tracker.web.guard import OPEN_ENDPOINTS
from incident_tracker.work import unit_of_work
from tests import addresses, rows
from tests.addresses import Told
from tests.conftest import built, test_config
from tests.guards.sources import Module, dotted, modules, planted

#: what a stranger may open. Written here a second time, so that opening another door is a deliberate act
OPEN_TO_STRANGERS = {
    "static", "health.healthz", "health.readyz", "metrics.show",
    "security.login", "security.logout", "security.code", "security.recovery", "security.set_up_code",
    "passkeys.sign_in", "resets.ask", "resets.reset",
    "invitations.accept", "invitations.set_up", "feeds.read",
    "acknowledgements.show", "acknowledgements.give",
}
#: changes that everybody makes to what is their own: they need no role
ONES_OWN = {"accounts", "passkeys", "security", "parking", "bell", "tokens", "feeds", "absences"}
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
SIGN_IN = "/sign-in"


@pytest.fixture
def closed(home: Path, database_url: str) -> Iterator[Flask]:
    """The application with every page that it can have, those of debug mode too."""
    app = built(test_config(home, database_url, debug=True))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


class AnyBlank(dict[str, str]):
    """A value for whatever blank: a stranger must not get far enough for it to matter."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "1"


def _for_strangers(rule: Rule) -> str:
    return addresses.address(rule, Told("1", AnyBlank()))


def open_to_strangers(app: Flask) -> list[str]:
    """Routes that answer somebody without a session with anything but "sign in" or a refusal."""
    found = []
    for method in ("GET", *CHANGES):
        for rule in addresses.routes(app, method):
            if rule.endpoint in OPEN_TO_STRANGERS:
                continue
            answer = app.test_client().open(_for_strangers(rule), method=method)
            asks = answer.status_code == 302 and answer.headers["Location"].startswith(SIGN_IN)
            refuses = answer.status_code == 401 if addresses.is_of_the_api(rule) else asks or answer.status_code in (401, 403)
            if not refuses:
                found.append(f"{method} {rule.rule} answers {answer.status_code}")
    return found


def test_it_opens_to_strangers_what_is_listed_here_and_nothing_else() -> None:
    assert OPEN_ENDPOINTS == OPEN_TO_STRANGERS


@on_sqlite
def test_it_has_every_page_that_it_opens_to_strangers(closed: Flask) -> None:
    assert OPEN_TO_STRANGERS - {rule.endpoint for rule in closed.url_map.iter_rules()} == set()


@on_sqlite
def test_it_refuses_strangers_everywhere_else(closed: Flask) -> None:
    assert len(addresses.routes(closed, "GET")) > 20
    assert open_to_strangers(closed) == []


@on_sqlite
def test_it_refuses_a_stranger_with_a_forged_session(closed: Flask) -> None:
    client = closed.test_client()
    client.set_cookie("tracker", "eyJfdXNlcl9pZCI6InVuaXF1aWZpZXItb2YtaW5lcyJ9.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    answer = client.get("/incidents")
    assert (answer.status_code, answer.headers["Location"].startswith(SIGN_IN)) == (302, True)


@pytest.fixture
def told(app: Flask) -> Told:
    return addresses.tell(app, restricted=True)


def _answers(app: Flask, name: str, told: Told, browse: Any, *, with_incident: bool) -> dict[str, int]:
    """How every change answers somebody, those to what is their own apart, by route."""
    found = {}
    for method in CHANGES:
        for rule in addresses.pages(app, method):
            is_meant = ("reference" in rule.arguments) is with_incident and rule.endpoint.split(".")[0] not in ONES_OWN
            if is_meant and rule.endpoint not in OPEN_TO_STRANGERS:
                found[f"{method} {rule.rule}"] = browse(name).open(addresses.address(rule, told), method=method).status_code
    return found


def _except(status: int, answers: dict[str, int]) -> dict[str, int]:
    return {route: found for route, found in answers.items() if found != status}


def test_it_does_not_let_an_outsider_know_of_a_restricted_incident(app: Flask, told: Told, browse: Any) -> None:
    answers = _answers(app, "otto", told, browse, with_incident=True)
    assert len(answers) > 10
    assert _except(404, answers) == {}


def test_it_shows_an_outsider_no_page_of_a_restricted_incident(app: Flask, told: Told, browse: Any) -> None:
    pages = [rule for rule in addresses.pages(app, "GET") if "reference" in rule.arguments]
    assert len(pages) > 8
    for name in ("otto", "adam"):
        assert _except(404, {rule.rule: browse(name).get(addresses.address(rule, told)).status_code for rule in pages}) == {}, name


def test_it_refuses_a_reader_every_change_to_an_incident(app: Flask, told: Told, browse: Any) -> None:
    assert _except(403, _answers(app, "olga", told, browse, with_incident=True)) == {}


def test_it_refuses_a_reader_every_other_change(app: Flask, told: Told, browse: Any) -> None:
    assert _except(403, _answers(app, "olga", told, browse, with_incident=False)) == {}


def test_it_refuses_every_change_without_the_forms_token(app: Flask, told: Told, browse: Any) -> None:
    answers = {}
    for rule in addresses.pages(app, "POST"):
        if rule.endpoint not in OPEN_TO_STRANGERS:
            answers[rule.rule] = browse("ines").post(addresses.address(rule, told), data={"csrf_token": ""}).status_code
    assert _except(400, answers) == {}


def test_it_changes_nothing_by_showing_a_page(app: Flask, told: Told, browse: Any) -> None:
    before = _contents()
    for name in ("ines", "olga", "adam"):
        for rule in addresses.routes(app, "GET"):
            if rule.endpoint not in OPEN_TO_STRANGERS and rule.arguments <= told.blanks.keys():
                browse(name).get(addresses.address(rule, told))
    assert {table: found for table, found in _contents().items() if found != before[table]} == {}


def _contents() -> rows.Contents:
    db.session.rollback()
    with db.engine.connect() as connection:
        return rows.contents(connection)


# -- and by the text of the views, for those paths that no test walks -------------------------------------------------------

Function = ast.FunctionDef | ast.AsyncFunctionDef
ASKED_FIRST = ("validate_on_submit", "request.method", "is_submitted")


def changing_gets(looked_at: Iterable[Module]) -> list[str]:
    """Views that answer GET and open a unit of work without having asked whether a form was sent."""
    found = []
    for module in looked_at:
        own = {node.name: node for node in module.tree.body if isinstance(node, Function)}
        found += [f"{module.name}.{view.name}" for view in own.values() if _answers_get(view) and Reader(own, view).opens_work(view.body)]
    return found


def _answers_get(function: Function) -> bool:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and dotted(decorator.func).endswith(".get"):
            return True
        if isinstance(decorator, ast.Call) and dotted(decorator.func).endswith(".route"):
            methods = next((keyword.value for keyword in decorator.keywords if keyword.arg == "methods"), None)
            return methods is None or "GET" in ast.unparse(methods)
    return False


class Reader:
    """Reads one function of a module, and those it mentions."""

    def __init__(self, own: dict[str, Function], function: Function, seen: frozenset[str] = frozenset()) -> None:
        self.own, self.seen = own, seen | {function.name}
        answers = [node for node in ast.walk(function) if isinstance(node, ast.Assign) and _asks(node.value, ASKED_FIRST)]
        #: what shows in a condition that a form was sent: asking for it, or a name that holds the answer
        self.signs = (*ASKED_FIRST, *(target.id for node in answers for target in node.targets if isinstance(target, ast.Name)))
        self.local = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}

    def opens_work(self, body: list[ast.stmt]) -> bool:
        """Whether these statements open a unit of work on a way that does not ask for a form first."""
        for statement in body:
            if isinstance(statement, ast.If) and _asks(statement.test, self.signs):
                if self.opens_work(statement.orelse):
                    return True
                if ast.unparse(statement.test).startswith("not ") and isinstance(statement.body[-1], ast.Return | ast.Raise):
                    return False
            elif self._opens(statement):
                return True
        return False

    def _opens(self, statement: ast.stmt) -> bool:
        inner: list[ast.stmt] = [node for name in ("body", "orelse", "finalbody") for node in getattr(statement, name, [])]
        inner += [node for clause in getattr(statement, "handlers", []) for node in clause.body]
        if not inner:
            return self._mentions(statement)
        heads = [value for name, value in ast.iter_fields(statement) if isinstance(value, ast.AST)] + [item.context_expr for item in getattr(statement, "items", [])]
        return any(self._mentions(head) for head in heads) or self.opens_work(inner)

    def _mentions(self, node: ast.AST) -> bool:
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} - self.local
        others = [self.own[name] for name in sorted(names & self.own.keys() - self.seen)]
        return unit_of_work.__name__ in names or any(Reader(self.own, other, self.seen).opens_work(other.body) for other in others)


def _asks(node: ast.AST, signs: Iterable[str]) -> bool:
    return any(re.search(rf"\b{sign}\b", ast.unparse(node)) for sign in signs)


def test_it_has_no_view_that_changes_something_on_get() -> None:
    assert changing_gets(module for module in modules() if module.name.startswith(("incident_tracker.web", "incident_tracker.api"))) == []


def test_it_would_notice_a_get_that_changes_something() -> None:
    for text in (
        "@pages.get('/x')\ndef x():\n    with unit_of_work(current_user) as work:\n        pass",
        "@pages.route('/x')\ndef x():\n    return _y()\ndef _y():\n    with unit_of_work(1) as work:\n        pass",
        "@pages.route('/x', methods=['GET', 'POST'])\ndef x():\n    if form.validate():\n        with unit_of_work(1) as work:\n            pass",
        "@pages.route('/x', methods=['GET', 'POST'])\ndef x():\n    if form.validate_on_submit():\n        return 1\n    with unit_of_work(1):\n        pass",
    ):
        assert changing_gets([planted(text, "incident_tracker.web.planted")]), text


def test_it_lets_a_form_that_was_sent_change_something() -> None:
    for text in (
        "@pages.post('/x')\ndef x():\n    with unit_of_work(1) as work:\n        pass",
        "@pages.route('/x', methods=['GET', 'POST'])\ndef x():\n    if form.validate_on_submit() and not refused(form, _y):\n        return 1\n    return 2\n"
        "def _y():\n    with unit_of_work(1) as work:\n        pass",
        "@pages.route('/x', methods=['GET', 'POST'])\ndef x():\n    typed = form.name.data if form.validate_on_submit() else None\n    if typed:\n        _y()\n"
        "def _y():\n    with unit_of_work(1) as work:\n        pass",
        "@pages.route('/x', methods=['GET', 'POST'])\ndef x():\n    if not form.validate_on_submit():\n        return 1\n    with unit_of_work(1) as work:\n        pass",
    ):
        assert changing_gets([planted(text, "incident_tracker.web.planted")]) == [], text


@on_sqlite
def test_it_would_notice_an_open_door(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(test_config(home, database_url))
    monkeypatch.setattr("incident_tracker.web.guard.OPEN_ENDPOINTS", OPEN_ENDPOINTS | {"planted.hall"})
    pages = Blueprint("planted", __name__)
    pages.add_url_rule("/hall", "hall", lambda: "come in")
    app.register_blueprint(pages)
    with app.app_context():
        assert open_to_strangers(app) == ["GET /hall answers 200"]
        db.engine.dispose()
