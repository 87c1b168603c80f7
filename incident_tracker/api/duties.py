"""Duties and their deadlines, and taking their warnings. Whoever calls learns of no incident that its person may not know of."""

from datetime import UTC, datetime
from typing import Any

from flask import current_app, jsonify
from flask.typing import ResponseReturnValue

from incident_tracker import clock
from incident_tracker.actions import alerts as acts
from incident_tracker.api import answers, paging, shapes
from incident_tracker.api.access import caller
from incident_tracker.api.entrances import Entrance
from incident_tracker.errors import NotFound
from incident_tracker.models.base import db
from incident_tracker.models.deadlines import Wanted, duties_due, duties_of_incident, find_duty
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident, find_incident
from incident_tracker.models.tokens import Scope
from incident_tracker.work import unit_of_work

entrance = Entrance("api_duties", "Duties")

_PAST_INTEGERS = shapes.LARGEST_ID


@entrance.get("/duties", scope=Scope.READ_INCIDENTS, errors=(422,))
@entrance.arguments(shapes.AskedDuties, location="query")
@entrance.response(200, answers.DutyPage, headers=paging.LINK)
def list_duties(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Duties of all incidents, the most urgent first"""
    behind = find_duty(caller(), wanted["after"]) if wanted["after"] else None
    if wanted["after"] and behind is None:
        raise paging.unknown_place(wanted["after"])
    now = clock.now()
    part = duties_due(caller(), now, Wanted(wanted["state"], wanted["due_before"]), wanted["limit"], behind)
    return paging.answer([_shown(one, now) for one in part.duties], part.total, part.duties[-1].id if part.goes_on else None)


@entrance.get("/incidents/<reference>/duties", scope=Scope.READ_INCIDENTS, errors=(404,))
@entrance.response(200, answers.IncidentDuties)
def list_duties_of_incident(reference: str) -> ResponseReturnValue:
    """The duties of one incident, the most urgent first"""
    incident = _incident(find_incident(caller(), reference))
    now = clock.now()
    return jsonify({"items": [_shown(one, now) for one in duties_of_incident(incident.id)]})


@entrance.post(f"/incidents/<reference>/duties/<int(max={_PAST_INTEGERS}):duty_id>/acknowledgement", scope=Scope.ACKNOWLEDGE, errors=(404, 409))
@entrance.response(200, answers.Acknowledgement)
def acknowledge(reference: str, duty_id: int) -> ResponseReturnValue:
    """Take the warnings of one duty

    Later ones go to its owner and to you, until its deadline passes or moves. The deadline stands. Doing it twice changes nothing.
    """
    with unit_of_work(caller()) as work:
        incident = _incident(find_incident(caller(), reference, lock=True))
        duty = db.session.get(Duty, duty_id)
        if duty is None or duty.incident_id != incident.id:
            raise NotFound("duty")
        given = acts.acknowledge(work, duty)
        said = {"duty": duty.id, "at": _utc(given.at), "deadline_at": _utc(given.deadline_at), "person": caller().person_name}
    return jsonify(said)


def _incident(found: Incident | None) -> Incident:
    if found is None:
        raise NotFound("incident")
    return found


def _shown(one: Duty, now: datetime) -> dict[str, Any]:
    base = current_app.extensions["tracker"].base_url.rstrip("/")
    return {
        "id": one.id, "incident": one.incident.reference, "obligation": one.obligation_id, "title": one.title,
        "recipient": {"key": one.recipient_key, "name": one.recipient_name}, "jurisdiction": one.jurisdiction, "citation": one.citation,
        "state": "overdue" if one.is_overdue(now) else one.state, "missing": list(one.missing), "standard": one.standard, "zone": one.zone,
        "conservative": _deadline(one.conservative_value, one.conservative_at), "statutory": _deadline(one.statutory_value, one.statutory_at),
        "target_at": _utc(one.target_at), "trigger_at": _utc(one.trigger_at), "done_at": _utc(one.done_at),
        "owner": one.owner.name if one.owner else None, "url": f"{base}/incidents/{one.incident.reference}/duties/{one.id}",
    }


def _deadline(value: str | None, at: datetime | None) -> dict[str, str | None] | None:
    return {"value": value, "at": _utc(at)} if at else None


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
