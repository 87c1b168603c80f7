"""Destinations, for the administrator: the rooms and the people's own ways to which warnings go beside mail and the bell."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, PasswordField, RadioField, SelectField, StringField, validators
from wtforms.widgets import HiddenInput

from incident_tracker.actions import destinations as acts
from incident_tracker.actions.destinations import Checked, Draft, Target
from incident_tracker.errors import Invalid, NotFound
from incident_tracker.models.destinations import Destination, Seal, all_destinations, find_destination
from incident_tracker.models.messages import is_destination_used
from incident_tracker.models.people import active_names
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, guard
from incident_tracker.work import unit_of_work

pages = Blueprint("destinations", __name__)

USES = [("always", "Every warning"), ("loud", "Loud warnings only: the last ones before a deadline, and those after it")]
FALLBACK = ("fallback", "Only once another way to this person was refused for good")


class DestinationForm(FlaskForm):
    """What every kind has. The names of the blanks that hold secrets end so that they are never kept with a form that was typed."""

    name = StringField("Name", [validators.Length(max=120)], description="As people know it, e.g. #privacy in Slack. It stands in the record.")
    person = SelectField("Who sees it", choices=[], description="A room hears of no restricted incident. A person hears there what they hear by mail.")
    use = RadioField("When it is told", choices=[], default="always")
    version = IntegerField(widget=HiddenInput())


@pages.get("/channels")
def index() -> ResponseReturnValue:
    """Every destination, and whether it works."""
    choosing.demand(Permission.SET_UP_CHANNELS)
    return render_template("destinations/index.html", destinations=all_destinations(), kinds=acts.kinds(), settings=current_app.extensions["tracker"])


@pages.get("/channels/new")
def choose() -> ResponseReturnValue:
    """Which kind is it to be."""
    choosing.demand(Permission.SET_UP_CHANNELS)
    return render_template("destinations/choose.html", kinds=acts.kinds())


@pages.route("/channels/new/<channel>", methods=["GET", "POST"])
@guard.fresh
def add(channel: str) -> ResponseReturnValue:
    """Set one up."""
    choosing.demand(Permission.SET_UP_CHANNELS)
    if channel not in acts.kinds():
        raise NotFound("channel")
    form = _form(channel, None)
    if form.validate_on_submit() and (checked := _checked(channel, form, None)) is not None and not choosing.refused(form, _add, channel, checked):
        if checked.made:
            return render_template("destinations/secret.html", secret=checked.made, name=checked.draft.name)
        flash("It is set up. Send a test to see that it works.", "good")
        return redirect(url_for(".index"))
    page = render_template("destinations/edit.html", form=form, kind=acts.kinds()[channel], options=_options(channel), destination=None)
    return page, 422 if form.errors else 200


@pages.route("/channels/<int:destination_id>", methods=["GET", "POST"])
@guard.fresh
def edit(destination_id: int) -> ResponseReturnValue:
    """Show and change one."""
    found = _destination(destination_id)
    form = _form(found.kind, found)
    if form.validate_on_submit():
        checked = _checked(found.kind, form, found)
        if checked is not None and not choosing.refused(form, _act, acts.change, destination_id, checked, _seal(), form.version.data or 0):
            if checked.made:
                return render_template("destinations/secret.html", secret=checked.made, name=checked.draft.name)
            flash("Saved.", "good")
            return redirect(url_for(".index"))
        found = _destination(destination_id)
    kind = acts.kinds()[found.kind]
    is_used = is_destination_used(destination_id)
    page = render_template("destinations/edit.html", form=form, kind=kind, options=_options(found.kind), destination=found, is_used=is_used)
    return page, 422 if form.errors else 200


@pages.post("/channels/<int:destination_id>/test")
def test(destination_id: int) -> ResponseReturnValue:
    """Send a test at once and show what was answered."""
    config = current_app.extensions["tracker"]
    _destination(destination_id)
    with unit_of_work(current_user) as work:
        found = _destination(destination_id)
        kind, name = found.kind, found.name
        letter, target = acts.prepare_test(work, found, _seal(), config.organisation, config.base_url)
    is_taken, answer, error = acts.send_test(kind, letter, target, config)
    _act(acts.note_test, destination_id, error)
    label = acts.kinds()[kind].label
    return render_template("destinations/tested.html", name=name, destination_id=destination_id, is_taken=is_taken, answer=answer, label=label)


@pages.post("/channels/<int:destination_id>/switch-off")
def switch_off(destination_id: int) -> ResponseReturnValue:
    """Nothing more goes there."""
    _destination(destination_id)
    _act(acts.switch_off, destination_id)
    flash("Switched off. Nothing more goes there.", "good")
    return redirect(url_for(".index"))


@pages.post("/channels/<int:destination_id>/switch-on")
def switch_on(destination_id: int) -> ResponseReturnValue:
    """It is told again."""
    _destination(destination_id)
    _act(acts.switch_on, destination_id)
    flash("Switched on. Warnings that fire from now on go there.", "good")
    return redirect(url_for(".index"))


@pages.post("/channels/<int:destination_id>/delete")
@guard.fresh
def delete(destination_id: int) -> ResponseReturnValue:
    """Remove one to which nothing was ever sent."""
    _destination(destination_id)
    _act(acts.delete, destination_id)
    flash("Deleted.", "good")
    return redirect(url_for(".index"))


def _form(channel: str, found: Destination | None) -> Any:
    """The form with the blanks of one kind."""
    setup = acts.kinds()[channel]
    fields: dict[str, Any] = {
        # typed is not kept: the address itself may be what lets somebody post
        "address_secret": StringField(setup.address.label, [validators.Length(max=2000)], description=setup.address.hint),
        **{name: StringField(blank.label, [validators.Length(max=300)], description=blank.hint) for name, blank in setup.options.items()},
    }
    if setup.secret is not None:
        fields["secret"] = PasswordField(setup.secret.label, [validators.Length(max=1000)], description=setup.secret.hint)
    if found is not None and found.secret is not None and setup.secret is not None and (setup.secret.made_by or not setup.secret.is_needed):
        fields["forget"] = BooleanField("Make a new one in its place, shown once" if setup.secret.made_by else "Forget the one that is stored")
    made = type("Form", (DestinationForm,), fields)
    values = {} if found is None else {"name": found.name, "use": found.use, "version": found.version, "person": str(found.person_id or ""), **found.options}
    form = made(data=values)
    form.person.choices = [("", "A room: everybody who is in it"), *((str(number), f"{name}, for themselves") for number, name in active_names())]
    if found is not None and found.person is not None and not found.person.active:
        form.person.choices.append((str(found.person_id), found.person.name))
    form.use.choices = [*USES, FALLBACK] if found is None or found.person_id is not None else USES
    return form


def _checked(channel: str, form: Any, found: Destination | None) -> Checked | None:
    """What was entered, looked up in the network while no transaction is open; None where it cannot be used, which the form then says."""
    person_id = int(form.person.data) if form.person.data else None
    options = {name: form[name].data or "" for name in acts.kinds()[channel].options}
    draft = Draft(
        form.name.data or "", form.address_secret.data or "", (form.secret.data or "") if "secret" in form else "", options,
        found.person_id if found is not None else person_id, form.use.data or "", "forget" in form and bool(form.forget.data),
    )
    kept = acts.target_of(found, _seal()) if found is not None and _is_kept(draft, found) else None
    made: list[Checked] = []
    wrong = choosing.refused(form, lambda: made.append(_look(channel, draft, kept)))
    return None if wrong else made[0]


def _look(channel: str, draft: Draft, kept: Target | None) -> Checked:
    try:
        return acts.check(channel, draft, current_app.extensions["tracker"].allow_private_targets, kept)
    except Invalid as error:
        raise Invalid("", **{"address_secret" if name == "address" else name: said for name, said in error.fields.items()}) from error


def _is_kept(draft: Draft, found: Destination) -> bool:
    """Whether something that is stored is needed: whoever enters all of it anew can mend a destination whose key is lost."""
    return not draft.address.strip() or (found.secret is not None and not draft.secret.strip() and not draft.forgets_secret)


def _options(channel: str) -> list[str]:
    return list(acts.kinds()[channel].options)


def _add(channel: str, checked: Checked) -> None:
    with unit_of_work(current_user) as work:
        acts.add(work, channel, checked, _seal())


def _act(act: Callable[..., None], destination_id: int, *args: object) -> None:
    with unit_of_work(current_user) as work:
        act(work, _destination(destination_id), *args)


def _destination(destination_id: int) -> Destination:
    choosing.demand(Permission.SET_UP_CHANNELS)
    found = find_destination(destination_id)
    if found is None:
        raise NotFound("destination")
    return found


def _seal() -> Seal:
    return Seal.of(current_app.extensions["tracker"].instance)
