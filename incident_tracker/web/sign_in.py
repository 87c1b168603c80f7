"""Signing in: a password, then a code from an authenticator app or a recovery code; and signing out."""

from collections.abc import Callable

from flask import Blueprint, Flask, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, hash_password, verify_password
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, validators

from incident_tracker.actions import accounts as acts
from incident_tracker.actions import sign_ins
from incident_tracker.errors import TooManyTries
from incident_tracker.models.people import Person, person_by_email
from incident_tracker.web import passkeys, sessions
from incident_tracker.web.formatting import plural
from incident_tracker.web.identity import LONGEST_PASSWORD, identity, read_token
from incident_tracker.work import unit_of_work

pages = Blueprint("security", __name__)

WRONG = "The e-mail address or the password is not right."
WRONG_CODE = "That code is not right, or was used already. Take the newest one in your app."
WRONG_RECOVERY = "That is none of your unused recovery codes."


class SignInForm(FlaskForm):
    """The first proof."""

    email = StringField("E-mail address", [validators.InputRequired("Enter your e-mail address."), validators.Length(max=255)])
    password = PasswordField("Password", [validators.InputRequired("Enter your password."), validators.Length(max=LONGEST_PASSWORD, message=WRONG)])


class CodeForm(FlaskForm):
    """Six digits from an authenticator app."""

    code = StringField("Code", [validators.InputRequired("Enter the six digits that your app shows."), validators.Length(max=20, message=WRONG_CODE)])


class RecoveryForm(FlaskForm):
    """One of the codes that were kept for this day."""

    code = StringField("Recovery code", [validators.InputRequired("Enter one of your recovery codes."), validators.Length(max=40, message=WRONG_RECOVERY)])


class SetUpCodeForm(CodeForm):
    """The first code of a new authenticator; `sealed_state` is its secret, encrypted, as the page was given it."""

    sealed_state = StringField("sealed_state")


def register(app: Flask) -> None:
    """The page that asks to wait after too many tries."""
    app.register_error_handler(TooManyTries, _too_many)


@pages.route("/sign-in", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Ask for address and password; a passkey on the same page goes its own way."""
    then = sessions.safe_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(then)
    form = SignInForm()
    if form.validate_on_submit():
        person = _check_password(form.email.data or "", form.password.data or "")
        if person is not None:
            sessions.wait_for_second(person, then)
            return redirect(url_for(".code" if person.has_second_factor else ".set_up_code"))
        form.password.errors = [WRONG]
    return render_template("security/login.html", form=form, passkey=passkeys.offer(None), then=then), 422 if form.errors else 200


@pages.route("/sign-in/code", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """Ask for the second proof."""
    person = sessions.awaited()
    if person is None or not person.has_second_factor:
        return _start_again()
    form = CodeForm()
    if form.validate_on_submit():
        if _try_second(person, "code", lambda: identity().totp_factory.verify_totp(form.code.data, person.tf_totp_secret, person)):
            return sessions.enter(person, "password and code", sessions.code_buckets("code", person))
        form.code.errors = [WRONG_CODE]
    return render_template("security/code.html", form=form, person=person), 422 if form.errors else 200


@pages.route("/sign-in/recovery-code", methods=["GET", "POST"])
def recovery() -> ResponseReturnValue:
    """Ask for a recovery code instead, when the phone is not there."""
    person = sessions.awaited()
    if person is None or not person.has_second_factor:
        return _start_again()
    form = RecoveryForm()
    if form.validate_on_submit():
        if _try_second(person, "recovery code", lambda: _use_recovery_code(person, form.code.data or "")):
            entered = sessions.enter(person, "password and recovery code", sessions.code_buckets("code", person))
            left = plural(len(person.mf_recovery_codes or []), "recovery code")
            flash(f"{left} left. If your phone is lost, set up a new one now, under your name.", "plain")
            return entered
        form.code.errors = [WRONG_RECOVERY]
    return render_template("security/recovery.html", form=form), 422 if form.errors else 200


@pages.route("/sign-in/second-factor", methods=["GET", "POST"])
def set_up_code() -> ResponseReturnValue:
    """The first sign-in: connect an authenticator app before anything else is shown."""
    person = sessions.awaited()
    if person is None or person.has_second_factor:
        return _start_again()
    form = SetUpCodeForm()
    codes = set_up(form, person)
    if codes is not None:
        then = sessions.enter(person, "password and a new second factor").location
        return render_template("security/codes.html", codes=codes, then=then)
    return render_template("security/set_up_code.html", form=form, values=new_secret(form, person)), 422 if form.errors else 200


@pages.route("/sign-out", methods=["GET", "POST"])
def logout() -> ResponseReturnValue:
    """Sign out. A link alone does not: it asks first."""
    if not current_user.is_authenticated:
        return redirect(url_for(".login"))
    if request.method == "GET":
        return render_template("security/logout.html")
    sessions.end(by_choice=True)
    flash("You are signed out.", "good")
    return redirect(url_for(".login"))


def set_up(form: SetUpCodeForm, person: Person) -> list[str] | None:
    """Turn on the authenticator whose first code was typed; the new recovery codes, or None while no right code was."""
    if not form.validate_on_submit():
        return None
    secret = _secret_of(form, person)
    if secret is None:
        form.code.errors = ["This page was open for too long. Scan the new picture and enter its code."]
        return None
    with unit_of_work(sign_ins.STRANGER) as work:
        sign_ins.count_try(work, sessions.code_buckets("code", person), sessions.address())
    counter = identity().totp_factory.match(form.code.data, secret)
    if counter is None:
        form.code.errors = ["That code does not fit. Check that the clock of your phone is right, and take the newest code."]
        return None
    codes, sealed = identity().mf_recovery_codes_util.make()
    with unit_of_work(person) as work:
        acts.set_up_second_factor(work, person, secret, counter, sealed)
        sign_ins.forgive(work, sessions.code_buckets("code", person), "the new authenticator gave a right code")
    return list(codes)


def new_secret(form: SetUpCodeForm, person: Person) -> dict[str, str]:
    """Picture and words of the secret to set up: the one of the form that was sent, or a new one."""
    factory = identity().totp_factory
    secret = _secret_of(form, person) or factory.generate_totp_secret()
    form.sealed_state.data = identity().tf_setup_serializer.dumps([person.id, person.fs_uniquifier, secret])
    values: dict[str, str] = factory.fetch_setup_values(secret, person)
    return values


def check_password_of(person: Person, password: str) -> bool:
    """Whether it is this person's password. Takes as long when they have none."""
    normal = identity().password_util.normalize(password)
    if not person.password:
        hash_password(normal)
        return False
    return bool(verify_password(normal, person.password))


def _check_password(email: str, password: str) -> Person | None:
    """The person if address and password are right. Whoever they are, and if nobody, it takes as long and writes as much."""
    person = person_by_email(email)
    buckets = sessions.password_buckets(email, person)
    with unit_of_work(sign_ins.STRANGER) as work:
        sign_ins.count_try(work, buckets, sessions.address())
    if person is None:
        hash_password(identity().password_util.normalize(password))
        right = False
    else:
        right = check_password_of(person, password) and person.active
    with unit_of_work(sign_ins.STRANGER) as work:
        if right and person is not None:
            sign_ins.forgive(work, buckets, f"the password of {person.name} was right")
            return person
        sign_ins.fail(work, person, "wrong password", sessions.address())
    return None


def _try_second(person: Person, what: str, check: Callable[[], bool]) -> bool:
    with unit_of_work(sign_ins.STRANGER) as work:
        sign_ins.count_try(work, sessions.code_buckets("code", person), sessions.address())
    if check():
        return True
    with unit_of_work(sign_ins.STRANGER) as work:
        sign_ins.fail(work, person, f"wrong {what}", sessions.address())
    return False


def _use_recovery_code(person: Person, typed: str) -> bool:
    with unit_of_work(person) as work:
        return sign_ins.use_recovery_code(work, person, typed, identity().mf_recovery_codes_util.opened)


def _secret_of(form: SetUpCodeForm, person: Person) -> str | None:
    content = read_token("tf_setup_serializer", form.sealed_state.data, sessions.PENDING_FOR)
    return str(content[2]) if content and content[:2] == [person.id, person.fs_uniquifier] else None


def _start_again() -> ResponseReturnValue:
    if "pending" in session:
        session.pop("pending")
        flash("That took more than ten minutes. Start again.", "plain")
    return redirect(url_for(".login"))


def _too_many(error: TooManyTries) -> ResponseReturnValue:
    return render_template("security/too_many.html", error=error), 429, {"Retry-After": str(error.seconds)}
