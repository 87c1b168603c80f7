"""The hash chain of the audit trail: each entry's hash covers its content and the hash before it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

ROOT = "0" * 64


def link(previous: str, content: Mapping[str, Any]) -> str:
    """The hash of one entry: SHA-256 of the previous hash and the content as canonical JSON (sorted keys, UTF-8)."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(f"{previous}\n{text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold."""

    entry_id: int
    text: str


def find_break(entries: Iterable[tuple[Mapping[str, Any], str, str]], head_id: int, head_hash: str) -> Break | None:
    """Walk `(content, previous hash, hash)` in order; the first entry that was changed, taken out or added, or None.

    `head_id` and `head_hash` are the last link as it was stored apart from the entries: they show a chain cut short.
    """
    number, last = 0, ROOT
    for content, previous, own in entries:
        number += 1
        if content["id"] != number:
            return Break(number, f"entry {number} is missing")
        if previous != last:
            return Break(number, f"entry {number} does not follow the entry before it")
        if link(previous, content) != own:
            return Break(number, f"entry {number} was changed after it was written")
        last = own
    if (number, last) != (head_id, head_hash):
        return Break(number, f"the trail ends at entry {number}, but {head_id} were written")
    return None
