"""What the guards read: every Python file of the package as a tree, every file of the project as text."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "incident_tracker"
#: made by machines, or not ours to look at, where there is no git to ask
NOT_OURS = {".git", ".venv", "build", "dist", "instance", "screenshots", "__pycache__", "mutants"}


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name, its text, its tree. `is_package` where it is an `__init__.py`."""

    name: str
    text: str
    is_package: bool = False

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method, also the inner ones."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def planted(text: str, name: str = "incident_tracker.actions.planted") -> Module:
    """A file that is not there, to show that a guard would catch it."""
    return Module(name, text)


@functools.cache
def modules() -> tuple[Module, ...]:
    """The package, templates and playbooks apart, as it lies on disk."""
    return tuple(_read(path) for path in sorted((ROOT / PACKAGE).rglob("*.py")))


@functools.cache
def test_modules() -> tuple[Module, ...]:
    return tuple(_read(path) for path in sorted((ROOT / "tests").rglob("*.py")))


test_modules.__test__ = False  # type: ignore[attr-defined]


def _read(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Module(".".join(parts[:-1] if is_package else parts), path.read_text(encoding="utf-8"), is_package)


@functools.cache
def project_files() -> tuple[Path, ...]:
    """The files of the project: those that git has or would take, or all but the machine-made where there is no git."""
    if (ROOT / ".git").exists():
        said = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
        found = [ROOT / name for name in said.stdout.decode().split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


def texts() -> Iterator[tuple[str, str]]:
    """Path from the root and content of every file of the project that is text."""
    for path in project_files():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.*ml")) + sorted((ROOT / "templates").rglob("*.txt"))


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else node.attr
    return ""
