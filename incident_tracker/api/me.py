"""What a program can ask of the API itself: whose token it has, and how everything else is described."""

from flask import current_app, jsonify
from flask.typing import ResponseReturnValue

from incident_tracker.api import answers
from incident_tracker.api.access import caller
from incident_tracker.api.entrances import Entrance

entrance = Entrance("api_me", "The API itself")


@entrance.get("/me", scope=None)
@entrance.response(200, answers.Me)
def show_me() -> ResponseReturnValue:
    """Whose token this is, what for, and until when"""
    one = caller()
    return jsonify({
        "person": one.person_name, "roles": sorted(one.role_names), "token": one.token, "hint": one.hint, "scopes": sorted(one.scopes),
        "created_at": one.created_at.isoformat(), "expires_at": one.expires_at.isoformat(),
    })


@entrance.get("/openapi.json", scope=None)
@entrance.response(200, answers.Description)
def describe() -> ResponseReturnValue:
    """This description, as OpenAPI 3.1"""
    return jsonify(current_app.extensions["openapi"])
