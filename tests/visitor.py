"""The test client: like Flask's, but it fills in the hidden field that every form of ours carries, as a page would."""

import hashlib
from typing import Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from incident_tracker.models.base import db

SECRET = hashlib.sha1(b"one visitor's secret", usedforsecurity=False).hexdigest()


class Visitor(FlaskClient):
    """A client whose posts carry the form's token. To send a form without it: `data={"csrf_token": ""}`."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if kwargs.get("method") == "POST" and not {"json", "input_stream"} & kwargs.keys():
            data = kwargs.get("data") or {}
            if isinstance(data, dict) and "csrf_token" not in data:
                kwargs["data"] = {"csrf_token": self._token(), **data}
        # a request of its own: what the test has read so far ends, and nothing of one visitor's request is left for the next
        db.session.rollback()
        with self.application.app_context():
            return super().open(*args, **kwargs)

    def _token(self) -> str:
        with self.session_transaction() as session:
            raw = session.setdefault("csrf_token", SECRET)
        return str(URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token").dumps(raw))
