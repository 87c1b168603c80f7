"""Small regimes to try the engine on, written beside the tracker's own law."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from incident_tracker.rules.laws import Law
from incident_tracker.rules.regimes import PACKAGE_FOLDER, load_law

HEAD = """regime: trial
title: A trial regime
jurisdiction: EU
citation: Trial Act
status: in_force
judged_at: [aware]
zone: Europe/Berlin
calendar: DE
source: the test
confidence: memory
last_checked: 2026-11-22
"""
OBLIGATION = """obligations:
- id: trial.one
  title: Tell them
  recipient: {type: authority, authority: DE-BE, name: them}
  trigger: {event: aware}
  period: {standard: soon}
"""


def trial_law(folder: Path, text: str, **others: str) -> Law:
    """One regime file alone on the tracker's catalogues, and other files by their stem. Much quicker to read than all the law."""
    catalogues = folder / "catalogues"
    catalogues.mkdir(exist_ok=True)
    for path in PACKAGE_FOLDER.glob("*.yaml"):
        shutil.copyfile(path, catalogues / path.name)
    return load_law(catalogues, _written(folder, text, others))


def joined_law(folder: Path, text: str, **others: str) -> Law:
    """The tracker's law with one more regime file, and other files by their stem."""
    return load_law(PACKAGE_FOLDER, _written(folder, text, others))


def _written(folder: Path, text: str, others: Mapping[str, str]) -> Path:
    own = folder / "own"
    (own / "trial").mkdir(parents=True, exist_ok=True)
    (own / "trial" / "trial.yaml").write_text(text, encoding="utf-8")
    for stem, content in others.items():
        (own / f"{stem}.yaml").write_text(content, encoding="utf-8")
    return own


def with_period(period: str, more: str = "") -> str:
    """A regime with one obligation of this period; `more` are further keys of the obligation, indented by two."""
    return HEAD + OBLIGATION.replace("{standard: soon}", period) + more


Trial = Callable[..., Law]


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    def build(text: str, **others: str) -> Law:
        return trial_law(tmp_path, text, **others)

    return build
