"""The pages: one noun a module, views with their forms."""

from flask import Flask
from flask_wtf import CSRFProtect

from incident_tracker.config import Config
from incident_tracker.web import accounts, components, errors, formatting, guard, headers, incidents, layout

BLUEPRINTS = (accounts.pages, incidents.pages)

csrf = CSRFProtect()


def register(app: Flask, config: Config) -> None:
    """Hang every page on `app`."""
    headers.register(app)
    formatting.register(app)
    layout.register(app)
    errors.register(app)
    accounts.register(app, config)
    guard.register(app)
    csrf.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if config.debug:
        app.register_blueprint(components.pages)
