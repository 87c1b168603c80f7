"""Saying that somebody is away and who stands in: everybody for themselves, who keeps the rota for all."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import FormField, SelectField, validators

from incident_tracker import clock
from incident_tracker.actions import rotas as acts
from incident_tracker.errors import NotFound
from incident_tracker.models.base import db
from incident_tracker.models.rotas import Absence
from incident_tracker.rules.permissions import Permission, may
from incident_tracker.web import choosing
from incident_tracker.web.fact_fields import MomentFields, moment_value
from incident_tracker.web.rotas import somebody
from incident_tracker.work import unit_of_work

pages = Blueprint("absences", __name__)


class AbsenceForm(FlaskForm):
    """Away, with somebody standing in."""

    person = SelectField("Who is away", choices=[], validators=[validators.DataRequired("Choose who is away.")])
    stand_in = SelectField("Who stands in", choices=[], validators=[validators.DataRequired("Choose who stands in.")])
    from_at = FormField(MomentFields, "From")
    until = FormField(MomentFields, "Until")


@pages.route("/rota/absences", methods=["GET", "POST"])
def add() -> ResponseReturnValue:
    """Say that somebody is away."""
    form = AbsenceForm(
        person=str(current_user.id), from_at=moment_value({"at": clock.now().isoformat(), "zone": current_user.zone}, current_user.zone),
        until=moment_value(None, current_user.zone),
    )
    everybody = choosing.people_choices(nobody="choose somebody")
    form.person.choices = everybody if may(current_user, Permission.KEEP_ROTA) else [one for one in everybody if one[0] == str(current_user.id)]
    form.stand_in.choices = everybody
    if form.validate_on_submit() and _has_both_ends(form) and not choosing.refused(form, _add_absence, form):
        flash("Noted. Warnings go to the stand-in as well.", "good")
        return redirect(url_for("rotas.index"))
    return render_template("rotas/absence.html", form=form, zones=choosing.zones()), 422 if form.errors else 200


@pages.post("/rota/absences/<int:absence_id>/remove")
def remove(absence_id: int) -> ResponseReturnValue:
    """Somebody is back."""
    with unit_of_work(current_user) as work:
        absence = db.session.get(Absence, absence_id)
        if absence is None or absence.person_id != current_user.id:
            work.require(Permission.KEEP_ROTA)
        if absence is None:
            raise NotFound("absence")
        acts.remove_absence(work, absence)
    flash("Taken out.", "good")
    return redirect(url_for("rotas.index"))


def _add_absence(form: AbsenceForm) -> None:
    with unit_of_work(current_user) as work:
        acts.add_absence(
            work, somebody(form.person.data), somebody(form.stand_in.data), form.from_at.form.moment.at, form.until.form.moment.at,
        )


def _has_both_ends(form: AbsenceForm) -> bool:
    for part in (form.from_at, form.until):
        if part.form.moment is None:
            part.form.date.errors = ["Give the day; the time too if it matters."]
    return not form.errors
