"""Who is told when: on-call hours, absences with their stand-ins, and the ladders of warnings as they are in force."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, validators

from incident_tracker import clock, library
from incident_tracker.actions import rotas as acts
from incident_tracker.errors import Invalid, NotFound
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from incident_tracker.models.rotas import Shift, absences_listed, on_call_at, shifts_listed
from incident_tracker.rules.permissions import Permission
from incident_tracker.rules.rotas import WEEKDAYS
from incident_tracker.web import choosing, finding
from incident_tracker.web.fact_fields import CheckboxList
from incident_tracker.work import unit_of_work

pages = Blueprint("rotas", __name__)

AUDIENCE_WORDS = {"owner": "owner", "lead": "lead", "legal": "counsel", "managers": "managers", "on_call": "on call"}


class ShiftForm(FlaskForm):
    """Hours of the week."""

    person = SelectField("Who", choices=[], validators=[validators.DataRequired("Choose somebody.")])
    weekdays = CheckboxList("On", choices=[(str(number), name) for number, name in enumerate(WEEKDAYS)], description="The day on which the hours begin.")
    starts = StringField("From", [validators.DataRequired("Write a time such as 22:00."), validators.Length(max=5)])
    ends = StringField(
        "To", [validators.DataRequired("Write a time such as 06:00."), validators.Length(max=5)], description="On the next day if it is not later."
    )


@pages.get("/rota")
def index() -> ResponseReturnValue:
    """Who is on call now and when, who is away, and how warnings climb."""
    now = clock.now()
    return render_template(
        "rotas/index.html", shifts=shifts_listed(), absences=absences_listed(now), on_call=on_call_at(now), weekdays=WEEKDAYS,
        ladders=library.shelf().ladders.values(), audience_words=AUDIENCE_WORDS,
    )


@pages.route("/rota/hours", methods=["GET", "POST"])
def add_shift() -> ResponseReturnValue:
    """Put somebody on call."""
    choosing.demand(Permission.KEEP_ROTA)
    form = ShiftForm()
    form.person.choices = choosing.people_choices(nobody="choose somebody")
    if form.validate_on_submit() and not choosing.refused(form, _add_shift, form):
        flash("They are on call.", "good")
        return redirect(url_for(".index"))
    return render_template("rotas/shift.html", form=form), 422 if form.errors else 200


@pages.post("/rota/hours/<int:shift_id>/remove")
def remove_shift(shift_id: int) -> ResponseReturnValue:
    """Take hours off."""
    with unit_of_work(current_user) as work:
        work.require(Permission.KEEP_ROTA)
        shift = db.session.get(Shift, shift_id)
        if shift is None:
            raise NotFound("hours")
        acts.remove_shift(work, shift)
    flash("Taken off the rota.", "good")
    return redirect(url_for(".index"))


def _add_shift(form: ShiftForm) -> None:
    with unit_of_work(current_user) as work:
        acts.add_shift(work, somebody(form.person.data), [int(day) for day in form.weekdays.data or ()], form.starts.data, form.ends.data)


def somebody(number: str) -> Person:
    """The person chosen in a form. Raises Invalid."""
    found = finding.person(int(number) if number.isdigit() else None)
    if found is None:
        raise Invalid("Choose somebody.", person="Choose somebody.")
    return found
