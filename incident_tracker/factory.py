"""`create_app()` joins the parts; it is the only module that knows them all."""

from datetime import timedelta
from importlib.resources import files

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from incident_tracker import api, library, logs, models, web
from incident_tracker.config import Config, from_environment, load_secrets
from incident_tracker.models.base import db

__all__ = ["create_app"]

migrate = Migrate()


def create_app(config: Config | None = None) -> Flask:
    """Build the application from `config`, or from the environment.

    Raises ConfigError for a setting that is wrong or unsafe, and the error of the rules for a regime, playbook or ladder
    file that cannot be used.
    """
    config = config or from_environment()
    config.instance.mkdir(parents=True, exist_ok=True)
    logs.configure(config.log_level)
    app = Flask(
        "incident_tracker",
        template_folder=str(files("incident_tracker.templates")),
        static_folder=str(files("incident_tracker.static")),
        instance_path=str(config.instance.resolve()),
    )
    app.config.update(_flask_settings(config))
    app.extensions["tracker"] = config
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=config.proxies, x_host=config.proxies)  # type: ignore[method-assign]
    library.fill(config.instance)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(files("incident_tracker.migrations")), render_as_batch=True, compare_type=True)
    api.register(app, config)
    web.register(app, config)
    # a program shows a token with each request, and no browser does so by itself: there is nothing to forge
    for entrance in api.ENTRANCES:
        web.csrf.exempt(entrance)
    app.logger.debug("tables: %s", ", ".join(models.__all__))
    return app


def _flask_settings(config: Config) -> dict[str, object]:
    secrets = load_secrets(config.instance)
    engine = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20} if not config.is_sqlite else {"pool_size": 20}
    return {
        "SECRET_KEY": secrets.secret_key,
        "SQLALCHEMY_DATABASE_URI": config.url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine,
        "MAX_CONTENT_LENGTH": config.upload_megabytes * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
        "SESSION_COOKIE_SECURE": config.base_url.startswith("https"),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_NAME": "tracker",
        "TESTING": config.testing,
    }
