"""Flask-Security, hardened: passwords, codes, recovery codes and passkeys as this tracker wants them."""

import re
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

import zxcvbn
from cryptography.fernet import InvalidToken
from flask import Flask, current_app
from flask_security import MfRecoveryCodesUtil, PasswordUtil, Security, SQLAlchemyUserDatastore, Totp, WebauthnUtil
from itsdangerous import BadData
from passlib.exc import TokenError
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement, UserVerificationRequirement

from incident_tracker import clock
from incident_tracker.actions import sign_ins
from incident_tracker.config import Config, load_secrets
from incident_tracker.models.base import db
from incident_tracker.models.people import Passkey, Person, Role
from incident_tracker.work import unit_of_work

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
RECOVERY_CODES = 10

#: the longest text that zxcvbn takes
_RATED_LETTERS = 72


class Datastore(SQLAlchemyUserDatastore):
    """Reads people for Flask-Security. Whatever it would write by itself is refused: only a unit of work commits."""

    def commit(self) -> NoReturn:
        raise RuntimeError("people are changed by actions, inside a unit of work")


class ReplaySafeTotp(Totp):
    """Codes from an authenticator app, each accepted once, in however many processes it arrives."""

    def match(self, code: str, secret: str) -> int | None:
        """The time step of a right code, 30 seconds early or late at most; None for a wrong one. Uses nothing up."""
        try:
            return int(self._totp.verify(code, secret, time=clock.now(), window=30).counter)
        except (TokenError, ValueError):
            return None

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = 30) -> bool:
        """Whether this is the right code, sent for the first time; from now on it is used up."""
        counter = self.match(token, totp_secret)
        if counter is None:
            return False
        with unit_of_work(user) as work:
            return sign_ins.use_code(work, user, counter)


class RecoveryCodes(MfRecoveryCodesUtil):
    """Recovery codes, encrypted where they are kept."""

    def make(self) -> tuple[list[str], list[str]]:
        """New codes as they are shown once, and as they are kept."""
        codes = identity().totp_factory.generate_recovery_codes(RECOVERY_CODES)
        return codes, self._encrypt_codes(codes)

    def opened(self, sealed: list[str]) -> list[str]:
        """The kept codes in order; an empty text, which nobody can type, for one that our key does not open."""
        assert self.cryptor is not None
        plain = []
        for one in sealed:
            try:
                plain.append(self.cryptor.decrypt(one.encode()).decode())
            except InvalidToken:
                plain.append("")
        return plain


class AnyPasskey(WebauthnUtil):
    """Passkeys of every kind, built in or on a stick; always with PIN, finger or face, so that one is both factors."""

    def authenticator_selection(self, user: Any, usage: str) -> AuthenticatorSelectionCriteria:
        return AuthenticatorSelectionCriteria(resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED)

    def user_verification(self, user: Any, usage: list[str]) -> UserVerificationRequirement:
        return UserVerificationRequirement.REQUIRED

    def origin(self) -> str:
        """Scheme, host and port that people use, from the settings: a request may claim any."""
        address = urlsplit(_config().base_url)
        return f"{address.scheme}://{address.netloc}"

    @property
    def host(self) -> str:
        """The name that passkeys are bound to."""
        return urlsplit(_config().base_url).hostname or ""

    @property
    def is_possible(self) -> bool:
        """Whether browsers make passkeys for this address: they need a name, a bare number has none."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False


class PasswordRules(PasswordUtil):
    """A password is long and hard to guess; nothing is asked of its signs."""

    def validate(self, password: str, is_register: bool, **kwargs: Any) -> tuple[list[str] | None, str]:
        """What is wrong with a new password, None if nothing, and its normal form. Every keyword is a text it must not be made of."""
        normal = self.normalize(password)
        if not SHORTEST_PASSWORD <= len(normal) <= LONGEST_PASSWORD:
            return [f"Use {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} letters."], normal
        texts = [text for text in (*kwargs.values(), _config().organisation) if isinstance(text, str)]
        known = [part for text in texts for part in (text, text.replace(" ", ""), *re.split(r"[\W_]+", text)) if part]
        rated = zxcvbn.zxcvbn(normal[:_RATED_LETTERS], user_inputs=known)
        if rated["score"] < 3:
            hint = str(rated["feedback"]["warning"] or "").rstrip(".")
            return [f"That is too easy to guess{': ' + hint[0].lower() + hint[1:] if hint else ''}. Four random words make a good password."], normal
        return None, normal


def register(app: Flask, config: Config) -> None:
    """Set up Flask-Security. Its pages are not used: ours count tries, record what happens, and work in the house's way."""
    secrets = load_secrets(config.instance)
    app.config.update({f"SECURITY_{name}": value for name, value in {
        "PASSWORD_SALT": secrets.password_salt,
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_SINGLE_HASH": ["argon2"],
        "DEPRECATED_PASSWORD_SCHEMES": [],
        "PASSWORD_HASH_PASSLIB_OPTIONS": {"argon2__time_cost": 1, "argon2__memory_cost": 1024} if config.testing else {},
        "TWO_FACTOR": True,
        "TWO_FACTOR_REQUIRED": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TOTP_SECRETS": {"1": secrets.totp_secret},
        "TOTP_ISSUER": " ".join(config.organisation.replace(":", " ").split()) or "Incident tracker",
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_KEYS": [secrets.recovery_codes_key],
        "WEBAUTHN": True,
        "DATETIME_FACTORY": clock.now,
        "CLI_USERS_NAME": "",
        "CLI_ROLES_NAME": "",
    }.items()})
    security = Security(
        app, Datastore(db, Person, Role, Passkey), register_blueprint=False,
        totp_cls=ReplaySafeTotp, mf_recovery_codes_util_cls=RecoveryCodes, webauthn_util_cls=AnyPasskey, password_util_cls=PasswordRules,
    )
    # a session is the only way in here: no tokens in headers or addresses
    security.login_manager.request_loader(lambda _request: None)


def identity() -> Any:
    """The Flask-Security extension of this application."""
    return current_app.extensions["security"]


def read_token(serializer: str, text: str | None, within: timedelta) -> Any:
    """What we signed with that serializer of Flask-Security's, None if it is not ours or older than `within`."""
    try:
        return getattr(identity(), serializer).loads(text or "", max_age=int(within.total_seconds()))
    except BadData:
        return None


def _config() -> Config:
    found: Config = current_app.extensions["tracker"]
    return found
