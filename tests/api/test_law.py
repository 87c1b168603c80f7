"""The law over the API: the same answers as on the command line, found, filtered and paged; whatever is sent, the answer is clear."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from incident_tracker import library
from incident_tracker.law_cli import law as law_commands
from incident_tracker.models.base import db
from tests import rows
from tests.api.conftest import Program, problem

Caller = Callable[..., Program]

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

CLOCKS: tuple[tuple[str, dict[str, str], str | None, str | None, dict[str, str]], ...] = (
    ("eu-gdpr-33-1", {"aware": "2026-11-27T17:30:00+01:00"}, None, "DE", {}),
    ("eu-gdpr-33-1", {"aware": "2026-12-23T17:00:00+01:00"}, "Europe/Dublin", None, {"on_hour": "lenient", "art_3_5": "B"}),
    ("eu-gdpr-33-1", {}, None, None, {}),
    ("eu-gdpr-34-1", {"trigger": "2026-11-27T17:30:00+01:00"}, None, None, {}),
)

FACTS: dict[str, Any] = {
    "personal_data_breach": True, "role": ["controller"], "risk_level": "risk", "organisation.establishments": ["DE"],
    "moments": {"aware": {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin"}}, "affected.by_place": {"DE": {"value": 1200, "certainty": "about"}, "US-NY": 4},
}


@pytest.fixture
def caller(program: Caller) -> Program:
    return program("ines", "law:read")


@pytest.fixture
def on_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """What the command says with --json."""
    monkeypatch.setenv("INCIDENT_TRACKER_INSTANCE", str(tmp_path))

    def run(*words: str) -> Any:
        done = CliRunner().invoke(law_commands, [*words, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in answer.get_json()["items"]]


@pytest.mark.parametrize(("obligation", "events", "zone", "country", "options"), CLOCKS)
def test_it_counts_a_clock_as_the_command_does(
    caller: Program, on_command_line: Callable[..., Any], obligation: str, events: dict[str, str], zone: str | None, country: str | None, options: dict[str, str],
) -> None:
    words = [obligation, *(word for name, at in events.items() for word in ("--event", f"{name}={at}"))]
    words += ["--zone", zone] if zone else []
    words += ["--country", country] if country else []
    words += [word for name, value in options.items() for word in ("--option", f"{name}={value}")]
    answer = caller.post("/law/due", {"obligation": obligation, "events": events, "zone": zone, "country": country, "options": options})
    assert answer.status_code == 200
    assert answer.get_json() == on_command_line("due", *words)


def test_it_counts_every_clock_with_an_example_as_the_example_says(caller: Program) -> None:
    told = [(one, example) for one in library.shelf().law.obligations.values() for example in one.examples if example.events and not example.facts][::25]
    assert len(told) > 10
    for one, example in told:
        asked = {"obligation": one.id, "events": dict(example.events), "zone": example.zone, "country": example.country, "options": dict(example.options)}
        answer = caller.post("/law/due", asked)
        assert answer.get_json().get("conservative") == example.conservative, (one.id, example.name, answer.text)


def test_it_assesses_facts_as_the_command_does(caller: Program, on_command_line: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(FACTS), encoding="utf-8")
    answer = caller.post("/law/assess", FACTS)
    assert answer.status_code == 200
    assert answer.get_json() == on_command_line("assess", str(file))
    assert {duty["state"] for duty in answer.get_json()["duties"] if duty["obligation"] == "eu-gdpr-33-1"} == {"applies"}


def test_it_keeps_nothing_of_what_it_is_asked(caller: Program) -> None:
    caller.get("/law")
    db.session.rollback()
    with db.engine.connect() as connection:
        before = rows.contents(connection)
    caller.post("/law/assess", FACTS)
    caller.post("/law/due", {"obligation": "eu-gdpr-33-1", "events": {"aware": "2026-11-27T17:30:00+01:00"}})
    with db.engine.connect() as connection:
        assert rows.contents(connection) == before


def test_it_says_how_much_law_there_is(caller: Program) -> None:
    law = library.shelf().law
    assert caller.get("/law").get_json() == {
        "version": law.version, "tzdata": law.tzdata_version, "holidays": law.holidays_version, "regimes": len(law.regimes), "obligations": len(law.obligations),
    }


def test_it_tells_everything_of_an_obligation(caller: Program) -> None:
    said, one = caller.get("/law/obligations/eu-gdpr-33-1").get_json(), library.shelf().law.obligations["eu-gdpr-33-1"]
    assert (said["citation"], said["source"], said["confidence"]) == (one.citation, one.source, one.confidence)
    assert said["last_checked"] == one.last_checked.isoformat()
    assert said["period"] == {"standard": one.standard, "nature": one.period.nature, "number": 72, "unit": "hours"}
    assert "risk_level" in said["depends_on"]
    assert said["examples"][0]["conservative"] == one.examples[0].conservative
    problem(caller.get("/law/obligations/no-such"), 404)


def test_it_finds_obligations_by_words_and_filters(caller: Program) -> None:
    assert "eu-gdpr-33-1" in ids(caller.get("/law/obligations", q="gdpr 33(1) protection", jurisdiction="EU/EEA"))
    found = caller.get("/law/obligations", jurisdiction="US", recipient="authority", status="in_force", limit=200).get_json()["items"]
    assert {one["jurisdiction"].split("-")[0] for one in found} == {"US"}
    assert len({one["jurisdiction"] for one in found}) > 10
    assert {one["recipient"] for one in found} == {"authority"}
    assert caller.get("/law/obligations", q="no such words at all").get_json() == {"items": [], "total": 0, "next": None}


@pytest.mark.parametrize("path", ["/law/obligations", "/law/regimes"])
def test_it_leads_through_a_list_part_by_part(caller: Program, path: str) -> None:
    found: list[str] = []
    query: dict[str, Any] = {"limit": 90}
    while True:
        answer = caller.get(path, **query)
        found += ids(answer)
        following = answer.get_json()["next"]
        assert (answer.headers.get("Link") == f'<{following}>; rel="next"') is (following is not None)
        if following is None:
            break
        assert urlsplit(following).path == f"/api/v1{path}"
        query = dict(part.split("=") for part in urlsplit(following).query.split("&"))
    law = library.shelf().law
    assert found == list(law.obligations if path == "/law/obligations" else law.regimes)
    assert answer.get_json()["total"] == len(found)


def test_it_names_every_fact_that_it_can_be_asked_about(caller: Program) -> None:
    found, query = [], {"limit": "200"}
    while True:
        said = caller.get("/law/facts", **query).get_json()
        found += said["items"]
        if said["next"] is None:
            break
        query["after"] = found[-1]["name"]
    assert len(found) == said["total"]
    names = {fact["name"]: fact for fact in found}
    assert FACTS.keys() - {"moments", "affected.by_place"} <= names.keys()
    assert "risk" in [choice["value"] for choice in names["risk_level"]["choices"]]
    assert names["moments.aware"]["kind"] == "moment"
    derived = next(name for name, fact in library.shelf().law.facts.items() if fact.derive)
    assert derived not in names


def test_it_carries_the_filter_into_the_next_part(caller: Program) -> None:
    first = caller.get("/law/obligations", jurisdiction="US", limit=2).get_json()
    assert "jurisdiction=US" in first["next"] and first["next"].startswith("http://127.0.0.1:8000/api/v1/law/obligations?")


@pytest.mark.parametrize(("query", "field"), [
    ({"limit": "0"}, "limit"), ({"limit": "201"}, "limit"), ({"limit": "many"}, "limit"), ({"status": "lapsed"}, "status"), ({"after": "no-such"}, "after"),
    ({"jurisdicton": "US"}, "jurisdicton"), ({"q": "x" * 201}, "q"),
])
def test_it_says_which_part_of_a_query_it_cannot_take(caller: Program, query: dict[str, str], field: str) -> None:
    said = problem(caller.get("/law/obligations", **query), 422)
    assert [(one["field"], one["in"]) for one in said["errors"]] == [(field, "query")]


@pytest.mark.parametrize(("body", "field"), [
    ({}, "obligation"), ({"obligation": 5, "events": {}}, "obligation"), ({"obligation": "eu-gdpr-33-1", "events": []}, "events"),
    ({"obligation": "eu-gdpr-33-1", "events": {}, "colour": "red"}, "colour"), ({"obligation": "eu-gdpr-33-1", "events": {}, "options": {"on_hour": "x"}}, "options.on_hour"),
    ([], ""), ("text", ""), (5, ""),
])
def test_it_says_which_part_of_a_body_it_cannot_take(caller: Program, body: Any, field: str) -> None:
    said = problem(caller.post("/law/due", body), 422)
    assert (field, "body") in [(one["field"], one["in"]) for one in said["errors"]]


@pytest.mark.parametrize(("asked", "words"), [
    ({"obligation": "no-such"}, "the id of an obligation"), ({"events": {"aware": "2026-11-27T17:30:00"}}, "offset"), ({"zone": "Mars/Olympus"}, "IANA time zone"),
    ({"country": "Atlantis"}, "a code such as DE"), ({"events": {"aware": "9999-12-31T23:59:59Z"}}, "a year from 1970"), ({"events": {"aware": []}}, "ISO 8601"),
    ({"events": {"surprise": "2026-11-27T17:30:00Z"}}, "the name of a moment"),
])
def test_it_says_what_was_expected_where_no_clock_can_be_counted(caller: Program, asked: dict[str, Any], words: str) -> None:
    assert words in problem(caller.post("/law/due", {"obligation": "eu-gdpr-33-1", "events": {}} | asked), 422)["detail"]


@pytest.mark.parametrize(("facts", "field"), [
    ({"no_such_fact": 1}, "no_such_fact"), ({"moments": {"aware": "yesterday"}}, "moments.aware"), ({"affected.by_place": {"DE": {"value": 5, "certainty": []}}}, "affected.by_place.DE.certainty"),
    ({"holds": 5}, "holds"), ({"affected.by_place": {"DE": 10**14}}, "affected.by_place.DE"), ({"risk_level": []}, "risk_level"), ({"organisation.zone": {}}, "organisation.zone"),
])
def test_it_names_the_fact_that_it_cannot_read(caller: Program, facts: dict[str, Any], field: str) -> None:
    said = problem(caller.post("/law/assess", facts), 422)
    assert said["errors"][0]["field"] == field


@pytest.mark.parametrize(("raw", "status", "words"), [
    (b"{", 400, "no JSON"), (b"", 400, "no JSON"), (b"\xff\xfe", 400, "UTF-8"), (b'{"obligation": NaN}', 400, "NaN"), (b'{"a": 1e999}', 400, "too large"),
    (b'{"a": 1' + b"0" * 5000 + b"}", 400, "too large"), (b'{"a": 1, "a": 2}', 400, "twice"), (b'{"a": "\\u0000"}', 400, "NUL"), (b'{"\\u0000": 1}', 400, "NUL"), (b'{"a": "\\ud800"}', 400, "half a sign"),
    (b"[" * 40 + b"]" * 40, 400, "nested too deeply"), (b"[" * 400_000, 400, "nested too deeply"), (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "nested too deeply"),
    (b'"' + b"x" * 1_000_000 + b'"', 413, "1 MB"),
])
@pytest.mark.parametrize("path", ["/law/due", "/law/assess"])
def test_a_body_that_is_no_sensible_json_is_a_plain_refusal(caller: Program, path: str, raw: bytes, status: int, words: str) -> None:
    assert words in problem(caller.post(path, data=raw, content_type="application/json"), status)["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_kind_is_refused_before_it_is_read(caller: Program, content_type: str) -> None:
    assert "application/json" in problem(caller.post("/law/due", data=b"{}", content_type=content_type), 415)["detail"]


def test_a_body_without_a_length_is_cut_off_too(caller: Program) -> None:
    # as gunicorn hands over what comes in pieces
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    problem(caller.call("POST", "/law/due", input_stream=io.BytesIO(b" " * 2_000_000), content_type="application/json", environ_overrides=environ), 413)
