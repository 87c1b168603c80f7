"""The channel to a mail server: what a mail looks like, when it goes encrypted, and how each refusal is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tracker.channels import CHANNELS, ChannelError, Letter, Way, email, open_channels
from incident_tracker.config import Config
from tests.post_office import PostOffice, open_office, self_signed

LETTER = Letter(
    to_name="Ines Vargas", to_address="ines@harbour.example", subject="Deadline INC-2026-0042: 3 h left", text="Notify the authority.\n",
    html="<p>Notify the authority.</p>", message_id="warning.abc", thread="inc-2026-0042", is_urgent=True, at=datetime(2026, 11, 30, 13, 30, tzinfo=UTC),
)


def settings(port: int, host: str = "127.0.0.1", security: str = "none", **more: str) -> Config:
    return Config(smtp_host=host, smtp_port=port, smtp_security=security, mail_from="tracker@harbour.example", organisation="Harbour Health", **more)


@contextmanager
def way_to(config: Config) -> Iterator[Way]:
    with CHANNELS["email"].open(config) as way:
        yield way


def refusal(config: Config, letter: Letter = LETTER) -> ChannelError:
    with way_to(config) as way, pytest.raises(ChannelError) as caught:
        way.send(letter)
    return caught.value


def kind(error: ChannelError) -> str:
    return " ".join(name for name in ("permanent", "down", "unclear") if getattr(error, f"is_{name}")) or "passing"


# -- what goes out ----------------------------------------------------------------------------------------------------------


def test_a_mail_carries_what_a_mail_program_needs(office: PostOffice):
    with way_to(settings(office.port)) as way:
        way.send(LETTER)
    mail = office.letters[0].mail
    assert {name: str(mail[name]) for name in ("From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted", "Importance")} == {
        "From": "Harbour Health incident tracker <tracker@harbour.example>", "To": "Ines Vargas <ines@harbour.example>",
        "Subject": "Deadline INC-2026-0042: 3 h left", "Date": "Mon, 30 Nov 2026 13:30:00 +0000", "Message-ID": "<warning.abc@harbour.example>",
        "References": "<inc-2026-0042@harbour.example>", "In-Reply-To": "<inc-2026-0042@harbour.example>", "Auto-Submitted": "auto-generated", "Importance": "high",
    }
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert office.letters[0].part("plain") == LETTER.text


def test_a_mail_of_no_incident_belongs_to_no_thread_and_is_not_urgent(office: PostOffice):
    with way_to(settings(office.port)) as way:
        way.send(replace(LETTER, thread="", is_urgent=False))
    assert not {"References", "In-Reply-To", "Importance"} & set(office.letters[0].mail.keys())


def test_umlauts_and_lines_of_any_length_arrive_as_written(office: PostOffice):
    text = "Größe: " + "ä" * 2000 + "\n.\nein Punkt\n"
    with way_to(settings(office.port)) as way:
        way.send(replace(LETTER, text=text, to_name="Jürgen Groß"))
    assert office.letters[0].part("plain") == text
    assert office.letters[0].mail["To"].addresses[0].display_name == "Jürgen Groß"
    assert max(len(line) for line in office.letters[0].raw.splitlines()) <= 998


@pytest.mark.parametrize("name", ["Ines\r\nBcc: all@harbour.example", "Ines\nVargas", "a" * 300, 'Ines "the lead" <x@y>'])
def test_a_name_cannot_add_a_header(office: PostOffice, name: str):
    with way_to(settings(office.port)) as way:
        way.send(replace(LETTER, to_name=name, subject=f"Deadline {name}"))
    assert set(office.letters[0].mail.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress", "Importance", "MIME-Version", "Content-Type",
    }
    assert [received.to for received in office.letters] == ["ines@harbour.example"]


def test_one_connection_serves_a_batch(office: PostOffice):
    with way_to(settings(office.port)) as way:
        for number in range(5):
            way.send(replace(LETTER, message_id=f"warning.{number}"))
    assert (len(office.letters), office.connections) == (5, 1)


def test_a_connection_that_the_server_ended_is_made_anew_without_a_failed_try(office: PostOffice):
    with way_to(settings(office.port)) as way:
        way.send(LETTER)
        way.server.close()  # type: ignore[attr-defined]
        way.send(LETTER)
    assert (len(office.letters), office.connections) == (2, 2)


# -- encryption -------------------------------------------------------------------------------------------------------------


def test_it_speaks_starttls_with_the_server_on_this_machine(tmp_path: Path):
    with open_office(tls=self_signed(tmp_path)) as office:
        with way_to(settings(office.port, security="starttls")) as way:
            way.send(LETTER)
        assert [letter.over_tls for letter in office.letters] == [True]


def test_it_speaks_tls_from_the_first_byte(tmp_path: Path):
    with open_office(tls=self_signed(tmp_path), implicit=True) as office:
        with way_to(settings(office.port, security="tls")) as way:
            way.send(LETTER)
        assert len(office.letters) == 1


@pytest.mark.parametrize(("security", "implicit"), [("starttls", False), ("tls", True)])
def test_it_tells_another_machine_nothing_unless_its_certificate_is_good(tmp_path: Path, security: str, implicit: bool):
    with open_office(tls=self_signed(tmp_path), implicit=implicit, host="127.0.0.2") as office:
        error = refusal(settings(office.port, host="127.0.0.2", security=security, smtp_user="tracker", smtp_password="secret"))
        assert kind(error) == "down" and "certificate" in str(error).lower()
        assert office.letters == []


def test_it_sends_nothing_in_the_open_where_the_server_does_not_offer_starttls(office: PostOffice):
    error = refusal(settings(office.port, security="starttls", smtp_user="tracker", smtp_password="secret"))
    assert kind(error) == "down" and "STARTTLS" in str(error)
    assert office.letters == []


def test_a_wrong_log_in_is_the_servers_and_not_the_letters_fault(tmp_path: Path):
    with open_office(tls=self_signed(tmp_path), auth_required=True, authenticator=lambda *_: type("No", (), {"success": False, "handled": True, "message": "535 5.7.8 wrong"})()) as office:
        error = refusal(settings(office.port, security="starttls", smtp_user="tracker", smtp_password="hunter2"))
        assert kind(error) == "down"
        assert "hunter2" not in str(error)


# -- refusals ---------------------------------------------------------------------------------------------------------------


def test_an_unknown_recipient_is_refused_for_good(office: PostOffice):
    office.to["ines@harbour.example"] = "550 5.1.1 no such mailbox"
    error = refusal(settings(office.port))
    assert kind(error) == "permanent" and "550 5.1.1 no such mailbox" in str(error)


def test_a_full_mailbox_is_refused_for_now(office: PostOffice):
    office.to["ines@harbour.example"] = "452 4.2.2 mailbox full"
    assert kind(refusal(settings(office.port))) == "passing"


def test_a_text_that_the_server_does_not_want_is_refused_for_good_or_for_now(office: PostOffice):
    office.on_data = "554 5.7.1 looks like spam"
    assert kind(refusal(settings(office.port))) == "permanent"
    office.on_data = "451 4.7.1 come back later"
    assert kind(refusal(settings(office.port))) == "passing"


@pytest.mark.parametrize("answer", ["550 5.7.1 who are you", "451 4.7.1 later", "530 5.7.0 log in first"])
def test_a_refused_sender_is_the_settings_fault(office: PostOffice, answer: str):
    office.on_sender = answer
    assert kind(refusal(settings(office.port))) == "down"


def test_a_server_that_is_closing_or_wants_a_log_in_is_down(office: PostOffice):
    office.to["ines@harbour.example"] = "421 4.3.2 closing"
    assert kind(refusal(settings(office.port))) == "down"
    office.to["ines@harbour.example"] = "530 5.7.0 log in first"
    assert kind(refusal(settings(office.port))) == "down"


def test_a_server_that_hangs_up_after_the_text_may_have_taken_it(office: PostOffice):
    office.on_data = "hang up"
    assert kind(refusal(settings(office.port))) == "down unclear"


def test_a_server_that_hangs_is_left_after_the_time_allowed(office: PostOffice, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(email, "TIMEOUT", 0.3)
    office.on_data = "hang"
    assert kind(refusal(settings(office.port))) == "down unclear"
    office.on_data = ""
    with way_to(settings(office.port)) as way:
        way.send(LETTER)


def test_a_server_that_accepts_and_says_nothing_is_down(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(email, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(settings(silent.getsockname()[1]))
    assert kind(error) == "down" and "no answer within" in str(error)


def test_nobody_at_the_port_is_down():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert kind(refusal(settings(port))) == "down"


def test_a_server_that_speaks_no_smtp_is_down():
    with socket.create_server(("127.0.0.1", 0)) as other:
        def answer() -> None:
            connection, _ = other.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        assert kind(refusal(settings(other.getsockname()[1]))) == "down"
        thread.join(5)


def test_an_address_that_no_mail_can_have_is_refused_for_good(office: PostOffice):
    assert kind(refusal(settings(office.port), replace(LETTER, to_address="not an address"))) == "permanent"
    assert kind(refusal(settings(office.port), replace(LETTER, to_address="jörg@harbour.example"))) == "permanent"
    assert kind(refusal(settings(office.port), replace(LETTER, to_address="ines@häfen.example"))) == "permanent"


def test_a_sender_of_ours_that_is_no_address_does_not_give_letters_up(office: PostOffice):
    assert kind(refusal(replace(settings(office.port), mail_from="tracker"))) == "down"


def test_mail_is_on_once_a_server_is_set_and_the_bell_always_is():
    assert open_channels(Config()) == ("bell",)
    assert open_channels(settings(25)) == ("bell", "email")
