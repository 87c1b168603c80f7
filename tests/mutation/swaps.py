"""Plants a fault into the running program: functions keep their identity and get other code, data is put wherever it was imported."""

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from tests.mutation.changes import Mutant


class NotPlanted(Exception):
    """A change that Python itself refuses before any test could."""


def plant(mutant: Mutant, module: ModuleType) -> None:
    """Put the fault into the module and whatever was made from it."""
    statement = mutant.statement
    code = compile(ast.Module([statement], []), str(module.__file__), "exec")
    if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
        _replace_data(module, statement, mutant.position)
        return
    apart = dict(module.__dict__)
    exec(code, apart)
    old, new = module.__dict__[statement.name], apart[statement.name]
    if isinstance(statement, ast.FunctionDef):
        _transfer(old, new)
        return
    for name, value in vars(new).items():
        if _bare(value) is not None:
            _transfer(vars(old)[name], value)
        elif isinstance(value, int | str | bool | tuple | frozenset) and not name.startswith("__"):
            setattr(old, name, value)


def _bare(found: Any) -> FunctionType | None:
    """The plain function below a property, a class method or a cache."""
    for inner in ("fget", "func", "__func__", "__wrapped__"):
        if isinstance(found, property | functools.cached_property | classmethod | staticmethod | functools._lru_cache_wrapper) and hasattr(found, inner):
            return _bare(getattr(found, inner))
    return found if isinstance(found, FunctionType) else None


def _transfer(old: Any, new: Any) -> None:
    to, origin = _bare(old), _bare(new)
    if to is None or origin is None:
        raise NotPlanted("no function")
    try:
        to.__code__ = origin.__code__
    except ValueError as error:
        raise NotPlanted(str(error)) from error
    to.__defaults__, to.__kwdefaults__ = origin.__defaults__, origin.__kwdefaults__


def _replace_data(module: ModuleType, statement: ast.stmt, position: int) -> None:
    before = dict(module.__dict__)
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    changed: set[str] = set()
    for later in (statement, *tree.body[position + 1 :]):
        used = {node.id for node in ast.walk(later) if isinstance(node, ast.Name)}
        if later is not statement and (not isinstance(later, ast.Assign | ast.AnnAssign) or not used & changed):
            continue
        exec(compile(ast.Module([later], []), str(module.__file__), "exec"), module.__dict__)
        changed |= {node.id for node in ast.walk(later) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for name in changed & set(before):
        for other in _ours():
            if other is not module and other.__dict__.get(name) is before[name]:
                setattr(other, name, module.__dict__[name])


def _ours() -> Iterator[ModuleType]:
    return (one for name, one in list(sys.modules.items()) if name.split(".")[0] in ("incident_tracker", "tests") and one is not None)


def forget_what_was_remembered(keep: frozenset[str]) -> None:
    """Empty every cache of a function in the rules but those named."""
    for module in list(_ours()):
        if module.__name__.startswith("incident_tracker.rules"):
            for name, value in module.__dict__.items():
                if isinstance(value, functools._lru_cache_wrapper) and name not in keep:
                    value.cache_clear()
