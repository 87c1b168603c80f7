"""The pages: one noun a module, views with their forms."""

from flask import Flask
from flask_wtf import CSRFProtect

from incident_tracker.config import Config
from incident_tracker.web import (
    accounts, awareness, board, checklists, components, duties, errors, evidence, facts, formatting, guard, headers, incidents, layout, members, organisations, playbooks, records, reports,
    settings,
)

BLUEPRINTS = (
    accounts.pages, awareness.pages, board.pages, checklists.pages, duties.pages, evidence.pages, facts.pages, incidents.pages, members.pages,
    organisations.pages, playbooks.pages, records.pages, reports.pages, settings.pages,
)

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
