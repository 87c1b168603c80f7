"""The law: what it asks for, one clock, all duties for some facts. Nothing of what is sent is kept."""

from datetime import date
from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from incident_tracker import library
from incident_tracker.api import answers, paging, shapes
from incident_tracker.api.entrances import Entrance
from incident_tracker.api.problems import INVALID, Refusal
from incident_tracker.errors import NotFound
from incident_tracker.models.tokens import Scope
from incident_tracker.rules import duties, periods
from incident_tracker.rules.catalogues import FactSpec
from incident_tracker.rules.facts import FactError
from incident_tracker.rules.laws import Example, Law, Obligation, Regime
from incident_tracker.rules.searches import find_obligations

entrance = Entrance("api_law", "Law")


@entrance.get("/law", scope=Scope.READ_LAW)
@entrance.response(200, answers.Law)
def show_law() -> ResponseReturnValue:
    """The law in use

    How much of it there is, and its version. All of its files could be read when the tracker started, or it would not have.
    """
    law = _law()
    return jsonify({
        "version": law.version, "tzdata": law.tzdata_version, "holidays": law.holidays_version,
        "regimes": len(law.regimes), "obligations": len(law.obligations),
    })


@entrance.get("/law/regimes", scope=Scope.READ_LAW, errors=(422,))
@entrance.arguments(shapes.AskedRegimes, location="query")
@entrance.response(200, answers.RegimePage, headers=paging.LINK)
def list_regimes(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Laws, regulations and contracts"""
    by_regime: dict[str, list[str]] = {}
    for one in _law().obligations.values():
        by_regime.setdefault(one.regime.id, []).append(one.id)
    return paging.part_of(list(_law().regimes.values()), wanted, lambda one: _regime(one, by_regime.get(one.id, [])))


@entrance.get("/law/obligations", scope=Scope.READ_LAW, errors=(422,))
@entrance.arguments(shapes.AskedObligations, location="query")
@entrance.response(200, answers.ObligationPage, headers=paging.LINK)
def list_obligations(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Obligations, searched and filtered"""
    names = ("jurisdiction", "recipient", "confidence", "status")
    found = find_obligations(_law(), wanted["q"], **{name: wanted[name] for name in names})
    return paging.part_of(found, wanted, _line)


@entrance.get("/law/obligations/<obligation_id>", scope=Scope.READ_LAW, errors=(404,))
@entrance.response(200, answers.Obligation)
def show_obligation(obligation_id: str) -> ResponseReturnValue:
    """Everything about one obligation"""
    found = _law().obligations.get(obligation_id)
    if found is None:
        raise NotFound("obligation")
    return jsonify(_obligation(found))


@entrance.get("/law/facts", scope=Scope.READ_LAW, errors=(422,))
@entrance.arguments(shapes.AskedFactNames, location="query")
@entrance.response(200, answers.FactPage, headers=paging.LINK)
def list_facts(wanted: dict[str, Any]) -> ResponseReturnValue:
    """The facts that the law asks for

    By these names they stand in a facts document. What is worked out from others is not among them: nobody is asked for it.
    """
    asked = [fact for fact in _law().facts.values() if not fact.derive]
    return paging.part_of(asked, wanted, _fact, by="name")


_CLOCK = {"obligation": "eu-gdpr-33-1", "events": {"aware": "2026-11-27T17:30:00+01:00"}, "country": "DE"}


@entrance.post("/law/due", scope=Scope.READ_LAW, errors=(413, 415, 422))
@entrance.arguments(shapes.AskedClock, example=_CLOCK)
@entrance.response(200, answers.Due)
def count_clock(asked: dict[str, Any]) -> ResponseReturnValue:
    """Count one clock, with its steps

    The same as `incident-tracker law due --json`. Nothing is stored.
    """
    try:
        found = periods.due(
            asked["obligation"], asked["events"], zone=asked["zone"], country=asked["country"], options=asked["options"], law=_law()
        )
    except ValueError as error:
        raise Refusal(INVALID, str(error)) from error
    return jsonify(found.to_json())


_FACTS = {
    "personal_data_breach": True, "role": ["controller"], "risk_level": "risk", "organisation.establishments": ["DE"],
    "moments": {"aware": {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin"}}, "affected.by_place": {"DE": 1200},
}


@entrance.post("/law/assess", scope=Scope.READ_LAW, errors=(413, 415, 422))
@entrance.arguments(shapes.AskedFacts, example=_FACTS)
@entrance.response(200, answers.Assessment)
def assess_facts(facts: dict[str, Any]) -> ResponseReturnValue:
    """Ask every law what it demands for these facts

    The same as `incident-tracker law assess --json`: each duty with its reasons and its deadline, and the questions that
    would settle the most. What is not known is left out, or null. Nothing is stored.
    """
    try:
        return jsonify(duties.assess(facts, law=_law()).to_json())
    except FactError as error:
        raise Refusal(INVALID, str(error), [{"field": error.path, "in": "body", "detail": f"Expected {error.expected}."}]) from error


def _law() -> Law:
    found: Law = library.shelf().law
    return found


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _regime(one: Regime, obligations: list[str]) -> dict[str, Any]:
    return {
        "id": one.id, "title": one.title, "jurisdiction": one.jurisdiction, "citation": one.citation, **_standing(one), "obligations": obligations,
    }


def _standing(one: Regime | Obligation) -> dict[str, Any]:
    return {
        "status": one.status, "effective_from": _day(one.effective_from), "effective_to": _day(one.effective_to), "source": one.source,
        "confidence": one.confidence, "last_checked": _day(one.last_checked), "notes": one.notes,
    }


def _line(one: Obligation) -> dict[str, Any]:
    return {
        "id": one.id, "title": one.title, "jurisdiction": one.regime.jurisdiction, "citation": one.citation, "recipient": one.recipient.type,
        "standard": one.standard, "status": one.status, "confidence": one.confidence, "last_checked": _day(one.last_checked),
    }


def _obligation(one: Obligation) -> dict[str, Any]:
    names = ("id", "title", "citation", "kind", "phase", "duty_holder", "trigger", "trigger_definition", "late", "channel", "same_filing_as", "zone")
    rule, within = one.recipient, one.period.within
    return {name: getattr(one, name) for name in names} | _standing(one) | {
        "regime": {"id": one.regime.id, "title": one.regime.title, "jurisdiction": one.regime.jurisdiction},
        "recipient": {"type": rule.type, "name": rule.name, "fan_out": rule.fan_out, "group": rule.group, "more_than": rule.more_than},
        "trigger_after": list(one.trigger_after),
        "depends_on": sorted(_law().checks[one.id].facts),
        "period": {"standard": one.standard, "nature": one.period.nature, "number": within.number if within else None, "unit": one.period.unit},
        "content": list(one.content), "exemptions": list(one.exemptions),
        "examples": [_example(example) for example in one.examples if example.events],
    }


def _fact(one: FactSpec) -> dict[str, Any]:
    choices = [{"value": value, "label": label} for value, label in one.choices]
    return {"name": one.name, "kind": one.kind, "label": one.label, "question": one.question, "group": one.group, "choices": choices, "per": one.per}


def _example(one: Example) -> dict[str, Any]:
    return {
        "name": one.name, "source": one.source, "events": dict(one.events), "zone": one.zone, "country": one.country,
        "options": dict(one.options), "conservative": one.conservative, "statutory": one.statutory, "not_before": one.not_before,
    }
