"""Law-enforcement holds: an authority asked that a notice be delayed; what it holds, since when, and until when."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import FormField, RadioField, SelectField, StringField, validators

from incident_tracker import clock, library
from incident_tracker.actions import facts as acts
from incident_tracker.actions.facts import Entry
from incident_tracker.errors import NotFound
from incident_tracker.models.duties import Duty, duties_of
from incident_tracker.models.facts import current_facts
from incident_tracker.models.incidents import Incident
from incident_tracker.rules.holds import KIND
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.web.fact_fields import MomentFields, moment_value
from incident_tracker.work import unit_of_work

pages = Blueprint("holds", __name__)

EVERY_LAW = ""


class HoldForm(FlaskForm):
    """What an authority asked for."""

    regime = SelectField(
        "Which law's notices", choices=[], filters=[lambda value: value or EVERY_LAW],
        description="Only laws that know such a hold can be delayed by one.",
    )
    since = FormField(MomentFields, "Asked on")
    until = FormField(MomentFields, "Ends")
    oral = RadioField(
        "How it was asked", choices=[("no", "In writing"), ("yes", "Orally; some laws let that lapse")], default="no",
        filters=[lambda value: value or "no"],
    )
    source = StringField(
        "Who asked, and where the request is kept",
        [validators.DataRequired("Say who asked: without a request on file nothing may be delayed."), validators.Length(max=300)],
        description="The agency, the person, the file.",
    )


@pages.get("/incidents/<reference>/holds")
def index(reference: str) -> ResponseReturnValue:
    """The holds that stand, and the duties each of them concerns."""
    incident = finding.incident(reference)
    duties = duties_of(incident.id)
    return render_template(
        "holds/index.html", incident=incident, holds=[_shown(name, fact, duties) for name, fact in _holds_of(incident).items()], knowing=_knowing(duties),
    )


@pages.route("/incidents/<reference>/holds/new", methods=["GET", "POST"])
def add(reference: str) -> ResponseReturnValue:
    """Record a hold."""
    incident = finding.incident(reference)
    choosing.demand(Permission.RECORD_FACTS, incident)
    now = clock.now().replace(second=0, microsecond=0).isoformat()
    form = _prepared(HoldForm(since=moment_value({"at": now, "zone": incident.zone}, incident.zone), until=moment_value(None, incident.zone)), incident)
    if form.validate_on_submit() and _in_order(form) and not choosing.refused(form, _record, reference, None, form):
        flash("Recorded. The duties were computed again.", "good")
        return redirect(url_for(".index", reference=reference))
    return render_template("holds/edit.html", form=form, incident=incident, zones=choosing.zones(), name=None), 422 if form.errors else 200


@pages.route("/incidents/<reference>/holds/<int:hold_number>", methods=["GET", "POST"])
def edit(reference: str, hold_number: int) -> ResponseReturnValue:
    """Correct a hold, or say when it ends."""
    incident = finding.incident(reference)
    choosing.demand(Permission.RECORD_FACTS, incident)
    name, fact = _the_hold(incident, hold_number)
    value = fact.value
    form = _prepared(HoldForm(
        regime=value.get("regime") or EVERY_LAW, oral="yes" if value.get("oral") else "no", source=fact.source,
        since=moment_value(value["from"], incident.zone), until=moment_value(value.get("until"), incident.zone),
    ), incident)
    if form.validate_on_submit() and _in_order(form) and not choosing.refused(form, _record, reference, name, form):
        flash("Recorded. The duties were computed again.", "good")
        return redirect(url_for(".index", reference=reference))
    return render_template("holds/edit.html", form=form, incident=incident, zones=choosing.zones(), name=name), 422 if form.errors else 200


@pages.post("/incidents/<reference>/holds/<int:hold_number>/take-back")
def take_back(reference: str, hold_number: int) -> ResponseReturnValue:
    """A hold that was entered wrongly counts no more; its line stays in the ledger."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        name, fact = _the_hold(incident, hold_number)
        acts.record_facts(work, incident, [Entry(name, None, source=fact.source)])
    flash("Taken back. The duties were computed again.", "good")
    return redirect(url_for(".index", reference=reference))


def _prepared(form: HoldForm, incident: Incident) -> HoldForm:
    laws = {duty_law(duty).id: duty_law(duty).title for duty in _knowing(duties_of(incident.id))}
    chosen = form.regime.data or EVERY_LAW
    if chosen and chosen not in laws and chosen in library.shelf().law.regimes:
        laws[chosen] = library.shelf().law.regimes[chosen].title
    form.regime.choices = [(EVERY_LAW, "Every law here that knows such a hold"), *sorted(laws.items(), key=lambda one: one[1])]
    return form


def _in_order(form: HoldForm) -> bool:
    since, until = form.since.form.moment, form.until.form.moment
    if since is None:
        form.since.form.date.errors = ["Give the day on which it was asked."]
    elif until is not None and until.at < since.at:
        form.until.form.date.errors = ["It ends before it begins."]
    return since is not None and not form.errors


def _record(reference: str, name: str | None, form: HoldForm) -> None:
    value: dict[str, Any] = {
        "regime": form.regime.data or None, "from": form.since.form.read(), "until": form.until.form.read(), "oral": form.oral.data == "yes",
    }
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        acts.record_facts(work, incident, [Entry(name or _next_name(incident), value, source=form.source.data)])


def _holds_of(incident: Incident) -> dict[str, Any]:
    return {name: fact for name, fact in sorted(current_facts(incident.id).items()) if name.startswith("holds.") and fact.value is not None}


def _the_hold(incident: Incident, number: int) -> tuple[str, Any]:
    name = f"holds.{number}"
    fact = _holds_of(incident).get(name)
    if fact is None:
        raise NotFound("hold")
    return name, fact


def _next_name(incident: Incident) -> str:
    """A number that no hold of the incident ever had, also none that was taken back."""
    used = [int(name.partition(".")[2]) for name in current_facts(incident.id) if name.startswith("holds.")]
    return f"holds.{max(used, default=0) + 1}"


def _shown(name: str, fact: Any, duties: list[Duty]) -> dict[str, Any]:
    regime = library.shelf().law.regimes.get(fact.value.get("regime") or "")
    concerned = [duty for duty in _knowing(duties) if regime is None or duty_law(duty).id == regime.id]
    return {"number": int(name.partition(".")[2]), "fact": fact, "regime": regime, "duties": concerned}


def _knowing(duties: list[Duty]) -> list[Duty]:
    """The duties of the incident whose law knows a hold and that may still have to be met."""
    law = library.shelf().law.obligations
    known = {key for key, one in law.items() if any(modifier.kind == KIND for modifier in one.modifiers)}
    return [duty for duty in duties if duty.obligation_id in known and duty.is_open]


def duty_law(duty: Duty) -> Any:
    """The regime that a duty comes from."""
    return library.shelf().law.obligations[duty.obligation_id].regime
