"""What is installed from the wheel is all that is there: every package is listed, every file beside the code is taken along."""

import configparser
import re
from collections.abc import Iterable
from pathlib import Path

from tests.guards.sources import PACKAGE, ROOT, project_files

#: folders that lie outside the package and are installed inside it
MAPPED = {"templates": f"{PACKAGE}.templates", "playbooks": f"{PACKAGE}.playbooks"}


def _setup() -> configparser.ConfigParser:
    found = configparser.ConfigParser()
    found.read(ROOT / "setup.cfg", encoding="utf-8")
    return found


def _installed_paths() -> list[str]:
    """The project's files that belong into the package, as paths inside it: `incident_tracker/templates/layout.html`."""
    found = []
    for path in project_files():
        parts = path.relative_to(ROOT).parts
        if parts[0] == PACKAGE:
            found.append("/".join(parts))
        elif parts[0] in MAPPED:
            found.append("/".join((PACKAGE, *parts)))
    return found


def packages_of(paths: Iterable[str]) -> set[str]:
    """The packages that these files make: every folder with an `__init__.py`."""
    return {str(Path(path).parent).replace("/", ".") for path in paths if path.endswith("/__init__.py")}


def left_behind(paths: Iterable[str], packages: Iterable[str], data: dict[str, list[str]]) -> list[str]:
    """Files that neither are modules of a listed package nor fit a pattern of the package that they lie in."""
    listed = set(packages)
    return [path for path in paths if not _is_module(path, listed) and not any(_fits(path, package, data.get(package, [])) for package in listed)]


def _is_module(path: str, packages: set[str]) -> bool:
    return path.endswith(".py") and str(Path(path).parent).replace("/", ".") in packages


def _fits(path: str, package: str, patterns: Iterable[str]) -> bool:
    folder = package.replace(".", "/") + "/"
    return path.startswith(folder) and any(re.fullmatch(_expression(pattern), path.removeprefix(folder)) for pattern in patterns)


def _expression(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")


def test_it_lists_every_package() -> None:
    assert sorted(_setup()["options"]["packages"].split()) == sorted(packages_of(_installed_paths()))


def test_it_takes_every_file_along() -> None:
    setup = _setup()
    data = {name: re.split(r"[,\s]+", patterns.strip()) for name, patterns in setup["options.package_data"].items()}
    assert left_behind(_installed_paths(), setup["options"]["packages"].split(), data) == []


def test_it_can_be_installed_from_its_source_package() -> None:
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").split()
    assert {"incident_tracker", "templates", "playbooks"} <= set(manifest)


def test_it_would_notice_a_file_left_behind() -> None:
    paths = ["a/__init__.py", "a/x.py", "a/b/y.py", "a/t/deep/p.html", "a/t/q.txt"]
    assert packages_of(paths) == {"a"}
    assert left_behind(paths, ["a"], {"a": ["t/**/*.html"]}) == ["a/b/y.py", "a/t/q.txt"]
    assert left_behind(["a/t/p.html", "a/t/u/v/p.html"], ["a.t"], {"a.t": ["**/*.html"]}) == []
