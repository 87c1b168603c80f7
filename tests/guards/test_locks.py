"""What is installed is what was tried: every entry of the lock files is pinned and hashed, and none says where to fetch it."""

import re

import pytest

from tests.guards.sources import ROOT


def problems(text: str) -> list[str]:
    """Entries without an exact version or a hash, and lines that name an address or an option."""
    found = []
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in joined.splitlines():
        words = line.split("#")[0].split() if line.lstrip().startswith("#") else re.split(r"\s#\s", line)[0].split()
        if not words:
            continue
        if words[0].startswith("-") or "://" in line:
            found.append(f"an option or an address: {line[:80]}")
        elif "==" not in words[0]:
            found.append(f"no exact version: {words[0]}")
        elif not any(word.startswith("--hash=sha256:") and len(word) == len("--hash=sha256:") + 64 for word in words):
            found.append(f"no hash: {words[0]}")
    return found


def entries(text: str) -> dict[str, str]:
    """Version by distribution name."""
    return {found[1].lower(): found[2] for found in re.finditer(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, flags=re.MULTILINE)}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_it_pins_and_hashes_everything(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert problems(text) == []
    assert len(entries(text)) > 20


def test_it_tests_with_the_versions_that_it_ships() -> None:
    shipped, tested = (entries((ROOT / name).read_text(encoding="utf-8")) for name in ("requirements.lock", "requirements-dev.lock"))
    assert {name: (version, tested.get(name)) for name, version in shipped.items() if tested.get(name) != version} == {}


def test_it_locks_what_setup_cfg_asks_for() -> None:
    text = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    wanted = re.findall(r"^    ([A-Za-z0-9._-]+)(?:\[[a-z]+\])?[<>=]", text.partition("install_requires =")[2].partition("[options.extras_require]")[0], flags=re.MULTILINE)
    locked = entries((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert len(wanted) > 15
    assert [name for name in wanted if name.lower() not in locked] == []


def test_it_would_notice_a_loose_entry() -> None:
    good = "flask==3.1.3 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via x\n"
    assert problems(good) == []
    for text in ("flask==3.1.3\n", "flask>=3 \\\n    --hash=sha256:" + "0" * 64, "--extra-index-url x\n" + good, "x @ https://example.org/x.whl", good.replace("0000", "", 1)):
        assert problems(text), text
