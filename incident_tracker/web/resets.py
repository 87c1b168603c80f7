"""A forgotten password: a link by mail, or from an administrator, and the page that it opens."""

from datetime import timedelta

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import StringField, validators

from incident_tracker.actions import accounts as acts
from incident_tracker.actions import people, sign_ins
from incident_tracker.errors import Conflict
from incident_tracker.models.base import db
from incident_tracker.models.people import Person
from incident_tracker.rules import throttles
from incident_tracker.web import sessions
from incident_tracker.web.accounts import PasswordSetter, new_password, new_password_again
from incident_tracker.web.identity import identity, read_token
from incident_tracker.work import unit_of_work

pages = Blueprint("resets", __name__)


RESET_WITHIN = timedelta(hours=1)


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
    person = _person_of(token)
    if person is None:
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
    # Flask-Security would hash the old password into it, which takes so long that the answer would tell who is here
    return people.password_link(person, identity().reset_serializer.dumps, current_app.extensions["tracker"].base_url)


def _person_of(token: str) -> Person | None:
    uniquifier = read_token("reset_serializer", token, RESET_WITHIN)
    person = db.session.scalar(select(Person).where(Person.fs_uniquifier == uniquifier)) if isinstance(uniquifier, str) else None
    return person if person is not None and person.active else None


def _reset(person: Person, hashed: str) -> None:
    uniquifier, buckets = person.fs_uniquifier, sessions.password_buckets(person.email, person)
    with unit_of_work(sign_ins.STRANGER) as work:
        acts.reset_password(work, person, uniquifier, hashed)
        sign_ins.forgive(work, buckets, "a new password was set: earlier tries do not count")
