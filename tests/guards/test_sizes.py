"""Small rooms: no file over 400 lines, no function over 50, no template of 120, and every room named after what lives in it."""

from collections.abc import Iterable
from pathlib import Path

from tests.guards.sources import ROOT, Module, modules, planted, templates

FILE_LINES = 400
FUNCTION_LINES = 50
TEMPLATE_LINES = 120
SCRIPT_LINES = 60
#: a homeless function shows a missing noun
NO_NOUNS = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "handler", "handlers", "service", "services"}


#: the steps of the database's tables: lists made by Alembic and never read as prose
LISTS = "incident_tracker.migrations.versions."


def _prose() -> list[Module]:
    return [module for module in modules() if not module.name.startswith(LISTS)]


def long_files(looked_at: Iterable[Module]) -> list[str]:
    return [f"{module.name}: {count} lines" for module in looked_at if (count := len(module.text.splitlines())) > FILE_LINES]


def long_functions(looked_at: Iterable[Module]) -> list[str]:
    """Functions over the limit, counted from `def` to the last line."""
    return [
        f"{module.name}.{function.name}(): {count} lines"
        for module in looked_at for function in module.functions if (count := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    ]


def long_texts(paths: Iterable[Path], limit: int) -> list[str]:
    return [f"{path.name}: {count} lines" for path in paths if (count := len(path.read_text(encoding="utf-8").splitlines())) >= limit]


def without_noun(looked_at: Iterable[Module]) -> list[str]:
    return [module.name for module in looked_at if NO_NOUNS & {word for part in module.name.split(".") for word in part.split("_")}]


def undescribed(looked_at: Iterable[Module]) -> list[str]:
    """Files with code in them that do not say in a line what lives there."""
    docs = ((module, module.tree.body[0] if module.tree.body else None) for module in looked_at)
    return [module.name for module, first in docs if first is not None and not (isinstance(getattr(getattr(first, "value", None), "value", None), str))]


def test_it_has_no_file_over_400_lines() -> None:
    assert long_files(_prose()) == []


def test_it_has_no_function_over_50_lines() -> None:
    assert long_functions(_prose()) == []


def test_it_has_no_template_of_120_lines() -> None:
    assert long_texts(templates(), TEMPLATE_LINES) == []


def test_it_has_no_script_of_60_lines() -> None:
    assert long_texts((ROOT / "incident_tracker" / "static").rglob("*.js"), SCRIPT_LINES) == []


def test_it_names_every_module_after_a_thing() -> None:
    assert without_noun(modules()) == []


def test_it_says_in_every_module_what_lives_there() -> None:
    assert undescribed(modules()) == []


def test_it_would_notice_what_grew_too_long(tmp_path: Path) -> None:
    long = planted("def long():\n" + "    pass\n" * 50)
    assert long_functions([long]) == ["incident_tracker.actions.planted.long(): 51 lines"]
    assert long_functions([planted("def fits():\n" + "    pass\n" * 49)]) == []
    assert long_files([planted("x = 1\n" * 401)]) and not long_files([planted("x = 1\n" * 400)])
    page = tmp_path / "page.html"
    page.write_text("<p>\n" * 120, encoding="utf-8")
    assert long_texts([page], TEMPLATE_LINES) == ["page.html: 120 lines"]


def test_it_would_notice_a_room_without_a_noun() -> None:
    assert without_noun([planted("", "incident_tracker.web.form_helpers"), planted("", "incident_tracker.common")]) != []
    assert without_noun([planted("", "incident_tracker.web.commonplaces")]) == []
    assert undescribed([planted("import json")]) and not undescribed([planted('"""What is known."""')])
