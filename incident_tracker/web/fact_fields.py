"""Form fields for facts, made from the catalogue: each kind of fact has one kind of field, and "not known yet" is always an answer."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    Form,
    FormField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    validators,
)
from wtforms.widgets import CheckboxInput, ListWidget

from incident_tracker.actions.facts import Entry
from incident_tracker.rules.catalogues import FactSpec
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.moments import MomentError, read_local

CERTAINTIES = [("exact", "exactly"), ("about", "about"), ("at_least", "at least"), ("not_known", "not known yet")]
FLAG_ANSWERS = [("yes", "Yes"), ("no", "No"), ("", "Not known yet")]


class CountFields(Form):
    """A number of people with how sure it is."""

    certainty = SelectField("How sure", choices=CERTAINTIES, default="not_known")
    value = IntegerField("Number", [validators.Optional(), validators.NumberRange(0, 10_000_000_000, "A number from 0 up.")])

    def read(self) -> Any:
        """The JSON value, None for "not known yet"."""
        if self.certainty.data == "not_known" or self.value.data is None:
            return None
        return {"value": self.value.data, "certainty": self.certainty.data}

    def validate(self, extra_validators: Any = None) -> bool:
        fine = bool(super().validate(extra_validators))
        if self.value.data is None and not self.value.errors and self.certainty.data != "not_known":
            if self.value.raw_data and self.value.raw_data[0]:
                return fine
            self.certainty.data = "not_known"
        elif self.value.data is not None and self.certainty.data == "not_known":
            self.certainty.data = "about"
        return fine


class MomentFields(Form):
    """A date, a time and a zone as the clock on the wall showed them."""

    date = StringField("Date", [validators.Length(max=10)])
    time = StringField("Time", [validators.Length(max=8)])
    zone = StringField("Time zone", [validators.Length(max=64)])
    offset = RadioField("Which one is meant?", choices=[], validate_choice=False)
    moment: Moment | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        fine = bool(super().validate(extra_validators))
        self.moment = None
        if not (self.date.data or "").strip():
            if (self.time.data or "").strip():
                self.date.errors = ["Give the date as well."]
                return False
            return fine
        # only what was sent counts: an offset proposed with the form belongs to the time proposed with it
        offset = self.offset.raw_data[0] if self.offset.raw_data else None
        try:
            self.moment = read_local(self.date.data.strip(), (self.time.data or "").strip() or None, (self.zone.data or "").strip(), offset)
        except MomentError as error:
            self.offset.choices = [(choice.offset, choice.text) for choice in error.choices]
            field = self.date if error.field == "offset" and not error.choices else getattr(self, error.field, self.date)
            field.errors = [*field.errors, str(error)]
            return False
        return fine

    def read(self) -> Any:
        """The JSON value, None for "not known yet"."""
        return self.moment.to_json() if self.moment else None


class CheckboxList(SelectMultipleField):
    """Several of a list, as boxes that need no script."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SetFields(Form):
    """Which of a list hold, and whether there may be more that are not known yet."""

    known = CheckboxList("Known so far", choices=[])
    complete = BooleanField("The list is complete")

    def read(self) -> Any:
        if not self.known.data and not self.complete.data:
            return None
        return {"known": list(self.known.data or []), "complete": bool(self.complete.data)}


def field_for(spec: FactSpec) -> Field:
    """The unbound form field of one fact."""
    label, help_text = spec.question.replace(" {place}", ""), spec.help
    if spec.kind == "flag":
        return RadioField(label, choices=FLAG_ANSWERS, default="", description=help_text)
    if spec.kind == "choice":
        return RadioField(label, choices=[*spec.choices, ("", "Not known yet")], default="", description=help_text)
    if spec.kind == "number":
        return IntegerField(label, [validators.Optional(), validators.NumberRange(0)], description=help_text)
    if spec.kind == "count":
        return FormField(CountFields, label, description=help_text)
    if spec.kind == "moment":
        return FormField(MomentFields, label, description=help_text)
    if spec.kind == "set" and spec.choices:
        return FormField(_set_of(spec), label, description=help_text)
    if spec.kind == "set":
        return StringField(label, [validators.Length(max=400)], description=(help_text + " Codes with commas: DE, FR, US-NY.").strip())
    if spec.group == "notices":
        return TextAreaField(label, [validators.Length(max=10_000)], description=help_text, render_kw={"rows": 3})
    return StringField(label, [validators.Length(max=200)], description=help_text)


def _set_of(spec: FactSpec) -> type[Form]:
    return type("SetOf", (SetFields,), {"known": CheckboxList("Known so far", choices=list(spec.choices))})


def form_for(specs: Iterable[FactSpec], **more: Field) -> type[FlaskForm]:
    """A form with one field for each fact, named as the fact with `-` for the dots."""
    return type("FactsForm", (FlaskForm,), {**{field_name(spec.name): field_for(spec) for spec in specs}, **more})


def field_name(fact: str) -> str:
    return fact.replace(".", "__").replace("-", "_")


def start_value(spec: FactSpec, value: Any, zone: str) -> Any:
    """What the field shows for the value that stands in the ledger (None for "not known yet")."""
    if spec.kind == "flag":
        return {True: "yes", False: "no"}.get(value, "")
    if spec.kind == "count":
        return {"value": value, "certainty": "exact"} if isinstance(value, int) else value or {}
    if spec.kind == "moment":
        return moment_value(value, zone)
    if spec.kind == "set":
        known: Any = value if isinstance(value, Mapping) else {"known": value or [], "complete": value is not None}
        return known if spec.choices else ", ".join(known["known"])
    return value if value is not None else ("" if spec.kind in ("choice", "text") else None)


def moment_value(value: Any, zone: str) -> dict[str, str]:
    """Date, time and zone of a ledger's moment, for the three fields."""
    if not value:
        return {"date": "", "time": "", "zone": zone}
    if value.get("on"):
        return {"date": value["on"], "time": "", "zone": value.get("zone", zone)}
    local = datetime.fromisoformat(value["at"]).astimezone(ZoneInfo(value.get("zone", zone)))
    seconds = f":{local:%S}" if local.second else ""
    return {
        "date": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M}{seconds}",
        "zone": value.get("zone", zone),
        "offset": f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:5],
    }


def read_entry(spec: FactSpec, field: Any, source: str) -> Entry:
    """The ledger line that a validated field says."""
    value: Any
    if spec.kind == "flag":
        value = {"yes": True, "no": False}.get(field.data)
    elif isinstance(field, FormField):
        value = field.form.read()
    elif spec.kind == "set":
        codes = [code.strip() for code in (field.data or "").split(",") if code.strip()]
        value = {"known": codes, "complete": True} if codes else None
    elif spec.kind == "number":
        value = field.data
    else:
        value = (field.data or "").strip() or None
    return Entry(spec.name, value, _certainty(value), source)


def _certainty(value: Any) -> str:
    if value is None:
        return "not_known"
    return str(value.get("certainty", "exact")) if isinstance(value, Mapping) else "exact"
