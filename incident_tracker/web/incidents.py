"""Incidents: the list, one incident, editing it, moving its stage."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import IntegerField, RadioField, StringField, TextAreaField, validators

from incident_tracker import clock
from incident_tracker.actions import incidents as acts
from incident_tracker.models.duties import Duty, duties_shown
from incident_tracker.models.facts import current_facts
from incident_tracker.models.incidents import Incident, Stage
from incident_tracker.models.listings import Filter, incident_page, incident_rows
from incident_tracker.models.messages import given_up
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding, groupings
from incident_tracker.web.facts import label_of, say
from incident_tracker.web.spreadsheets import csv_of
from incident_tracker.work import unit_of_work

pages = Blueprint("incidents", __name__)

STAGE_WORDS = {
    Stage.SUSPECTED: ("Being investigated", "There is something to it; whether personal data was compromised is not certain yet."),
    Stage.CONFIRMED: ("Confirmed", "It is reasonably certain that personal data was compromised."),
    Stage.CLOSED: ("Close", "Nothing is left to do. Refused while a duty is open."),
    Stage.DISMISSED: ("Dismiss", "It was no breach of personal data. It stays in the register, with the reason."),
}


class EditForm(FlaskForm):
    """Title, text and kind, with the version they started from."""

    title = StringField(
        "What happened, in a few words", [validators.DataRequired("Say in a few words what happened."), validators.Length(max=200)]
    )
    summary = TextAreaField("What is known", [validators.Length(max=20_000)])
    kind = RadioField("What is it", choices=choosing.KINDS)
    text_version = IntegerField(validators=[validators.InputRequired()])


class StageForm(FlaskForm):
    """Where it goes next, and why."""

    stage = RadioField("Next stage", validators=[validators.DataRequired("Choose where it goes.")])
    reason = TextAreaField("Reason", [validators.DataRequired("Give the reason; it stays in the record."), validators.Length(max=5_000)])


@pages.get("/incidents")
def index() -> ResponseReturnValue:
    """The register, the most urgent first."""
    wanted = Filter.read(request.args)
    page = incident_page(current_user, wanted, request.args.get("page", 1, type=int))
    return render_template(
        "incidents/index.html",
        page=page,
        wanted=wanted,
        kinds=choosing.KINDS,
        kind_words=choosing.KIND_WORDS,
        stages=list(Stage),
        leads=choosing.people_choices("officer", "legal", "manager"),
    )


@pages.get("/incidents.csv")
def export() -> ResponseReturnValue:
    """The same list as a table for a spreadsheet."""
    rows = incident_rows(current_user, Filter.read(request.args))
    return Response(csv_of(rows), mimetype="text/csv", headers={"Content-Disposition": "attachment; filename=incidents.csv"})


@pages.get("/incidents/<reference>")
def show(reference: str) -> ResponseReturnValue:
    """One incident: what is due, what is undecided and which question settles it."""
    incident = finding.incident(reference, with_names=True)
    duties, facts = duties_shown(incident.id), current_facts(incident.id)
    undecided = [duty for duty in duties if groupings.standing_of(duty) == "undecided"]
    by = "recipient" if request.args.get("by") == "recipient" else "time"
    return render_template(
        "incidents/show.html",
        incident=incident,
        by=by,
        parts=groupings.by_recipient(duties) if by == "recipient" else groupings.by_time(duties, clock.now()),
        undecided=undecided,
        refused=given_up(current_user, incident.id),
        open_questions=open_questions(incident, undecided),
        facts=facts,
        label=label_of,
        say=say,
        kind_words=choosing.KIND_WORDS,
    )


def open_questions(incident: Incident, undecided: list[Duty]) -> list[dict[str, Any]]:
    """What to find out next, each with the undecided duties that hang on it; every duty stands once, under the best question for it."""
    left, found = {duty.key: duty for duty in undecided}, []
    for lacking in (False, True):
        for question in incident.questions:
            hang = [key for key, duty in left.items() if (question["fact"] in duty.missing if lacking else key in question["settles"])]
            if hang:
                duties = [left.pop(key) for key in hang]
                found.append({"fact": question["fact"], "text": question["text"], "duties": duties, "settles": not lacking})
    return sorted(found, key=_urgency) + ([{"fact": "", "text": "", "duties": list(left.values()), "settles": False}] if left else [])


def _urgency(question: dict[str, Any]) -> tuple[bool, Any, int]:
    first = next((duty.conservative_at for duty in question["duties"] if duty.conservative_at), None)
    return (first is None, first or 0, -len(question["duties"]))


@pages.route("/incidents/<reference>/edit", methods=["GET", "POST"])
def edit(reference: str) -> ResponseReturnValue:
    """Change title, text or kind."""
    incident = finding.incident(reference)
    choosing.demand(Permission.EDIT, incident)
    form = EditForm(obj=incident)
    if form.validate_on_submit():
        with unit_of_work(current_user) as work:
            acts.edit_incident(
                work,
                finding.incident(reference, lock=True),
                form.text_version.data,
                title=form.title.data,
                summary=form.summary.data or "",
                kind=form.kind.data,
            )
        flash("Saved.", "good")
        return redirect(url_for(".show", reference=reference))
    return render_template("incidents/edit.html", form=form, incident=incident), 422 if form.errors else 200


@pages.route("/incidents/<reference>/stage", methods=["GET", "POST"])
def stage(reference: str) -> ResponseReturnValue:
    """Move it to another stage, with the reason."""
    incident = finding.incident(reference)
    choosing.demand(Permission.CHANGE_STAGE, incident)
    form = StageForm(stage=request.args.get("to"))
    form.stage.choices = [(to, f"{STAGE_WORDS[Stage(to)][0]}. {STAGE_WORDS[Stage(to)][1]}") for to in acts.MOVES[incident.stage]]
    if form.validate_on_submit() and not choosing.refused(form, _move, reference, form.stage.data, form.reason.data):
        flash(f"The incident is now {form.stage.data}.", "good")
        return redirect(url_for(".show", reference=reference))
    return render_template("incidents/stage.html", form=form, incident=incident), 422 if form.errors else 200


def _move(reference: str, to: str, reason: str) -> None:
    with unit_of_work(current_user) as work:
        acts.change_stage(work, finding.incident(reference, lock=True), to, reason)
