"""A real mail server on this machine that can refuse, hang, hang up, and speak TLS with a certificate that nobody signed."""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Received:
    """One mail as it came in."""

    sender: str
    to: str
    over_tls: bool
    mail: EmailMessage
    raw: bytes

    @property
    def message_id(self) -> str:
        return str(self.mail["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"])

    def part(self, subtype: str) -> str:
        """The text of the `plain` or `html` part."""
        found = self.mail.get_body((subtype,))
        assert found is not None
        return str(found.get_content()).replace("\r\n", "\n")


@dataclass
class PostOffice:
    """What came in, and how the server behaves. A behaviour is an answer such as "550 5.1.1 unknown", "hang" or "hang up"."""

    port: int = 0
    letters: list[Received] = field(default_factory=list)
    connections: int = 0
    #: by the recipient's address
    to: dict[str, str] = field(default_factory=dict)
    on_sender: str = ""
    #: after a mail's text has come in, and was kept
    on_data: str = ""
    #: a hook that is called in the server when a mail has been kept, before it is answered
    kept: Callable[[Received], None] = lambda _received: None

    def subjects(self) -> list[str]:
        return [letter.subject for letter in self.letters]

    def clear(self) -> None:
        self.letters.clear()
        self.connections = 0


class _Desk:
    """aiosmtpd's hooks."""

    def __init__(self, office: PostOffice) -> None:
        self.office = office

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return await self._behave(server, self.office.on_sender, "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        answer = await self._behave(server, self.office.to.get(address, ""), "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = bytes(envelope.original_content or b"")
        mail = message_from_bytes(raw, policy=policy.default)
        for to in envelope.rcpt_tos:
            received = Received(str(envelope.mail_from), to, session.ssl is not None, mail, raw)  # type: ignore[arg-type]
            if not self.office.on_data[:1].isdigit():
                self.office.letters.append(received)
                self.office.kept(received)
        return await self._behave(server, self.office.on_data, "250 kept")

    async def _behave(self, server: SMTP, behaviour: str, usual: str) -> str:
        if behaviour == "hang":
            await asyncio.sleep(30)
        if behaviour == "hang up":
            assert server.transport is not None
            server.transport.abort()
        return behaviour if behaviour[:1].isdigit() else usual


class _Counter(SMTP):
    """Counts who connects."""

    def __init__(self, office: PostOffice, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.office = office

    def connection_made(self, transport: Any) -> None:
        if self.transport is None or self.session is None or self.session.ssl is None:
            self.office.connections += 1
        super().connection_made(transport)


@contextmanager
def open_office(*, tls: ssl.SSLContext | None = None, implicit: bool = False, host: str = "127.0.0.1", **options: Any) -> Iterator[PostOffice]:
    """A mail server on a free port until the block ends. `tls`: by STARTTLS, or from the first byte on if `implicit`."""
    office, loop = PostOffice(), asyncio.new_event_loop()
    more = {"tls_context": tls, "require_starttls": True} if tls and not implicit else {}
    desk = partial(_Counter, office, _Desk(office), hostname="mail.harbour.example", loop=loop, **more, **options)
    # the loop runs in its own thread from the start: in the caller's another loop may be running, as a browser's driver has one
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_open(loop, desk, host, tls if implicit else None), loop).result(10)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_stop_all(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _open(loop: asyncio.AbstractEventLoop, desk: Any, host: str, tls: ssl.SSLContext | None) -> asyncio.Server:
    return await loop.create_server(desk, host, 0, ssl=tls)


async def _stop_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def self_signed(folder: Path, *hosts: str) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for this machine and these hosts that nobody else signed; it lies in `folder` as mail.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    named = [x509.DNSName(host) for host in ("localhost", *hosts)]
    names = x509.SubjectAlternativeName([*named, x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1)).not_valid_after(today + datetime.timedelta(days=1)).add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "mail.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem")
    return context
