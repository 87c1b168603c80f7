"""Putting files away: the bytes are safe before the row is written, and nothing half remains."""

import errno
import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker import library
from incident_tracker.actions import evidence, playbooks
from incident_tracker.errors import Invalid, NotAllowed, NotFound
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.evidence import Attachment, Vault, attachments_of, find_attachment
from incident_tracker.models.incidents import Incident
from incident_tracker.work import unit_of_work
from tests.stories import FRIDAY, again, person, report, set_profile

LOG = b"17:05 forwarding rule made by 203.0.113.7\n"
FINGERPRINT = sha256(LOG).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "evidence", largest=1_048_576)


@pytest.fixture
def incident(app: Any) -> Incident:
    # with an empty profile hundreds of duties would be in doubt, and none of them matters here
    set_profile()
    return report()


def add(incident: Incident, vault: Vault, content: bytes | io.RawIOBase = LOG, name: str = "mail.log", media_type: str = "text/plain", *, by: str = "ines", **more: Any) -> Attachment:
    stream: Any = io.BytesIO(content) if isinstance(content, bytes) else content
    with unit_of_work(person(by), FRIDAY) as work:
        return evidence.add(work, again(incident.reference), name, media_type, stream, vault=vault, **more)


def files(vault: Vault) -> list[str]:
    return sorted(str(path.relative_to(vault.folder)) for path in vault.folder.rglob("*") if path.is_file())


def test_it_keeps_the_bytes_under_their_fingerprint_and_the_name_for_showing(incident: Incident, vault: Vault) -> None:
    found = add(incident, vault, note="Rules of the mailbox")
    assert (found.sha256, found.size, found.filename, found.note, found.added_by.name, found.added_at) == (FINGERPRINT, len(LOG), "mail.log", "Rules of the mailbox", "Ines Vargas", FRIDAY)
    assert files(vault) == [f"{FINGERPRINT[:2]}/{FINGERPRINT}"]
    assert vault.path(FINGERPRINT).read_bytes() == LOG
    assert vault.path(FINGERPRINT).stat().st_mode & 0o777 == 0o400


def test_it_records_the_fingerprint_and_not_the_name(incident: Incident, vault: Vault) -> None:
    found = add(incident, vault, name="Anna Schmidt diagnosis.pdf")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "evidence.add")).one()
    assert (entry.subject, entry.after["sha256"]) == (f"attachment:{found.id}", FINGERPRINT)
    assert "Schmidt" not in f"{entry.summary}{entry.after}"


def test_it_streams_a_file_larger_than_its_chunk(incident: Incident, tmp_path: Path) -> None:
    content = os.urandom(3_500_000)
    vault = Vault(tmp_path / "evidence", largest=4_000_000)
    assert add(incident, vault, content).sha256 == sha256(content).hexdigest()
    assert vault.is_intact(sha256(content).hexdigest())


def test_the_same_file_twice_lies_there_once(incident: Incident, vault: Vault) -> None:
    first, second = add(incident, vault), add(incident, vault, name="again.log")
    assert first.id != second.id
    assert len(files(vault)) == 1
    assert [one.filename for one in attachments_of(incident.id)] == ["again.log", "mail.log"]


def test_putting_a_damaged_file_away_again_mends_it(incident: Incident, vault: Vault) -> None:
    add(incident, vault)
    path = vault.path(FINGERPRINT)
    path.chmod(0o600)
    path.write_bytes(LOG[:-1] + b"8")
    assert not vault.is_intact(FINGERPRINT)
    add(incident, vault)
    assert vault.is_intact(FINGERPRINT)


# -- refusals leave nothing behind


@pytest.mark.parametrize(("content", "said"), [(b"", "empty"), (b"x" * 1_048_577, "larger than 1 MB")])
def test_it_refuses_a_file_that_is_empty_or_too_large(incident: Incident, vault: Vault, content: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(incident, vault, content)
    assert said in refused.value.fields["file"][0]
    assert (files(vault), attachments_of(incident.id)) == ([], [])


class FullDisk(io.RawIOBase):
    """A stream that gives some bytes, after which the machine has no room left."""

    def __init__(self) -> None:
        self.given = False

    def read(self, size: int = -1) -> bytes:
        if self.given:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.given = True
        return LOG


def test_a_full_disk_is_said_plainly_and_leaves_no_half_file(incident: Incident, vault: Vault) -> None:
    with pytest.raises(Invalid) as refused:
        add(incident, vault, FullDisk())
    assert "disk is full" in refused.value.fields["file"][0]
    assert (files(vault), attachments_of(incident.id)) == ([], [])


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The system itself refuses to write more than `size` bytes into one file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_stops_taking_bytes_leaves_no_half_file(vault: Vault) -> None:
    with no_file_longer_than(100_000), pytest.raises(Invalid) as refused:
        vault.keep(io.BytesIO(b"x" * 500_000))
    assert "could not save the file" in refused.value.fields["file"][0]
    assert files(vault) == []
    assert vault.keep(io.BytesIO(LOG)).sha256 == FINGERPRINT


def test_a_folder_that_cannot_be_written_is_said_plainly(incident: Incident, tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file stands where the folder should be")
    with pytest.raises(Invalid, match="could not save the file"):
        add(incident, Vault(tmp_path / "evidence", 100))
    assert attachments_of(incident.id) == []


CRASH = """
import os, sys
from pathlib import Path
from incident_tracker.models.evidence import Vault

class Dies:
    given = False
    def read(self, size):
        if self.given:
            os._exit(9)
        self.given = True
        return b"half of it"

Vault(Path(sys.argv[1]), 1000).keep(Dies())
"""


def test_a_crash_in_the_middle_leaves_no_file_that_could_pass_for_evidence(vault: Vault) -> None:
    ended = subprocess.run([sys.executable, "-c", CRASH, str(vault.folder)], check=False)
    assert ended.returncode == 9
    left = files(vault)
    assert len(left) == 1 and left[0].startswith(".part-")
    vault.keep(io.BytesIO(LOG))
    assert len(files(vault)) == 2
    yesterday = (vault.folder / left[0]).stat().st_mtime - 90_000
    os.utime(vault.folder / left[0], (yesterday, yesterday))
    vault.keep(io.BytesIO(LOG))
    assert files(vault) == [f"{FINGERPRINT[:2]}/{FINGERPRINT}"]


def test_no_row_is_written_when_the_unit_of_work_fails(incident: Incident, vault: Vault) -> None:
    with pytest.raises(RuntimeError), unit_of_work(person("ines"), FRIDAY) as work:
        evidence.add(work, again(incident.reference), "mail.log", "text/plain", io.BytesIO(LOG), vault=vault)
        raise RuntimeError("the lights went out")
    assert attachments_of(incident.id) == []


# -- who may


def test_managers_auditors_and_administrators_put_nothing_away(incident: Incident, vault: Vault) -> None:
    for name in ("mona", "olga", "adam"):
        with pytest.raises((NotAllowed, NotFound)):
            add(incident, vault, by=name)
    assert not vault.folder.exists()


def test_a_file_is_found_through_its_own_incident_only(incident: Incident, vault: Vault) -> None:
    found, other = add(incident, vault), report()
    assert find_attachment(incident.id, found.id) is not None
    assert find_attachment(other.id, found.id) is None


def test_a_file_proves_a_step_of_the_same_incident_only(incident: Incident, vault: Vault) -> None:
    other = report()
    with unit_of_work(person("ines"), FRIDAY) as work:
        steps = playbooks.start_checklist(work, again(other.reference), library.shelf().playbooks["general"]).steps
    with pytest.raises(NotFound):
        add(incident, vault, step=steps[0])
    assert add(other, vault, step=steps[0]).step_id == steps[0].id
    assert [one.filename for one in steps[0].evidence] == ["mail.log"]


# -- names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("mail.log", "mail.log"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ines\\Übersicht 2026.xlsx", "Übersicht 2026.xlsx"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("two\r\nSet-Cookie: x", "twoSet-Cookie: x"),
        ('say "cheese".png', 'say "cheese".png'),
        (" .hidden ", "hidden"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("y" * 300, "y" * 200),
        ("z." + "w" * 300, ("z." + "w" * 300)[:200]),
    ],
)  # fmt: skip
def test_it_cleans_the_name(given: str, kept: str) -> None:
    assert evidence.clean_name(given) == kept


@pytest.mark.parametrize(("given", "kept"), [("Text/HTML; charset=utf-8", "text/html"), ("", "application/octet-stream"), ("a b", "application/octet-stream"), ("x/" + "y" * 90, "application/octet-stream")])
def test_it_keeps_a_media_type_only_if_it_reads_like_one(given: str, kept: str) -> None:
    assert evidence.clean_media_type(given) == kept
