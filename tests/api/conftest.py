"""Programs that call: each with a token of one of the cast, and no cookies."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from incident_tracker.actions import tokens
from incident_tracker.models.base import db
from incident_tracker.work import unit_of_work
from tests.stories import person

LAW, INCIDENTS, ACKNOWLEDGE = ALL = ("law:read", "incidents:read", "alerts:acknowledge")


class Program:
    """Calls the API with one token, or without any."""

    def __init__(self, app: Flask, text: str = "") -> None:
        self.text = text
        self._app = app
        self._client = FlaskClient(app, app.response_class, use_cookies=False)

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """Any request, below /api/v1."""
        headers = {"Authorization": f"Bearer {self.text}"} if self.text else {}
        db.session.rollback()
        with self._app.app_context():
            return self._client.open(f"/api/v1{path}", method=method, headers=headers | kwargs.pop("headers", {}), **kwargs)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, query_string=query)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.call("POST", path, **({"json": json} if json is not None else {}), **kwargs)


def make_token(name: str, *scopes: str, days: int = 7, what: str = "monitoring") -> str:
    """The text of a new token of one of the cast."""
    with unit_of_work(person(name)) as work:
        return tokens.make_token(work, what, scopes or ALL, days)[1]


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """The problem that the answer tells of, after a look at its form."""
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    said: dict[str, Any] = answer.get_json(force=True)
    assert said["status"] == status
    assert {"type", "title", "detail"} < said.keys()
    assert said["detail"]
    return said


@pytest.fixture
def program(app: Flask) -> Callable[..., Program]:
    """`program("ines", "law:read")`: a program with a token of hers, with all scopes if none is named; `program()`: with none."""

    def caller(name: str | None = None, *scopes: str) -> Program:
        return Program(app, make_token(name, *scopes) if name else "")

    return caller
