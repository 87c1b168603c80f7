"""The published breaches: what the tracker says of each agrees with the authority."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from incident_tracker.demo import making, people, published
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Filing
from tests.stories import duty_of

CASES = making._read("published.yaml")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_it_agrees_with_the_authority(app: Any, case: dict[str, Any]) -> None:
    published.enter(case)
    incident = db.session.query(Incident).one()
    duty = duty_of(incident, case["found"]["obligation"])
    filing = db.session.query(Filing).filter_by(duty_id=duty.id).one()
    late = case["found"]["days_past_due"] > 0
    assert duty.state == ("met_late" if late else "met")
    assert filing.outcome == ("late" if late else "on_time")
    deadline = duty.statutory_at.astimezone(ZoneInfo(duty.zone))
    day = date.fromisoformat(duty.statutory_value[:10])
    assert day == date.fromisoformat(str(case["found"]["due_on"])), deadline
    filed_on = filing.filed_at.astimezone(ZoneInfo(filing.zone)).date()
    assert max(0, (filed_on - day).days) == case["found"]["days_past_due"]
    assert incident.stage == "closed"


def test_the_days_of_every_hipaa_notice_are_those_of_the_settlement(app: Any) -> None:
    case = next(case for case in CASES if case["id"] == "REAL-22")
    published.enter(case)
    incident = db.session.query(Incident).one()
    past = {}
    for obligation in case["filed"]:
        duty = duty_of(incident, obligation)
        filing = db.session.query(Filing).filter_by(duty_id=duty.id).one()
        filed_on = filing.filed_at.astimezone(ZoneInfo(filing.zone)).date()
        past[obligation] = ((filed_on - date(2013, 10, 22)).days, (filed_on - date.fromisoformat(duty.statutory_value)).days)
    assert past == {"us.hipaa.hhs_500plus": (101, 41), "us.hipaa.individual": (104, 44), "us.hipaa.media": (106, 46)}


@pytest.mark.slow
def test_the_whole_example_is_made(app: Any) -> None:
    for person in db.session.query(people.acts.Person):
        db.session.delete(person)
    db.session.commit()
    log_ins = making.make("http://127.0.0.1:8000", datetime(2026, 11, 22, 3, 0, tzinfo=UTC))
    assert {role for one in log_ins for role in one.roles} == {"administrator", "officer", "legal", "manager", "auditor"}
    stages = {incident.stage for incident in db.session.query(Incident)}
    assert {"reported", "suspected", "confirmed", "closed", "dismissed"} <= stages
    assert db.session.query(Incident).count() >= 12
