"""The API is what its description says: valid, complete, and kept to whatever is sent."""

import html
import random
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from incident_tracker import library
from incident_tracker.models.base import db
from tests import stories
from tests.api.conftest import Program, make_token, problem

Caller = Callable[..., Program]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, response_headers_conformance]

#: the same requests in every run
STEADY = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
EXAMPLES = 12

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
    | st.sampled_from(["2026-11-27T17:30:00+01:00", "2026-11-27", "2149-12-31T23:59:59Z", "1970-01-01", "DE", "US-NY", "Europe/Berlin", "about", "day", "risk"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["at", "on", "zone", "precision", "value", "certainty", "known", "complete", "from", "until", "regime", "DE", "x"]), inner, max_size=4),
    max_leaves=6,
)


@pytest.fixture
def ground(app: Flask) -> str:
    """An incident with duties; its reference."""
    stories.set_profile()
    return stories.report(stories.CERTAIN).reference


@pytest.fixture
def described(app: Flask, ground: str) -> Any:
    """The description as a program reads it, and the headers to send."""
    headers = {"Authorization": f"Bearer {make_token('ines')}"}
    db.session.rollback()
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=headers), headers


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_description_is_valid(described: Any) -> None:
    schema, _ = described
    schema.validate()
    assert schema.raw_schema["openapi"] == "3.1.0"
    assert len(list(schema.get_all_operations())) >= 10


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_it_would_notice_an_invalid_description(described: Any) -> None:
    schema, _ = described
    broken = {**schema.raw_schema, "paths": {"/x": {"get": {"responses": {"200": {"description": 5}}}}}}
    with pytest.raises(Exception, match="5 is not of type"):
        schemathesis.openapi.from_dict(broken).validate()


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_it_keeps_to_the_description_whatever_is_sent(app: Flask, described: Any, ground: str, mode: GenerationMode) -> None:
    schema, headers = described
    incident = stories.again(ground)
    there = {"reference": ground, "duty_id": stories.duty_of(incident, "eu-gdpr-33-1").id, "obligation_id": "eu-gdpr-33-1"}
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(STEADY, max_examples=EXAMPLES)
        @given(case=operation.as_strategy(generation_mode=mode))
        def keep(case: Any) -> None:
            random.seed(0)
            db.session.rollback()
            case.call_and_validate(headers=headers, checks=CHECKS)
            if case.path_parameters:
                # the same once more where there is something
                case.path_parameters = {name: there[name] for name in case.path_parameters}
                case.call_and_validate(headers=headers, checks=CHECKS)

        if mode is GenerationMode.POSITIVE or list(operation.iter_parameters()) or operation.body:
            keep()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_it_reads_or_refuses_any_facts_and_never_breaks(program: Caller) -> None:
    one = program("ines", "law:read")
    names = [*sorted(library.shelf().law.facts), "moments", "holds", "completed", "affected.by_place", "organisation.zone"]
    moments = st.dictionaries(st.sampled_from(["aware", "detected", "occurred"]), ANYTHING, max_size=2)
    holds = st.lists(st.fixed_dictionaries({"from": ANYTHING}, optional={"until": ANYTHING, "regime": ANYTHING, "obligation": ANYTHING, "oral": ANYTHING}), max_size=2)
    document = st.tuples(
        st.dictionaries(st.sampled_from(names), ANYTHING, max_size=3), st.fixed_dictionaries({}, optional={"moments": moments, "holds": holds, "personal_data_breach": st.booleans()}),
    ).map(lambda parts: parts[0] | parts[1])

    @settings(STEADY, max_examples=80)
    @given(document)
    def ask(facts: dict[str, Any]) -> None:
        assert one.post("/law/assess", facts).status_code in (200, 422)

    ask()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_it_counts_or_refuses_any_clock_and_never_breaks(program: Caller) -> None:
    one = program("ines", "law:read")
    law = library.shelf().law
    events = st.dictionaries(st.sampled_from(["aware", "trigger", "detected", "eu-gdpr-33-1", "x"]), ANYTHING, max_size=3)
    fine = st.sampled_from(["2026-11-27T17:30:00+01:00", "2026-02-28", "2149-12-31T23:59:59Z", "1970-01-01T00:00:00Z"]).map(lambda at: {"trigger": at})
    asked = st.fixed_dictionaries(
        {"obligation": st.sampled_from(sorted(law.obligations)), "events": events | fine},
        optional={"country": st.sampled_from(["DE", "US-NY", "XX", ""]), "zone": st.sampled_from(["Europe/Berlin", "", "../x"])},
    )

    @settings(STEADY, max_examples=200)
    @given(asked)
    def ask(clock: dict[str, Any]) -> None:
        assert one.post("/law/due", clock).status_code in (200, 422)

    ask()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_example_of_the_help_page_works(app: Flask, browse: Any, program: Caller, ground: str) -> None:
    page = browse("ines").get("/help/api")
    assert page.status_code == 200
    examples = [html.unescape(text) for text in re.findall(r"<pre[^>]*>(curl .*?)</pre>", page.text, re.DOTALL)]
    assert len(examples) == sum(1 for operations in app.extensions["openapi"]["paths"].values() for method in operations if method in ("get", "post"))
    one, duty = program("ines"), stories.duty_of(stories.again(ground), "eu-gdpr-33-1").id
    for example in examples:
        words = shlex.split(example)
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        address = next(word for word in words if word.startswith("http://127.0.0.1:8000/api/v1"))
        path = address.removeprefix("http://127.0.0.1:8000/api/v1").replace("INC-2026-0001", ground).replace("/duties/1/", f"/duties/{duty}/")
        body = {"data": words[words.index("-d") + 1].encode(), "content_type": "application/json"} if "-d" in words else {}
        assert "Authorization: Bearer bt_…" in words
        assert one.call(method, path, **body).status_code == 200, example


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_kind_of_problem_has_its_words_where_its_type_leads(browse: Any, program: Caller) -> None:
    page = browse("ines").get("/help/api").text
    kinds = [problem(program().get("/me"), 401), problem(program("ines").get("/no-such"), 404)]
    for said in kinds:
        address, _, name = said["type"].partition("#")
        assert address == "http://127.0.0.1:8000/help/api"
        assert f'id="{name}"' in page
