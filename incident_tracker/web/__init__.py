"""The pages: one noun a module, views with their forms."""

from flask import Flask
from flask_wtf import CSRFProtect

from incident_tracker.config import Config
from incident_tracker.web import (
    absences,
    accounts,
    acknowledgements,
    alerts,
    awareness,
    bell,
    board,
    checklists,
    components,
    destinations,
    duties,
    errors,
    evidence,
    facts,
    feeds,
    formatting,
    guard,
    headers,
    health,
    holds,
    identity,
    incidents,
    invitations,
    law,
    layout,
    members,
    metrics,
    movements,
    notices,
    organisations,
    parking,
    passkeys,
    people,
    playbooks,
    programs,
    records,
    reports,
    resets,
    reviews,
    rotas,
    settings,
    sign_in,
    tokens,
)

BLUEPRINTS = (
    absences.pages,
    accounts.pages,
    acknowledgements.pages,
    alerts.pages,
    awareness.pages,
    bell.pages,
    board.pages,
    checklists.pages,
    destinations.pages,
    duties.pages,
    evidence.pages,
    facts.pages,
    feeds.pages,
    health.pages,
    holds.pages,
    incidents.pages,
    invitations.pages,
    law.pages,
    members.pages,
    metrics.pages,
    movements.pages,
    notices.pages,
    organisations.pages,
    parking.pages,
    passkeys.pages,
    people.pages,
    playbooks.pages,
    programs.pages,
    records.pages,
    reports.pages,
    resets.pages,
    reviews.pages,
    rotas.pages,
    settings.pages,
    sign_in.pages,
    tokens.pages,
)

csrf = CSRFProtect()


def register(app: Flask, config: Config) -> None:
    """Hang every page on `app`."""
    headers.register(app)
    formatting.register(app)
    layout.register(app)
    errors.register(app)
    identity.register(app, config)
    sign_in.register(app)
    guard.register(app)
    csrf.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if config.debug:
        app.register_blueprint(components.pages)
