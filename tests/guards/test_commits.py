"""Only `work.py` commits: a half-done change can not be seen, and every change has its audit entry beside it."""

import ast
from collections.abc import Iterable

from tests.guards.sources import Module, dotted, modules, planted

THE_ONE = "incident_tracker.work"


def commits(looked_at: Iterable[Module]) -> list[str]:
    """Places that end a transaction, or could: `.commit`, `.begin()` (which commits by itself), autocommit, COMMIT in SQL."""
    found = []
    for module in looked_at:
        if module.name == THE_ONE:
            continue
        for node in ast.walk(module.tree):
            said = ""
            if isinstance(node, ast.Attribute) and (node.attr == "commit" or (node.attr == "begin" and _is_database(node.value))):
                said = dotted(node)
            elif isinstance(node, ast.keyword) and node.arg == "autocommit":
                said = "autocommit="
            elif isinstance(node, ast.Attribute) and node.attr == "autocommit":
                said = dotted(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip().rstrip(";").upper() in ("COMMIT", "AUTOCOMMIT", "END TRANSACTION"):
                said = node.value
            if said:
                found.append(f"{module.name}:{node.lineno} {said}")
    return found


def _is_database(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) or dotted(node).rpartition(".")[2] in {"session", "engine", "connection", "db"}


def test_it_commits_in_one_place_only() -> None:
    assert commits(modules()) == []


def test_it_would_notice_a_second_place() -> None:
    for text in (
        "def save(work):\n    work.session.commit()", "after_this_request(db.session.commit)", "with db.engine.begin() as connection:\n    pass",
        "create_engine(url, isolation_level='AUTOCOMMIT')", "connection.exec_driver_sql('COMMIT')", "psycopg.connect(url, autocommit=True)",
    ):
        assert commits([planted(text)]), text
    assert commits([planted("def note():\n    return 'commit to it', work.session.begin_nested(), sessions.begin(person)")]) == []
