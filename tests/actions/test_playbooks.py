"""Following a playbook: its steps, their due times, and two people at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker import library
from incident_tracker.actions import incidents, playbooks
from incident_tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.duties import duties_of
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.models.playbooks import Checklist, Step, StepState, checklists_of
from incident_tracker.rules.playbooks import Playbook, PlaybookStep
from incident_tracker.work import unit_of_work
from tests.stories import AWARE, CERTAIN, FRIDAY, again, duty_of, person, record, report, set_profile

pytestmark = pytest.mark.usefixtures("app")

LATER = FRIDAY + timedelta(hours=1)


@pytest.fixture
def incident(app: Any) -> Incident:
    set_profile()
    return report()


def follow(incident: Incident, playbook: str | Playbook = "general", *, by: str = "ines", now: datetime = FRIDAY) -> Checklist:
    chosen = library.shelf().playbooks[playbook] if isinstance(playbook, str) else playbook
    with unit_of_work(person(by), now) as work:
        playbooks.start_checklist(work, again(incident.reference), chosen)
    return checklists_of(incident.id)[0]


def step(incident: Incident, key: str) -> Step:
    return db.session.scalars(select(Step).join(Checklist).where(Checklist.incident_id == incident.id, Step.key == key)).one()


def act(action: Callable[..., Any], incident: Incident, key: str, *args: Any, by: str = "ines", now: datetime = LATER, version: int | None = None, **more: Any) -> None:
    """Do one thing to a step, with the version that stands unless another is given."""
    with unit_of_work(person(by), now) as work:
        found = step(incident, key)
        seen = () if action is playbooks.write_note else (version or found.version,)
        action(work, found, *seen, *args, **more)


def trail(incident: Incident) -> list[AuditEntry]:
    """The record of the incident, the newest first."""
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.incident_id == incident.id).order_by(AuditEntry.id.desc())))


def last_entry(incident: Incident) -> AuditEntry:
    return trail(incident)[0]


# -- starting


def test_it_starts_a_checklist_with_the_steps_of_the_playbook(incident: Incident) -> None:
    checklist = follow(incident, "ransomware")
    playbook = library.shelf().playbooks["ransomware"]
    assert [(one.key, one.title) for one in checklist.steps] == [(one.id, one.title) for one in playbook.steps]
    assert (checklist.title, checklist.playbook_version, checklist.started_by.name) == (playbook.title, playbook.version, "Ines Vargas")
    assert last_entry(incident).action == "checklist.start"
    assert last_entry(incident).after["playbook"] == "ransomware"


def test_it_keeps_the_text_it_was_started_with(incident: Incident) -> None:
    first = Playbook("own", "Ours", "", (), None, (PlaybookStep("call", "scope", "Call Mona", "Now.", "lead"),))
    checklist = follow(incident, first)
    assert checklist.playbook_version != Playbook("own", "Ours", "", (), None, (PlaybookStep("call", "scope", "Call Ravi", "Now.", "lead"),)).version
    assert checklist.steps[0].title == "Call Mona"


def test_it_does_not_start_the_same_playbook_twice(incident: Incident) -> None:
    follow(incident)
    with pytest.raises(Conflict, match="already started"):
        follow(incident, by="ravi")
    follow(incident, "vendor_breach")
    assert [one.playbook_id for one in checklists_of(incident.id)] == ["vendor_breach", "general"]


@pytest.mark.parametrize("by", ["olga", "adam"])
def test_it_is_not_started_by_somebody_who_only_reads_or_administers(incident: Incident, by: str) -> None:
    with pytest.raises((NotAllowed, NotFound)):
        follow(incident, by=by)
    assert checklists_of(incident.id) == []


def test_an_outsider_does_not_learn_of_a_restricted_checklist(incident: Incident) -> None:
    follow(incident)
    with unit_of_work(person("ines"), FRIDAY) as work:
        incidents.restrict(work, again(incident.reference), True)
    for action, more in ((playbooks.tick_step, ()), (playbooks.skip_step, ("why",)), (playbooks.write_note, ("note",)), (playbooks.assign_step, (None,))):
        with pytest.raises(NotFound):
            act(action, incident, "take-the-lead", *more, by="otto")


# -- due times


def test_it_dates_a_step_from_the_start_to_the_full_minute(incident: Incident) -> None:
    follow(incident, now=FRIDAY + timedelta(seconds=37))
    assert step(incident, "take-the-lead").due_at == FRIDAY + timedelta(minutes=30)


def test_it_leaves_a_step_undated_while_its_fact_is_unknown_and_dates_it_when_it_is_recorded(incident: Incident) -> None:
    follow(incident)
    assert step(incident, "how-many").due_at is None
    record(incident, {"moments.aware": AWARE})
    assert step(incident, "how-many").due_at == FRIDAY + timedelta(hours=24)
    record(incident, {"moments.aware": None})
    assert step(incident, "how-many").due_at is None


def test_it_dates_the_filing_before_the_first_regulator_deadline(incident: Incident) -> None:
    follow(incident)
    assert step(incident, "file-authority-notice").due_at is None
    record(incident, CERTAIN)
    deadline = duty_of(incident, "eu-gdpr-33-1").conservative_at
    assert deadline == FRIDAY + timedelta(hours=72)
    assert step(incident, "file-authority-notice").due_at == deadline - timedelta(hours=4)


def test_a_corrected_awareness_moves_the_due_times_and_leaves_a_record(incident: Incident) -> None:
    follow(incident)
    record(incident, CERTAIN)
    record(incident, {"moments.aware": {**AWARE, "at": "2026-11-27T15:00:00+01:00"}})
    assert step(incident, "how-many").due_at == FRIDAY + timedelta(hours=21, minutes=30)
    assert step(incident, "file-authority-notice").due_at == FRIDAY + timedelta(hours=65, minutes=30)
    moved = next(entry for entry in trail(incident) if entry.action == "checklist.reschedule")
    assert moved.before["general/how-many"] == (FRIDAY + timedelta(hours=24)).isoformat()
    assert moved.after["general/how-many"] == (FRIDAY + timedelta(hours=21, minutes=30)).isoformat()


def test_it_leaves_no_record_when_nothing_moved(incident: Incident) -> None:
    follow(incident)
    record(incident, {"risk_level": "risk"})
    assert not [entry for entry in trail(incident) if entry.action == "checklist.reschedule"]


def test_a_moved_due_time_turns_away_nobodys_form(incident: Incident) -> None:
    follow(incident)
    version = step(incident, "how-many").version
    record(incident, {"moments.aware": AWARE})
    act(playbooks.tick_step, incident, "how-many", version=version)
    assert step(incident, "how-many").state == StepState.DONE


def test_an_ended_step_keeps_the_due_time_it_ended_with(incident: Incident) -> None:
    record(incident, {"moments.aware": AWARE})
    follow(incident)
    act(playbooks.tick_step, incident, "how-many")
    record(incident, {"moments.aware": {**AWARE, "at": "2026-11-27T10:00:00+01:00"}})
    assert step(incident, "how-many").due_at == FRIDAY + timedelta(hours=24)
    act(playbooks.untick_step, incident, "how-many", "Forgot the leavers.")
    assert step(incident, "how-many").due_at == FRIDAY + timedelta(hours=16, minutes=30)


def test_a_day_without_a_time_counts_from_its_start(incident: Incident) -> None:
    follow(incident)
    record(incident, {"moments.aware": {"on": "2026-11-27", "zone": "Europe/Berlin", "precision": "day"}})
    assert step(incident, "how-many").due_at == datetime.fromisoformat("2026-11-28T00:00:00+01:00")


# -- ticking, skipping, opening again


def test_it_ticks_a_step_and_says_who_and_when(incident: Incident) -> None:
    follow(incident)
    act(playbooks.tick_step, incident, "take-the-lead", by="ravi")
    done = step(incident, "take-the-lead")
    assert (done.state, done.ended_by.name, done.ended_at) == ("done", "Ravi Menon", LATER)
    assert (last_entry(incident).action, last_entry(incident).actor_name, last_entry(incident).subject) == ("checklist.tick", "Ravi Menon", f"step:{done.id}")


def test_it_asks_for_proof_before_it_ticks(incident: Incident) -> None:
    follow(incident)
    with pytest.raises(Invalid) as refused:
        act(playbooks.tick_step, incident, "stop-the-loss", "  ")
    assert "What was done, and when it took effect" in refused.value.fields["note"][0]
    act(playbooks.tick_step, incident, "stop-the-loss", "Ticket SEC-881, closed at 17:52.")
    done = step(incident, "stop-the-loss")
    assert [(entry.kind, entry.text) for entry in done.entries] == [("done", "Ticket SEC-881, closed at 17:52.")]


def test_a_note_from_before_is_no_proof(incident: Incident) -> None:
    follow(incident)
    act(playbooks.write_note, incident, "stop-the-loss", "Host does not answer.")
    with pytest.raises(Invalid):
        act(playbooks.tick_step, incident, "stop-the-loss")


def test_a_step_waits_for_the_steps_it_names(incident: Incident) -> None:
    follow(incident)
    with pytest.raises(Invalid, match="waits for “Find out which data, in which systems, and for whom you hold them” and “Record how many people"):
        act(playbooks.tick_step, incident, "judge-risk", "Reasons are in the assessment.")
    act(playbooks.tick_step, incident, "what-data")
    act(playbooks.skip_step, incident, "how-many", "One person only.")
    act(playbooks.tick_step, incident, "judge-risk", "Reasons are in the assessment.")
    assert step(incident, "judge-risk").state == StepState.DONE


def test_it_skips_with_a_reason_only(incident: Incident) -> None:
    follow(incident)
    with pytest.raises(Invalid, match="why it is skipped"):
        act(playbooks.skip_step, incident, "ready-helpline", " ")
    act(playbooks.skip_step, incident, "ready-helpline", "Three people, all phoned by Laura.")
    skipped = step(incident, "ready-helpline")
    assert (skipped.state, skipped.entries[-1].kind, skipped.entries[-1].text) == ("skipped", "skipped", "Three people, all phoned by Laura.")


def test_it_opens_a_step_again_and_keeps_what_was_said(incident: Incident) -> None:
    follow(incident)
    act(playbooks.tick_step, incident, "stop-the-loss", "Ticket SEC-881.")
    with pytest.raises(Invalid, match="why it is open again"):
        act(playbooks.untick_step, incident, "stop-the-loss", "")
    act(playbooks.untick_step, incident, "stop-the-loss", "The second host still answers.", by="ravi")
    opened = step(incident, "stop-the-loss")
    assert (opened.state, opened.ended_at, opened.ended_by_id) == ("open", None, None)
    assert [(entry.kind, entry.by.name) for entry in opened.entries] == [("done", "Ines Vargas"), ("opened", "Ravi Menon")]


def test_an_ended_step_is_not_ended_a_second_time(incident: Incident) -> None:
    follow(incident)
    act(playbooks.tick_step, incident, "take-the-lead")
    for action in (playbooks.tick_step, playbooks.skip_step):
        with pytest.raises(Conflict, match="it is now done"):
            act(action, incident, "take-the-lead", "again")


def test_it_refuses_a_note_that_is_too_long(incident: Incident) -> None:
    follow(incident)
    with pytest.raises(Invalid, match="5,000 characters"):
        act(playbooks.write_note, incident, "take-the-lead", "x" * 5001)


# -- assigning


def test_it_gives_a_step_to_somebody_and_tells_them(incident: Incident) -> None:
    follow(incident)
    act(playbooks.assign_step, incident, "how-many", person("laura"), "Ask HR first.")
    given = step(incident, "how-many")
    assert (given.assignee.name, given.entries[-1].text) == ("Laura Beck", "Ask HR first.")
    messages = db.session.scalars(select(Message).where(Message.person_id == person("laura").id, Message.kind == "assigned")).all()
    assert {message.channel for message in messages} == {"bell", "email"}
    assert messages[0].content == {"part": "step", "step": "Record how many people, per country and US state"}


def test_it_tells_nobody_who_takes_a_step_themselves(incident: Incident) -> None:
    follow(incident)
    act(playbooks.assign_step, incident, "how-many", person("ravi"), by="ravi")
    assert db.session.scalars(select(Message).where(Message.kind == "assigned")).all() == []
    act(playbooks.assign_step, incident, "how-many", None)
    assert step(incident, "how-many").assignee is None


@pytest.mark.parametrize("name", ["olga", "adam"])
def test_it_gives_no_step_to_somebody_who_cannot_do_it(incident: Incident, name: str) -> None:
    follow(incident)
    with pytest.raises(Invalid, match="cannot work on this incident"):
        act(playbooks.assign_step, incident, "how-many", person(name))


def test_on_a_restricted_incident_only_members_get_steps(incident: Incident) -> None:
    follow(incident)
    with unit_of_work(person("ines"), FRIDAY) as work:
        incidents.restrict(work, again(incident.reference), True)
    with pytest.raises(Invalid, match="Otto Brandt cannot work on this incident"):
        act(playbooks.assign_step, incident, "how-many", person("otto"))


# -- two people at once


def test_the_second_of_two_people_sees_both_texts(incident: Incident) -> None:
    follow(incident)
    seen = step(incident, "stop-the-loss").version
    act(playbooks.tick_step, incident, "stop-the-loss", "Cut off at 17:52.", by="ravi", version=seen)
    with pytest.raises(Conflict) as conflict:
        act(playbooks.skip_step, incident, "stop-the-loss", "Nothing to stop.", by="ines", version=seen)
    assert conflict.value.yours == {"Note": "Nothing to stop."}
    assert "done by Ravi Menon" in conflict.value.theirs["Note"]
    assert "Cut off at 17:52." in conflict.value.theirs["Note"]
    assert step(incident, "stop-the-loss").state == StepState.DONE


def test_somebody_who_took_the_step_meanwhile_keeps_it(incident: Incident) -> None:
    follow(incident)
    seen = step(incident, "how-many").version
    act(playbooks.assign_step, incident, "how-many", person("laura"), version=seen)
    with pytest.raises(Conflict) as conflict:
        act(playbooks.assign_step, incident, "how-many", person("ravi"), by="ravi", version=seen)
    assert "with Laura Beck" in conflict.value.theirs["Note"]
    assert step(incident, "how-many").assignee.name == "Laura Beck"


def test_two_notes_never_overwrite_each_other(incident: Incident) -> None:
    follow(incident)
    act(playbooks.write_note, incident, "how-many", "HR counts 1,180.", by="ravi")
    act(playbooks.write_note, incident, "how-many", "Payroll counts 1,204.")
    assert [entry.text for entry in step(incident, "how-many").entries] == ["HR counts 1,180.", "Payroll counts 1,204."]


# -- what to do next


def test_the_next_step_is_the_one_due_first_that_waits_for_nothing(incident: Incident) -> None:
    checklist = follow(incident)
    assert [one.key for one in [checklist.next_step()] if one] == ["take-the-lead"]
    act(playbooks.tick_step, incident, "take-the-lead")
    act(playbooks.skip_step, incident, "record-times", "Later.")
    found = checklists_of(incident.id)[0].next_step()
    # contain begins before the scope is known: its step is due in two hours
    assert found is not None and found.key == "stop-the-loss"


def test_progress_counts_what_was_skipped_as_ended(incident: Incident) -> None:
    checklist = follow(incident)
    act(playbooks.tick_step, incident, "take-the-lead")
    act(playbooks.skip_step, incident, "record-times", "Known already.")
    scope = checklists_of(incident.id)[0].phases(checklist.steps)[0]
    assert (scope.title, scope.ended, scope.skipped, len(scope.steps)) == ("Scope", 2, 1, 6)


def test_a_deadline_that_was_met_no_longer_dates_a_step(incident: Incident) -> None:
    follow(incident)
    record(incident, CERTAIN)
    with unit_of_work(person("laura"), LATER) as work:
        incidents.change_stage(work, again(incident.reference), "dismissed", "A drill.")
    assert not any(duty.is_open for duty in duties_of(incident.id) if duty.conservative_at)
    assert step(incident, "file-authority-notice").due_at is None
