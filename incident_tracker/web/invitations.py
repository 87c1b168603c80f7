"""One-time links by which somebody joins: an invitation, and the set-up of the first administrator."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, StringField, validators

from incident_tracker import clock
from incident_tracker.actions import people as acts
from incident_tracker.actions import sign_ins
from incident_tracker.models.people import Invitation, Person
from incident_tracker.rules.permissions import ROLE_MEANINGS, Role
from incident_tracker.web import choosing, sessions
from incident_tracker.web.accounts import PasswordSetter, new_password, new_password_again
from incident_tracker.web.zones import ZoneField, likely
from incident_tracker.work import unit_of_work

pages = Blueprint("invitations", __name__)


NAME_HINT = "As colleagues know you; it stands in the record."
ZONE_HINT = "Deadlines are shown in it, beside the law's own."


class JoinForm(PasswordSetter):
    """Who somebody is who joins."""

    name = StringField("Your name", [validators.InputRequired("Enter your name."), validators.Length(max=120)], description=NAME_HINT)
    zone = ZoneField("Time zone", description=ZONE_HINT)
    password = new_password()
    password_again = new_password_again()


class SetUpForm(PasswordSetter):
    """The first administrator."""

    name = StringField("Your name", [validators.InputRequired("Enter your name."), validators.Length(max=120)], description=NAME_HINT)
    email = StringField(
        "E-mail address", [validators.InputRequired("Enter your e-mail address."), validators.Length(max=255)], description="You sign in with it.",
    )
    zone = ZoneField("Time zone", description=ZONE_HINT)
    password = new_password()
    password_again = new_password_again()
    handles_incidents = BooleanField(
        "I also log and handle incidents", description="Adds the role of an officer. An administrator alone does not see incidents.",
    )


@pages.route("/invitation/<secret>", methods=["GET", "POST"])
def accept(secret: str) -> ResponseReturnValue:
    """Accept an invitation: name, zone, password; the second factor comes next."""
    invitation = acts.open_invitation(secret, clock.now())
    if invitation is None or invitation.created_by_id is None:
        return render_template("accounts/dead_link.html", what="invitation"), 410
    form = JoinForm(zone=likely())
    hashed = form.hash_for(invitation.email, form.name.data) if form.validate_on_submit() else None
    if hashed and not choosing.refused(form, _accept, secret, form, hashed):
        return redirect(url_for("security.set_up_code"))
    return render_template("accounts/accept.html", form=form, invitation=invitation, roles=_meanings(invitation)), 422 if form.errors else 200


@pages.route("/set-up/<secret>", methods=["GET", "POST"])
def set_up(secret: str) -> ResponseReturnValue:
    """Become the first administrator, by the link that the command line gave."""
    invitation = acts.open_invitation(secret, clock.now())
    if invitation is None or invitation.created_by_id is not None:
        return render_template("accounts/dead_link.html", what="set-up", has_administrator=acts.has_administrator()), 410
    form = SetUpForm(zone=likely())
    hashed = form.hash_for(form.email.data, form.name.data) if form.validate_on_submit() else None
    if hashed and not choosing.refused(form, _set_up, secret, form, hashed):
        return redirect(url_for("security.set_up_code"))
    return render_template("accounts/set_up.html", form=form), 422 if form.errors else 200


def _accept(secret: str, form: JoinForm, hashed: str) -> None:
    with unit_of_work(sign_ins.STRANGER) as work:
        person = acts.accept_invitation(work, secret, _entry(form, hashed))
    _go_on(person)


def _set_up(secret: str, form: SetUpForm, hashed: str) -> None:
    with unit_of_work(sign_ins.STRANGER) as work:
        person = acts.accept_setup(work, secret, form.email.data or "", _entry(form, hashed), bool(form.handles_incidents.data))
    _go_on(person)


def _go_on(person: Person) -> None:
    sessions.wait_for_second(person, "/")


def _entry(form: JoinForm | SetUpForm, hashed: str) -> acts.Entry:
    return acts.Entry(form.name.data or "", form.zone.data, hashed)


def _meanings(invitation: Invitation) -> list[tuple[str, str]]:
    return [(role.value, ROLE_MEANINGS[role]) for role in Role if role.value in invitation.role_names]
