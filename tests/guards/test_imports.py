"""Nothing calls upward: imports go down only, in no ring, and stand at the head of the file."""

import sys

from tests.guards import imports
from tests.guards.sources import Module, modules, planted, test_modules

KNOWN = {module.name for module in modules()}


def test_it_imports_downwards_only() -> None:
    assert imports.upward(modules(), KNOWN) == []


def test_it_has_no_ring_of_imports() -> None:
    assert imports.cycles(modules(), KNOWN) == []


def test_it_imports_nothing_inside_a_function() -> None:
    assert imports.hidden([*modules(), *test_modules()], KNOWN) == []


def test_it_keeps_what_comes_from_outside_on_its_floor() -> None:
    assert imports.out_of_place(modules(), KNOWN) == []


def test_it_keeps_the_law_pure() -> None:
    assert imports.impure(modules(), KNOWN, sys.stdlib_module_names) == []


def test_it_would_notice_an_import_upwards() -> None:
    names = KNOWN | {"incident_tracker.web.duties", "incident_tracker.actions.duties", "incident_tracker.clock", "incident_tracker.factory"}
    for text, name in (
        ("from incident_tracker.web import duties", "incident_tracker.actions.planted"),
        ("import incident_tracker.actions.duties", "incident_tracker.models.planted"),
        ("from incident_tracker import clock", "incident_tracker.rules.planted"),
        ("from ..actions import duties", "incident_tracker.models.planted"),
        ("from incident_tracker.factory import create_app", "incident_tracker.web.planted"),
        ("from incident_tracker.errors import NotFound", "incident_tracker.rules.planted"),
        ("from incident_tracker import clock", "incident_tracker.attic"),
    ):
        assert imports.upward([planted(text, name)], names), text


def test_it_would_notice_a_ring() -> None:
    ring = [
        planted("from incident_tracker.rules import b", "incident_tracker.rules.a"), planted("from incident_tracker.rules import c", "incident_tracker.rules.b"),
        planted("from incident_tracker.rules.a import word", "incident_tracker.rules.c"),
    ]
    assert imports.cycles(ring, {module.name for module in ring}) == ["incident_tracker.rules.a → incident_tracker.rules.b → incident_tracker.rules.c → incident_tracker.rules.a"]


def test_it_would_notice_an_import_in_a_function() -> None:
    assert imports.hidden([planted("def late():\n    import json\n    return json")], KNOWN) == ["incident_tracker.actions.planted:2 imports json inside late()"]
    assert imports.hidden([planted("def late(name):\n    return importlib.import_module(name)")], KNOWN)


def test_it_would_notice_what_came_from_outside_to_the_wrong_floor() -> None:
    for text, name in (
        ("from flask_sqlalchemy import SQLAlchemy", "incident_tracker.models.planted"), ("from flask import request", "incident_tracker.actions.planted"),
        ("import sqlalchemy.orm", "incident_tracker.channels.planted"), ("import requests", "incident_tracker.actions.planted"),
    ):
        assert imports.out_of_place([planted(text, name)], KNOWN), text
    assert imports.out_of_place([planted("from flask_sqlalchemy import SQLAlchemy", "incident_tracker.models.base")], KNOWN) == []


def test_it_would_notice_a_law_that_looks_at_the_world() -> None:
    for text in ("import os", "from time import sleep", "import sqlalchemy", "import structlog"):
        assert imports.impure([planted(text, "incident_tracker.rules.planted")], KNOWN, sys.stdlib_module_names), text


def test_it_reads_a_relative_import_of_a_package() -> None:
    package = Module("incident_tracker.web", "from . import guard", is_package=True)
    assert [one.what for one in imports.imports_of(package, {"incident_tracker.web.guard"})] == ["incident_tracker.web.guard"]
