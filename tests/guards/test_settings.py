"""Every setting says what it means, and stands in the README's table as it is in the code."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

from incident_tracker.config import PREFIX, Config, from_environment, settings
from tests.guards.sources import ROOT, modules


@dataclass(frozen=True)
class Row:
    """One line of the README's table: variable, default and meaning as a reader sees them."""

    name: str
    default: str
    meaning: str


def rows_of(text: str) -> list[Row]:
    """The table's lines, of the form `| \\`INCIDENT_TRACKER_X\\` | default | meaning |`."""
    found = re.findall(rf"^\|\s*`({PREFIX}[A-Z_]+)`\s*\|(.*?)\|(.*)\|\s*$", text, flags=re.MULTILINE)
    return [Row(name, default.strip().strip("`"), meaning.strip()) for name, default, meaning in found]


def rows_wanted() -> list[Row]:
    return [Row(PREFIX + one.name.upper(), as_text(one.default), one.metadata["meaning"]) for one in settings()]


def as_text(default: object) -> str:
    """A default as it is written into the environment; nothing for none."""
    return {True: "yes", False: "no"}[default] if isinstance(default, bool) else str(default)


def without_meaning(kind: type) -> list[str]:
    return [one.name for one in fields(kind) if not one.metadata.get("hidden") and len(one.metadata.get("meaning", "")) < 15]


def unread(names: Iterable[str]) -> list[str]:
    """Settings that no module asks for."""
    texts = [module.text for module in modules() if module.name != "incident_tracker.config"]
    own = (ROOT / "incident_tracker" / "config.py").read_text(encoding="utf-8").partition("@property")[2]
    return [name for name in names if not any(re.search(rf"\.{name}\b", text) for text in [*texts, own])]


def test_it_says_what_every_setting_means() -> None:
    assert without_meaning(Config) == []


def test_it_lists_every_setting_in_the_readme() -> None:
    assert rows_of((ROOT / "README.md").read_text(encoding="utf-8")) == rows_wanted()


def test_it_uses_every_setting() -> None:
    assert unread(one.name for one in settings()) == []


#: settings that are refused unless they look like what they are
NOT_ANYTHING = {"database_url": "sqlite:///other.sqlite3", "metrics_token": "0123456789abcdef", "dead_man_url": "https://monitor.example.org/x"}


def test_it_reads_every_setting_from_the_environment(tmp_path: Path) -> None:
    for one in settings():
        value = {bool: "yes", int: str(int(one.default or 0) + 50) if isinstance(one.default, int) else "", str: one.default or "x", type(Path()): str(tmp_path)}[type(one.default)]
        value = NOT_ANYTHING.get(one.name, value)
        given = {f"{PREFIX}{one.name.upper()}": value}
        if one.name == "sweep_seconds":
            given[f"{PREFIX}STALE_SECONDS"] = "900"
        assert as_text(getattr(from_environment(given), one.name)) == value, one.name


def test_it_would_notice_a_setting_without_words() -> None:
    @dataclass(frozen=True)
    class Planted:
        silent: int = field(default=1, metadata={"meaning": ""})

    assert without_meaning(Planted) == ["silent"]
    assert unread(["no_such_setting"]) == ["no_such_setting"]
    assert rows_of(f"| `{PREFIX}X` | `7` | How many. |\n| other | a | b |") == [Row(f"{PREFIX}X", "7", "How many.")]
