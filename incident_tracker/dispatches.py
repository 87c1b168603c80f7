"""What this process has handed over and the database does not say yet: kept beside it, on this machine's own disk.

Between the moment when a mail server takes a letter and the commit that says so a process can be killed, or the database be
out of reach for minutes; the letter would go again. Noted here at once, it does not, and many letters are marked together.
A book outlives its process, and whoever comes next on this machine reads it. It helps against killed processes, not against
power that fails: then letters go again, under the same Message-ID.
"""

import fcntl
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from incident_tracker import logs

FOLDER = "handed-over"
_LINE = re.compile(r"(\S+) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00)")

log = logs.logger("dispatches")


class DispatchBook:
    """The letters that one round of sending has handed over. Several threads write in it; it is locked while it is in use."""

    def __init__(self, instance: Path) -> None:
        """Begin an empty one in the instance folder. Where the disk refuses, it is kept in memory only, see `is_kept`."""
        self._lock = threading.Lock()
        self._taken: dict[str, datetime] = {}
        self._path = instance / FOLDER / f"{secrets.token_hex(8)}.book"
        self._file: int | None = None
        self.is_kept = True
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = _held(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            self._fail(error)

    def note(self, message_id: str, at: datetime) -> None:
        """A letter, by its Message-ID, was taken `at` (UTC). A number would not do: after a restored back-up it may be another letter's."""
        with self._lock:
            self._taken[message_id] = at
            if self._file is None:
                return
            # begins a line of its own: what was cut off before spoils nothing
            line = f"\n{message_id} {at.isoformat()}\n".encode()
            try:
                if os.write(self._file, line) != len(line):
                    raise OSError("the disk took a part of it")
            except OSError as error:
                self._fail(error)

    def taken(self) -> dict[str, datetime]:
        """What the database is still to be told: when each letter was taken (UTC), by its Message-ID."""
        with self._lock:
            return dict(self._taken)

    def forget(self, told: Mapping[str, datetime]) -> None:
        """The database says these by now."""
        with self._lock:
            for message_id in told:
                self._taken.pop(message_id, None)
            if self._file is not None and not self._taken:
                os.ftruncate(self._file, 0)

    def close(self) -> None:
        """End it. One in which something still stands is left to whoever reads it next."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                if not self._taken:
                    self._path.unlink(missing_ok=True)
                os.close(file)

    def _fail(self, error: OSError) -> None:
        if self.is_kept:
            log.error("what is handed over cannot be noted on the disk", problem=type(error).__name__)
        self.is_kept = False


@contextmanager
def left_behind(instance: Path) -> Iterator[dict[str, datetime]]:
    """What stands in the books that nobody uses any more, as `DispatchBook.taken`; when the block ends well, they are thrown away."""
    held: list[tuple[Path, int]] = []
    found: dict[str, datetime] = {}
    try:
        for path in sorted((instance / FOLDER).glob("*.book")):
            try:
                # for writing too: over a network a file that is only read cannot be locked for oneself
                file = _held(path, os.O_RDWR)
            except OSError:
                # somebody writes in it, or reads it as we do
                continue
            held.append((path, file))
            found |= _read(file)
        yield found
        for path, _ in held:
            path.unlink(missing_ok=True)
    finally:
        for _, file in held:
            os.close(file)


def _held(path: Path, flags: int) -> int:
    """The file, locked until it is closed or its process ends, however that ends. Raises OSError if somebody else has it."""
    file = os.open(path, flags, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def _read(file: int) -> dict[str, datetime]:
    with os.fdopen(os.dup(file), encoding="utf-8", errors="replace") as lines:
        found = (_LINE.fullmatch(line.rstrip("\n")) for line in lines)
        return {one[1]: datetime.fromisoformat(one[2]) for one in found if one is not None}
