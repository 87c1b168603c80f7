"""Incidents and duties with a clock, put straight into the database, and what their warnings come to."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from incident_tracker.actions import alerts
from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident, Membership
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Person
from incident_tracker.rules.ladder import UNANSWERED
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.stories import FRIDAY, person

HOUR = timedelta(hours=1)
_numbers = count(1)


def an_incident(lead: str | None = "ines", members: Iterable[str] = (), restricted: bool = False) -> Incident:
    """An incident as it stands on Friday evening."""
    with unit_of_work(person("ines"), FRIDAY) as work:
        incident = Incident(
            reference=f"INC-2026-{next(_numbers):04d}", title="Laptop of the ward lost", zone="Europe/Berlin", reported_at=FRIDAY,
            reported_by_id=person("ines").id, lead_id=person(lead).id if lead else None, restricted=restricted,
        )
        incident.memberships = [Membership(person_id=person(name).id, added_by_id=person("ines").id, added_at=FRIDAY) for name in members]
        work.session.add(incident)
        work.record("incident.report", incident.reference, incident=incident)
    return incident


def a_duty(incident: Incident, hours: float | None = 72, *, owner: str | None = None, start: datetime = FRIDAY, plan_at: datetime | None = FRIDAY, **more: Any) -> Duty:
    """A running duty with so many hours from `start`, and its warnings planned."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "state": "running", "title": f"Notify authority {number}", "recipient_name": "Berlin authority", "zone": "Europe/Berlin",
        "conservative_at": start + timedelta(hours=hours) if hours is not None else None,
    }
    with unit_of_work(person("ines"), plan_at or FRIDAY) as work:
        duty = Duty(**values | {
            "incident_id": incident.id, "obligation_id": f"planted-{number}", "recipient_key": "authority:DE-BE", "jurisdiction": "EU",
            "citation": "GDPR art. 33(1)", "owner_id": person(owner).id if owner else None, "missing": [], "because": [], "steps": [], "warnings": [],
            "trigger_at": start, "law_version": "planted", "versions": {}, "computed_at": FRIDAY,
        } | more)
        work.session.add(duty)
        work.session.flush()
        if plan_at is not None:
            alerts.plan(work, duty)
    return duty


def change(duty: Duty, now: datetime, *, plan: bool = True, **values: Any) -> None:
    """Change a duty, and plan it as whoever changes one does."""
    with unit_of_work(person("ines"), now) as work:
        found = work.session.get(Duty, duty.id)
        assert found is not None
        for name, value in values.items():
            setattr(found, name, value)
        if plan:
            alerts.plan(work, found)


def acknowledge(duty: Duty, by: str, now: datetime) -> None:
    with unit_of_work(person(by), now) as work:
        found = work.session.get(Duty, duty.id)
        assert found is not None
        alerts.acknowledge(work, found)


def fire(now: datetime, limit: int = 500) -> dict[str, list[str]]:
    """Fire what is due; who was told, by the key of the rung. Of several duties' rungs of one key all people together."""
    known = db.session.scalar(select(Message.id).order_by(Message.id.desc()).limit(1)) or 0
    while True:
        with unit_of_work(CLOCKWORK, now) as work:
            result = alerts.fire_due(work, limit)
        if not result.claimed or result.next_due_at is None or result.next_due_at > now:
            break
    rows = db.session.execute(
        select(Rung.key, Person.email).join(Message, Message.rung_id == Rung.id).join(Person, Person.id == Message.person_id)
        .where(Message.id > known, Message.channel == "bell").order_by(Person.email)
    )
    found: dict[str, list[str]] = {}
    for key, email in rows:
        found.setdefault(key, []).append(email.partition("@")[0])
    return found


def ladder_of(duty: Duty, *, with_unanswered: bool = False) -> list[tuple[str, str | None]]:
    """Key and outcome of a duty's rungs, by moment; without those that follow an unanswered one unless they are asked for."""
    db.session.rollback()
    rungs = db.session.scalars(select(Rung).where(Rung.duty_id == duty.id).order_by(Rung.due_at, Rung.id))
    return [(rung.key, rung.outcome) for rung in rungs if with_unanswered or not rung.key.startswith(UNANSWERED)]


def waiting(duty: Duty) -> list[str]:
    return [key for key, outcome in ladder_of(duty) if outcome is None]
