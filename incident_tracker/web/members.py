"""Who is on an incident, who leads it, and whether others may know of it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import SelectField

from incident_tracker.actions import incidents as acts
from incident_tracker.errors import Invalid
from incident_tracker.models.people import Person, active_people
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.work import unit_of_work

pages = Blueprint("members", __name__)


class PersonForm(FlaskForm):
    """One person."""

    person = SelectField("Person", choices=[])


@pages.get("/incidents/<reference>/people")
def index(reference: str) -> ResponseReturnValue:
    """Members, lead, and who else can see it."""
    incident = finding.incident(reference)
    lead, member = PersonForm(person=str(incident.lead_id or "")), PersonForm()
    lead.person.choices = choosing.people_choices("officer", "legal", "manager")
    member.person.choices = [("", "choose somebody")] + [
        (str(one.id), one.name) for one in active_people() if one.id not in incident.member_ids
    ]
    return render_template("incidents/people.html", incident=incident, lead_form=lead, member_form=member)


@pages.post("/incidents/<reference>/people/lead")
def lead(reference: str) -> ResponseReturnValue:
    """Name the lead."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        work.require(Permission.ASSIGN, incident)
        acts.set_lead(work, incident, finding.person(request.form.get("person", type=int)))
    flash("The lead is set.", "good")
    return redirect(url_for(".index", reference=reference))


@pages.post("/incidents/<reference>/people/add")
def add(reference: str) -> ResponseReturnValue:
    """Put somebody on it."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        work.require(Permission.RESTRICT, incident)
        acts.add_member(work, incident, _chosen())
    flash("Added.", "good")
    return redirect(url_for(".index", reference=reference))


@pages.post("/incidents/<reference>/people/remove")
def remove(reference: str) -> ResponseReturnValue:
    """Take somebody off it."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        work.require(Permission.RESTRICT, incident)
        acts.remove_member(work, incident, _chosen())
    flash("Taken off.", "good")
    return redirect(url_for(".index", reference=reference))


@pages.post("/incidents/<reference>/people/restrict")
def restrict(reference: str) -> ResponseReturnValue:
    """Hide it from all but its members, or open it again."""
    hidden = request.form.get("restricted") == "yes"
    with unit_of_work(current_user) as work:
        acts.restrict(work, finding.incident(reference, lock=True), hidden)
    flash("Only its members can see it now." if hidden else "Everybody who reads incidents can see it now.", "good")
    return redirect(url_for(".index", reference=reference))


def _chosen() -> Person:
    found = finding.person(request.form.get("person", type=int))
    if found is None:
        raise Invalid("Choose somebody first.", person="Choose somebody first.")
    return found
