"""The shapes of what goes in and out, as they stand in the description of the API."""

from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from incident_tracker.models.duties import DutyState
from incident_tracker.rules.laws import STATUSES

#: the largest id that a database of ours gives out
LARGEST_ID = 2_147_483_647
MOST_ITEMS = 200

CONFIDENCES = ("text_read", "secondary", "memory")
STATES = ("open", "overdue", *(state.value for state in DutyState))


class Shape(ma.Schema):
    """Nothing stands in it that is not named here."""

    class Meta:
        unknown = ma.RAISE


def words(what: str, *, none: bool = False, **more: Any) -> fields.String:
    """A text; `what` says which."""
    return fields.String(allow_none=none, metadata={"description": what}, **more)


def many(what: str) -> fields.List[str]:
    """A list of texts."""
    return fields.List(fields.String(), metadata={"description": what})


def day(what: str) -> fields.Date:
    """A day, or none."""
    return fields.Date(allow_none=True, metadata={"description": what})


def instant(what: str, *, none: bool = False) -> fields.AwareDateTime:
    """An instant with its offset."""
    return fields.AwareDateTime(format="iso", allow_none=none, metadata={"description": what})


class AskedInstant(fields.AwareDateTime):
    """An instant in a query, between the years 1970 and 2200."""

    default_error_messages = {
        "invalid": "Write an instant with its offset, such as 2026-11-30T17:30:00Z; in an address + is written %2B.",
        "invalid_awareness": "Add the offset from UTC, such as Z or %2B01:00.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        found = super()._deserialize(value, attr, data, **kwargs)
        if not 1970 <= found.year < 2200:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return found


class ProblemError(Shape):
    """What is wrong with one field."""

    field = words("Its name, with points between the levels; empty for the whole.")
    place = fields.String(data_key="in", validate=validate.OneOf(["body", "query"]))
    detail = words("What is wrong with it.")


class Problem(Shape):
    """Problem details, RFC 9457."""

    type = fields.URL(required=True, metadata={"description": "The address of the words about this kind of problem."})
    title = words("The kind of problem in a few words.", required=True)
    status = fields.Integer(required=True)
    detail = words("What is wrong this time.", required=True)
    errors = fields.List(fields.Nested(ProblemError), metadata={"description": "What is wrong with which field, where that can be told."})


class Paged(Shape):
    """How much of a list is wanted."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MOST_ITEMS), metadata={"description": "So many at most."})


class AskedObligations(Paged):
    """Which obligations are wanted."""

    q = fields.String(load_default="", validate=validate.Length(max=200), metadata={"description": "Words that stand in id, title, citation or law."})
    jurisdiction = fields.String(
        load_default="", validate=validate.Length(max=40), metadata={"description": "EU, DE, US-NY …; US takes its states along."}
    )
    recipient = fields.String(load_default="", validate=validate.Length(max=60), metadata={"description": "Who is told: authority, people …"})
    confidence = fields.String(load_default="", validate=validate.OneOf(["", *CONFIDENCES]), metadata={"description": "How the text is known to us."})
    status = fields.String(load_default="", validate=validate.OneOf(["", *STATUSES]), metadata={"description": "How the law stands."})
    after = fields.String(load_default="", validate=validate.Length(max=120), metadata={"description": "Go on behind this obligation."})


class AskedRegimes(Paged):
    """How many regimes are wanted."""

    after = fields.String(load_default="", validate=validate.Length(max=120), metadata={"description": "Go on behind this regime."})


class AskedFactNames(Paged):
    """How many facts are wanted."""

    after = fields.String(load_default="", validate=validate.Length(max=120), metadata={"description": "Go on behind this fact."})


class AskedDuties(Paged):
    """Which duties are wanted."""

    due_before = AskedInstant(
        format="iso", load_default=None, metadata={"description": "Only with a deadline before this instant, such as 2026-11-30T17:30:00Z."}
    )
    state = fields.String(
        load_default="open", validate=validate.OneOf(STATES), metadata={"description": "open is all that somebody still has to do something about."}
    )
    after = fields.Integer(load_default=None, validate=validate.Range(1, LARGEST_ID), metadata={"description": "Go on behind this duty."})


class Event(fields.Raw):
    """A moment: a text, or an object with the zone beside it."""


def events() -> fields.Dict:
    """Moments by name."""
    parts = {"at": {"type": "string"}, "on": {"type": "string"}, "zone": {"type": ["string", "null"]}, "precision": {"enum": ["instant", "day"]}}
    kinds = [{"type": "string"}, {"type": "object", "properties": parts}]
    said = "Moments, each with its offset from UTC, by name: aware, another trigger, or an obligation that was met. The obligation's own is called trigger."
    return fields.Dict(keys=fields.String(), values=Event(metadata={"anyOf": kinds}), required=True, metadata={"description": said})


class Options(Shape):
    """Ways of counting."""

    on_hour = fields.String(validate=validate.OneOf(["strict", "lenient"]), metadata={"description": "Whether an hour counts that begins with the event."})
    art_3_5 = fields.String(validate=validate.OneOf(["off", "A", "B", "C"]), metadata={"description": "The reading of Regulation 1182/71, article 3(5)."})


class AskedClock(Shape):
    """One clock to be counted."""

    obligation = words("The id of an obligation.", required=True)
    events = events()
    zone = words("The time zone of the authority, such as Europe/Dublin.", none=True, load_default=None)
    country = words("The country or state of the authority, such as DE or US-NY.", none=True, load_default=None)
    options = fields.Nested(Options, allow_none=True, load_default=None)


class AskedFacts(ma.Schema):
    """A facts document: values by the name of the fact. What is not known is left out, or null."""

    class Meta:
        unknown = ma.INCLUDE
