"""One's own account: name and zone, password, second factor, recovery codes, look, sessions."""

from datetime import datetime

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, hash_password
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, validators

from incident_tracker.actions import accounts as acts
from incident_tracker.actions import sign_ins
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from incident_tracker.rules import permissions
from incident_tracker.web import choosing, digests, guard, passkeys, sessions
from incident_tracker.web.identity import LONGEST_PASSWORD, SHORTEST_PASSWORD, identity
from incident_tracker.web.sign_in import SetUpCodeForm, check_password_of, new_secret, set_up
from incident_tracker.web.zones import ZoneField
from incident_tracker.work import unit_of_work

pages = Blueprint("accounts", __name__)

THEMES = {"auto": "As this device", "light": "Light", "dark": "Dark"}
PASSWORD_HINT = f"At least {SHORTEST_PASSWORD} letters. Four random words are easy to remember and hard to guess."


class ProfileForm(FlaskForm):
    """Who one is here."""

    name = StringField("Name", [validators.InputRequired("Enter your name."), validators.Length(max=120)])
    zone = ZoneField("Time zone")


def new_password() -> PasswordField:
    """The field of a new password."""
    return PasswordField("New password", [validators.InputRequired("Enter a new password.")], description=PASSWORD_HINT)


def new_password_again() -> PasswordField:
    """The field that catches a slip of the finger."""
    return PasswordField("The same once more", [validators.EqualTo("password", "The two are not the same.")])


class PasswordSetter(FlaskForm):
    """A form with a new password in `password`. Its fields stand in each form, so that errors come in the order of the page."""

    def hash_for(self, *known: str | None) -> str | None:
        """The argon2id hash; None, with the reason beside the field, if it is too easy to guess for somebody `known` by these texts."""
        problems, normal = identity().password_util.validate(self.password.data or "", False, **{str(place): text for place, text in enumerate(known)})
        if problems:
            self.password.errors = problems
            return None
        return hash_password(normal)


class ChangePasswordForm(PasswordSetter):
    """The present password and a new one."""

    current_password = PasswordField("Present password", [validators.InputRequired("Enter your present password."), validators.Length(max=LONGEST_PASSWORD)])
    password = new_password()
    password_again = new_password_again()


class ConfirmForm(FlaskForm):
    """A proof of who one is, once more."""

    password = PasswordField("Password", [validators.InputRequired("Enter your password."), validators.Length(max=LONGEST_PASSWORD)])


@pages.get("/me")
def me() -> ResponseReturnValue:
    """Everything about one's own account."""
    return _me(ProfileForm(obj=current_user))


@pages.post("/me/profile")
def profile() -> ResponseReturnValue:
    """Change name or zone."""
    form = ProfileForm()
    if form.validate_on_submit() and not choosing.refused(form, _change_profile, form):
        flash("Saved.", "good")
        return redirect(url_for(".me"))
    return _me(form)


@pages.post("/me/digests")
def choose_digests() -> ResponseReturnValue:
    """Change how one's digests come."""
    form = digests.DigestForm()
    if form.validate_on_submit() and not choosing.refused(form, digests.save, form, manages=_manages()):
        flash("Saved.", "good")
        return redirect(url_for(".me") + "#digests")
    return _me(ProfileForm(formdata=None, obj=current_user), form)


@pages.post("/me/theme")
def theme() -> ResponseReturnValue:
    """Light, dark, or as the device says; kept in this browser."""
    chosen = request.form.get("theme", "auto")
    response = redirect(url_for(".me") + "#look")
    if chosen in ("light", "dark"):
        response.set_cookie("theme", chosen, max_age=5 * 365 * 86400, samesite="Lax", secure=request.is_secure)
    else:
        response.delete_cookie("theme")
    return response


@pages.route("/me/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Change the password. Other sessions end, this one goes on."""
    form = ChangePasswordForm()
    if form.validate_on_submit():
        hashed = form.hash_for(current_user.email, current_user.name)
        if hashed and _is_right(form.current_password, "a password, to change it"):
            with unit_of_work(current_user) as work:
                acts.change_password(work, hashed)
            sessions.renew(_myself())
            flash("Your password is changed. Every other session was signed out.", "good")
            return redirect(url_for(".me"))
    return render_template("accounts/password.html", form=form), 422 if form.errors else 200


@pages.route("/me/confirm", methods=["GET", "POST"])
def confirm() -> ResponseReturnValue:
    """Ask for a proof before something delicate."""
    then = sessions.safe_path(request.args.get("next"))
    form = ConfirmForm()
    if form.validate_on_submit() and _is_right(form.password, "a password"):
        sessions.freshen()
        return redirect(then)
    return render_template("accounts/confirm.html", form=form, then=then, passkey=passkeys.offer(_myself())), 422 if form.errors else 200


@pages.route("/me/second-factor", methods=["GET", "POST"])
@guard.fresh
def second_factor() -> ResponseReturnValue:
    """Connect an authenticator app, in the place of the old one."""
    form = SetUpCodeForm()
    codes = set_up(form, _myself())
    if codes is not None:
        return render_template("security/codes.html", codes=codes, then=url_for(".me"))
    return render_template("accounts/second_factor.html", form=form, values=new_secret(form, _myself())), 422 if form.errors else 200


@pages.post("/me/recovery-codes")
@guard.fresh
def recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them, once."""
    codes, sealed = identity().mf_recovery_codes_util.make()
    with unit_of_work(current_user) as work:
        acts.renew_recovery_codes(work, sealed)
    return render_template("security/codes.html", codes=codes, then=url_for(".me"))


@pages.post("/me/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session, on whatever device; this one goes on."""
    with unit_of_work(current_user) as work:
        acts.sign_out_everywhere(work)
    sessions.renew(_myself())
    flash("Every other session is signed out.", "good")
    return redirect(url_for(".me"))


def _me(form: ProfileForm, digest: digests.DigestForm | None = None) -> ResponseReturnValue:
    digest = digest or digests.form_of_mine()
    meanings = [(role.value, permissions.ROLE_MEANINGS[role]) for role in permissions.Role if role.value in current_user.role_names]
    codes_left = len(current_user.mf_recovery_codes or [])
    can_have_passkeys = identity().webauthn_util.is_possible
    began_at = session.get("began_at")
    page = render_template(
        "accounts/me.html", form=form, roles=meanings, codes_left=codes_left, can_have_passkeys=can_have_passkeys, themes=THEMES,
        began_at=datetime.fromisoformat(began_at) if began_at else None, config=current_app.extensions["tracker"],
        digest=digest, manages=_manages(),
    )
    return page, 422 if form.errors or digest.errors else 200


def _manages() -> bool:
    return permissions.Role.MANAGER in current_user.role_names


def _change_profile(form: ProfileForm) -> None:
    with unit_of_work(current_user) as work:
        acts.change_profile(work, form.name.data or "", form.zone.data)


def _is_right(field: PasswordField, via: str) -> bool:
    buckets = sessions.code_buckets("confirm", current_user)
    with unit_of_work(current_user) as work:
        sign_ins.count_try(work, buckets, sessions.address())
    right = check_password_of(current_user, field.data or "")
    with unit_of_work(current_user) as work:
        if right:
            sign_ins.confirm(work, current_user, via, buckets)
            return True
        sign_ins.fail(work, current_user, "wrong password", sessions.address())
    field.errors = ["That is not your present password."]
    return False


def _myself() -> Person:
    person = db.session.get(Person, current_user.id)
    assert person is not None
    return person
