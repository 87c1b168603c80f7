"""Trigger + period + way of counting: two instants, and the steps between in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_tracker.rules.calendars import zone_named
from incident_tracker.rules.chronicles import Chronicle
from incident_tracker.rules.deadlines import Deadline, Due, Step
from incident_tracker.rules.facts import FactError, Facts, Moment, read_facts
from incident_tracker.rules.laws import Law, Obligation
from incident_tracker.rules.readings import Reading
from incident_tracker.rules.reckoning import Reckoner, Whereabouts
from incident_tracker.rules.regimes import default_law

__all__ = ["Deadline", "Due", "DueError", "Step", "due"]

_OPTIONS = {"on_hour": ("strict", "lenient"), "art_3_5": ("off", "A", "B", "C")}


class DueError(ValueError):
    """What was asked for cannot be computed; one line says what was expected."""


def due(
    obligation: Obligation | str,
    events: Mapping[str, Moment | str | datetime],
    *,
    zone: str | None = None,
    country: str | None = None,
    options: Mapping[str, Any] | None = None,
    law: Law | None = None,
    facts: Facts | Mapping[str, Any] | None = None,
) -> Due:
    """Compute when an obligation is due.

    `events` name moments, triggers or completed obligations (by id); "trigger" stands for the obligation's own trigger.
    `zone` (IANA) and `country` (DE, US-NY) say where the notice goes; without them the obligation's own and the zone of
    the moment are used. `options`: on_hour strict or lenient, art_3_5 off, A, B or C (Regulation 1182/71). `facts` give
    numbers and conditions that a period refers to. Raises DueError.
    """
    law = law or default_law()
    one = _obligation(law, obligation)
    known = _facts(law, facts)
    places, chosen = law.places, dict(options or {})
    _check(chosen, zone)
    where = Whereabouts(zone=zone)
    if country:
        code = places.normal(country)
        place = places.find(code)
        if place is None:
            raise DueError(f"country: expected a code such as DE or US-NY that places.yaml knows, not {country!r}")
        where = Whereabouts(zone=place.zone, calendar=place.calendar if place.code == code and place.calendar else code)
    moments, completed, trigger = _events(law, one, events, where.zone)
    chronicle = Chronicle({**known.moments, **moments}, {**known.completed, **completed}, law.triggers)
    reading = Reading(known, law.facts, places, law.profiles)
    return Reckoner(law, chronicle, reading, zone, chosen).due(one, where, trigger)


def _obligation(law: Law, obligation: Obligation | str) -> Obligation:
    if isinstance(obligation, Obligation):
        return obligation
    if obligation not in law.obligations:
        raise DueError(f"obligation: expected the id of an obligation, not {obligation!r}")
    return law.obligations[obligation]


def _facts(law: Law, facts: Facts | Mapping[str, Any] | None) -> Facts:
    try:
        return read_facts(facts or {}, catalogue=law.facts, places=law.places)
    except FactError as error:
        raise DueError(str(error)) from error


def _events(
    law: Law, one: Obligation, events: Mapping[str, Any], zone: str | None
) -> tuple[dict[str, Moment], dict[str, Moment], Moment | None]:
    moments: dict[str, Moment] = {}
    completed: dict[str, Moment] = {}
    trigger = None
    for name, raw in events.items():
        try:
            moment = Moment.parse(raw, name, zone or (one.zone if "/" in one.zone else None))
        except FactError as error:
            raise DueError(str(error)) from error
        if name == "trigger":
            trigger = moment
        elif name.split("@")[0] in law.obligations:
            completed[name] = moment
        elif name in law.triggers or f"moments.{name}" in law.facts:
            moments[name] = moment
        else:
            raise DueError(f"{name}: expected the name of a moment, a trigger or an obligation")
    return moments, completed, trigger


def _check(options: Mapping[str, Any], zone: str | None) -> None:
    for name, value in options.items():
        if name not in _OPTIONS or value not in _OPTIONS[name]:
            allowed = "; ".join(f"{key} {' or '.join(values)}" for key, values in _OPTIONS.items())
            raise DueError(f"options: expected {allowed}; not {name} {value!r}")
    if zone is not None:
        try:
            zone_named(zone)
        except (KeyError, ValueError) as error:
            raise DueError(f"zone: expected an IANA time zone such as Europe/Berlin, not {zone!r}") from error
