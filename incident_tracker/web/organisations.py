"""The organisation's profile: what is true of it in every incident."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from incident_tracker import library
from incident_tracker.actions import organisations as acts
from incident_tracker.models.organisations import organisation_facts
from incident_tracker.rules.catalogues import FactSpec
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing
from incident_tracker.web.fact_fields import field_name, form_for, read_entry, start_value
from incident_tracker.work import unit_of_work

pages = Blueprint("organisations", __name__)


@pages.route("/organisation", methods=["GET", "POST"])
def edit() -> ResponseReturnValue:
    """Show and change the profile."""
    choosing.demand(Permission.EDIT_ORGANISATION)
    specs, standing = _specs(), organisation_facts()
    form = form_for(specs)(data={field_name(spec.name): start_value(spec, standing.get(spec.name), "UTC") for spec in specs})
    if form.validate_on_submit() and not choosing.refused(form, _save, specs, form):
        return redirect(url_for(".edit"))
    return render_template(
        "organisations/edit.html", form=form, specs=specs, standing=standing, field_name=field_name, zones=choosing.zones()
    ), 422 if form.errors else 200


def _save(specs: list[FactSpec], form: Any) -> None:
    values = {spec.name: read_entry(spec, form[field_name(spec.name)], "").value for spec in specs}
    with unit_of_work(current_user) as work:
        waiting = acts.set_profile(work, values)
    flash(
        f"Saved. {waiting} open incidents are being computed again; this takes a moment."
        if waiting
        else "Saved. Open incidents were computed again.",
        "good",
    )


def _specs() -> list[FactSpec]:
    return [
        spec
        for spec in library.shelf().law.facts.values()
        if spec.group == "organisation" and not spec.derive and spec.per != "place" and spec.name != "role"
    ]
