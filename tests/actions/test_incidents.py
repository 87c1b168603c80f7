"""Reporting, editing, moving and guarding incidents."""

from datetime import timedelta

import pytest

from incident_tracker.actions import clocks
from incident_tracker.actions import incidents as acts
from incident_tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, DutyChange
from incident_tracker.models.incidents import Incident, find_incident, incidents_visible_to
from incident_tracker.work import unit_of_work
from tests.stories import CERTAIN, FRIDAY, again, duty_of, person, record, report, set_profile

pytestmark = pytest.mark.usefixtures("app")


def test_it_numbers_incidents_from_a_sequence() -> None:
    assert [report().reference for _ in range(3)] == ["INC-2026-0001", "INC-2026-0002", "INC-2026-0003"]
    assert report(now=FRIDAY + timedelta(days=60)).reference == "INC-2027-0001"


def test_a_number_is_never_given_twice_even_when_a_report_fails() -> None:
    report()
    with pytest.raises(Invalid), unit_of_work(person("ines"), FRIDAY) as work:
        acts.report_incident(work, acts.Report("  ", "", "other", "Europe/Berlin"))
    assert report().reference == "INC-2026-0002"


def test_it_starts_the_clock_of_article_33_on_a_friday_evening() -> None:
    set_profile()
    incident = report(CERTAIN)
    duty = duty_of(incident, "eu-gdpr-33-1")
    assert duty.state == "running"
    assert duty.conservative_value == "2026-11-30T17:30:00+01:00"
    assert duty.statutory_value == "2026-11-30T18:00:00+01:00"
    assert "DE-BE" in duty.recipient_key
    assert incident.next_due_at == FRIDAY + timedelta(hours=72)
    assert any("art. 3(1)" in step["cites"] for step in duty.steps)


def test_a_missing_fact_leaves_the_duty_undecided_with_a_clock_that_warns() -> None:
    set_profile()
    incident = report({**CERTAIN, "risk_level": None})
    duty = duty_of(incident, "eu-gdpr-33-1")
    assert duty.state == "undecided"
    assert "risk_level" in duty.missing
    assert incident.next_due_at == FRIDAY + timedelta(hours=72)
    assert incident.undecided_count >= 1


def test_a_corrected_fact_moves_the_clock_and_leaves_a_record() -> None:
    set_profile()
    incident = report(CERTAIN)
    record(incident, {"moments.aware": {"at": "2026-11-27T15:00:00+01:00", "zone": "Europe/Berlin", "precision": "instant"}})
    duty = duty_of(incident, "eu-gdpr-33-1")
    assert duty.conservative_value == "2026-11-30T15:00:00+01:00"
    last = duty.changes[-1]
    assert (last.before["deadline"], last.after["deadline"]) == ("2026-11-30T17:30:00+01:00", "2026-11-30T15:00:00+01:00")
    assert "Became aware" in last.reason


def test_recomputing_keeps_the_owner() -> None:
    set_profile()
    incident = report(CERTAIN)
    with unit_of_work(person("mona"), FRIDAY) as work:
        duty_of(incident, "eu-gdpr-33-1").owner_id = person("ravi").id
        work.record("test.own", "", incident=incident)
    record(incident, {"risk_level": "high"})
    assert duty_of(incident, "eu-gdpr-33-1").owner_id == person("ravi").id


def test_recomputing_twice_changes_nothing() -> None:
    set_profile()
    incident = report(CERTAIN)
    record(incident, {"data.unsecured": True})
    count = db.session.query(Duty).count()
    changes = db.session.query(DutyChange).count()
    with unit_of_work(person("ines"), FRIDAY + timedelta(minutes=5)) as work:
        clocks.recompute(work, again(incident.reference), "asked again")
    assert db.session.query(Duty).count() == count
    assert db.session.query(DutyChange).count() == changes


def test_a_duty_that_falls_away_stays_in_the_record() -> None:
    set_profile()
    incident = report(CERTAIN)
    record(incident, {"risk_level": "unlikely"})
    duty = duty_of(incident, "eu-gdpr-33-1")
    assert duty.state == "does_not_apply"
    assert duty.done_at is not None
    record(incident, {"risk_level": "risk"})
    assert duty_of(incident, "eu-gdpr-33-1").state == "running"


def test_it_is_not_closed_while_a_duty_is_open() -> None:
    set_profile()
    incident = report(CERTAIN)
    with unit_of_work(person("ines"), FRIDAY) as work:
        acts.change_stage(work, again(incident.reference), "confirmed", "certain")
    with pytest.raises(Invalid, match="still open"), unit_of_work(person("laura"), FRIDAY) as work:
        acts.change_stage(work, again(incident.reference), "closed", "done")
    assert again(incident.reference).stage == "confirmed"


def test_an_officer_cannot_make_deadlines_vanish_by_dismissing() -> None:
    set_profile()
    incident = report(CERTAIN)
    with pytest.raises(NotAllowed), unit_of_work(person("ines"), FRIDAY) as work:
        acts.change_stage(work, again(incident.reference), "dismissed", "false alarm")
    with unit_of_work(person("laura"), FRIDAY) as work:
        acts.change_stage(work, again(incident.reference), "dismissed", "false alarm")
    assert duty_of(incident, "eu-gdpr-33-1").state == "withdrawn"
    assert again(incident.reference).next_due_at is None


def test_a_change_of_stage_needs_a_reason() -> None:
    incident = report()
    with pytest.raises(Invalid), unit_of_work(person("ines"), FRIDAY) as work:
        acts.change_stage(work, again(incident.reference), "suspected", "  ")


def test_two_who_edit_at_once_both_keep_their_text() -> None:
    incident = report()
    with unit_of_work(person("ines"), FRIDAY) as work:
        acts.edit_incident(work, again(incident.reference), 1, title="First", summary="from Ines", kind="other")
    with pytest.raises(Conflict) as conflict, unit_of_work(person("ravi"), FRIDAY) as work:
        acts.edit_incident(work, again(incident.reference), 1, title="Second", summary="from Ravi", kind="other")
    assert conflict.value.yours["What happened"] == "from Ravi"
    assert conflict.value.theirs["What happened"] == "from Ines"


def test_a_restricted_incident_does_not_exist_for_others() -> None:
    incident = report(restricted=True)
    otto = person("otto")
    assert find_incident(otto, incident.reference) is None
    assert otto.id not in incident.member_ids
    assert db.session.scalars(incidents_visible_to(otto)).all() == []
    for name in ("otto", "adam", "olga", "mona"):
        with pytest.raises(NotFound), unit_of_work(person(name), FRIDAY) as work:
            acts.restrict(work, again(incident.reference), False)
    assert find_incident(person("ines"), incident.reference) is not None


def test_somebody_stays_on_a_restricted_incident() -> None:
    incident = report(restricted=True)
    with pytest.raises(Invalid), unit_of_work(person("ines"), FRIDAY) as work:
        acts.remove_member(work, again(incident.reference), person("ines"))
    with unit_of_work(person("ines"), FRIDAY) as work:
        acts.add_member(work, again(incident.reference), person("laura"))
    with pytest.raises(Invalid, match="leads"), unit_of_work(person("ines"), FRIDAY) as work:
        acts.remove_member(work, again(incident.reference), person("ines"))


def test_an_auditor_changes_nothing() -> None:
    incident = report()
    with pytest.raises(NotAllowed), unit_of_work(person("olga"), FRIDAY) as work:
        acts.change_stage(work, again(incident.reference), "suspected", "because")


def test_a_refused_action_leaves_nothing_behind() -> None:
    before = db.session.query(Incident).count()
    with pytest.raises(NotAllowed), unit_of_work(person("olga"), FRIDAY) as work:
        acts.report_incident(work, acts.Report("Something", "", "other", "Europe/Berlin"))
    assert db.session.query(Incident).count() == before


def test_undecided_duties_due_together_are_warned_of_in_one() -> None:
    set_profile()
    incident = report({**CERTAIN, "risk_level": None, "affected.places_complete": None})
    undecided = [duty for duty in db.session.query(Duty).filter_by(incident_id=incident.id, state="undecided") if duty.conservative_at]
    leaders = {duty.id for duty in undecided if duty.warned_with_id is None}
    assert all(duty.warned_with_id in leaders for duty in undecided if duty.warned_with_id is not None)
    rungs = {rung.duty_id for rung in db.session.query(Rung).filter_by(incident_id=incident.id, ended_at=None)}
    assert leaders <= rungs
    assert not rungs & {duty.id for duty in undecided if duty.warned_with_id is not None}
    record(incident, {"risk_level": "risk", "affected.places_complete": True})
    assert duty_of(incident, "eu-gdpr-33-1").warned_with_id is None
    assert db.session.query(Rung).filter_by(duty_id=duty_of(incident, "eu-gdpr-33-1").id, ended_at=None).count() > 0
