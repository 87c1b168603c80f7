"""Six published breaches, entered with their published times; what the tracker says of each must agree with the authority."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from incident_tracker.actions import duties
from incident_tracker.actions import incidents as acts
from incident_tracker.actions.facts import Entry
from incident_tracker.demo import story
from incident_tracker.demo.story import person
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, duties_of
from incident_tracker.models.incidents import Incident
from incident_tracker.rules.facts import Moment
from incident_tracker.work import unit_of_work

#: what holds in each case unless it says otherwise
COMMON: dict[str, Any] = {
    "personal_data_breach": True,
    "role": {"known": ["controller"], "complete": True},
    "affected.places_complete": True,
    "initial_notification_incomplete": False,
    "entity.sectors": {"known": ["none_of_these"], "complete": True},
}


def enter(case: Mapping[str, Any]) -> str:
    """Enter one case, from its first day to its closing; returns the reference."""
    zone = case["zone"]
    aware = Moment.on(date.fromisoformat(case["moments"]["aware"]), zone)
    lines = {
        **COMMON,
        **case["facts"],
        **{f"moments.{name}": Moment.on(date.fromisoformat(day), zone).to_json() for name, day in case["moments"].items()},
    }
    reported = aware.at + timedelta(hours=9)
    with unit_of_work(person("ines"), reported) as work:
        entries = [
            Entry(name, value, value.get("certainty", "exact") if isinstance(value, Mapping) else "exact", case["source"])
            for name, value in lines.items()
        ]
        text = f"{case['summary']}\n\nPublished case: {case['authority']}. Source: {case['source']}."
        incident = acts.report_incident(
            work, acts.Report(f"{case['controller']} (published case)", text, case["kind"], zone, entries=entries)
        )
        acts.change_stage(work, incident, "confirmed", "By the published record.")
        reference = incident.reference
    last = reported
    for obligation, day in case["filed"].items():
        filed = Moment.on(date.fromisoformat(day), zone)
        draft = story.write(reference, obligation, "ines", max(reported, filed.at) + timedelta(minutes=5))
        story.approve(draft, max(reported, filed.at) + timedelta(minutes=10))
        last = max(last, filed.at + timedelta(hours=20))
        story.file(draft, filed, filed.at + timedelta(hours=20), "ines", "As the authority's decision records it.")
    _settle(reference, last + timedelta(hours=1))
    return reference


def _settle(reference: str, told: datetime) -> None:
    """What the decision does not speak of is found not required, and the incident is closed."""
    for duty_id in [duty.id for duty in duties_of(_incident(reference).id) if duty.is_open]:
        with unit_of_work(person("ines"), told) as work:
            duty = db.session.get(Duty, duty_id)
            if duty is None or not duty.is_open:
                continue
            asked = duties.ask_decision(work, duty, "not_required", "Published case: the decision does not speak of this duty.")
            decision = asked.id
        with unit_of_work(person("laura"), told + timedelta(minutes=1)) as work:
            duty = db.session.get_one(Duty, duty_id)
            duties.answer_decision(work, next(one for one in duty.decisions if one.id == decision), duty, approve=True)
    with unit_of_work(person("laura"), told + timedelta(hours=1)) as work:
        acts.change_stage(work, _incident(reference), "closed", "The authority has decided.")


def _incident(reference: str) -> Incident:
    return db.session.query(Incident).filter_by(reference=reference).one()
