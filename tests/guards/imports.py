"""Who may import whom: the floors of the house, as a table, and the reading of import statements."""

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.guards.sources import PACKAGE, Module, dotted

LEAVES = {"version", "logs", "errors", "config"}
DOORS_READ = {"actions", "models", "rules", "work", "library", "clock"} | LEAVES

#: the floor → the floors of ours that it may import
MAY_IMPORT: dict[str, set[str]] = {
    "version": set(), "logs": set(), "errors": set(), "config": set(), "clock": set(),
    "rules": {"rules"},
    "models": {"models", "rules"} | LEAVES,
    "library": {"rules"} | LEAVES,
    "work": {"models", "rules", "clock"} | LEAVES,
    "schema": {"models"} | LEAVES,
    "channels": {"channels", "rules"} | LEAVES,
    "documents": {"documents", "rules"} | LEAVES,
    "actions": {"actions", "models", "rules", "channels", "documents", "work", "library"} | LEAVES,
    "web": {"web"} | DOORS_READ,
    "api": {"api"} | DOORS_READ,
    "demo": {"demo"} | DOORS_READ,
    "rendering": {"channels"} | DOORS_READ,
    "dispatches": set() | LEAVES,
    "lanes": {"dispatches", "channels"} | LEAVES,
    "delivery": {"rendering", "dispatches", "lanes", "channels"} | DOORS_READ,
    "posting": {"delivery", "rendering", "channels"} | DOORS_READ,
    "diary": {"rules", "clock"} | LEAVES,
    "worker": {"delivery", "posting", "diary", "factory"} | DOORS_READ,
    "server": {"factory", "worker"} | LEAVES,
    "law_cli": {"rules", "library"} | LEAVES,
    "cli": {"law_cli", "server", "worker", "delivery", "demo", "factory", "schema"} | DOORS_READ,
    "__main__": {"cli"},
    "migrations": {"models"},
    # joins the parts, and is no part of any of them
    "factory": {"web", "api", "models", "library"} | LEAVES,
    "the package itself": set(), "regimes": set(), "playbooks": set(), "templates": set(), "static": set(),
}

#: what comes from outside → the only modules or floors of ours that may have it
ONLY_IN: dict[str, set[str]] = {
    "flask_sqlalchemy": {"models.base"},
    "flask_security": {"models.people", "web", "migrations"},
    "flask_migrate": {"factory", "schema", "cli"},
    "flask_login": {"web"},
    "flask_wtf": {"web"},
    "wtforms": {"web"},
    "flask": {"factory", "web", "api", "cli", "worker", "server", "migrations"},
    "werkzeug": {"factory", "web", "api", "cli"},
    "flask_smorest": {"api", "factory"},
    "apscheduler": {"worker"},
    "gunicorn": {"server"},
    "click": {"cli", "law_cli"},
    "alembic": {"migrations", "schema", "cli"},
    "sqlalchemy": {"models", "actions", "work", "schema", "web", "api", "demo", "delivery", "rendering", "worker", "cli", "migrations"},
    "smtplib": {"channels"}, "requests": {"channels"}, "urllib.request": {"channels"}, "http.client": {"channels"}, "socket": {"channels", "worker", "cli"},
}

#: the law touches nothing: of what is not in the standard library it may have these
RULES_MAY_HAVE = {"yaml", "holidays"}
#: … and of the standard library it may not have these
RULES_MAY_NOT_HAVE = {"os", "subprocess", "logging", "random", "secrets", "time", "socket", "threading", "sqlite3", "tempfile", "shutil"}


@dataclass(frozen=True)
class Import:
    """`module` has `what` from the line `line` on; `inside` names the function in which that stands."""

    module: str
    what: str
    line: int
    inside: str = ""


def imports_of(module: Module, known: Iterable[str]) -> tuple[Import, ...]:
    """Every import of a file, by the module that is meant; `known` are the names of our modules."""
    return _imports_of(module, frozenset(known))


@functools.cache
def _imports_of(module: Module, known: frozenset[str]) -> tuple[Import, ...]:
    return tuple(_read_imports(module, known))


def _read_imports(module: Module, known: frozenset[str]) -> Iterator[Import]:
    inner = {id(node): function.name for function in module.functions for node in ast.walk(function)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module.name, alias.name, node.lineno, inner.get(id(node), ""))
        elif isinstance(node, ast.ImportFrom):
            start = _absolute(module, node)
            for alias in node.names:
                whole = f"{start}.{alias.name}"
                yield Import(module.name, whole if whole in known else start, node.lineno, inner.get(id(node), ""))
        elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in {"import_module", "__import__"}:
            yield Import(module.name, "importlib.import_module", node.lineno, inner.get(id(node), ""))


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    base = parts[: len(parts) - node.level + (1 if module.is_package else 0)]
    return ".".join([*base, *([node.module] if node.module else [])])


def floor(name: str) -> str:
    """`incident_tracker.web.incidents` → `web`; the package itself, which is empty → ``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "factory"


def upward(modules: Iterable[Module], known: set[str]) -> list[str]:
    """Imports of ours that the table does not allow."""
    found = []
    for module in modules:
        for one in imports_of(module, known):
            if not _is_ours(one.what):
                continue
            here, there = floor(module.name), floor(one.what)
            if here not in MAY_IMPORT:
                found.append(f"{module.name}: the floor {here!r} is not in the house; give it its row in tests/guards/imports.py")
            elif there not in MAY_IMPORT[here]:
                found.append(f"{module.name}:{one.line} imports {one.what}: {here} may not import {there}")
    return found


def out_of_place(modules: Iterable[Module], known: set[str]) -> list[str]:
    """Imports from outside that only other floors may have."""
    found = []
    for module in modules:
        short = module.name.removeprefix(f"{PACKAGE}.") if module.name != PACKAGE else ""
        for one in imports_of(module, known):
            for name, places in ONLY_IN.items():
                if (one.what == name or one.what.startswith(f"{name}.")) and not {short, floor(module.name)} & places:
                    found.append(f"{module.name}:{one.line} imports {one.what}: only {', '.join(sorted(places))} may")
    return found


def impure(modules: Iterable[Module], known: set[str], standard: frozenset[str]) -> list[str]:
    """Imports by which the law floor would touch the world; `standard` names the modules of the standard library."""
    found = []
    for module in modules:
        if floor(module.name) != "rules":
            continue
        for one in imports_of(module, known):
            top = one.what.split(".")[0]
            is_fine = top == PACKAGE or top in RULES_MAY_HAVE or (top in standard and top not in RULES_MAY_NOT_HAVE)
            if not is_fine:
                found.append(f"{module.name}:{one.line} imports {one.what}: the law floor is pure")
    return found


def hidden(modules: Iterable[Module], known: set[str]) -> list[str]:
    """Imports inside a function: they hide who needs whom, and fail late."""
    return [f"{one.module}:{one.line} imports {one.what} inside {one.inside}()" for module in modules for one in imports_of(module, known) if one.inside]


def cycles(modules: Iterable[Module], known: set[str]) -> list[str]:
    """Rings of modules that import each other, each told once."""
    graph = {module.name: sorted({one.what for one in imports_of(module, known) if one.what in known and one.what != module.name}) for module in modules}
    found: set[tuple[str, ...]] = set()
    finished: set[str] = set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            ring = path[path.index(name):]
            start = ring.index(min(ring))
            found.add(tuple(ring[start:] + ring[:start]))
            return
        if name in finished:
            return
        for other in graph.get(name, []):
            walk(other, [*path, name])
        finished.add(name)

    for name in graph:
        walk(name, [])
    return [" → ".join([*ring, ring[0]]) for ring in sorted(found)]


def _is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")
