"""Entering the example incidents, each step at its own moment, by the person who would take it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from incident_tracker import library
from incident_tracker.actions import duties, filings, notices, playbooks
from incident_tracker.actions import facts as fact_acts
from incident_tracker.actions import incidents as acts
from incident_tracker.actions.facts import Entry
from incident_tracker.actions.filings import Proof
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, duties_of
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Notice
from incident_tracker.models.people import Person, person_by_email
from incident_tracker.models.playbooks import Checklist
from incident_tracker.rules.facts import Moment
from incident_tracker.work import unit_of_work

ZONE = "Europe/Berlin"
MINUTE = timedelta(minutes=1)


def person(name: str) -> Person:
    """One of the example people, by the part of their address before the @."""
    found = person_by_email(f"{name}@harbour.example")
    assert found is not None, name
    return found


@dataclass
class Telling:
    """One incident being entered; `now` is the moment the demo is made, `told` the one of the step at hand."""

    now: datetime
    what: Mapping[str, Any]
    reference: str = ""

    def at(self, ago: float) -> datetime:
        return self.now - timedelta(hours=ago)

    def incident(self) -> Incident:
        return db.session.query(Incident).filter_by(reference=self.reference).one()


def tell(what: Mapping[str, Any], now: datetime) -> str:
    """Enter one incident of `story.yaml`; returns its reference."""
    one = Telling(now, what)
    _report(one)
    began = one.at(what["ago"])
    told = began + min(timedelta(minutes=20), (now - began) / 4)
    _people(one, told)
    if "stage" in what:
        with unit_of_work(person(what.get("dismissed_by", what["by"])), told + MINUTE) as work:
            if what["stage"] == "dismissed":
                acts.change_stage(work, one.incident(), "dismissed", what["reason"])
            else:
                acts.change_stage(work, one.incident(), what["stage"], what["reason"])
    if "playbook" in what:
        _checklist(one, told + 2 * MINUTE)
    for notice in what.get("notices", ()):
        _notice(one, notice, told + 5 * MINUTE)
    for obligation, owner in what.get("owners", {}).items():
        with unit_of_work(person("mona"), told + 4 * MINUTE) as work:
            duties.assign_owner(work, duty_of(one.incident(), obligation), person(owner))
    return one.reference


def _report(one: Telling) -> None:
    what = one.what
    entries = [_line(one, name, value) for name, value in what.get("facts", {}).items()]
    with unit_of_work(person(what["by"]), one.at(what["ago"])) as work:
        incident = acts.report_incident(
            work, acts.Report(what["title"], what["summary"], what["kind"], ZONE, what.get("restricted", False), entries)
        )
        one.reference = incident.reference


def _people(one: Telling, told: datetime) -> None:
    for name in one.what.get("members", ()):
        with unit_of_work(person(one.what["by"]), told) as work:
            acts.add_member(work, one.incident(), person(name))
    if "lead" in one.what:
        with unit_of_work(person("mona"), told) as work:
            acts.set_lead(work, one.incident(), person(one.what["lead"]))


def _line(one: Telling, name: str, value: Any) -> Entry:
    if isinstance(value, Mapping) and "ago" in value:
        at = one.at(value["ago"]).replace(second=0, microsecond=0)
        value = Moment(at, ZONE).to_json()
    certainty = value.get("certainty", "exact") if isinstance(value, Mapping) else "exact"
    return Entry(name, value, certainty, "first report")


def _checklist(one: Telling, told: datetime) -> None:
    with unit_of_work(person(one.what["by"]), told) as work:
        playbooks.start_checklist(work, one.incident(), library.shelf().playbooks[one.what["playbook"]])
    for _ in range(one.what.get("ticks", 0)):
        told += 3 * MINUTE
        with unit_of_work(person(one.what["by"]), told) as work:
            checklist = db.session.query(Checklist).filter_by(incident_id=one.incident().id).one()
            step = next(step for step in checklist.steps if step.state == "open" and not checklist.blocking(step))
            playbooks.tick_step(work, step, step.version, "Screenshots and the log are in the case folder." if step.lacks_proof else "")


def duty_of(incident: Incident, obligation: str) -> Duty:
    """The first duty of an incident that comes from this obligation."""
    return next(duty for duty in duties_of(incident.id) if duty.obligation_id == obligation)


def _notice(one: Telling, what: Mapping[str, Any], told: datetime) -> None:
    """Carry a draft as far as `step` says: draft, in_review, sent_back, approved, filed."""
    draft = write(one.reference, what["obligation"], what["author"], told)
    if what["step"] == "sent_back":
        with unit_of_work(person("laura"), told + 9 * MINUTE) as work:
            notice = find(draft)
            text = notices.newest(notice)
            notices.send_back_notice(work, notice, text.number, text.sha256, what["reason"])
    if what["step"] in ("approved", "filed"):
        approve(draft, told + 9 * MINUTE)
    if what["step"] == "filed":
        file(draft, Moment(one.at(what["filed_ago"]).replace(second=0, microsecond=0), ZONE), one.at(what["filed_ago"]) + 5 * MINUTE, what["author"])


def write(reference: str, obligation: str, author: str, told: datetime) -> int:
    """Draft the notice of a duty from the facts and hand it in for review; returns its id."""
    with unit_of_work(person(author), told) as work:
        incident = db.session.query(Incident).filter_by(reference=reference).one()
        notice = notices.start_notice(work, incident, duty_of(incident, obligation))
        notices.submit_notice(work, notice, notices.newest(notice).number)
        return notice.id


def approve(draft: int, told: datetime) -> None:
    """Counsel approves the text as it is."""
    with unit_of_work(person("laura"), told) as work:
        notice = find(draft)
        text = notices.newest(notice)
        notices.approve_notice(work, notice, text.number, text.sha256, "Goes out as a first notification; the rest follows.")


def file(draft: int, moment: Moment, told: datetime, by: str, reasons: str = "The facts were gathered first.") -> None:
    """Record that it went out."""
    with unit_of_work(person(by), told) as work:
        notice = find(draft)
        proof = Proof(moment, "web form of the authority", f"REF-{notice.id:05d}", late_reasons=reasons, early_reasons="Entered from the published record.")
        filings.file_notice(work, notice, notices.newest(notice).sha256, proof)


def find(draft: int) -> Notice:
    """A notice by its id, as the database has it now."""
    return db.session.get_one(Notice, draft)


def add_facts(reference: str, lines: Mapping[str, Any], by: str, told: datetime, source: str) -> None:
    """Write lines into the ledger of an incident."""
    with unit_of_work(person(by), told) as work:
        incident = db.session.query(Incident).filter_by(reference=reference).one()
        fact_acts.record_facts(work, incident, [Entry(name, value, source=source) for name, value in lines.items()])


def folder() -> Path:
    """Where the example's data lies."""
    return Path(__file__).resolve().parent
