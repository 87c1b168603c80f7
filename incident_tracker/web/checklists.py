"""The checklist of an incident: choosing its playbook, and working through the steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import IntegerField, SelectField, StringField, TextAreaField, validators

from incident_tracker import library
from incident_tracker.actions import evidence
from incident_tracker.actions import playbooks as acts
from incident_tracker.errors import Invalid, NotFound
from incident_tracker.models.facts import current_facts
from incident_tracker.models.incidents import Incident
from incident_tracker.models.playbooks import Checklist, Step, checklists_of, find_step
from incident_tracker.rules.permissions import Permission
from incident_tracker.rules.playbooks import proposed_for
from incident_tracker.web import choosing, finding
from incident_tracker.web.evidence import vault
from incident_tracker.web.facts import label_of, spec_of
from incident_tracker.web.playbooks import due_words, named, words
from incident_tracker.work import Work, unit_of_work

pages = Blueprint("checklists", __name__)

#: the ways to look at a checklist
VIEWS = {"all": "All steps", "open": "Open", "mine": "Mine", "nobody": "Nobody's"}
PLACE_FACTS = ("affected.by_place", "affected.places_complete")


class StepForm(FlaskForm):
    """What can be done with one step; which button was used stands in `do`."""

    version = IntegerField(validators=[validators.InputRequired()])
    do = StringField(validators=[validators.AnyOf(("tick", "untick", "skip", "take", "save"), "Use one of the buttons.")])
    note = TextAreaField("Note", [validators.Length(max=acts.LONGEST_NOTE)])
    file = FileField("File as proof")
    assignee = SelectField("Who does it", choices=[])


@dataclass(frozen=True)
class FactLink:
    """A fact that a step settles or a due time needs, in words, and where it is recorded."""

    words: str
    is_known: bool
    address: str


@dataclass(frozen=True)
class Card:
    """One step with all that its place on the page shows."""

    step: Step
    form: StepForm
    is_unfolded: bool
    blocking: list[Step]
    due_words: str
    missing: FactLink | None
    facts: list[FactLink]

    @property
    def note_hint(self) -> str:
        """What the note is good for, as the step stands."""
        if not self.step.is_open:
            return "To open it again, say why."
        if self.step.lacks_proof and not self.blocking:
            return "Add the file below, or write here where the proof lies. To skip the step, say why."
        return "What you found. To skip the step, say why."


@pages.get("/incidents/<reference>/checklist")
def show(reference: str) -> ResponseReturnValue:
    """The checklist; where none was started, the choice of a playbook."""
    incident = finding.incident(reference)
    checklists = checklists_of(incident.id)
    return _page(incident, checklists) if checklists else choose(reference)


@pages.get("/incidents/<reference>/checklist/choose")
def choose(reference: str) -> ResponseReturnValue:
    """The playbooks that fit this incident, then the others, each with its steps."""
    incident = finding.incident(reference)
    started = {one.playbook_id for one in checklists_of(incident.id)}
    playbooks = [one for one in library.shelf().playbooks.values() if one.id not in started]
    proposed, others = proposed_for(incident.kind, playbooks)
    return render_template(
        "playbooks/choose.html", incident=incident, proposed=proposed, others=others, started=started, kind_words=choosing.KIND_WORDS, **words(*playbooks),
    )


@pages.post("/incidents/<reference>/checklist")
def start(reference: str) -> ResponseReturnValue:
    """Start following a playbook."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        work.require(Permission.FOLLOW_CHECKLIST, incident)
        checklist = acts.start_checklist(work, incident, named(request.form.get("playbook", "")))
        chosen = checklist.playbook_id
    return redirect(url_for(".show", reference=reference, list=chosen))


@pages.post("/incidents/<reference>/checklist/steps/<int:step_id>")
def step(reference: str, step_id: int) -> ResponseReturnValue:
    """Do with one step what the button says."""
    incident = finding.incident(reference)
    choosing.demand(Permission.FOLLOW_CHECKLIST, incident)
    form = StepForm(prefix=_prefix(step_id))
    form.assignee.choices = _people(incident)
    if form.validate_on_submit() and not choosing.refused(form, _act, reference, step_id, form):
        # an ended step folds, so that the next one unfolds
        unfolded: dict[str, Any] = {} if form.do.data in ("tick", "skip") else {"step": step_id}
        return redirect(url_for(".show", reference=reference, **_looking(), **unfolded, _anchor=_prefix(step_id)))
    return _page(incident, checklists_of(incident.id), (step_id, form)), 422


@pages.get("/incidents/<reference>/checklist/steps/<int:step_id>")
def find(reference: str, step_id: int) -> ResponseReturnValue:
    """The place of one step on the checklist: for links, and for whoever reloads a form that came back."""
    found = find_step(finding.incident(reference).id, step_id)
    if found is None:
        raise NotFound("step")
    return redirect(url_for(".show", reference=reference, list=found.checklist.playbook_id, step=step_id, _anchor=_prefix(step_id)))


def _act(reference: str, step_id: int, form: StepForm) -> None:
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        found = find_step(incident.id, step_id)
        if found is None:
            raise NotFound("step")
        has_file = _keep_file(work, incident, found, form)
        _ACTS[form.do.data](work, found, form, has_file)


def _keep_file(work: Work, incident: Incident, step: Step, form: StepForm) -> bool:
    upload = form.file.data
    if not upload:
        return False
    evidence.add(work, incident, upload.filename or "", upload.mimetype or "", upload.stream, vault=vault(), note=step.title, step=step)
    work.session.expire(step, ["evidence"])
    return True


def _save(work: Work, step: Step, form: StepForm, has_file: bool) -> None:
    person = finding.person(int(form.assignee.data or 0))
    if (person.id if person else None) != step.assignee_id:
        acts.assign_step(work, step, form.version.data, person, form.note.data or "")
    elif form.note.data:
        acts.write_note(work, step, form.note.data)
    elif not has_file:
        raise Invalid("", note="Write a note, choose a file or give the step to somebody; then save.")


_ACTS: dict[str, Callable[[Work, Step, StepForm, bool], None]] = {
    "tick": lambda work, step, form, _: acts.tick_step(work, step, form.version.data, form.note.data or ""),
    "untick": lambda work, step, form, _: acts.untick_step(work, step, form.version.data, form.note.data or ""),
    "skip": lambda work, step, form, _: acts.skip_step(work, step, form.version.data, form.note.data or ""),
    "take": lambda work, step, form, _: acts.assign_step(work, step, form.version.data, finding.person(current_user.id), form.note.data or ""),
    "save": _save,
}


def _page(incident: Incident, checklists: list[Checklist], refused: tuple[int, StepForm] | None = None) -> str:
    checklist = _chosen(checklists, refused[0] if refused else None)
    looking = _looking()
    views = {name: _seen(checklist, name, incident) for name in VIEWS}
    shown = views["all" if refused else looking.get("show", "all")]
    return render_template(
        "playbooks/checklist.html", incident=incident, checklist=checklist, checklists=checklists, looking=looking, view_words=VIEWS,
        views={name: len(steps) for name, steps in views.items()}, phases=checklist.phases(shown), next=checklist.next_step(),
        cards=_cards(incident, checklist, refused), refused=refused, **words(),
    )


def _chosen(checklists: list[Checklist], step_id: int | None) -> Checklist:
    """The checklist of the refused step, else the one asked for, else the latest with something open, else the latest."""
    for one in checklists:
        if any(step.id == step_id for step in one.steps) or (step_id is None and one.playbook_id == request.args.get("list")):
            return one
    return next((one for one in checklists if one.next_step() is not None), checklists[0])


def _looking() -> dict[str, Any]:
    """The parts of the address that say which checklist and which of its steps are looked at, and whether all are unfolded."""
    asked = {name: request.args.get(name, "") for name in ("show", "list", "full")}
    return {name: value for name, value in asked.items() if value and (name != "show" or value in VIEWS)}


def _seen(checklist: Checklist, view: str, incident: Incident) -> list[Step]:
    def is_mine(step: Step) -> bool:
        return step.assignee_id == current_user.id or (step.assignee_id is None and step.role == "lead" and incident.lead_id == current_user.id)

    tests: dict[str, Callable[[Step], bool]] = {
        "all": lambda step: True, "open": lambda step: step.is_open, "mine": is_mine, "nobody": lambda step: step.is_open and step.assignee_id is None,
    }
    return [step for step in checklist.steps if tests[view](step)]


def _cards(incident: Incident, checklist: Checklist, refused: tuple[int, StepForm] | None) -> dict[int, Card]:
    known = {name for name, fact in current_facts(incident.id).items() if fact.value is not None}
    people = _people(incident)
    unfolded = _unfolded(checklist, refused)

    def card(step: Step) -> Card:
        form = refused[1] if refused is not None and refused[0] == step.id else _form(step, people)
        rule = step.due_rule
        missing = _fact_link(rule.anchor, known, incident) if rule and step.due_at is None and rule.anchor.startswith("moments.") else None
        facts = [_fact_link(name, known, incident) for name in step.facts if spec_of(name) is not None]
        return Card(step, form, step.id in unfolded, checklist.blocking(step), due_words(rule) if rule else "", missing, facts)

    return {step.id: card(step) for step in checklist.steps}


def _unfolded(checklist: Checklist, refused: tuple[int, StepForm] | None) -> set[int]:
    """The steps shown in full: the refused one alone, or all where asked for, else the one in the address and the next one."""
    if refused is not None:
        return {refused[0]}
    if "full" in _looking():
        return {step.id for step in checklist.steps}
    next_step = checklist.next_step()
    return {request.args.get("step", next_step.id if next_step else 0, type=int)}


def _form(step: Step, people: list[tuple[str, str]]) -> StepForm:
    form = StepForm(formdata=None, prefix=_prefix(step.id), version=step.version, assignee=str(step.assignee_id or ""))
    gone = [(str(step.assignee_id), step.assignee.name)] if step.assignee and str(step.assignee_id) not in dict(people) else []
    form.assignee.choices = people + gone
    return form


def _prefix(step_id: int) -> str:
    return f"step-{step_id}"


def _people(incident: Incident) -> list[tuple[str, str]]:
    return choosing.people_choices("officer", "legal", "manager", incident=incident)


def _fact_link(name: str, known: set[str], incident: Incident) -> FactLink:
    if name in PLACE_FACTS:
        is_known = any(one.startswith(f"{name}.") for one in known) or name in known
        return FactLink(label_of(name), is_known, url_for("facts.places", reference=incident.reference))
    spec = spec_of(name)
    group = spec.group if spec else "incident"
    return FactLink(label_of(name), name in known, url_for("facts.edit", reference=incident.reference, group=group, only=name))
