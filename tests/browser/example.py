"""The example organisation, made once a run, with the few things added that its demo has not: evidence, a passkey, a kept text, links."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from incident_tracker import clock
from incident_tracker.actions import people as people_acts
from incident_tracker.demo import making
from incident_tracker.factory import create_app
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, DutyDecision
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.models.notices import Notice
from incident_tracker.models.people import Person
from incident_tracker.models.playbooks import Checklist
from incident_tracker.models.receipts import sign
from incident_tracker.models.sign_ins import ParkedForm
from incident_tracker.web.resets import link_for
from incident_tracker.work import unit_of_work
from incident_tracker.worker import run_once
from tests import addresses, cast, doors, stories
from tests.browser.site import Site
from tests.conftest import test_config
from tests.stories import person
from tests.visitor import Visitor


@dataclass
class Story:
    """A running tracker full of incidents; `blanks` say what stands for each blank of an address, `secret` is that of Ines's authenticator app."""

    site: Site
    blanks: dict[str, Any]
    secret: str


def make(folder: Path) -> None:
    """Fill a new instance in `folder` with the example organisation."""
    app = create_app(test_config(folder, f"sqlite:///{folder / 'tracker.sqlite3'}", stale_seconds=86_400))
    with app.app_context():
        db.create_all()
        making.make("http://localhost", clock.now())
    run_once(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def finish(site: Site) -> Story:
    """Add what the demo has not, by the actions and pages that do it, and find out the values for the blanks."""
    with site.app.app_context():
        secret = doors.give_app("ines")
        cast.give_password(person("ravi"))
        blanks = _found() | addresses.with_evidence(site.app, _busiest().reference) | addresses.with_accounts()
        blanks |= addresses.with_destination(site.app)
        stories.record(_busiest(), addresses.HOLD, now=clock.now())
        blanks["hold_number"] = 1
        blanks["signed"] = sign(site.app.config["SECRET_KEY"], _a_warning())
        blanks["form_id"] = _keep_a_text(site)
        with unit_of_work(person("adam")) as work:
            _, link = people_acts.invite(work, "noor@harbour.example", ["officer", "legal"], site.url)
        blanks["secret"] = link.rsplit("/", 1)[1]
    with site.app.test_request_context(base_url=site.url):
        blanks["token"] = link_for(person("mona")).rsplit("/", 1)[1]
        db.session.remove()
    return Story(site, blanks, secret)


def _busiest() -> Incident:
    """The open incident of the demo with a checklist and a notice in review."""
    found = db.session.scalars(select(Incident).join(Notice).where(Notice.state == "in_review")).first()
    assert found is not None
    return found


def _found() -> dict[str, Any]:
    incident = _busiest()
    by_state = {notice.state: notice for notice in db.session.scalars(select(Notice).join(Incident).where(Incident.ended_at.is_(None)).order_by(Notice.id))}
    checklist = db.session.scalars(select(Checklist).where(Checklist.incident_id == incident.id)).one()
    decision = db.session.scalars(select(DutyDecision)).first()
    return {
        "reference": incident.reference, "group": "people", "playbook_id": "ransomware", "filename": "app.css",
        "duty_id": by_state["in_review"].duty_id, "notice_id": by_state["in_review"].id,
        "notices": {state: {"id": one.id, "duty_id": one.duty_id, "reference": one.incident.reference} for state, one in by_state.items()},
        "step_id": checklist.steps[0].id, "decision_id": decision.id if decision else 0, "person_id": person("ravi").id,
    }


def _keep_a_text(site: Site) -> int:
    """Ines sends a form after her session ran out; its text is kept for her."""
    client = site.app.test_client()
    assert isinstance(client, Visitor)
    cast.sign_in(client, "ines")
    client.get("/incidents/report")
    with client.session_transaction() as session:
        session["seen_at"] = (clock.now() - timedelta(hours=2)).isoformat()
    client.post("/incidents/report", data={"title": "Letters of two wards were swapped", "summary": "Seen by the ward itself, on Friday at noon.\n\nEight letters."})
    form = db.session.scalars(select(ParkedForm).join(Person).order_by(ParkedForm.id.desc())).first()
    assert form is not None
    return form.id


def _a_warning() -> Message:
    """A warning that Ines got and may still acknowledge."""
    query = select(Message).join(Duty, Duty.id == Message.duty_id).where(Message.person_id == person("ines").id, Message.kind == "warning")
    return db.session.scalars(query.where(Duty.state == "running").order_by(Message.id).limit(1)).one()
