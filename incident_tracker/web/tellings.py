"""The words for the notices of an incident: said once as facts, filled into every draft."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import StringField, validators

from incident_tracker import library
from incident_tracker.actions import facts as acts
from incident_tracker.actions.facts import Entry
from incident_tracker.models.facts import current_facts
from incident_tracker.models.incidents import Incident
from incident_tracker.rules.catalogues import FactSpec
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.web.fact_fields import field_for, field_name, read_entry, start_value
from incident_tracker.work import unit_of_work

pages = Blueprint("words", __name__)

#: the group of facts.yaml that notices are filled from
GROUP = "notices"


@pages.route("/incidents/<reference>/notices/words", methods=["GET", "POST"])
def edit(reference: str) -> ResponseReturnValue:
    """Say what happened, what it leads to and what is done, once for all notices."""
    incident = finding.incident(reference)
    choosing.demand(Permission.RECORD_FACTS, incident)
    specs = _specs()
    form = _form(specs, incident)
    if form.validate_on_submit() and not choosing.refused(form, _record, reference, _entries(specs, form)):
        flash("Recorded. Bring each draft up to date from the facts; what would change is shown first.", "good")
        return redirect(url_for("notices.index", reference=reference))
    return render_template("notices/words.html", incident=incident, form=form, specs=specs, field_name=field_name), 422 if form.errors else 200


def _record(reference: str, entries: list[Entry]) -> None:
    with unit_of_work(current_user) as work:
        acts.record_facts(work, finding.incident(reference, lock=True), entries)


def _specs() -> list[FactSpec]:
    return [spec for spec in library.shelf().law.facts.values() if spec.group == GROUP]


def _entries(specs: list[FactSpec], form: Any) -> list[Entry]:
    return [read_entry(spec, form[field_name(spec.name)], form.source.data or "") for spec in specs]


def _form(specs: list[FactSpec], incident: Incident) -> Any:
    fields = {field_name(spec.name): field_for(spec) for spec in specs}
    source = StringField("Where is this from?", [validators.Length(max=300)], description="A person, a log, a report: what somebody could look up later.")
    current = current_facts(incident.id)
    values = {field_name(spec.name): start_value(spec, current[spec.name].value if spec.name in current else None, incident.zone) for spec in specs}
    return type("WordsForm", (FlaskForm,), {**fields, "source": source})(data=values)
