"""People, for the administrator: who belongs, what they may do, who is invited, who left."""

from collections.abc import Callable

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import StringField, validators

from incident_tracker import clock
from incident_tracker.actions import people as acts
from incident_tracker.actions import tokens
from incident_tracker.errors import NotFound
from incident_tracker.models.base import db
from incident_tracker.models.people import Invitation, Person, find_people, open_invitations
from incident_tracker.models.tokens import ApiToken, tokens_of
from incident_tracker.rules.permissions import ROLE_MEANINGS, Permission, Role
from incident_tracker.web import choosing, guard
from incident_tracker.web.fact_fields import CheckboxList
from incident_tracker.web.formatting import iso
from incident_tracker.web.identity import identity
from incident_tracker.web.spreadsheets import csv_of
from incident_tracker.work import unit_of_work

pages = Blueprint("people", __name__)

ROLE_CHOICES = [(role.value, f"{role.value}: {meaning}") for role, meaning in ROLE_MEANINGS.items()]


class RolesForm(FlaskForm):
    """What somebody may do."""

    roles = CheckboxList("Roles", [validators.DataRequired("Choose at least one role.")], choices=ROLE_CHOICES)


class InviteForm(FlaskForm):
    """Who is to join, and as what."""

    email = StringField("E-mail address", [validators.InputRequired("Enter an e-mail address."), validators.Length(max=255)])
    roles = CheckboxList("Roles", [validators.DataRequired("Choose at least one role.")], choices=ROLE_CHOICES)


@pages.get("/people")
def index() -> ResponseReturnValue:
    """Everybody, with a filter; and the invitations that are open."""
    choosing.demand(Permission.MANAGE_PEOPLE)
    asked = _asked()
    page = db.paginate(find_people(**asked), per_page=50, max_per_page=50)
    return render_template("people/index.html", page=page, asked=asked, roles=[role.value for role in Role], invitations=open_invitations(clock.now()))


@pages.get("/people.csv")
def export() -> ResponseReturnValue:
    """The same list as a table for a spreadsheet."""
    choosing.demand(Permission.MANAGE_PEOPLE)
    rows = [{
        "name": one.name, "email": one.email, "roles": " ".join(sorted(one.role_names)), "can_sign_in": one.active, "zone": one.zone,
        "second_factor": one.has_second_factor, "passkeys": len(one.webauthn), "joined_at": iso(one.created_at),
        "signed_in_at": iso(one.signed_in_at) if one.signed_in_at else "",
    } for one in db.session.scalars(find_people(**_asked()))]
    return Response(csv_of(rows), mimetype="text/csv", headers={"Content-Disposition": "attachment; filename=people.csv"})


@pages.get("/people/<int:person_id>")
def show(person_id: int) -> ResponseReturnValue:
    """One person."""
    person = _person(person_id)
    return _page(person, RolesForm(roles=sorted(person.role_names)))


@pages.post("/people/<int:person_id>/roles")
@guard.fresh
def roles(person_id: int) -> ResponseReturnValue:
    """Give somebody other roles."""
    person, form = _person(person_id), RolesForm()
    if form.validate_on_submit() and not choosing.refused(form, _act, acts.change_roles, person, form.roles.data or []):
        flash(f"The roles of {person.name} are changed.", "good")
        return redirect(url_for(".index") if person.id == current_user.id else url_for(".show", person_id=person_id))
    return _page(person, form)


@pages.post("/people/<int:person_id>/switch-off")
@guard.fresh
def switch_off(person_id: int) -> ResponseReturnValue:
    """Somebody left."""
    person, form = _person(person_id), RolesForm()
    if choosing.refused(form, _act, acts.switch_off, person):
        return _page(person, form)
    flash(f"{person.name} is switched off and signed out everywhere. What they did stays in the record.", "good")
    return redirect(url_for(".show", person_id=person_id))


@pages.post("/people/<int:person_id>/switch-on")
@guard.fresh
def switch_on(person_id: int) -> ResponseReturnValue:
    """Somebody is back."""
    person = _person(person_id)
    _act(acts.switch_on, person)
    flash(f"{person.name} can sign in again.", "good")
    return redirect(url_for(".show", person_id=person_id))


@pages.post("/people/<int:person_id>/second-factor")
@guard.fresh
def reset_second_factor(person_id: int) -> ResponseReturnValue:
    """Somebody lost their phone."""
    person = _person(person_id)
    _act(acts.reset_second_factor, person)
    flash(f"{person.name} sets up a new second factor when they next sign in.", "good")
    return redirect(url_for(".show", person_id=person_id))


@pages.post("/people/<int:person_id>/password-link")
@guard.fresh
def password_link(person_id: int) -> ResponseReturnValue:
    """Somebody forgot their password and no mail reaches them: show a link, once."""
    person, back = _person(person_id), url_for(".show", person_id=person_id)
    with unit_of_work(current_user) as work:
        link = acts.offer_password_link(work, person, identity().reset_serializer.dumps, current_app.extensions["tracker"].base_url)
    return render_template("people/link.html", what="password", name=person.name, link=link, mailed=False, back=back)


@pages.post("/people/<int:person_id>/tokens/<int:token_id>/revoke")
def revoke_token(person_id: int, token_id: int) -> ResponseReturnValue:
    """Take somebody's API token back."""
    person, token = _person(person_id), db.session.get(ApiToken, token_id)
    if token is None or token.person_id != person.id:
        raise NotFound("token")
    with unit_of_work(current_user) as work:
        tokens.revoke_token(work, token)
    flash(f"The token “{token.name}” is revoked: it opens nothing any more.", "good")
    return redirect(url_for(".show", person_id=person_id))


@pages.route("/people/invite", methods=["GET", "POST"])
@guard.fresh
def invite() -> ResponseReturnValue:
    """Invite somebody by a link, shown once and mailed where mail is on."""
    choosing.demand(Permission.MANAGE_PEOPLE)
    form = InviteForm()
    made: list[str] = []
    if form.validate_on_submit() and not choosing.refused(form, _invite, form, made):
        mailed = current_app.extensions["tracker"].mail_is_on
        return render_template("people/link.html", what="invitation", name=form.email.data, link=made[0], mailed=mailed, back=url_for(".index"))
    return render_template("people/invite.html", form=form), 422 if form.errors else 200


@pages.post("/people/invitations/<int:invitation_id>/revoke")
def revoke(invitation_id: int) -> ResponseReturnValue:
    """Withdraw an invitation."""
    choosing.demand(Permission.MANAGE_PEOPLE)
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None or invitation.created_by_id is None:
        raise NotFound("invitation")
    with unit_of_work(current_user) as work:
        acts.revoke_invitation(work, invitation)
    flash("Withdrawn: the link no longer works.", "good")
    return redirect(url_for(".index"))


def _asked() -> dict[str, str]:
    return {name: request.args.get(name, "").strip() for name in ("text", "role", "state")}


def _page(person: Person, form: RolesForm) -> ResponseReturnValue:
    live = [token for token in tokens_of(person.id) if token.is_live(clock.now())]
    return render_template("people/show.html", person=person, form=form, tokens=live), 422 if form.errors else 200


def _person(person_id: int) -> Person:
    choosing.demand(Permission.MANAGE_PEOPLE)
    person = db.session.get(Person, person_id)
    if person is None:
        raise NotFound("person")
    return person


def _act(act: Callable[..., None], person: Person, *args: object) -> None:
    with unit_of_work(current_user) as work:
        act(work, person, *args)


def _invite(form: InviteForm, made: list[str]) -> None:
    with unit_of_work(current_user) as work:
        made.append(acts.invite(work, form.email.data or "", form.roles.data or [], current_app.extensions["tracker"].base_url)[1])
