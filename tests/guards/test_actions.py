"""Every action asks for its permission first and leaves an audit entry; parts of actions stay behind the doors."""

import ast
from collections.abc import Iterable, Iterator

from tests.guards.sources import Module, dotted, modules, planted

ACTIONS = "incident_tracker.actions"
DOORS = ("incident_tracker.web", "incident_tracker.api", "incident_tracker.cli", "incident_tracker.law_cli", "incident_tracker.worker", "incident_tracker.delivery", "incident_tracker.demo")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def parts_of(module: Module) -> set[str]:
    """The names in the module's PARTS: functions that other actions are made of, which check no permission of their own."""
    for node in module.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == "PARTS" for target in targets) and node.value is not None:  # type: ignore[union-attr]
            return {str(item.value) for item in ast.walk(node.value) if isinstance(item, ast.Constant)}  # type: ignore[union-attr]
    return set()


def actions_of(module: Module) -> Iterator[Function]:
    """The module's public functions whose first parameter is `work`, its parts apart."""
    parts = parts_of(module)
    for node in module.tree.body:
        if isinstance(node, Function) and not node.name.startswith("_") and node.name not in parts:
            if node.args.args and node.args.args[0].arg == "work":
                yield node


def unguarded(looked_at: Iterable[Module]) -> list[str]:
    """Actions whose first statement is not `work.require(…)`."""
    return [f"{module.name}.{action.name}" for module in _actions(looked_at) for action in actions_of(module) if not _requires_first(action)]


def unrecorded(looked_at: Iterable[Module]) -> list[str]:
    """Actions that leave no audit entry, neither themselves nor through a function of their own module."""
    found = []
    for module in _actions(looked_at):
        own = {function.name: function for function in module.tree.body if isinstance(function, Function)}
        found += [f"{module.name}.{action.name}" for action in actions_of(module) if not _records(action, own, set())]
    return found


def without_work(looked_at: Iterable[Module]) -> list[str]:
    """Public functions that change something without being given the unit of work: nobody would ask for their permission."""
    found = []
    for module in _actions(looked_at):
        for node in module.tree.body:
            if isinstance(node, Function) and not node.name.startswith("_") and not (node.args.args and node.args.args[0].arg == "work"):
                names = {dotted(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
                if any(name.endswith((".add", ".add_all", ".delete", ".flush", ".record")) and ("session" in name or "work" in name) for name in names):
                    found.append(f"{module.name}.{node.name}")
    return found


def unknown_parts(looked_at: Iterable[Module]) -> list[str]:
    """Names in PARTS that no function has, or that ask for a permission and so are actions."""
    found = []
    for module in _actions(looked_at):
        own = {function.name: function for function in module.tree.body if isinstance(function, Function)}
        found += [f"{module.name}: PARTS names {name}" for name in sorted(parts_of(module)) if name not in own or _requires_first(own[name])]
    return found


def parts_called_by_doors(looked_at: Iterable[Module]) -> list[str]:
    """Calls, or mentions, of a part from a door: it would change something with nobody's permission."""
    looked_at = list(looked_at)
    parts = {f"{module.name}.{part}" for module in _actions(looked_at) for part in parts_of(module)}
    found = []
    for module in looked_at:
        if not module.name.startswith(DOORS):
            continue
        called: dict[str, str] = {}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and not node.level:
                called |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                found += [f"{module.name}:{node.lineno} imports {alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in parts]
            elif isinstance(node, ast.Import):
                called |= {alias.asname or alias.name: alias.name for alias in node.names}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute):
                name = dotted(node)
                first, _, rest = name.partition(".")
                if f"{called.get(first, first)}.{rest}" in parts or name in parts:
                    found.append(f"{module.name}:{node.lineno} {name}")
    return found


def _actions(looked_at: Iterable[Module]) -> list[Module]:
    return [module for module in looked_at if module.name.startswith(f"{ACTIONS}.")]


def _requires_first(function: Function) -> bool:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    first = body[0] if body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Call) and dotted(first.value.func) == "work.require"


def _records(function: Function, own: dict[str, Function], seen: set[str]) -> bool:
    if function.name in seen:
        return False
    seen.add(function.name)
    calls = [dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
    return "work.record" in calls or any(name in own and _records(own[name], own, seen) for name in calls)


def test_it_asks_for_the_permission_first_in_every_action() -> None:
    assert unguarded(modules()) == []


def test_it_leaves_an_audit_entry_in_every_action() -> None:
    assert unrecorded(modules()) == []


def test_it_changes_nothing_outside_of_a_unit_of_work() -> None:
    assert without_work(modules()) == []


def test_it_keeps_the_parts_of_actions_behind_the_doors() -> None:
    assert unknown_parts(modules()) == []
    assert parts_called_by_doors(modules()) == []


def test_it_has_actions_to_look_at() -> None:
    assert sum(1 for module in _actions(modules()) for _ in actions_of(module)) > 10


def test_it_would_notice_an_action_without_permission_or_entry() -> None:
    late = planted('def close(work, incident):\n    """Close it."""\n    incident.stage = "closed"\n    work.require(Permission.EDIT, incident)\n    work.record("x", "y")')
    silent = planted("def close(work, incident):\n    work.require(Permission.EDIT, incident)\n    _end(work)\ndef _end(work):\n    work.session.flush()")
    loose = planted("def close(session, incident):\n    session.add(incident)")
    assert unguarded([late]) and not unrecorded([late])
    assert unrecorded([silent]) and not unguarded([silent])
    assert without_work([loose])


def test_it_lets_an_action_record_through_a_function_beside_it() -> None:
    good = planted('PARTS = ("move",)\ndef close(work, incident):\n    """Close it."""\n    work.require(Permission.EDIT, incident)\n    _end(work)\ndef _end(work):\n    work.record("a", "b")\ndef move(work):\n    pass')
    assert unguarded([good]) == unrecorded([good]) == without_work([good]) == unknown_parts([good]) == []


def test_it_would_notice_a_door_that_calls_a_part() -> None:
    parts = planted('PARTS = ("recompute", "gone")\ndef recompute(work):\n    pass', "incident_tracker.actions.clocks")
    for text in (
        "from incident_tracker.actions import clocks\nclocks.recompute(work)", "from incident_tracker.actions import clocks as acts\nrun(acts.recompute)",
        "from incident_tracker.actions.clocks import recompute", "import incident_tracker.actions.clocks\nincident_tracker.actions.clocks.recompute(work)",
    ):
        assert parts_called_by_doors([parts, planted(text, "incident_tracker.web.planted")]), text
    assert parts_called_by_doors([parts, planted("from incident_tracker.actions import clocks\nclocks.recompute(work)", "incident_tracker.actions.facts")]) == []
    assert unknown_parts([parts]) == ["incident_tracker.actions.clocks: PARTS names gone"]
