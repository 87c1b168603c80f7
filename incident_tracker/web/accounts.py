"""Signing in, and one's own account."""

from flask import Blueprint, Flask, render_template
from flask_security import Security, SQLAlchemyUserDatastore
from flask.typing import ResponseReturnValue

from incident_tracker.config import Config, load_secrets
from incident_tracker.models.base import db
from incident_tracker.models.people import Passkey, Person, Role

pages = Blueprint("accounts", __name__)


def register(app: Flask, config: Config) -> None:
    """Set up Flask-Security."""
    app.config["SECURITY_PASSWORD_SALT"] = load_secrets(config.instance).password_salt
    app.config["SECURITY_PASSWORD_SCHEMES"] = ["argon2"]
    app.config["SECURITY_PASSWORD_SINGLE_HASH"] = ["argon2"]
    app.config["SECURITY_DEPRECATED_PASSWORD_SCHEMES"] = []
    Security(app, SQLAlchemyUserDatastore(db, Person, Role, Passkey))


@pages.get("/me")
def me() -> ResponseReturnValue:
    """One's own account."""
    return render_template("accounts/me.html")
