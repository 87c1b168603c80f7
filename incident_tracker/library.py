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
    """Load the built-in rules and the organisation's own from `instance/regimes`, `instance/playbooks` and `instance/ladders.yaml`.

    Its regimes and playbooks add to the built-in ones; its ladders take their place.
    Raises RegimeError, PlaybookError or LadderError, each naming file, line and rule.
    """
    global _shelf
    own = [instance / "regimes"] if instance and (instance / "regimes").is_dir() else []
    own_playbooks = [instance / "playbooks"] if instance and (instance / "playbooks").is_dir() else []
    own_ladders = instance / "ladders.yaml" if instance and (instance / "ladders.yaml").is_file() else None
    _shelf = _load(own, own_playbooks, own_ladders) if own or own_playbooks or own_ladders else _built_in()
    return _shelf


@cache
def _built_in() -> Shelf:
    """The rules that come with the tracker: their files do not change while a process runs, so they are read once."""
    return _load([], [], None)


def _load(own: list[Path], own_playbooks: list[Path], own_ladders: Path | None) -> Shelf:
    law = regimes.load_law(_folder("incident_tracker.regimes"), *own)
    return Shelf(
        law=law,
        playbooks=playbooks.load_playbooks(_folder("incident_tracker.playbooks"), *own_playbooks, facts=law.facts),
        ladders=ladder.load_ladders(own_ladders or _folder("incident_tracker") / "ladders.yaml"),
    )


def law_with(*folders: Path) -> Any:
    """The built-in law together with the regime files of `folders`, for checking them before they are used."""
    return regimes.load_law(_folder("incident_tracker.regimes"), *folders)


def shelf() -> Shelf:
    """The rules in use; filled with the built-in ones if nobody did before."""
    return _shelf or fill()


def _folder(package: str) -> Path:
    return Path(str(files(package)))
