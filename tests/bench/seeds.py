"""A handful of incidents, made by the actions that people use, from which the large register is copied."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incident_tracker import library
from incident_tracker.actions import alerts, duties, filings, notices, playbooks
from incident_tracker.actions import incidents as acts
from incident_tracker.actions.filings import Proof
from incident_tracker.models.base import db
from incident_tracker.models.duties import duties_of
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Notice
from incident_tracker.models.people import Person, Role
from incident_tracker.rules.facts import Moment
from incident_tracker.work import CLOCKWORK, Work, unit_of_work
from tests import cast
from tests.stories import PROFILE, again, duty_of, person, report, set_profile

ZONE = "Europe/Berlin"
ARTICLE_33, ARTICLE_34 = "eu-gdpr-33-1", "eu-gdpr-34-1"
#: people beside the cast, as a company of some size has them
COLLEAGUES = ("Aylin Kaya", "Bram de Wit", "Chiara Russo", "Dario Lang", "Eva Holm", "Farid Azimi", "Greta Falk", "Hugo Marin", "Ilse Brandt", "Jonas Pohl")
COLLEAGUES_ROLES = ("officer", "officer", "officer", "legal", "manager")


@dataclass(frozen=True)
class Seed:
    """One incident to copy, and how many of a hundred copies of its kind (open or ended) are made of it."""

    reference: str
    share: int
    is_open: bool


def sow(now: datetime) -> list[Seed]:
    """Hire everybody, fill in the profile, and let the incidents happen in the days before `now` (UTC)."""
    cast.hire()
    _hire_colleagues()
    fill_profile(now)
    made = [
        Seed(mailbox(now), 30, is_open=True), Seed(laptop(now), 40, is_open=True), Seed(bucket(now), 15, is_open=True),
        Seed(abroad(now), 12, is_open=True), Seed(insider(now), 3, is_open=True),
        Seed(filed(now), 70, is_open=False), Seed(dismissed(now), 30, is_open=False),
    ]
    warn(now)
    return made


def fill_profile(now: datetime) -> None:
    """Only German and European law concerns the company, so that an incident has few duties."""
    set_profile({**PROFILE, "uk_gdpr.art_3_2_applies": False, "contract.processor_breach": False}, now=now - timedelta(days=30))


def _hire_colleagues() -> None:
    roles = {role.name: role for role in db.session.query(Role)}
    for number, name in enumerate(COLLEAGUES):
        db.session.add(Person(
            email=f"{name.split()[0].lower()}@harbour.example", name=name, zone=ZONE, created_at=cast.HIRED_AT, fs_uniquifier=f"uniquifier-{number}",
            roles=[roles[COLLEAGUES_ROLES[number % len(COLLEAGUES_ROLES)]]],
        ))
    db.session.commit()


def _facts(aware: datetime, **more: Any) -> dict[str, Any]:
    """What is known of a breach that only German law concerns."""
    return {
        "moments.detected": Moment((aware - timedelta(hours=2)).replace(second=0, microsecond=0), ZONE).to_json(),
        "moments.aware": Moment(aware.replace(second=0, microsecond=0), ZONE).to_json(),
        "personal_data_breach": True, "role": {"known": ["controller"], "complete": True}, "risk_level": "risk",
        "data.elements": {"known": ["name", "contact", "dl_or_state_id"], "complete": True}, "data.unsecured": True,
        "affected.total": {"value": 1200, "certainty": "about"}, "affected.by_place.DE": {"value": 1200, "certainty": "about"},
        "affected.places_complete": True, **more,
    }


def mailbox(now: datetime) -> str:
    """Confirmed, with a checklist and a draft that waits for counsel."""
    began = now - timedelta(hours=40)
    one = report(_facts(began), now=began, title="Mailbox of the billing team taken over")
    _confirm(one, began)
    do(lambda work: playbooks.start_checklist(work, again(one.reference), library.shelf().playbooks["general"]), began + timedelta(hours=1))
    draft = do(lambda work: notices.start_notice(work, again(one.reference), _duty(one, ARTICLE_33)).id, began + timedelta(hours=2))
    do(lambda work: notices.submit_notice(work, _notice(draft), 1, "Please look at the second part."), began + timedelta(hours=3))
    return one.reference


def laptop(now: datetime) -> str:
    """Confirmed; somebody has the duty and has taken its warnings."""
    began = now - timedelta(hours=60)
    one = report(_facts(began), by="ravi", now=began, title="Laptop of a home-care nurse left in a taxi")
    _confirm(one, began, by="ravi")
    do(lambda work: duties.assign_owner(work, _duty(one, ARTICLE_33), person("ravi")), began + timedelta(hours=1), by="mona")
    do(lambda work: alerts.acknowledge(work, _duty(one, ARTICLE_33)), began + timedelta(hours=2), by="ravi")
    return one.reference


def bucket(now: datetime) -> str:
    """Suspected, with much that cannot be decided yet."""
    began = now - timedelta(hours=19)
    some = ("moments.detected", "role", "data.elements", "affected.by_place.DE", "affected.places_complete")
    one = report({name: value for name, value in _facts(began).items() if name in some}, now=began, title="Storage bucket with scanned letters was openly readable")
    do(lambda work: acts.change_stage(work, again(one.reference), "suspected", "The logs are being pulled."), began + timedelta(hours=1))
    return one.reference


def abroad(now: datetime) -> str:
    """Confirmed, with people in two American states."""
    began = now - timedelta(hours=90)
    places = {"affected.by_place.US-NY": {"value": 800, "certainty": "exact"}, "affected.by_place.US-TX": {"value": 400, "certainty": "exact"}}
    one = report(_facts(began, **places), by="ravi", now=began, title="Log-ins of the customer portal tried with stolen passwords")
    _confirm(one, began, by="ravi")
    return one.reference


def insider(now: datetime) -> str:
    """Hidden from everybody who is not on it."""
    began = now - timedelta(hours=12)
    one = report(_facts(began), by="laura", now=began, title="Records of a well-known patient opened without a treatment", restricted=True)
    do(lambda work: acts.add_member(work, again(one.reference), person("mona")), began + timedelta(hours=1), by="laura")
    return one.reference


def filed(now: datetime) -> str:
    """Notified, the rest found not required, closed."""
    began = now - timedelta(hours=70)
    one = report(_facts(began), now=began, title="Letters went to the wrong customers")
    _confirm(one, began)
    draft = do(lambda work: notices.start_notice(work, again(one.reference), _duty(one, ARTICLE_33)).id, began + timedelta(hours=2))
    do(lambda work: notices.submit_notice(work, _notice(draft), 1), began + timedelta(hours=3))
    sha256 = notices.newest(_notice(draft)).sha256
    do(lambda work: notices.approve_notice(work, _notice(draft), 1, sha256, "The rest follows."), began + timedelta(hours=4), by="laura")
    proof = Proof(Moment(began + timedelta(hours=5), ZONE), "web form of the authority", "REF-00001")
    do(lambda work: filings.file_notice(work, _notice(draft), sha256, proof), began + timedelta(hours=6))
    _settle(one, began + timedelta(hours=7))
    do(lambda work: acts.change_stage(work, again(one.reference), "closed", "Nothing is left to do."), began + timedelta(hours=9))
    return one.reference


def dismissed(now: datetime) -> str:
    """It was no breach."""
    began = now - timedelta(hours=30)
    some = {"moments.detected": _facts(began)["moments.detected"], "personal_data_breach": False, "role": {"known": ["controller"], "complete": True}}
    one = report(some, by="ravi", now=began, title="Password list on a photo of a whiteboard")
    do(lambda work: acts.change_stage(work, again(one.reference), "dismissed", "Test accounts without personal data."), began + timedelta(hours=3), by="laura")
    return one.reference


def _settle(one: Incident, at: datetime) -> None:
    """Every duty that is left is found not required: Ines asks, Laura approves."""
    for duty in [duty.id for duty in duties_of(one.id) if duty.is_open]:
        asked = do(lambda work, duty=duty: duties.ask_decision(work, _by_id(one, duty), "not_required", "No letter was opened.").id, at)
        do(lambda work, duty=duty, asked=asked: duties.answer_decision(
            work, next(one for one in _by_id(one, duty).decisions if one.id == asked), _by_id(one, duty), approve=True), at + timedelta(hours=1), by="laura")


def _confirm(one: Incident, at: datetime, by: str = "ines") -> None:
    do(lambda work: acts.change_stage(work, again(one.reference), "confirmed", "The log proves it."), at + timedelta(minutes=30), by=by)


def warn(now: datetime) -> None:
    """What fell due in these days fires, hour by hour, so that there are messages too."""
    for hours in range(90, -1, -6):
        with unit_of_work(CLOCKWORK, now - timedelta(hours=hours)) as work:
            alerts.fire_due(work)


def do(action: Callable[[Work], Any], at: datetime, by: str = "ines") -> Any:
    """One action by one of the cast, in a unit of work of its own; its result."""
    with unit_of_work(person(by), at) as work:
        return action(work)


def _duty(one: Incident, obligation: str) -> Any:
    return duty_of(again(one.reference), obligation)


def _by_id(one: Incident, duty: int) -> Any:
    return next(found for found in duties_of(one.id) if found.id == duty)


def _notice(number: int) -> Notice:
    return db.session.get_one(Notice, number)
