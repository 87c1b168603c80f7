"""Only `clock.py` reads the time, so that every decision of one unit of work is made at one moment, and tests can set it."""

import ast
from collections.abc import Iterable, Iterator

from tests.guards.sources import Module, dotted, modules, planted

THE_ONE = "incident_tracker.clock"

#: whole names, after what was imported under another name is called by its own again
READERS = {
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.localtime", "time.gmtime", "time.ctime", "time.asctime", "time.strftime", "time.clock_gettime",
    "email.utils.localtime", "email.utils.formatdate", "sqlalchemy.func.now", "sqlalchemy.func.current_timestamp", "uuid.uuid1",
}
#: enough alone, whoever has them
ALONE = {"utcnow", "monotonic", "perf_counter", "time_ns", "current_timestamp", "localtimestamp"}


def readings(looked_at: Iterable[Module]) -> list[str]:
    """Places that read the time, or ask the database for it."""
    return [f"{module.name}:{line} {said}" for module in looked_at if module.name != THE_ONE for line, said in _readings(module)]


def _readings(module: Module) -> Iterator[tuple[int, str]]:
    called = _own_names(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names if f"{node.module}.{alias.name}" in READERS)
        elif isinstance(node, ast.Attribute):
            name = dotted(node)
            first, _, rest = name.partition(".")
            whole = f"{called.get(first, first)}.{rest}"
            if whole in READERS or node.attr in ALONE or (isinstance(node.value, ast.Call) and node.attr in ("now", "today")):
                yield node.lineno, name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "CURRENT_TIMESTAMP" in node.value.upper():
            yield node.lineno, "CURRENT_TIMESTAMP"


def _own_names(module: Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_it_reads_the_time_in_one_place_only() -> None:
    assert readings(modules()) == []


def test_it_would_notice_a_second_clock() -> None:
    for text in (
        "from datetime import datetime\nat = datetime.now(UTC)", "import datetime\nat = datetime.datetime.utcnow()", "from datetime import date\non = date.today()",
        "import datetime as dt\non = dt.date.today()", "import time\nbegan = time.time()", "from time import monotonic", "from time import perf_counter as tick",
        "from sqlalchemy import func\ncolumn(server_default=func.now())", "text('DEFAULT current_timestamp')", "from email.utils import formatdate",
        "from datetime import datetime as moment\nmoment.now()",
    ):
        assert readings([planted(text)]), text


def test_it_lets_a_unit_of_work_tell_its_moment() -> None:
    assert readings([planted("def fire(work):\n    return work.now, clock.now(), request.time")]) == []
