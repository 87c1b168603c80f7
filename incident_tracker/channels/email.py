"""E-mail by SMTP: one connection for a batch, encrypted and checked, and a clear reason for every refusal."""

import re
import secrets
import smtplib
import ssl
from binascii import b2a_qp
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime, formataddr
from functools import lru_cache
from typing import Any

from incident_tracker.channels.letters import NOWHERE, ChannelError, Letter, Target
from incident_tracker.config import LOCAL_HOSTS

#: how long one step of the talk with the server may take, in seconds; there are about ten in the longest
TIMEOUT = 15.0


#: a server that took a letter so shortly before is not asked whether it is still there
FRESH = timedelta(seconds=2)


class Email:
    """On once a mail server is set."""

    name = "email"
    is_immediate = False
    setup = None
    follows_duties = False
    gathers = True
    sums_up = True

    def is_on(self, settings: Any) -> bool:
        """Whether a mail server is set."""
        return bool(settings.mail_is_on)

    def check(self, target: Target) -> dict[str, str]:
        """Nothing is entered."""
        return {}

    @contextmanager
    def open(self, settings: Any, target: Target = NOWHERE) -> Iterator["Post"]:
        """A connection that is made with the first letter, kept for the others and ended politely."""
        post = Post(settings)
        try:
            yield post
        finally:
            post.close()


class _Talk(smtplib.SMTP):
    """Remembers whether the text of the last letter was begun: until then the server cannot have taken it."""

    gave_text = False

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        self.gave_text = False
        return super().mail(sender, options)

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.gave_text = True
        return super().data(msg)


class _TlsTalk(_Talk, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class Post:
    """A talk with the mail server of `settings`, begun anew where it broke off."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.server: _Talk | None = None
        self._spoke: datetime | None = None

    def send(self, letter: Letter) -> str:
        """Hand one letter to the server; returns once the server has said that it took it. Raises ChannelError."""
        mail = compose(letter, self.settings)
        server, is_kept = self._connected(letter.at)
        try:
            try:
                server.sendmail(self.settings.mail_from, [letter.to_address], mail)
            except smtplib.SMTPServerDisconnected:
                if not is_kept or server.gave_text:
                    raise
                # it hung up between two letters: this one was not given to it
                self.close()
                server, _ = self._connected(letter.at)
                server.sendmail(self.settings.mail_from, [letter.to_address], mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise self._refusal(code, said, "the recipient") from error
        except smtplib.SMTPSenderRefused as error:
            # our own address: not the recipient's fault, and mended by a setting
            raise self._down(f"the mail server refuses the sender {self.settings.mail_from}: {_words(error.smtp_code, error.smtp_error)}") from error
        except smtplib.SMTPDataError as error:
            raise self._refusal(error.smtp_code, error.smtp_error, "the message") from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._down(f"the talk with the mail server broke off: {_reason(error)}", is_unclear=True) from error
        self._spoke = letter.at
        return "taken"

    def close(self) -> None:
        """End the connection, if there is one; a server that no longer listens is left."""
        server, self.server = self.server, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _connected(self, now: datetime) -> tuple["_Talk", bool]:
        """The connection, and whether it was there already."""
        if self.server is not None:
            if (self._spoke is not None and now - self._spoke < FRESH) or self._still_there(self.server):
                return self.server, True
            self.close()
        try:
            self.server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelError(f"the mail server {self.settings.smtp_host}:{self.settings.smtp_port} cannot be used: {_reason(error)}", is_down=True) from error
        return self.server, False

    def _connect(self) -> "_Talk":
        settings, name = self.settings, domain_of(self.settings.mail_from)
        if settings.smtp_security == "tls":
            server: _Talk = _TlsTalk(settings.smtp_host, settings.smtp_port, local_hostname=name, timeout=TIMEOUT, context=_context(settings))
        else:
            server = _Talk(settings.smtp_host, settings.smtp_port, local_hostname=name, timeout=TIMEOUT)
        try:
            if settings.smtp_security == "starttls":
                server.starttls(context=_context(settings))
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
        except BaseException:
            server.close()
            raise
        return server

    @staticmethod
    def _still_there(server: smtplib.SMTP) -> bool:
        """Servers hang up after a while or after so many letters; asking first saves a letter a failed try."""
        try:
            return server.rset()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def _refusal(self, code: int, said: bytes | str, what: str) -> ChannelError:
        """A 5xx answer is for good, a 4xx one for now; 421 means that the server is going away, 530 to 538 that it wants a log-in."""
        if code == 421 or 530 <= code <= 538:
            return self._down(f"the mail server does not let us send: {_words(code, said)}")
        return ChannelError(f"the mail server refused {what}: {_words(code, said)}", is_permanent=code >= 500)

    def _down(self, text: str, *, is_unclear: bool = False) -> ChannelError:
        server, self.server = self.server, None
        if server is not None:
            server.close()
        return ChannelError(text, is_down=True, is_unclear=is_unclear)


def compose(letter: Letter, settings: Any) -> bytes:
    """The letter as a mail (RFC 5322): plain text first, then HTML (RFC 2046, 5.1.4). Raises ChannelError for an address that no mail can have.

    Written here and not by the library's generator, which took longer over a mail than reading it from the database and rendering it.
    """
    domain = domain_of(settings.mail_from)
    # no part can hold it: in quoted-printable text nothing but digits, letters or a line's end follows an equals sign (RFC 2045, 6.7)
    boundary = f"=_{secrets.token_hex(12)}"
    headers = [
        ("From", _mailbox(f"{settings.organisation} incident tracker", settings.mail_from, is_down=True)),
        ("To", _mailbox(letter.to_name, letter.to_address, is_permanent=True)),
        ("Subject", _words_of(letter.subject)), ("Date", format_datetime(letter.at)), ("Message-ID", f"<{letter.message_id}@{domain}>"),
        *(((name, f"<{letter.thread}@{domain}>") for name in ("References", "In-Reply-To")) if letter.thread else ()),
        # RFC 3834: no automatic answer is wanted; the second is what Exchange reads
        ("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"), *((("Importance", "high"),) if letter.is_urgent else ()),
        ("MIME-Version", "1.0"), ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii")
    parts = [_part(boundary, "plain", letter.text), _part(boundary, "html", letter.html)]
    return b"".join([head, *parts, f"\r\n--{boundary}--\r\n".encode("ascii")])


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = f'\r\n--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode("ascii") + b2a_qp(text.replace("\r\n", "\n").encode(), istext=True).replace(b"\n", b"\r\n")


def _words_of(text: str) -> str:
    """A header's words, as RFC 2047 has them, in lines that are not too long."""
    line = _one_line(text)
    return Header(line, "us-ascii" if line.isascii() else "utf-8").encode(linesep="\r\n")


@lru_cache(maxsize=1024)
def _mailbox(name: str, address: str, *, is_down: bool = False, is_permanent: bool = False) -> str:
    """A name with its address as a header has it."""
    try:
        Address(addr_spec=address)
        address.encode("ascii")
    except (ValueError, IndexError, MessageError) as error:
        raise ChannelError("an address cannot be written in a mail", is_down=is_down, is_permanent=is_permanent) from error
    line = _one_line(name)
    return formataddr((line, address)) if line.isascii() else f"{_words_of(line)} <{address}>"


def domain_of(address: str) -> str:
    """`breaches.example` of `Tracker <tracker@breaches.example>`."""
    return address.rpartition("@")[2].strip("<> ") or "localhost"


def _context(settings: Any) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.smtp_host in LOCAL_HOSTS:
        # nothing leaves this machine, and nobody certifies "localhost"
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {_one_line(text)}"[:200]


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"no answer within {TIMEOUT:.0f} s"
    return re.sub(r"\s+", " ", f"{error}" or type(error).__name__)[:200]
