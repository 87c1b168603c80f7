"""One duty: its clock explained, its owner, the decision that it is not required."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import FormField, RadioField, SelectField, TextAreaField, validators

from incident_tracker import clock, library
from incident_tracker.actions import duties as acts
from incident_tracker.errors import NotFound
from incident_tracker.models.alerts import Acknowledgement, newest_acknowledgements
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, DutyDecision, DutyState
from incident_tracker.models.messages import given_up
from incident_tracker.rules.holds import KIND
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.web.fact_fields import MomentFields, moment_value
from incident_tracker.web.facts import label_of
from incident_tracker.work import unit_of_work

pages = Blueprint("duties", __name__)


class OwnerForm(FlaskForm):
    """Who has it."""

    owner = SelectField("Owner", choices=[])


class DecisionForm(FlaskForm):
    """Why it is not to be done."""

    kind = RadioField(
        "Decision",
        choices=[(DutyState.NOT_REQUIRED.value, "Not required"), (DutyState.WITHDRAWN.value, "Withdrawn")],
        validators=[validators.DataRequired("Choose one.")],
    )
    reason = TextAreaField("Reason", [validators.DataRequired("Give the reason; a regulator may read it."), validators.Length(max=10_000)])


class TargetForm(FlaskForm):
    """The organisation's own target."""

    target = FormField(MomentFields, "Our own target")


@pages.get("/incidents/<reference>/duties/<int:duty_id>")
def show(reference: str, duty_id: int) -> ResponseReturnValue:
    """The clock with its steps, what it rests on, what moved it, what was decided."""
    incident = finding.incident(reference)
    duty = finding.duty(incident, duty_id)
    owner = OwnerForm(owner=str(duty.owner_id or ""))
    owner.owner.choices = choosing.people_choices("officer", "legal", "manager", incident=incident)
    obligation = library.shelf().law.obligations.get(duty.obligation_id)
    return render_template(
        "duties/show.html",
        incident=incident,
        duty=duty,
        obligation=obligation,
        warned=duty.is_warned_of,
        taken=_taken(duty),
        refused=given_up(current_user, incident.id, duty.id),
        holdable=obligation is not None and duty.is_open and any(modifier.kind == KIND for modifier in obligation.modifiers),
        owner_form=owner,
        label=label_of,
        decision_form=DecisionForm(),
        target_form=TargetForm(
            target=moment_value({"at": duty.target_at.isoformat(), "zone": incident.zone} if duty.target_at else None, incident.zone)
        ),
        zones=choosing.zones(),
    )


def _taken(duty: Duty) -> Acknowledgement | None:
    """The newest acknowledgement, if it is of the deadline as it stands and was not overtaken by its passing."""
    taken = newest_acknowledgements([duty.id]).get(duty.id)
    return taken if taken is not None and taken.counts_for(duty, clock.now()) else None


@pages.post("/incidents/<reference>/duties/<int:duty_id>/owner")
def assign(reference: str, duty_id: int) -> ResponseReturnValue:
    """Give it to somebody."""
    form = OwnerForm()
    with unit_of_work(current_user) as work:
        duty = finding.duty(finding.incident(reference, lock=True), duty_id)
        work.require(Permission.ASSIGN, duty.incident)
        acts.assign_owner(work, duty, finding.person(int(form.owner.data) if (form.owner.data or "").isdigit() else None))
    flash("The owner is set.", "good")
    return redirect(
        (request.form.get("back") == "incident"
        and url_for("incidents.show", reference=reference))
        or url_for(".show", reference=reference, duty_id=duty_id)
    )


@pages.post("/incidents/<reference>/duties/<int:duty_id>/decision")
def ask(reference: str, duty_id: int) -> ResponseReturnValue:
    """Ask that it be found not required."""
    form = DecisionForm()
    with unit_of_work(current_user) as work:
        duty = finding.duty(finding.incident(reference, lock=True), duty_id)
        acts.ask_decision(work, duty, form.kind.data or "", form.reason.data or "")
    flash("Asked. The duty stays open until somebody else approves.", "good")
    return redirect(url_for(".show", reference=reference, duty_id=duty_id))


@pages.post("/incidents/<reference>/duties/<int:duty_id>/decision/<int:decision_id>")
def answer(reference: str, duty_id: int, decision_id: int) -> ResponseReturnValue:
    """Approve or refuse what somebody else asked for."""
    with unit_of_work(current_user) as work:
        duty = finding.duty(finding.incident(reference, lock=True), duty_id)
        work.require(Permission.APPROVE_DECISION, duty.incident)
        acts.answer_decision(work, _decision(duty, decision_id), duty, request.form.get("answer") == "approve")
    flash("Answered.", "good")
    return redirect(url_for(".show", reference=reference, duty_id=duty_id))


@pages.post("/incidents/<reference>/duties/<int:duty_id>/reopen")
def reopen(reference: str, duty_id: int) -> ResponseReturnValue:
    """Undo a decision."""
    with unit_of_work(current_user) as work:
        acts.reopen(work, finding.duty(finding.incident(reference, lock=True), duty_id), request.form.get("reason", ""))
    flash("The duty is open again.", "good")
    return redirect(url_for(".show", reference=reference, duty_id=duty_id))


@pages.post("/incidents/<reference>/duties/<int:duty_id>/target")
def target(reference: str, duty_id: int) -> ResponseReturnValue:
    """Set the organisation's own target."""
    form = TargetForm()
    fine = form.validate()
    with unit_of_work(current_user) as work:
        duty = finding.duty(finding.incident(reference, lock=True), duty_id)
        work.require(Permission.ASSIGN, duty.incident)
        if fine:
            acts.set_target(work, duty, form.target.form.moment.at if form.target.form.moment else None)
    flash("The target is set." if fine else "The target was not set: " + " ".join(_said(form)), "good" if fine else "bad")
    return redirect(url_for(".show", reference=reference, duty_id=duty_id))


def _said(form: TargetForm) -> list[str]:
    return [text for said in form.target.form.errors.values() for text in said]


def _decision(duty: Duty, decision_id: int) -> DutyDecision:
    found = db.session.get(DutyDecision, decision_id)
    if found is None or found.duty_id != duty.id:
        raise NotFound("decision")
    return found
