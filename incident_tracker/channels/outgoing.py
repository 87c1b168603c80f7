"""HTTP to servers that others run: only to addresses that are public or allowed, pinned, without redirects, within a time and a size."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress, get_ip_address
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from incident_tracker.channels.letters import ChannelError
from incident_tracker.version import VERSION

#: seconds until a connection stands, between two signs of life, and for everything together, however slowly it drips
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 10.0, 15.0
#: so much of an answer is read; nothing that we ask for is longer
MOST_BYTES = 65_536
#: so much of an answer is shown or kept
MOST_LETTERS = 200
#: no receiver is left alone for longer, for the deadline does not wait either
LONGEST_REST = timedelta(hours=1)
#: refusals that pass by themselves: too slow, too early, too many
PASSING = frozenset({408, 425, 429})

IPAddress = IPv4Address | IPv6Address


class Refused(Exception):
    """An address to which nothing may be sent; the text is a sentence for whoever entered it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its status, and the first clean letters of what it said."""

    status: int
    text: str

    def __str__(self) -> str:
        return f"HTTP {self.status}" + (f": {self.text}" if self.text else "")


class Doorkeeper:
    """Says to which addresses something may be sent. `allowed`: host names and networks that may be private, with commas between."""

    def __init__(self, allowed: str) -> None:
        parts = [one.strip().lower() for one in allowed.split(",") if one.strip()]
        self._names = {one for one in parts if "/" not in one}
        self._networks = [ip_network(one) for one in parts if "/" in one]

    def check(self, address: str) -> None:
        """Look an address up, as it is done again when something is sent. Raises Refused."""
        parts = self._read(address)
        self.resolve(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), is_encrypted=parts.scheme == "https")

    def resolve(self, host: str, port: int, *, is_encrypted: bool) -> str:
        """The one IP address to which a connection may be made. Raises Refused."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Refused(f"There is no host {host[:100]}.") from error
        address = _plain(ip_address(str(found[0][4][0]).partition("%")[0]))
        if self._is_allowed(host, address):
            return str(address)
        try:
            get_ip_address(str(address), port, allow_loopback=False)
        except InvalidIPAddress as error:
            raise Refused(f"{host[:100]} leads to {address}, which is not on the public internet. {_ALLOW}") from error
        if not address.is_global:
            raise Refused(f"{host[:100]} leads to {address}, which is not on the public internet. {_ALLOW}")
        if not is_encrypted:
            raise Refused("Use an https address: what is sent would cross the network unprotected.")
        return str(address)

    def _is_allowed(self, host: str, address: IPAddress) -> bool:
        is_inside = any(address.version == one.version and address in one for one in self._networks)
        return is_inside or host.lower().strip("[]") in self._names

    @staticmethod
    def _read(address: str) -> SplitResult:
        try:
            parts = urlsplit(address)
            is_whole = parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError as error:
            raise Refused("Write the whole address, e.g. https://hooks.example.org/…") from error
        if not is_whole or any(letter.isspace() for letter in address):
            raise Refused("Write the whole address, e.g. https://hooks.example.org/…")
        if parts.username or parts.password or "@" in parts.netloc:
            raise Refused("Leave name and password out of the address.")
        return parts


_ALLOW = "The setting ALLOW_PRIVATE_TARGETS can allow it."


class Line:
    """A connection to one receiver, kept for several letters. Not for several threads at once."""

    def __init__(self, allowed: str, secrets: tuple[str, ...] = ()) -> None:
        """`allowed` as for Doorkeeper; `secrets` are never repeated in an answer or an error."""
        self._secrets = sorted({one for one in secrets if len(one) > 3}, key=len, reverse=True)
        self._watch = _Watch()
        self._session = HTTPSession(Config(
            ip_filter_enable=True, ip_filter_allow_loopback_ips=False, never_redirect=True, default_timeout=(CONNECT_SECONDS, READ_SECONDS),
            user_agent_override=f"incident-tracker/{VERSION}",
        ))
        # no proxy, no password and no certificate from the environment of this process
        self._session.trust_env = False
        for scheme in ("http", "https"):
            self._session.mount(f"{scheme}://", _Adapter(Doorkeeper(allowed), self._watch, is_encrypted=scheme == "https"))

    def send(
        self, method: str, address: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None, seconds: float | None = None
    ) -> Answer:
        """Send JSON and return what was answered, within so many seconds (None: `TOTAL_SECONDS`). Raises ChannelError for everything but a 2xx."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        asked = {"Content-Type": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        try:
            with self._watch.for_seconds(TOTAL_SECONDS if seconds is None else seconds):
                response = self._session.request(method, address, data=data, headers=asked, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS))
                try:
                    answer, given = Answer(response.status_code, self._clean(self._read(response))), response.headers
                finally:
                    response.close()
        except Refused as error:
            raise ChannelError(f"nothing may be sent there: {error}", is_permanent=True) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise self._broken(error) from None
        _judge(answer, given)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    @staticmethod
    def _read(response: requests.Response) -> bytes:
        # the status is the answer; if the words behind it do not come, it stands all the same
        with suppress(HTTPError, OSError, ValueError):
            # not decoded: a few packed bytes can become gigabytes
            return bytes(response.raw.read(MOST_BYTES, decode_content=False) or b"")
        return b""

    def _clean(self, said: bytes) -> str:
        text = " ".join("".join(letter if letter.isprintable() else " " for letter in said[:4000].decode("utf-8", "replace")).split())
        for one in self._secrets:
            text = text.replace(one, "…")
        return text[:MOST_LETTERS]

    def _broken(self, error: Exception) -> ChannelError:
        """In words of our own: those of the library hold the whole address."""
        if self._watch.is_cut or isinstance(error, requests.ReadTimeout):
            return ChannelError("it did not answer in time", is_down=True, is_unclear=True)
        if isinstance(error, requests.ConnectTimeout):
            return ChannelError(f"no connection within {CONNECT_SECONDS:.0f} s", is_down=True)
        for one in _chain(error):
            if isinstance(one, ssl.SSLCertVerificationError):
                return ChannelError(f"its certificate does not hold: {one.verify_message[:150]}", is_down=True)
            if isinstance(one, ssl.SSLError):
                return ChannelError("no encrypted connection could be made", is_down=True)
            if isinstance(one, ConnectionRefusedError):
                return ChannelError("the connection was refused", is_down=True)
        if isinstance(error, ValueError):
            # a URL or a header that cannot be written, in every kind of the library
            return ChannelError("its address cannot be used", is_permanent=True)
        return ChannelError("the connection broke off", is_down=True, is_unclear=True)


def _judge(answer: Answer, headers: Mapping[str, str]) -> None:
    """Raise ChannelError unless the answer is a 2xx."""
    if 200 <= answer.status < 300:
        return
    if 300 <= answer.status < 400:
        raise ChannelError(f"it answers with a redirect ({answer.status}), which is never followed: enter the address that it leads to", is_permanent=True)
    if answer.status == 410:
        raise ChannelError(f"it is gone for good: {answer}", is_permanent=True, is_gone=True)
    if 400 <= answer.status < 500 and answer.status not in PASSING:
        raise ChannelError(f"it was refused: {answer}", is_permanent=True)
    raise ChannelError(f"it is not taken at the moment: {answer}", is_down=True, retry_after=rest(headers.get("Retry-After", ""), headers.get("Date", "")))


def rest(said: str, date: str = "") -> timedelta | None:
    """How long a Retry-After header asks for: seconds or a date of HTTP, at most `LONGEST_REST`; None if it says nothing that counts.

    A date is counted from `date`, the moment by the receiver's own clock, as its header Date gives it.
    """
    text = said.strip()
    if text.isdecimal() and text.isascii():
        return min(timedelta(seconds=int(text[:9])), LONGEST_REST)
    until, since = _moment(text), _moment(date)
    return max(min(until - since, LONGEST_REST), timedelta(0)) if until is not None and since is not None else None


def _moment(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _plain(address: IPAddress) -> IPAddress:
    """An IPv4 address that is written as one of IPv6, as what it is."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was made of."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [found for found in (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args) if isinstance(found, BaseException)]


class _Watch:
    """Cuts a connection off when everything together takes too long: each single piece of a slow drip would be in time."""

    def __init__(self) -> None:
        self.is_cut = False
        self._socket: socket.socket | None = None

    @contextmanager
    def for_seconds(self, seconds: float) -> Iterator[None]:
        """Cut whatever is connected inside after so many seconds."""
        self.is_cut = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def see(self, connected: socket.socket | None) -> None:
        """This is the connection now."""
        self._socket = connected
        if self.is_cut:
            self._cut()

    def _cut(self) -> None:
        self.is_cut = True
        if self._socket is not None:
            # past the TLS layer, which another thread is in the middle of
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Adapter(IPFilterAdapter):
    """Connects to the address that the doorkeeper resolved, once and for this request, under the name that was asked for."""

    def __init__(self, doorkeeper: Doorkeeper, watch: _Watch, *, is_encrypted: bool) -> None:
        self._doorkeeper, self._is_encrypted = doorkeeper, is_encrypted
        self._context = ssl.create_default_context() if is_encrypted else None
        super().__init__(is_https_proto=is_encrypted)
        self.poolmanager.pool_classes_by_scheme = _watched(watch)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str | None, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        # not the filter's own: it knows no networks that are allowed
        target, tls = super(IPFilterAdapter, self).build_connection_pool_key_attributes(request, verify, cert)
        host, port = str(target["host"]), target["port"]
        name = f"[{host}]" if ":" in host else host
        request.headers = CaseInsensitiveDict(request.headers)
        request.headers["Host"] = f"{name}:{port}" if port else name
        if self._is_encrypted:
            tls |= {"server_hostname": host, "ssl_context": self._context}
        address = self._doorkeeper.resolve(host, port or (443 if self._is_encrypted else 80), is_encrypted=self._is_encrypted)
        target["host"] = f"[{address}]" if ":" in address else address
        return target, tls


def _watched(watch: _Watch) -> dict[str, type[HTTPConnectionPool]]:
    """Connections that show themselves to `watch`, by scheme."""

    class Plain(HTTPConnection):
        def request(self, *args: Any, **kwargs: Any) -> None:
            watch.see(self.sock)
            super().request(*args, **kwargs)

        def connect(self) -> None:
            super().connect()
            watch.see(self.sock)

    class Encrypted(Plain, HTTPSConnection):
        """The same over TLS."""

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
