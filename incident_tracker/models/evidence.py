"""Files put away as proof: receipts and evidence. The bytes live in `instance/evidence`, named by their hash."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident_tracker.errors import Invalid
from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person

CHUNK = 1 << 20
DRAFT = ".part-"
#: no upload takes so long: what is older was left by a crash
DRAFT_SECONDS = 24 * 60 * 60


class Attachment(Base):
    """One stored file of one incident. `sha256` is of its bytes, lower-case hexadecimal; `size` in bytes."""

    __tablename__ = "attachment"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    #: the step of a checklist that it proves, if it was added there
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    #: as the person's machine called it; for showing only, the bytes lie under their hash
    filename: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    #: what it shows, in the words of whoever added it
    note: Mapped[str] = mapped_column(Text, default="")
    added_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]
    added_by: Mapped[Person] = relationship()


@dataclass(frozen=True)
class Kept:
    """What the vault took in: the hash of the bytes and how many they are."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Vault:
    """The folder of the stored bytes, and the largest file it takes, in bytes."""

    folder: Path
    largest: int

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, if they do."""
        return self.folder / sha256[:2] / sha256

    def keep(self, stream: BinaryIO) -> Kept:
        """Take in everything `stream` has; when this returns, the bytes are on the disk for good.

        Raises Invalid for an empty or too large file and for a disk that is full or refuses; then no part of it is left behind.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft, name = tempfile.mkstemp(prefix=DRAFT, dir=self.folder)
            try:
                self._sweep(os.fstat(draft).st_mtime - DRAFT_SECONDS)
                with os.fdopen(draft, "wb") as file:
                    kept = self._pour(stream, file)
                    file.flush()
                    os.fsync(file.fileno())
                self._place(Path(name), kept)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise Invalid("", file=_words(error)) from error
        return kept

    def is_intact(self, sha256: str) -> bool:
        """Whether the bytes lie where they should and still have this hash."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def _pour(self, stream: BinaryIO, file: BinaryIO) -> Kept:
        digest, size = hashlib.sha256(), 0
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > self.largest:
                raise Invalid(
                    "", file=f"The file is larger than {self.largest // 1_048_576} MB. Send a smaller one, or note where it lies."
                )
            digest.update(chunk)
            file.write(chunk)
        if not size:
            raise Invalid("", file="The file is empty. Choose it again.")
        return Kept(digest.hexdigest(), size)

    def _sweep(self, before: float) -> None:
        """Remove drafts that a crash left behind: they may hold somebody's data and belong to nothing."""
        for left in self.folder.glob(f"{DRAFT}*"):
            # somebody else's draft may be put in its place between the two looks
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < before:
                    left.unlink()

    def _place(self, draft: Path, kept: Kept) -> None:
        target = self.path(kept.sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        draft.chmod(0o400)
        # replacing what has the same hash changes nothing, and mends it should its bytes have rotted
        draft.replace(target)
        for folder in (target.parent, self.folder):
            _settle(folder)


def _settle(folder: Path) -> None:
    """A new name in a folder survives a power cut only once the folder itself is written."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _words(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The tracker's disk is full: the file was not saved. Tell an administrator, and note where the file lies."
    return f"The tracker could not save the file ({error.strerror or type(error).__name__}). Tell an administrator, and note where the file lies."


def attachments_of(incident_id: int) -> list[Attachment]:
    """The files of an incident, the newest first, with who added them."""
    query = select(Attachment).where(Attachment.incident_id == incident_id).options(joinedload(Attachment.added_by))
    return list(db.session.scalars(query.order_by(Attachment.id.desc())))


def find_attachment(incident_id: int, attachment_id: int) -> Attachment | None:
    """One file of this incident, or None."""
    return db.session.scalar(select(Attachment).where(Attachment.id == attachment_id, Attachment.incident_id == incident_id))
