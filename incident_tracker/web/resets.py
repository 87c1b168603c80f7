"""A forgotten password: a link by mail, or from an administrator, and the page that it opens."""

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security.recoverable import generate_reset_password_token, reset_password_token_status
from flask_wtf import FlaskForm
from wtforms import StringField, validators

from incident_tracker.actions import accounts as acts
from incident_tracker.actions import sign_ins
from incident_tracker.errors import Conflict
from incident_tracker.models.people import Person
from incident_tracker.rules import throttles
from incident_tracker.web import sessions
from incident_tracker.web.accounts import PasswordSetter, new_password, new_password_again
from incident_tracker.work import unit_of_work

pages = Blueprint("resets", __name__)


class AskForm(FlaskForm):
    """Whose password is forgotten."""

    email = StringField("E-mail address", [validators.InputRequired("Enter your e-mail address."), validators.Length(max=255)])


class NewPasswordForm(PasswordSetter):
    """A new password."""

    password = new_password()
    password_again = new_password_again()


@pages.route("/forgotten-password", methods=["GET", "POST"])
def ask() -> ResponseReturnValue:
    """Ask for a link. The answer is the same whoever has the address, and whether anybody does."""
    mail_is_on = current_app.extensions["tracker"].mail_is_on
    form = AskForm()
    if mail_is_on and form.validate_on_submit():
        buckets = {throttles.bucket("address", sessions.address()), throttles.bucket("reset", (form.email.data or "").strip().lower())}
        with unit_of_work(sign_ins.STRANGER) as work:
            sign_ins.count_try(work, buckets, sessions.address())
            acts.ask_password_reset(work, form.email.data or "", link_for, sessions.address())
        return render_template("security/forgotten_sent.html", email=form.email.data)
    return render_template("security/forgotten.html", form=form, mail_is_on=mail_is_on), 422 if form.errors else 200


@pages.route("/new-password/<token>", methods=["GET", "POST"])
def reset(token: str) -> ResponseReturnValue:
    """Set a new password by a link. It signs nobody in: the second factor is asked for as always."""
    expired, invalid, person = reset_password_token_status(token)  # type: ignore[no-untyped-call]
    if expired or invalid or person is None or not person.active:
        return render_template("accounts/dead_link.html", what="password"), 410
    form = NewPasswordForm()
    hashed = form.hash_for(person.email, person.name) if form.validate_on_submit() else None
    if hashed:
        try:
            _reset(person, hashed)
        except Conflict:
            return render_template("accounts/dead_link.html", what="password"), 410
        flash("Your new password is set. Sign in with it.", "good")
        return redirect(url_for("security.login"))
    return render_template("security/reset.html", form=form), 422 if form.errors else 200


def link_for(person: Person) -> str:
    """The link by which this person sets a new password, for one hour, once. Built from the settings, never from a request."""
    path = url_for("resets.reset", token=generate_reset_password_token(person))  # type: ignore[no-untyped-call]
    return f"{current_app.extensions['tracker'].base_url.rstrip('/')}{path}"


def _reset(person: Person, hashed: str) -> None:
    uniquifier, buckets = person.fs_uniquifier, sessions.password_buckets(person.email, person)
    with unit_of_work(sign_ins.STRANGER) as work:
        acts.reset_password(work, person, uniquifier, hashed)
        sign_ins.forgive(work, buckets, "a new password was set: earlier tries do not count")
