"""The documentation of the facts document: its example can be assessed, and shows every kind of fact there is."""

import json
import re
from pathlib import Path
from typing import Any

from incident_tracker.rules import assess
from incident_tracker.rules.regimes import PACKAGE_FOLDER, default_law

TEXT = (Path(PACKAGE_FOLDER) / "FACTS.md").read_text(encoding="utf-8")


def example() -> dict[str, Any]:
    found = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


def test_the_example_can_be_assessed() -> None:
    states = {duty.key: duty.state for duty in assess(example()).duties}
    assert states["eu-gdpr-33-1@authority:DE-BE"] == "applies"


def test_the_example_shows_every_kind_of_fact() -> None:
    facts = default_law().facts
    shown = set()
    for key in example():
        spec = facts.find(key) or facts.find(f"{key}.US-NY")
        if spec is not None:
            shown |= {spec.kind} | ({f"per {spec.per}"} if spec.per else set())
    assert shown >= {spec.kind for spec in facts.values()} - {"moment"} | {"per place"}
    assert {"moments", "completed", "holds"} <= example().keys()


def test_every_kind_has_its_line_in_the_table() -> None:
    for kind in {spec.kind for spec in default_law().facts.values()}:
        assert f"| {kind} |" in TEXT, kind
