"""Rows of people affected by country or US state: read from a form, said back where they cannot be read."""

from collections.abc import Sequence
from typing import Any

from wtforms import FieldList, Form, FormField, StringField, validators

from incident_tracker.actions.facts import Entry
from incident_tracker.web import choosing
from incident_tracker.web.fact_fields import CountFields


class PlaceFields(Form):
    """People affected in one country or US state."""

    place = StringField("Country or state", [validators.Length(max=60)])
    count = FormField(CountFields, "Number")

    @property
    def code(self) -> str | None:
        """The code of the place that was typed, None where nothing was, or nothing we know."""
        return choosing.place_code((self.place.data or "").strip())

    def validate(self, extra_validators: Any = None) -> bool:
        fine = bool(super().validate(extra_validators))
        typed = (self.place.data or "").strip()
        if not typed and self.count.form.value.data is not None:
            self.place.errors = ["Say which country or state this number is for."]
            return False
        if typed and self.code is None:
            self.place.errors = [f"“{typed}” is no country or US state that we know. Choose one from the list."]
            return False
        return fine


class PlaceRows(FieldList):
    """Such rows, each place once."""

    def __init__(self, label: str = "", **kwargs: Any) -> None:
        super().__init__(FormField(PlaceFields), label, max_entries=80, **kwargs)

    def validate(self, form: Any, extra_validators: Sequence[Any] = ()) -> bool:
        fine, seen = bool(super().validate(form, extra_validators)), set()
        for row in self.entries:
            code = row.form.code
            if code is not None and code in seen:
                row.form.place.errors = [f"{row.form.place.data} stands here twice."]
                self.errors: list[Any] = [*self.errors, row.form.errors]
                fine = False
            seen.add(code)
        return fine


def place_entries(rows: FieldList, source: str) -> list[Entry]:
    """A ledger line for each filled row. A place without a number is a place where people are affected: at least one."""
    entries = []
    for row in rows:
        if row.form.code is not None:
            value: Any = row.form.count.form.read() or {"value": 1, "certainty": "at_least"}
            entries.append(Entry(f"affected.by_place.{row.form.code}", value, value["certainty"], source))
    return entries
