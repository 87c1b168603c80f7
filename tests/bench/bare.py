"""The least that a page listing 50 of the incidents costs: a session, a person, one query, one template. The measure of our own list.

Run as a program it serves that page just as the tracker serves its own: the same server, processes and threads.
"""

import sys

from flask import Flask, abort, render_template, session
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from jinja2 import DictLoader
from sqlalchemy import create_engine, select
from sqlalchemy.orm import joinedload, lazyload, load_only, scoped_session, sessionmaker

from incident_tracker import clock
from incident_tracker.config import Config, from_environment, load_secrets
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import Person
from incident_tracker.server import Server

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Incidents</title></head><body>
<nav>{% for word in ("Board", "Incidents", "Reviews", "Playbooks", "Record") %}<a href="/{{ word|lower }}">{{ word }}</a> {% endfor %}{{ person.name }}</nav>
<main><h1>Incidents</h1><table>{% for one in incidents %}
<tr><td><a href="{{ url_for('show', reference=one.reference) }}">{{ one.title }}</a> {{ one.reference }} {{ one.kind }}</td>
<td><time datetime="{{ one.next_due_at.isoformat() }}">{{ one.next_due_at.strftime("%a %d %b %Y, %H:%M") }}</time>
{{ ((one.next_due_at - now).total_seconds() // 3600)|int }} h left, {{ one.next_duty_title }}</td>
<td>{{ one.stage }}</td><td>{{ one.lead.name if one.lead else "nobody" }}</td><td>{{ one.undecided_count }}</td></tr>{% endfor %}
</table><a href="?page=2">Next</a></main></body></html>"""
SHOWN = (
    Incident.reference, Incident.title, Incident.kind, Incident.stage, Incident.next_due_at, Incident.next_duty_title, Incident.undecided_count,
    Incident.lead_id,
)


def make(config: Config) -> Flask:
    """The application on the database of `config`."""
    app = Flask("bare")
    app.secret_key = load_secrets(config.instance).secret_key
    app.jinja_loader = DictLoader({"page": PAGE})
    reading = scoped_session(sessionmaker(create_engine(config.url)))
    app.teardown_appcontext(lambda _error: reading.remove())

    @app.get("/incidents")
    def index() -> ResponseReturnValue:
        person = reading.get(Person, session.get("person") or abort(401), options=[lazyload("*")])
        rows = (
            select(Incident).where(Incident.ended_at.is_(None), Incident.next_due_at.is_not(None)).order_by(Incident.next_due_at).limit(50)
            .options(load_only(*SHOWN), joinedload(Incident.lead).load_only(Person.name).lazyload("*"))
        )
        return render_template("page", person=person, incidents=list(reading.scalars(rows)), now=clock.now())

    @app.get("/incidents/<reference>")
    def show(reference: str) -> ResponseReturnValue:
        return reference

    return app


def cookie(config: Config, person: int) -> str:
    """What the browser of this person sends."""
    serializer = SecureCookieSessionInterface().get_signing_serializer(make(config))
    assert serializer is not None
    return f"session={serializer.dumps({'person': person})}"


class BareServer(Server):
    """Serves the bare page in place of the tracker."""

    def load(self) -> Flask:
        return make(self._config)


if __name__ == "__main__":
    BareServer(from_environment(), host="127.0.0.1", port=int(sys.argv[1]), processes=2, threads=8, with_worker=False).run()
