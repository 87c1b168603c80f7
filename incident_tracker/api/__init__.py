"""The API: what a program may ask and do, as JSON under /api/v1."""

from http import HTTPStatus

from flask import Flask
from flask_smorest import Api
from flask_smorest.utils import prepare_response

from incident_tracker.api import access, duties, law, me, problems, shapes
from incident_tracker.api.entrances import SCHEME
from incident_tracker.config import Config
from incident_tracker.version import VERSION

ENTRANCES = (law.entrance, duties.entrance, me.entrance)

_WORDS = """What a program may ask of the tracker and do in it. A token, made under “Your account”, acts as its person, narrowed by its scopes;
it is shown in the header `Authorization: Bearer bt_…`, and nowhere else. Every error is a problem (RFC 9457).
An incident that the token's person may not know of is not found. Whoever shows too many wrong tokens has to wait."""


class Described(Api):
    """The description of the API. Errors are answered by each entrance, so that the pages keep theirs."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = shapes.Problem

    def _register_error_handlers(self) -> None:
        """None for the whole application."""

    def _register_responses(self) -> None:
        for kind in problems.KINDS:
            response = {"description": kind.title, "schema": self.ERROR_SCHEMA}
            prepare_response(response, self.spec, problems.MEDIA_TYPE)
            self.spec.components.response(HTTPStatus(kind.status).name, response, lazy=True)


def register(app: Flask, config: Config) -> None:
    """Hang the API on `app`, and put its description and its kinds of problems into `app.extensions` for whoever shows them."""
    app.before_request(access.check)
    described = Described(app, spec_kwargs={
        "title": "Incident tracker", "version": VERSION, "openapi_version": "3.1.0", "info": {"description": _WORDS},
        "servers": [{"url": config.base_url.rstrip("/")}],
    })
    described.spec.components.security_scheme(SCHEME, {"type": "http", "scheme": "bearer", "description": "A token, which begins with bt_."})
    for entrance in ENTRANCES:
        described.register_blueprint(entrance)
    app.extensions["openapi"] = described.spec.to_dict()
    app.extensions["problems"] = problems.KINDS

