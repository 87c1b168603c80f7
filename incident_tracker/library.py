"""The shelf of rules that this process works by: the law, the playbooks, the ladders. Filled once, at start."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from incident_tracker.rules import ladder, playbooks, regimes


@dataclass(frozen=True)
class Shelf:
    """What was loaded: `law`, `playbooks` by id, `ladders` by name."""

    law: Any
    playbooks: dict[str, Any]
    ladders: dict[str, Any]


_shelf: Shelf | None = None


def fill(instance: Path | None = None) -> Shelf:
    """Load the built-in rules and the organisation's own from `instance/regimes` and `instance/playbooks`.

    Raises RegimeError, PlaybookError or LadderError, each naming file, line and rule.
    """
    global _shelf
    own = [instance / "regimes"] if instance and (instance / "regimes").is_dir() else []
    own_playbooks = [instance / "playbooks"] if instance and (instance / "playbooks").is_dir() else []
    _shelf = _load(own, own_playbooks) if own or own_playbooks else _built_in()
    return _shelf


@cache
def _built_in() -> Shelf:
    """The rules that come with the tracker: their files do not change while a process runs, so they are read once."""
    return _load([], [])


def _load(own: list[Path], own_playbooks: list[Path]) -> Shelf:
    law = regimes.load_law(_folder("incident_tracker.regimes"), *own)
    return Shelf(
        law=law,
        playbooks=playbooks.load_playbooks(_folder("incident_tracker.playbooks"), *own_playbooks, facts=law.facts),
        ladders=ladder.load_ladders(_folder("incident_tracker") / "ladders.yaml"),
    )


def law_with(*folders: Path) -> Any:
    """The built-in law together with the regime files of `folders`, for checking them before they are used."""
    return regimes.load_law(_folder("incident_tracker.regimes"), *folders)


def shelf() -> Shelf:
    """The rules in use; filled with the built-in ones if nobody did before."""
    return _shelf or fill()


def _folder(package: str) -> Path:
    return Path(str(files(package)))
