"""Rows of people affected by country or US state: read from a form, said back where they cannot be read."""

from typing import Any

from wtforms import FieldList

from incident_tracker.actions.facts import Entry
from incident_tracker.web import choosing


def read_places(rows: FieldList) -> bool:
    """Whether every filled row names a place we know, once; a row that does not says so beside itself."""
    fine, seen = True, set()
    for row in rows:
        typed = (row.form.place.data or "").strip()
        code = choosing.place_code(typed)
        if not typed:
            if row.form.count.form.value.data is not None:
                row.form.place.errors, fine = ["Say which country or state this number is for."], False
        elif code is None:
            row.form.place.errors, fine = [f"“{typed}” is no country or US state that we know. Choose one from the list."], False
        elif code in seen:
            row.form.place.errors, fine = [f"{typed} stands here twice."], False
        seen.add(code)
    return fine


def place_entries(rows: FieldList, source: str) -> list[Entry]:
    """A ledger line for each filled row. A place without a number is a place where people are affected: at least one."""
    entries = []
    for row in rows:
        code = choosing.place_code((row.form.place.data or "").strip())
        if code is not None:
            value: Any = row.form.count.form.read() or {"value": 1, "certainty": "at_least"}
            entries.append(Entry(f"affected.by_place.{code}", value, value["certainty"], source))
    return entries
