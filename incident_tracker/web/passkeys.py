"""Passkeys: signing in with one, showing once more that it is you, and keeping one's own."""

import secrets
from datetime import timedelta
from typing import Any

import webauthn
from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorTransport, PublicKeyCredentialDescriptor
from wtforms import HiddenField, StringField

from incident_tracker.actions import accounts as acts
from incident_tracker.actions import sign_ins
from incident_tracker.errors import Invalid, NotFound
from incident_tracker.models.base import db
from incident_tracker.models.people import Passkey, Person
from incident_tracker.rules import throttles
from incident_tracker.web import choosing, guard, sessions
from incident_tracker.web.identity import identity, read_token
from incident_tracker.work import unit_of_work

pages = Blueprint("passkeys", __name__)

#: how long a page with an offer may stay open before its button is pressed
OFFERED_FOR = timedelta(minutes=15)

REFUSED = "That passkey was not accepted. Try again, or use your password."


class PasskeyForm(FlaskForm):
    """A new passkey. The script fills in what the authenticator made."""

    name = StringField("Name", description="So that you know later which one it is, such as “work laptop”.")
    credential = HiddenField()
    sealed_state = HiddenField()


def offer(person: Person | None) -> dict[str, str] | None:
    """What the page's script needs to ask for a passkey: of `person`, or of whoever holds one. None where there cannot be any."""
    util = identity().webauthn_util
    if not util.is_possible or (person is not None and not person.webauthn):
        return None
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_authentication_options(**util.authentication_options(person, ["first"], {
        "rp_id": util.host, "challenge": challenge, "allow_credentials": _descriptors(person) if person else None,
    }))
    return {"options": webauthn.options_to_json(options), "state": _state("get", challenge, person)}


@pages.post("/sign-in/passkey")
def sign_in() -> ResponseReturnValue:
    """Sign in with a passkey alone: it is something one has, unlocked by something one knows or is."""
    # a bucket of its own: guessing at passwords in the same office closes no door to a passkey
    buckets = {throttles.bucket("passkey", sessions.address())}
    passkey = _verified(None, buckets)
    if passkey is None:
        return redirect(url_for("security.login", next=sessions.safe_path(request.form.get("next"))))
    session["pending"] = {"then": sessions.safe_path(request.form.get("next"))}
    return sessions.enter(passkey.person, f"the passkey “{passkey.name}”", buckets)


@pages.post("/me/confirm/passkey")
def confirm() -> ResponseReturnValue:
    """Show with a passkey that it is still the same person."""
    then = sessions.safe_path(request.form.get("next"))
    buckets = sessions.code_buckets("confirm", current_user)
    if _verified(db.session.get(Person, current_user.id), buckets) is None:
        return redirect(url_for("accounts.confirm", next=then))
    with unit_of_work(current_user) as work:
        sign_ins.confirm(work, current_user, "a passkey", buckets)
    sessions.freshen()
    return redirect(then)


@pages.route("/me/passkeys/new", methods=["GET", "POST"])
@guard.fresh
def add() -> ResponseReturnValue:
    """Register a passkey."""
    form = PasskeyForm()
    if form.validate_on_submit() and not choosing.refused(form, _add, form):
        flash("The passkey is added. Next time you can sign in with it alone.", "good")
        return redirect(url_for("accounts.me"))
    options, form.sealed_state.data = _creation(current_user)
    return render_template("accounts/passkey_new.html", form=form, options=options, host=identity().webauthn_util.host), 422 if form.errors else 200


@pages.route("/me/passkeys/<int:passkey_id>/rename", methods=["GET", "POST"])
def rename(passkey_id: int) -> ResponseReturnValue:
    """Give a passkey another name."""
    passkey = next((one for one in current_user.webauthn if one.id == passkey_id), None)
    if passkey is None:
        raise NotFound("passkey")
    form = PasskeyForm(name=passkey.name)
    if form.validate_on_submit() and not choosing.refused(form, _rename, passkey_id, form):
        flash("Renamed.", "good")
        return redirect(url_for("accounts.me"))
    return render_template("accounts/passkey_rename.html", form=form), 422 if form.errors else 200


@pages.post("/me/passkeys/<int:passkey_id>/remove")
@guard.fresh
def remove(passkey_id: int) -> ResponseReturnValue:
    """Remove a passkey."""
    with unit_of_work(current_user) as work:
        name = acts.remove_passkey(work, passkey_id)
    flash(f"The passkey “{name}” is removed. Delete it in your device as well.", "good")
    return redirect(url_for("accounts.me"))


def _add(form: PasskeyForm) -> None:
    made, challenge = _made(form)
    with unit_of_work(current_user) as work:
        acts.add_passkey(work, form.name.data or "", made, bytes_to_base64url(challenge))


def _rename(passkey_id: int, form: PasskeyForm) -> None:
    with unit_of_work(current_user) as work:
        acts.rename_passkey(work, passkey_id, form.name.data or "")


def _verified(person: Person | None, buckets: set[str]) -> Passkey | None:
    """The passkey whose answer stands in the request, of `person` where one is given; None, with a trace and a word, if it does not hold."""
    with unit_of_work(sign_ins.STRANGER) as work:
        sign_ins.count_try(work, buckets, sessions.address())
    passkey, right = None, False
    try:
        answer = parse_authentication_credential_json(request.form.get("credential", ""))
        challenge = _challenge("get", request.form.get("sealed_state"), person)
        passkey = db.session.scalar(select(Passkey).where(Passkey.credential_id == answer.raw_id))
        right = passkey is not None and challenge is not None and _holds(passkey, answer, challenge, person)
    except (WebAuthnException, ValueError, KeyError, TypeError):
        pass
    if right:
        return passkey
    with unit_of_work(sign_ins.STRANGER) as work:
        sign_ins.fail(work, passkey.person if passkey else None, "wrong passkey", sessions.address())
    flash(REFUSED, "bad")
    return None


def _holds(passkey: Passkey, answer: AuthenticationCredential, challenge: bytes, person: Person | None) -> bool:
    owner, handle = passkey.person, answer.response.user_handle
    if not owner.active or (person is not None and owner.id != person.id):
        return False
    if handle is not None and handle != _handle(owner).encode():
        return False
    util = identity().webauthn_util
    seen = webauthn.verify_authentication_response(
        credential=answer, expected_challenge=challenge, expected_rp_id=util.host, expected_origin=util.origin(),
        credential_public_key=passkey.public_key, credential_current_sign_count=passkey.sign_count, require_user_verification=True,
    )
    with unit_of_work(owner) as work:
        return sign_ins.use_passkey(work, passkey, bytes_to_base64url(challenge), seen.new_sign_count, seen.credential_backed_up)


def _creation(person: Any) -> tuple[str, str]:
    """What the script needs to make a passkey, and the state that comes back with it."""
    util, challenge = identity().webauthn_util, secrets.token_bytes(32)
    options = webauthn.generate_registration_options(**util.registration_options(person, "first", {
        "challenge": challenge, "rp_id": util.host, "rp_name": current_app.config["SECURITY_TOTP_ISSUER"], "user_id": _handle(person).encode(),
        "user_name": person.email, "user_display_name": person.name, "exclude_credentials": _descriptors(person),
    }))
    return webauthn.options_to_json(options), _state("create", challenge, person)


def _made(form: PasskeyForm) -> tuple[acts.NewPasskey, bytes]:
    challenge, util = _challenge("create", form.sealed_state.data, current_user), identity().webauthn_util
    try:
        if challenge is None:
            raise ValueError("too old")
        answer = parse_registration_credential_json(form.credential.data or "")
        seen = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=util.host, expected_origin=util.origin(), require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Invalid("No passkey was made. Press the button again and follow your device.") from error
    transports = [transport.value for transport in answer.response.transports or []]
    return acts.NewPasskey(
        credential_id=seen.credential_id, public_key=seen.credential_public_key, sign_count=seen.sign_count, backed_up=seen.credential_backed_up,
        device_type=seen.credential_device_type.value, transports=transports, user_handle=_handle(current_user),
    ), challenge


def _handle(person: Any) -> str:
    """The name by which authenticators know a person: no address, nothing that says who it is."""
    return str(person.fs_webauthn_user_handle or sign_ins.digest(f"{current_app.secret_key!s}:{person.id}"))


def _descriptors(person: Any) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=[AuthenticatorTransport(one) for one in passkey.transports or []])
        for passkey in person.webauthn
    ]


def _state(what: str, challenge: bytes, person: Any) -> str:
    return str(identity().wan_serializer.dumps([what, bytes_to_base64url(challenge), person.id if person else None]))


def _challenge(what: str, state: str | None, person: Any) -> bytes | None:
    content = read_token("wan_serializer", state, OFFERED_FOR)
    if not content or content[0] != what or content[2] != (person.id if person else None):
        return None
    return base64url_to_bytes(content[1])
