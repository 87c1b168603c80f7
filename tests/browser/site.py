"""A tracker that really runs: its pages on a port of this machine, its worker beating, its mails going to a real mail server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from incident_tracker.config import Config
from incident_tracker.factory import create_app
from incident_tracker.models.base import db
from incident_tracker.worker import Worker
from tests import cast
from tests.conftest import test_config
from tests.post_office import PostOffice, open_office
from tests.visitor import Visitor

#: what a page may say on the browser's console: the answer's own status, when a test asks for a refusal
EXPECTED = ("Failed to load resource",)


@dataclass
class Site:
    """One running tracker. `complaints` is what browsers said of its pages: errors in scripts, what the policy of contents refused."""

    url: str
    app: Flask
    config: Config
    office: PostOffice
    complaints: list[str] = field(default_factory=list)

    def open(self, browser: Browser, name: str | None = None, **options: Any) -> BrowserContext:
        """A browser of its own, signed in as `name`, or as a stranger. It speaks English, in Berlin, and waits 10 s at most."""
        context = browser.new_context(base_url=self.url, locale="en-GB", timezone_id="Europe/Berlin", **options)
        context.set_default_timeout(10_000)
        context.on("page", self._listen)
        if name:
            context.add_cookies([{"name": "tracker", "value": self._cookie(name), "url": self.url}])
        return context

    def _cookie(self, name: str) -> str:
        client = self.app.test_client()
        with self.app.app_context():
            cast.sign_in(client, name)
            cookie = client.get_cookie("tracker")
            assert cookie is not None
            return cookie.value

    def _listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self.complaints.append(f"{page.url}: {said.text}") if said.type == "error" and not said.text.startswith(EXPECTED) else None)


class _Quiet(WSGIRequestHandler):
    """Speaks HTTP/1.1, so that a browser keeps its connections, and writes no log."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        pass


@contextmanager
def run_site(folder: Path, database_url: str, *, with_worker: bool, **settings: Any) -> Iterator[Site]:
    """Run a tracker on this database, its instance in `folder`, until the block ends. At `localhost`, the name that passkeys accept."""
    with socket.create_server(("127.0.0.1", 0)) as listening, open_office() as office:
        url = f"http://localhost:{listening.getsockname()[1]}"
        mail = {"smtp_host": "127.0.0.1", "smtp_port": office.port, "smtp_security": "none", "mail_from": "tracker@harbour.example"}
        config = test_config(folder, database_url, **{"base_url": url, "sweep_seconds": 1, **mail, **settings})
        app = create_app(config)
        app.test_client_class = Visitor
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, fd=listening.fileno())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        worker = Worker(app)
        if with_worker:
            worker.start()
        try:
            yield Site(url, app, config, office)
        finally:
            worker.stop()
            server.shutdown()
            thread.join(10)
            server.server_close()
            with app.app_context():
                db.engine.dispose()
