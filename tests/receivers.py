"""A real HTTP server on this machine that answers as it is told: takes, refuses, hangs, drips, redirects, and says too much."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as it came in; header names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is answered. A status of 0 hangs until the server is closed; `drip` seconds pass between the bytes of the body, or of the first line."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0
    drips_head: bool = False
    #: so many more bytes come after the body
    more: int = 0


@dataclass
class Receiver:
    """What came in, and how the server behaves from now on."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    reply: Reply = Reply()
    #: called with each request; what it gives is answered in place of `reply`
    by_request: Callable[[Request], Reply | None] = lambda _request: None
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[Any]:
        return [one.json for one in self.requests]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.requests.append(request)
            reply = receiver.by_request(request) or receiver.reply
            if not reply.status:
                receiver.closing.wait(30)
                self.close_connection = True
                return
            try:
                self._write(reply)
            except OSError:
                self.close_connection = True

        def _write(self, reply: Reply) -> None:
            if reply.drips_head:
                self._drip(b"HTTP/1.1 200 " + b"OK" * 1000, reply.drip)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.more))
            self.end_headers()
            if reply.drip:
                self._drip(reply.body, reply.drip)
            else:
                self.wfile.write(reply.body)
            for _ in range(0, reply.more, 65_536):
                self.wfile.write(b"x" * 65_536)

        def _drip(self, said: bytes, seconds: float) -> None:
            for byte in said:
                if receiver.closing.wait(seconds):
                    raise ConnectionAbortedError
                self.wfile.write(bytes([byte]))

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def log_message(self, *_: Any) -> None:
            """Nothing is written to the terminal."""

    return Handler


@contextmanager
def open_receiver(reply: Reply | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver for the duration of a test, behind TLS where that is given."""
    receiver = Receiver(reply=reply or Reply())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
