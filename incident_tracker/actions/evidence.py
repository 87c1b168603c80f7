"""Putting files away as proof."""

import re
import unicodedata
from typing import BinaryIO

from incident_tracker.errors import NotFound
from incident_tracker.models.evidence import Attachment, Vault
from incident_tracker.models.incidents import Incident
from incident_tracker.models.playbooks import Step
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

NO_NAME = "file"
_LONGEST_NAME = 200
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,40}/[a-z0-9][a-z0-9.+-]{0,50}")


def add(
    work: Work, incident: Incident, filename: str, media_type: str, stream: BinaryIO, *, vault: Vault, note: str = "", step: Step | None = None,
) -> Attachment:
    """Store what `stream` has and write it down as evidence of `incident`, of one `step` of its checklist where given.

    The row is written once the bytes are safe on the disk. Raises Invalid (`file`) for a file that is empty or too large,
    and for a disk that is full. The name is only for showing.
    """
    work.require(Permission.ADD_EVIDENCE, incident)
    if step is not None and step.checklist.incident_id != incident.id:
        raise NotFound("step")
    kept = vault.keep(stream)
    attachment = Attachment(
        incident_id=incident.id, step_id=step.id if step else None, sha256=kept.sha256, size=kept.size, filename=clean_name(filename),
        media_type=clean_media_type(media_type), note=note.strip(), added_by_id=work.actor.id, added_at=work.now,
    )
    work.session.add(attachment)
    work.session.flush()
    # the name itself may be a victim's: the trail keeps the hash, which proves the bytes
    work.record(
        "evidence.add", f"put a file away ({kept.size} bytes)", incident=incident, subject=f"attachment:{attachment.id}",
        after={"sha256": kept.sha256, "size": kept.size, "step": step.key if step else None},
    )
    return attachment


def clean_name(filename: str) -> str:
    """A file's name without folders, control and direction characters, cut to 200 characters with its ending kept."""
    bare = filename.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(character for character in unicodedata.normalize("NFC", bare) if unicodedata.category(character)[0] != "C")
    name = " ".join(visible.split()).strip(". ")
    if len(name) > _LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) <= 10 else name[:_LONGEST_NAME]
    return name or NO_NAME


def clean_media_type(media_type: str) -> str:
    """The type that the sender claims, if it reads like one; it is shown and never trusted."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare if _MEDIA_TYPE.fullmatch(bare) else "application/octet-stream"
