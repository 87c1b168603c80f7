"""The entrances of the API: blueprints whose every operation asks for a scope, answers errors as problems, and documents both."""

from collections.abc import Callable, Collection
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from incident_tracker.api import access, problems
from incident_tracker.api.bodies import Reader
from incident_tracker.errors import TrackerError
from incident_tracker.models.tokens import Scope

View = Callable[..., ResponseReturnValue]

#: how anything may end
ALWAYS = (400, 401, 429, 500, 503)

#: the name of the scheme by which one shows a token
SCHEME = "token"


class Entrance(Blueprint):
    """A blueprint below /api/v1."""

    ARGUMENTS_PARSER = Reader()

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, __name__, url_prefix="/api/v1")
        self.title = title
        self.register_error_handler(problems.Refusal, problems.of_refusal)
        self.register_error_handler(TrackerError, problems.of_tracker_error)
        self.register_error_handler(HTTPException, problems.of_http)
        self.register_error_handler(OperationalError, problems.of_database)
        self.register_error_handler(Exception, problems.of_anything)

    def get(self, rule: str, *, scope: Scope | None, errors: Collection[int] = ()) -> Callable[[View], View]:
        """An operation that looks."""
        return self._operation(rule, "GET", scope, errors)

    def post(self, rule: str, *, scope: Scope | None, errors: Collection[int] = ()) -> Callable[[View], View]:
        """An operation that does or works out something."""
        return self._operation(rule, "POST", scope, errors)

    def _operation(self, rule: str, method: str, scope: Scope | None, errors: Collection[int]) -> Callable[[View], View]:
        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
                access.demand(scope)
                return view(*args, **kwargs)

            documented: View = self.doc(security=[{SCHEME: [scope.value] if scope else []}])(guarded)
            for status in sorted({*ALWAYS, *errors, *([403] if scope else [])}):
                documented = self.alt_response(status, HTTPStatus(status).name)(documented)
            self.route(rule, methods=[method], tags=[self.title])(documented)
            return documented

        return decorate
