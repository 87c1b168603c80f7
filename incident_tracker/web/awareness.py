"""Confirming a breach: from when on it was reasonably certain, and why."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import FormField, TextAreaField, validators

from incident_tracker import clock
from incident_tracker.actions import facts as fact_acts
from incident_tracker.actions import incidents as acts
from incident_tracker.actions.facts import Entry
from incident_tracker.models.incidents import Stage
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.web.fact_fields import MomentFields, moment_value
from incident_tracker.work import unit_of_work

pages = Blueprint("awareness", __name__)


class ConfirmForm(FlaskForm):
    """The moment of awareness, and what made it certain."""

    aware = FormField(MomentFields, "Reasonably certain since")
    reason = TextAreaField(
        "What made it certain",
        [validators.DataRequired("Say what made it certain; this is what an authority asks first."), validators.Length(max=5_000)],
    )


@pages.route("/incidents/<reference>/confirm", methods=["GET", "POST"])
def confirm(reference: str) -> ResponseReturnValue:
    """Record awareness, and move the incident to confirmed."""
    incident = finding.incident(reference)
    choosing.demand(Permission.CHANGE_STAGE, incident)
    form = ConfirmForm(
        aware=moment_value({"at": clock.now().replace(second=0, microsecond=0).isoformat(), "zone": incident.zone}, incident.zone)
    )
    if form.validate_on_submit() and not choosing.refused(form, _confirm, reference, form):
        flash("Confirmed. The clocks run.", "good")
        return redirect(url_for("incidents.show", reference=reference))
    return render_template("incidents/confirm.html", form=form, incident=incident, zones=choosing.zones()), 422 if form.errors else 200


def _confirm(reference: str, form: ConfirmForm) -> None:
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        entries = [
            Entry("moments.aware", form.aware.form.read(), source=form.reason.data),
            Entry("personal_data_breach", True, source=form.reason.data),
        ]
        fact_acts.record_facts(work, incident, entries)
        acts.change_stage(work, incident, Stage.CONFIRMED, form.reason.data)
