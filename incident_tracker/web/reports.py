"""The two-minute report: what happened, when noticed, who is affected as far as known."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, FormField, RadioField, StringField, TextAreaField, validators

from incident_tracker import clock, library
from incident_tracker.actions import incidents as acts
from incident_tracker.actions.facts import Entry
from incident_tracker.models.incidents import Stage
from incident_tracker.models.organisations import organisation_facts
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing
from incident_tracker.web.fact_fields import FLAG_ANSWERS, CheckboxList, CountFields, MomentFields, moment_value
from incident_tracker.web.place_rows import PlaceRows, place_entries
from incident_tracker.work import unit_of_work

pages = Blueprint("reports", __name__)

#: short names for the first report; the ledger has them all
DATA_CHOICES = (
    "name",
    "contact",
    "dob",
    "ssn",
    "passport",
    "dl_or_state_id",
    "fin_acct",
    "fin_acct_with_code",
    "online_credentials",
    "medical",
    "phi",
    "special_category",
    "other",
)
ROLES = {"controller": ["controller"], "processor": ["processor"], "both": ["controller", "processor"]}
AWARENESS = [
    ("now", "Yes, as of the time above"),
    ("not_yet", "Not yet: still being checked"),
    ("no", "No personal data is affected"),
]


class ReportForm(FlaskForm):
    """Everything may be left open but the title."""

    title = StringField(
        "What happened, in a few words", [validators.DataRequired("Say in a few words what happened."), validators.Length(max=200)]
    )
    summary = TextAreaField(
        "What is known so far",
        [validators.Length(max=20_000)],
        description="Systems, people involved, what was done already. No names of affected people.",
    )
    kind = RadioField("What is it", choices=choosing.KINDS, default="other")
    noticed = FormField(MomentFields, "When was it noticed")
    awareness = RadioField(
        "Is it reasonably certain that personal data was compromised?",
        choices=AWARENESS,
        default="not_yet",
        description="That certainty is awareness: it starts most of the law's clocks.",
    )
    role = RadioField(
        "Whose data is it",
        choices=[("controller", "Ours (controller)"), ("processor", "A customer's (processor)"), ("both", "Both"), ("", "Not known yet")],
        default="",
    )
    total = FormField(CountFields, "How many people are affected")
    places = PlaceRows("Where do they live", min_entries=3)
    places_complete = BooleanField(
        "These are all: nobody elsewhere is affected", description="Leave it open if you are not sure; many laws ask for it."
    )
    data = CheckboxList("What kinds of data", choices=[])
    unsecured = RadioField(
        "Could somebody read it?", choices=FLAG_ANSWERS, default="", description="No only if it was encrypted and the key is safe."
    )
    restricted = BooleanField(
        "Only for people put on it",
        description="Nobody else learns that it exists. For suspicions against colleagues, or when few may know.",
    )


@pages.route("/incidents/report", methods=["GET", "POST"])
def report() -> ResponseReturnValue:
    """Log an incident."""
    choosing.demand(Permission.REPORT)
    form = ReportForm(noticed=moment_value({"at": clock.now().replace(second=0, microsecond=0).isoformat(), "zone": _zone()}, _zone()))
    form["data"].choices = _data_choices()
    if form.validate_on_submit():
        with unit_of_work(current_user) as work:
            incident = acts.report_incident(work, _report(form))
            if form.awareness.data == "now":
                acts.change_stage(work, incident, Stage.CONFIRMED, "Reasonably certain when it was reported.")
        flash(f"{incident.reference} is logged.", "good")
        return redirect(url_for("incidents.show", reference=incident.reference))
    return render_template(
        "incidents/report.html", form=form, zones=choosing.zones(), places=choosing.places()
    ), 422 if form.errors else 200


def _data_choices() -> list[tuple[str, str]]:
    elements = library.shelf().law.facts["data.elements"]
    return [(value, elements.label_of(value)) for value in DATA_CHOICES]


def _zone() -> str:
    return organisation_facts().get("organisation.zone") or current_user.zone


def _report(form: ReportForm) -> acts.Report:
    return acts.Report(
        title=form.title.data,
        summary=form.summary.data or "",
        kind=form.kind.data,
        zone=form.noticed.form.zone.data or _zone(),
        restricted=form.restricted.data,
        entries=[entry for entry in _entries(form) if entry.value is not None],
    )


def _entries(form: ReportForm) -> list[Entry]:
    """The ledger's first lines. The moment noticed is the detection; it is awareness only where the reporter says so."""
    noticed, total = form.noticed.form.read(), form.total.form.read()
    aware = form.awareness.data == "now"
    known = list(form["data"].data or [])
    entries = [
        Entry("moments.detected", noticed),
        Entry("moments.aware", noticed if aware else None),
        Entry("personal_data_breach", {"now": True, "no": False}.get(form.awareness.data)),
        Entry("role", {"known": ROLES[form.role.data], "complete": True} if form.role.data else None),
        Entry("affected.total", total, str(total["certainty"]) if total else "not_known"),
        Entry("affected.places_complete", True if form.places_complete.data else None),
        Entry("data.elements", {"known": known, "complete": False} if known else None),
        Entry("data.unsecured", {"yes": True, "no": False}.get(form.unsecured.data)),
    ]
    return [Entry(entry.name, entry.value, entry.certainty, "first report") for entry in entries] + place_entries(
        form.places, "first report"
    )
