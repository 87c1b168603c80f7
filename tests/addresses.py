"""An address for every page: what to put where a route has a blank, in a tracker with something of everything in it."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from incident_tracker import library
from incident_tracker.actions import accounts, duties, evidence, feeds, incidents, notices, people, playbooks, rotas, sign_ins, tokens
from incident_tracker.models.base import db
from incident_tracker.models.destinations import Destination, Seal
from incident_tracker.models.evidence import Vault
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from incident_tracker.models.notices import Notice
from incident_tracker.models.receipts import sign
from incident_tracker.work import unit_of_work
from tests import stories

#: the members of the told incident: Otto is the outsider, Adam administers and has no business there
MEMBERS = ("ines", "ravi", "laura", "mona", "olga")


HOLD = {"holds.1": {"regime": None, "from": {"on": "2026-11-27", "zone": "Europe/Berlin"}, "until": None, "oral": False}}


@dataclass
class Told:
    """What was put into the database: the value for each blank, by the blank's name."""

    reference: str
    blanks: dict[str, Any] = field(default_factory=dict)


def tell(app: Flask, *, restricted: bool) -> Told:
    """A breach with duties, facts, a decision that waits, a checklist and evidence; Ines leads, the members are on it."""
    stories.set_profile()
    found = stories.report(stories.CERTAIN)
    _change(lambda work: incidents.change_stage(work, _the(found.reference), "confirmed", "The mailbox rules were copied."))
    for name in MEMBERS[1:]:
        _change(lambda work, name=name: incidents.add_member(work, _the(found.reference), stories.person(name)))
    if restricted:
        _change(lambda work: incidents.restrict(work, _the(found.reference), True))
    told = Told(found.reference, {"reference": found.reference})
    told.blanks |= _with_notice(found.reference) | _with_decision(found.reference) | _with_checklist(found.reference)
    stories.record(_the(found.reference), HOLD, now=stories.FRIDAY + timedelta(hours=2))
    told.blanks |= {"hold_number": 1}
    told.blanks |= with_evidence(app, found.reference) | _with_message(found.reference) | with_accounts()
    told.blanks |= _with_rota(app, told.blanks["message_id"])
    told.blanks |= with_destination(app)
    told.blanks |= {"group": "people", "playbook_id": "ransomware", "obligation_id": "eu-gdpr-33-1", "person_id": stories.person("ravi").id, "filename": "app.css"}
    return told


def address(rule: Rule, told: Told) -> str:
    """The address of a route. Raises AssertionError for a blank that nobody gave a value."""
    missing = sorted(name for name in rule.arguments if name not in told.blanks)
    assert not missing, f"{rule.endpoint}: say in tests/addresses.py what stands for {', '.join(missing)}"
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda blank: str(told.blanks[blank[1]]), rule.rule)


def routes(app: Flask, method: str) -> list[Rule]:
    """The routes that answer this method, by endpoint, those of the API too."""
    return sorted((rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())), key=lambda rule: (rule.endpoint, rule.rule))


def is_of_the_api(rule: Rule) -> bool:
    """Whether a program calls there, with a token; all else are pages, with sessions and forms."""
    return rule.rule.startswith("/api/")


def pages(app: Flask, method: str) -> list[Rule]:
    """The routes for people that answer this method, by endpoint."""
    return [rule for rule in routes(app, method) if not is_of_the_api(rule)]


def _change(action: Callable[..., Any], by: str = "ines") -> Any:
    with unit_of_work(stories.person(by), stories.FRIDAY + timedelta(hours=1)) as work:
        return action(work)


def _the(reference: str) -> Incident:
    return db.session.scalars(select(Incident).where(Incident.reference == reference)).one()


def _with_notice(reference: str) -> dict[str, Any]:
    """A draft with two versions, in review."""
    duty = stories.duty_of(_the(reference), "eu-gdpr-33-1")
    notice_id = _change(lambda work: notices.start_notice(work, _the(reference), duty)).id
    text = db.session.get_one(Notice, notice_id).versions[-1].body
    _change(lambda work: notices.edit_notice(work, db.session.get_one(Notice, notice_id), 1, f"{text}\nThe rules are gone since 18:10."))
    _change(lambda work: notices.submit_notice(work, db.session.get_one(Notice, notice_id), 2, "Please look at the second part."))
    return {"notice_id": notice_id}


def _with_decision(reference: str) -> dict[str, Any]:
    """Somebody asks to do without one of the duties."""
    duty = stories.duty_of(_the(reference), "eu-gdpr-33-1")
    decision = _change(lambda work: duties.ask_decision(work, duty, "not_required", "The copied rules reached no letter of anybody."))
    return {"duty_id": duty.id, "decision_id": decision.id}


def _with_checklist(reference: str) -> dict[str, Any]:
    checklist = _change(lambda work: playbooks.start_checklist(work, _the(reference), library.shelf().playbooks["ransomware"]))
    return {"checklist_id": checklist.id, "step_id": checklist.steps[0].id}


def with_evidence(app: Flask, reference: str) -> dict[str, Any]:
    config = app.extensions["tracker"]
    vault = Vault(config.evidence_folder, config.upload_megabytes * 1_048_576)
    found = _change(lambda work: evidence.add(work, _the(reference), "mail-log.txt", "text/plain", io.BytesIO(b"17:05 rule made\n"), vault=vault))
    return {"attachment_id": found.id}


def _with_message(reference: str) -> dict[str, Any]:
    """A warning by mail that nobody took."""
    duty = stories.duty_of(_the(reference), "eu-gdpr-33-1")
    lost = Message(
        duty_id=duty.id, incident_id=duty.incident_id, person_id=stories.person("ravi").id, channel="email", kind="warning", content={},
        message_id="warning.lost", created_at=stories.FRIDAY, attempts=1, dead_at=stories.FRIDAY, last_error="550 unknown",
    )
    _change(lambda work: work.session.add(lost))
    return {"message_id": lost.id}


def _with_rota(app: Flask, message_id: int) -> dict[str, Any]:
    """Somebody is on call, somebody is away, and a mail has a link that acknowledges."""
    hours = _change(lambda work: rotas.add_shift(work, stories.person("ravi"), [4, 5], "22:00", "06:00"), by="mona")
    ends = stories.FRIDAY + timedelta(days=9_000)
    absence = _change(lambda work: rotas.add_absence(work, stories.person("ravi"), stories.person("ines"), stories.FRIDAY, ends), by="mona")
    signed = sign(app.config["SECRET_KEY"], db.session.get_one(Message, message_id))
    return {"shift_id": hours.id, "absence_id": absence.id, "signed": signed}


def with_destination(app: Flask) -> dict[str, Any]:
    """A room that nothing was sent to yet. Its address leads nowhere, so that a test of it ends at once."""
    seal = Seal.of(app.extensions["tracker"].instance)
    room = Destination(
        name="Privacy", kind="slack", address=seal.close("https://hooks.invalid/x"), shown="hooks.invalid", options={}, created_at=stories.FRIDAY, active=True,
    )
    _change(lambda work: work.session.add(room))
    return {"channel": "slack", "destination_id": room.id}


def with_accounts() -> dict[str, Any]:
    """Somebody is invited, Ines has a passkey, a token and a text that was kept when her session ended."""
    made = accounts.NewPasskey(b"credential", b"key", 0, False, "single_device", ["internal"], "handle-of-ines")
    passkey = _change(lambda work: accounts.add_passkey(work, "Work laptop", made, "a challenge"))
    form = _change(lambda work: sign_ins.park_form(work, stories.person("ines"), "/incidents/report", "sealed"))
    invitation, _link = _change(lambda work: people.invite(work, "new@harbour.example", ["officer"], "http://localhost"), by="adam")
    token, _text = _change(lambda work: tokens.make_token(work, "monitoring", ["law:read"], 90))
    _feed, secret = _change(feeds.make_feed)
    return {"passkey_id": passkey.id, "form_id": form.id, "invitation_id": invitation.id, "token_id": token.id, "feed_key": secret}
