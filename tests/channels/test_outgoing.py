"""What leaves by HTTP goes where it may, waits no longer than it should, and tells nothing that is secret."""

import logging
import socket
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tracker import logs
from incident_tracker.channels import outgoing
from incident_tracker.channels.letters import ChannelError
from incident_tracker.channels.outgoing import Doorkeeper, Line, Refused, rest
from tests.post_office import self_signed
from tests.receivers import Receiver, Reply, open_receiver

LOCAL = "127.0.0.0/8"
PRIVATE = (
    "http://127.0.0.1/", "https://127.0.0.1:8443/x", "https://localhost/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/",
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest/meta-data", "https://10.20.30.40/", "https://172.16.0.1/",
    "https://192.168.1.1/", "https://0.0.0.0/", "https://[::]/", "https://100.64.0.1/", "https://[fe80::1]/", "https://[fd00::1]/", "https://224.0.0.1/",
    "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://255.255.255.255/", "https://192.0.0.8/", "https://240.0.0.1/", "https://127.1/",
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


@pytest.fixture
def line() -> Iterator[Line]:
    found = Line(LOCAL)
    yield found
    found.close()


def names(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """From now on every name leads to these addresses, one after the other; returns the list of what is looked up."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        asked.append(host)
        if host.replace(".", "").isdecimal():
            return real(host, port, *args, **more)
        address = answers[min(len(asked), len(answers)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_goes_to_an_address_that_is_not_public(address: str) -> None:
    with pytest.raises(Refused, match=r"not on the public internet|no host"):
        Doorkeeper("").check(address)
    line = Line("")
    with pytest.raises(ChannelError, match="nothing may be sent there") as refused:
        line.send("POST", address, {})
    assert refused.value.is_permanent


def test_a_name_that_leads_to_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("127.0.0.1", "::1", "10.0.0.8", "169.254.169.254", "::ffff:127.0.0.1"):
        names(monkeypatch, address)
        with pytest.raises(Refused, match=r"hooks\.example\.org leads to"):
            Doorkeeper("").check("https://hooks.example.org/x")


def test_a_public_address_is_taken_with_https_and_refused_without(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "93.184.215.14")
    Doorkeeper("").check("https://hooks.example.org/x")
    with pytest.raises(Refused, match="Use an https address"):
        Doorkeeper("").check("http://hooks.example.org/x")


@pytest.mark.parametrize(("address", "said"), [
    ("hooks.example.org/x", "whole address"), ("ftp://hooks.example.org", "whole address"), ("https://", "whole address"), ("https://h:99999/", "whole address"),
    ("https://hooks.example.org/a b", "whole address"), ("https://name:word@hooks.example.org/", "name and password"), ("file:///etc/passwd", "whole address"),
])
def test_an_address_that_is_none_is_refused_with_what_to_write(address: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        Doorkeeper(LOCAL).check(address)


def test_what_the_settings_allow_may_be_private(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for allowed in (LOCAL, "chat.example.org, 127.0.0.1", "10.0.0.0/8,127.0.0.1"):
        Doorkeeper(allowed).check(receiver.address)
    with pytest.raises(Refused):
        Doorkeeper("10.0.0.0/8, 127.0.0.2, localhost").check(receiver.address)
    names(monkeypatch, "10.1.2.3")
    Doorkeeper("10.1.2.0/24").check("http://chat.intern/hooks/x")
    Doorkeeper("chat.intern").check("http://chat.intern/hooks/x")
    with pytest.raises(Refused):
        Doorkeeper("10.1.3.0/24, chat.other").check("http://chat.intern/hooks/x")


def test_the_address_that_was_looked_up_is_the_one_that_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    # were the name asked for a second time, it would lead elsewhere
    asked = names(monkeypatch, "127.0.0.1", "127.9.9.9")
    line = Line(LOCAL)
    assert line.send("POST", f"http://rebound.example:{receiver.port}/x", {"a": 1}).status == 200
    assert asked == ["rebound.example", "127.0.0.1"], "the connection was not made to the pinned address"
    assert receiver.requests[0].headers["host"] == f"rebound.example:{receiver.port}"


def test_a_name_that_turns_private_after_it_was_saved_is_refused_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "93.184.215.14", "127.0.0.1")
    Doorkeeper("").check("https://turning.example/x")
    with pytest.raises(ChannelError, match=r"leads to 127\.0\.0\.1"):
        Line("").send("POST", "https://turning.example/x", {})


def test_no_redirect_is_followed(receiver: Receiver, line: Line) -> None:
    for status in (301, 302, 303, 307, 308):
        receiver.reply = Reply(status, headers={"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"})
        with pytest.raises(ChannelError, match="redirect") as refused:
            line.send("POST", f"{receiver.address}/here", {})
        assert refused.value.is_permanent
    assert {one.path for one in receiver.requests} == {"/here"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_some_refusals_are_for_good(receiver: Receiver, line: Line, status: int) -> None:
    receiver.reply = Reply(status, b"no such hook")
    with pytest.raises(ChannelError, match=f"HTTP {status}: no such hook") as refused:
        line.send("POST", receiver.address, {})
    assert (refused.value.is_permanent, refused.value.is_down, refused.value.is_gone) == (True, False, status == 410)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_others_pass(receiver: Receiver, line: Line, status: int) -> None:
    receiver.reply = Reply(status, b"busy")
    with pytest.raises(ChannelError, match=f"HTTP {status}: busy") as refused:
        line.send("POST", receiver.address, {})
    assert (refused.value.is_permanent, refused.value.is_down, refused.value.retry_after) == (False, True, None)


@pytest.mark.parametrize(("said", "date", "wait"), [
    ("0", "", timedelta(0)), ("7", "", timedelta(seconds=7)), ("86400", "", timedelta(hours=1)), ("99999999999999999999", "", timedelta(hours=1)),
    ("Fri, 27 Nov 2026 16:31:00 GMT", "Fri, 27 Nov 2026 16:30:00 GMT", timedelta(minutes=1)), ("Fri, 27 Nov 2026 16:00:00 GMT", "Fri, 27 Nov 2026 16:30:00 GMT", timedelta(0)),
    ("Sat, 28 Nov 2026 16:31:00 GMT", "Fri, 27 Nov 2026 16:30:00 GMT", timedelta(hours=1)), ("Sat, 28 Nov 2026 16:31:00 GMT", "", None),
    ("", "", None), ("soon", "", None), ("-5", "", None), ("1.5", "", None), ("٣", "", None),
])
def test_it_waits_as_long_as_it_is_asked_to_but_no_longer_than_an_hour(said: str, date: str, wait: timedelta | None) -> None:
    assert rest(said, date) == wait


def test_the_wait_comes_with_the_refusal(receiver: Receiver, line: Line) -> None:
    receiver.reply = Reply(429, headers={"Retry-After": "120"})
    with pytest.raises(ChannelError) as refused:
        line.send("POST", receiver.address, {})
    assert refused.value.retry_after == timedelta(minutes=2)


def test_a_receiver_that_hangs_is_left_after_a_while(receiver: Receiver, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "READ_SECONDS", 0.2)
    receiver.reply = Reply(0)
    began = time.monotonic()
    with pytest.raises(ChannelError, match="did not answer in time") as refused:
        line.send("POST", receiver.address, {})
    assert time.monotonic() - began < 5
    assert (refused.value.is_permanent, refused.value.is_down, refused.value.is_unclear) == (False, True, True)


def test_a_receiver_that_drips_is_left_too(receiver: Receiver, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 0.4)
    receiver.reply = Reply(200, drip=0.05, drips_head=True)
    began = time.monotonic()
    with pytest.raises(ChannelError, match="did not answer in time") as refused:
        line.send("POST", receiver.address, {})
    assert time.monotonic() - began < 5 and refused.value.is_unclear
    receiver.reply = Reply()
    assert line.send("POST", receiver.address, {}).status == 200, "the line cannot be used again"


def test_a_status_counts_although_the_words_behind_it_drip(receiver: Receiver, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 0.4)
    receiver.reply = Reply(202, b"x" * 1000, drip=0.05)
    began = time.monotonic()
    assert line.send("POST", receiver.address, {}).status == 202
    assert time.monotonic() - began < 5


def test_a_flood_is_not_read_to_its_end(receiver: Receiver, line: Line) -> None:
    receiver.reply = Reply(200, b"words " * 100, more=50_000_000)
    answer = line.send("POST", receiver.address, {})
    assert len(answer.text) == outgoing.MOST_LETTERS


def test_what_a_receiver_says_is_cleaned_and_never_repeats_a_secret(receiver: Receiver) -> None:
    receiver.reply = Reply(400, b"bad\x00 token\r\n whsec_abc at /hooks/T0/s3cr3t\x1b[31m")
    with Line(LOCAL, ("whsec_abc", "/hooks/T0/s3cr3t")) as line, pytest.raises(ChannelError) as refused:
        line.send("POST", f"{receiver.address}/hooks/T0/s3cr3t", {})
    assert str(refused.value) == "it was refused: HTTP 400: bad token … at … [31m"


def test_no_error_holds_the_address(line: Line) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/hooks/s3cr3t"
    with pytest.raises(ChannelError, match="connection was refused") as refused:
        line.send("POST", address, {})
    assert "s3cr3t" not in repr(refused.value) and refused.value.__cause__ is None and refused.value.is_down and not refused.value.is_unclear


def test_a_receiver_without_the_encryption_it_promises_is_not_trusted(receiver: Receiver, line: Line) -> None:
    with pytest.raises(ChannelError, match="no encrypted connection") as refused:
        line.send("POST", f"https://127.0.0.1:{receiver.port}/x", {})
    assert refused.value.is_down and receiver.requests == []


def test_a_certificate_must_be_trusted_and_be_for_the_name_that_was_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, asked_for = self_signed(tmp_path, "hooks.example.org"), list[str | None]()
    tls.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    with open_receiver(tls=tls) as receiver:
        names(monkeypatch, "127.0.0.1")
        address = f"https://hooks.example.org:{receiver.port}/x"
        with pytest.raises(ChannelError, match="certificate does not hold: self-signed certificate") as refused:
            Line(LOCAL).send("POST", address, {})
        assert refused.value.is_down and not refused.value.is_permanent and not refused.value.is_unclear
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
        assert Line(LOCAL).send("POST", address, {}).status == 200
        with pytest.raises(ChannelError, match=r"Hostname mismatch, certificate is not valid for 'other\.example\.org'"):
            Line(LOCAL).send("POST", address.replace("hooks", "other"), {})
    assert [one.headers["host"] for one in receiver.requests] == [f"hooks.example.org:{receiver.port}"]
    assert set(asked_for) == {"hooks.example.org", "other.example.org"}


def test_no_log_holds_an_address(receiver: Receiver, line: Line, capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    level, found = root.level, logging.StreamHandler(sys.stderr)
    root.addHandler(found)
    root.setLevel(logging.DEBUG)
    try:
        logs.configure("DEBUG")
        line.send("POST", f"{receiver.address}/hooks/s3cr3t", {})
        with pytest.raises(ChannelError):
            Line("").send("POST", "https://10.0.0.1/hooks/s3cr3t", {})
        logging.getLogger("planted").debug("seen")
    finally:
        root.removeHandler(found)
        root.setLevel(level)
        logs.configure("CRITICAL")
    said = capfd.readouterr().err
    assert "seen" in said and "s3cr3t" not in said


def test_the_environment_of_the_machine_changes_nothing(receiver: Receiver, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert line.send("POST", receiver.address, {}).status == 200
    assert receiver.requests[0].headers["user-agent"].startswith("incident-tracker/")
