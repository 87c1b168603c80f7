"""The small faults that are planted: one changed place of one top-level statement each, told apart by words rather than by lines."""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}
_REACHED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}
_OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
#: what is said about types, for readers alone or by a decorator is no behaviour
_UNTOUCHED = {"annotation", "returns", "decorator_list", "bases", "type_params", "format_spec"}
_LONGEST = 150


@dataclass(frozen=True)
class Mutant:
    """One fault: the statement of the module it stands in, changed, and the lines of which one must run for it to matter."""

    module: str
    where: str
    before: str
    after: str
    number: int
    position: int
    statement: ast.stmt
    lines: frozenset[int]
    in_function: bool

    @property
    def name(self) -> str:
        """What it is known by, also after lines have moved: `counting._hours: a < b → a <= b`, with a number where there are several."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.module}.{self.where}: {self.before} → {self.after}{again}"


@dataclass(frozen=True)
class _Site:
    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    where: tuple[str, ...]
    statement: ast.stmt
    in_function: bool
    untouched: bool

    def put(self, replacement: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, replacement)
        else:
            getattr(self.parent, self.field)[self.index] = replacement


def mutants_of(path: Path) -> list[Mutant]:
    """Every fault that can be planted into a module, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made: list[Mutant] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for position, top in enumerate(tree.body):
        for order, site in enumerate(_sites(top)):
            for choice in range(len(_replacements(site))):
                changed = copy.deepcopy(top)
                place = next(one for at, one in enumerate(_sites(changed)) if at == order)
                shown = _shown(place)
                before = _words(shown)
                place.put(_replacements(place)[choice])
                after = _words(shown) if shown is not place.node else _words(_replacements(site)[choice])
                where = ".".join(site.where) or "module"
                seen[where, before, after] += 1
                number = seen[where, before, after]
                lines = _lines(site) or _lines_that_use(top, tree)
                made.append(Mutant(path.stem, where, before, after, number, position, ast.fix_missing_locations(changed), lines, site.in_function))
    return made


def _lines_that_use(top: ast.stmt, tree: ast.Module) -> frozenset[int]:
    """The lines of the functions that name what a statement of the module defines."""
    names = {top.name} if isinstance(top, ast.ClassDef) else {node.id for node in ast.walk(top) if isinstance(node, ast.Name)}
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    using = [one for one in functions if any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(one))]
    return frozenset(line for one in using for line in range(one.body[0].lineno, (one.end_lineno or 0) + 1))


def _sites(top: ast.stmt) -> Iterator[_Site]:
    """All places below a top-level statement, always in the same order."""
    holder = ast.Module([top], [])
    yield from _below(holder, (), top, within=False, untouched=_is_idle(top))


def _below(node: ast.AST, where: tuple[str, ...], statement: ast.stmt, *, within: bool, untouched: bool) -> Iterator[_Site]:
    for field, value in ast.iter_fields(node):
        listed = value if isinstance(value, list) else [value]
        still = untouched or field in _UNTOUCHED or (isinstance(node, ast.ClassDef) and field == "keywords")
        for index, child in enumerate(listed):
            if not isinstance(child, ast.AST):
                continue
            inner = child if isinstance(child, ast.stmt) else statement
            quiet = still or _is_idle(child) or (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant))
            yield _Site(child, node, field, index if isinstance(value, list) else None, where, inner, within, quiet)
            named = (*where, child.name) if isinstance(child, ast.FunctionDef | ast.ClassDef) else where
            inside = within or isinstance(child, ast.FunctionDef)
            yield from _below(child, named, inner, within=inside, untouched=quiet)


def _is_idle(node: ast.AST) -> bool:
    """Docstrings, imports, narrowings of a type, lists of names and of words."""
    if isinstance(node, ast.ClassDef):
        return any(isinstance(base, ast.Name) and base.id in ("StrEnum", "Protocol", "Enum") for base in node.bases)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
        return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Assert) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _replacements(site: _Site) -> list[ast.AST]:
    if site.untouched:
        return []
    if isinstance(site.node, ast.stmt):
        return _other_statements(site.node)
    if isinstance(site.node, ast.expr):
        return [*_other_expressions(site), *_negations(site)]
    return []


def _other_statements(node: ast.stmt) -> list[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        return [ast.Return(ast.Constant(None))]
    if isinstance(node, ast.Expr | ast.Raise | ast.AugAssign):
        return [ast.Pass()]
    if isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple):
        return [ast.Pass()]
    if isinstance(node, ast.Continue):
        return [ast.Break()]
    if isinstance(node, ast.Break):
        return [ast.Continue()]
    return []


def _other_expressions(site: _Site) -> list[ast.AST]:
    node = site.node
    if isinstance(node, ast.Compare):
        return [
            ast.Compare(node.left, [*node.ops[:at], _COMPARED[type(one)](), *node.ops[at + 1 :]], node.comparators) for at, one in enumerate(node.ops)
        ]
    if isinstance(node, ast.BinOp) and type(node.op) in _REACHED:
        return [ast.BinOp(node.left, _REACHED[type(node.op)](), node.right)]
    if isinstance(node, ast.BoolOp):
        return [ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return [node.operand]
    if isinstance(node, ast.Constant):
        return _other_constants(site, node.value)
    if isinstance(node, ast.Name) and node.id in _OPPOSITES and isinstance(site.parent, ast.Call) and site.field == "func":
        return [ast.Name(_OPPOSITES[node.id], ast.Load())]
    return []


def _other_constants(site: _Site, value: object) -> list[ast.AST]:
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, int):
        return [ast.Constant(value + 1), ast.Constant(value - 1)]
    # words that are compared or looked up decide; words that are shown do not
    if isinstance(value, str) and _decides(site):
        return [ast.Constant(f"{value}-other")]
    return []


def _decides(site: _Site) -> bool:
    parent = site.parent
    if isinstance(parent, ast.Compare) or (isinstance(parent, ast.Dict) and site.field == "keys"):
        return True
    if isinstance(parent, ast.Subscript) and site.field == "slice":
        return True
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr == "get" and site.index == 0


def _negations(site: _Site) -> list[ast.AST]:
    """A condition turned round, where no other change does so."""
    asked = (site.field == "test" and isinstance(site.parent, ast.If | ast.IfExp | ast.While)) or site.field == "ifs"
    joined = isinstance(site.parent, ast.BoolOp) and site.field == "values"
    if not (asked or joined) or not isinstance(site.node, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr | ast.Subscript):
        return []
    return [ast.UnaryOp(ast.Not(), site.node)] if asked else []


def _shown(site: _Site) -> ast.AST:
    """What is shown of the place: a lone word or number with what stands around it."""
    alone = isinstance(site.parent, ast.Module | ast.Dict | ast.While | ast.If | ast.For)
    return site.parent if isinstance(site.node, ast.Constant | ast.Name) and not alone else site.node


def _words(node: ast.AST) -> str:
    said = " ".join(ast.unparse(node).split())
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _lines(site: _Site) -> frozenset[int]:
    """The lines of a statement without those of the statements within it; of a default the whole function's; of what runs at import none."""
    statement = site.statement
    inner = getattr(statement, "body", None)
    if isinstance(statement, ast.FunctionDef):
        return frozenset(range(statement.body[0].lineno, (statement.end_lineno or 0) + 1))
    if not site.in_function:
        return frozenset()
    last = statement.end_lineno or statement.lineno
    if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
        last = max(statement.lineno, inner[0].lineno - 1)
    return frozenset(range(statement.lineno, last + 1))
