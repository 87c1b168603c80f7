"""The fact ledger of an incident: what stands, how sure, from where; and the forms that add to it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField, validators

from incident_tracker import library
from incident_tracker.actions import facts as acts
from incident_tracker.actions.facts import Entry
from incident_tracker.errors import NotFound
from incident_tracker.models.duties import duties_of
from incident_tracker.models.facts import current_facts, fact_history
from incident_tracker.models.incidents import Incident
from incident_tracker.rules.catalogues import FactSpec
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.web.fact_fields import FLAG_ANSWERS, field_name, form_for, read_entry, start_value
from incident_tracker.web.formatting import count_words, moment_words
from incident_tracker.web.place_rows import PlaceRows, place_entries
from incident_tracker.work import unit_of_work

pages = Blueprint("facts", __name__)

#: the groups of facts, in the order in which people find them out
GROUPS = {
    "moments": ("When", "Each moment with its zone. A day without a time is kept as a day; its clocks run from the start of that day."),
    "breach": ("What it is", "Whether it is a breach of personal data, and how risky."),
    "people": ("Who is affected", "Numbers may be exact, about, or at least."),
    "data": ("Which data", "The kinds of data, and whether somebody could read them."),
    "incident": ("What happened", "Facts that single laws ask for."),
    "organisation": ("Our part", "Our role for this data. What never changes stands in the organisation's profile."),
    "law": ("Findings the law asks for", "Judgements that a regime makes depend on."),
    "contract": ("Contracts", "What a contract adds."),
    "notices": ("What we tell", "Words and numbers that the notices are filled from."),
}

#: of groups with dozens of facts, those that stand in sight from the start
USUAL: dict[str, frozenset[str]] = {
    "moments": frozenset(f"moments.{name}" for name in ("occurred", "first_alert", "detected", "aware", "contained")),
    "organisation": frozenset({"role"}),
    "law": frozenset(),
}


class PlacesForm(FlaskForm):
    """The people affected, place by place."""

    places = PlaceRows("People by place")
    places_complete = RadioField("Are these all the countries and states?", choices=FLAG_ANSWERS, default="")
    source = StringField("Where is this from?", [validators.Length(max=300)])


@pages.get("/incidents/<reference>/facts")
def index(reference: str) -> ResponseReturnValue:
    """What stands today, by group, and every line ever written."""
    incident = finding.incident(reference)
    current = current_facts(incident.id)
    grouped = {name: [(spec_of(fact.name), fact) for fact in current.values() if group_of(fact.name) == name] for name in GROUPS}
    return render_template(
        "facts/index.html", incident=incident, groups=GROUPS, grouped=grouped, history=fact_history(incident.id), say=say, label=label_of
    )


@pages.route("/incidents/<reference>/facts/<group>", methods=["GET", "POST"])
def edit(reference: str, group: str) -> ResponseReturnValue:
    """Add to one group, or to single facts named by `?only=`."""
    incident = finding.incident(reference)
    choosing.demand(Permission.RECORD_FACTS, incident)
    specs = _asked(group, request.args.getlist("only"))
    current = current_facts(incident.id)
    form = _form(specs, current, incident)
    if form.validate_on_submit() and not choosing.refused(
        form, _record, reference, [read_entry(spec, form[field_name(spec.name)], form.source.data or "") for spec in specs]
    ):
        flash("Recorded. The duties were computed again.", "good")
        back = "facts.index" if request.args.get("back") == "facts" else "incidents.show"
        return redirect(url_for(back, reference=reference))
    usual = _usual(group, incident, current)
    return render_template(
        "facts/edit.html",
        incident=incident,
        form=form,
        first=[spec for spec in specs if usual is None or spec.name in usual],
        rest=[spec for spec in specs if usual is not None and spec.name not in usual],
        group=GROUPS.get(group),
        zones=choosing.zones(),
        field_name=field_name,
    ), 422 if form.errors else 200


@pages.route("/incidents/<reference>/places", methods=["GET", "POST"])
def places(reference: str) -> ResponseReturnValue:
    """People affected, place by place."""
    incident = finding.incident(reference)
    choosing.demand(Permission.RECORD_FACTS, incident)
    form = PlacesForm(**_places_now(incident))
    if form.validate_on_submit():
        source = form.source.data or ""
        entries = [
            *place_entries(form.places, source),
            Entry("affected.places_complete", {"yes": True, "no": False}.get(form.places_complete.data), source=source),
        ]
        _record(reference, [*entries, *_taken_out(incident, {entry.name for entry in entries}, source)])
        flash("Recorded. The duties were computed again.", "good")
        return redirect(url_for("incidents.show", reference=reference))
    return render_template("facts/places.html", incident=incident, form=form, places=choosing.places()), 422 if form.errors else 200


def _record(reference: str, entries: list[Entry]) -> None:
    with unit_of_work(current_user) as work:
        acts.record_facts(work, finding.incident(reference, lock=True), entries)


def _taken_out(incident: Incident, named: set[str], source: str) -> list[Entry]:
    """A place that was on the list and is not any more is known to have nobody affected."""
    before = [name for name in current_facts(incident.id) if name.startswith("affected.by_place.")]
    return [Entry(name, {"value": 0, "certainty": "exact"}, "exact", source) for name in before if name not in named]


def _places_now(incident: Incident) -> dict[str, Any]:
    current = current_facts(incident.id)
    names = dict(choosing.places())
    rows = [
        {"place": names.get(name.rsplit(".", 1)[1], name.rsplit(".", 1)[1]), "count": fact.value}
        for name, fact in current.items()
        if name.startswith("affected.by_place.") and fact.value and fact.value.get("value") != 0
    ]
    complete = current.get("affected.places_complete")
    return {"places": rows + [{}] * 4, "places_complete": {True: "yes", False: "no", None: ""}[complete.value if complete else None]}


def _form(specs: list[FactSpec], current: dict[str, Any], incident: Incident) -> Any:
    source = StringField(
        "Where is this from?", [validators.Length(max=300)], description="A person, a log, a letter: what somebody could look up later."
    )
    values = {
        field_name(spec.name): start_value(spec, current[spec.name].value if spec.name in current else None, incident.zone)
        for spec in specs
    }
    return form_for(specs, source=source)(data=values)


def _asked(group: str, only: list[str]) -> list[FactSpec]:
    catalogue = library.shelf().law.facts
    if only:
        specs = [spec for name in only if (spec := catalogue.find(name)) is not None]
    elif group in GROUPS:
        specs = [spec for spec in catalogue.values() if spec.group == group and spec.per != "place"]
    else:
        specs = []
    specs = [spec for spec in specs if not spec.derive and spec.name not in ("affected.by_place", "affected.places_complete")]
    if not specs:
        raise NotFound("group of facts")
    return specs


def _usual(group: str, incident: Incident, current: dict[str, Any]) -> set[str] | None:
    """The facts of a long group that stand in sight: what is usual, what open duties ask for, what is recorded. None: all of them."""
    if group not in USUAL:
        return None
    asked = {name for duty in duties_of(incident.id) if duty.is_open for name in duty.missing}
    return asked | USUAL[group] | current.keys()


def spec_of(name: str) -> FactSpec | None:
    """What the catalogue says of a ledger line."""
    return library.shelf().law.facts.find(name)


def group_of(name: str) -> str:
    """The group a ledger line is shown in; lines of an unknown law stand with the findings."""
    spec = spec_of(name)
    return spec.group if spec and spec.group in GROUPS else "law"


def label_of(name: str) -> str:
    """The name of a fact in words."""
    spec = spec_of(name)
    if name.startswith("affected.by_place."):
        code = name.rsplit(".", 1)[1]
        return f"People affected: {dict(choosing.places()).get(code, code)}"
    if name.startswith("holds."):
        return f"Law-enforcement hold {name.partition('.')[2]}"
    return spec.label if spec else name


def say(name: str, value: Any) -> str:
    """A ledger line's value in words."""
    spec = spec_of(name)
    if value is None:
        return "not known yet"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and {"at", "on"} & value.keys():
        return moment_words(value)
    if name.startswith("holds."):
        ends = f"until {moment_words(value['until'])}" if value.get("until") else "no end recorded"
        return f"{'orally' if value.get('oral') else 'in writing'}, since {moment_words(value['from'])}, {ends}"
    if isinstance(value, dict) and "certainty" in value:
        return count_words(value)
    if isinstance(value, dict) and "known" in value:
        words = [spec.label_of(one) if spec else one for one in value["known"]] or ["none"]
        return ", ".join(words) + ("" if value.get("complete") else "; perhaps more")
    return spec.label_of(str(value)) if spec and spec.choices else str(value)
