"""The law library: what every law asks for, with its source; and a calculator for one clock, which keeps nothing."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import FormField, SelectField, StringField, validators

from incident_tracker import clock, library
from incident_tracker.errors import NotFound
from incident_tracker.rules import periods
from incident_tracker.rules.periods import DueError
from incident_tracker.rules.regimes import Obligation
from incident_tracker.rules.searches import find_obligations
from incident_tracker.web import choosing
from incident_tracker.web.fact_fields import MomentFields, moment_value

pages = Blueprint("law", __name__)

CONFIDENCE_WORDS = {"text_read": "the text was read", "secondary": "from commentary", "memory": "from memory: check it"}
PER_PAGE = 60


class ClockForm(FlaskForm):
    """What starts the clock, and where the notice goes."""

    start = FormField(MomentFields, "When it started")
    place = StringField(
        "Country or state of the authority", [validators.Length(max=60)], description="Only where days or weekends are counted there."
    )
    on_hour = SelectField(
        "Exactly on the hour",
        choices=[("strict", "the next hour is the first"), ("lenient", "that hour counts")],
        filters=[lambda value: value or "strict"],
    )


@pages.get("/law")
def index() -> ResponseReturnValue:
    """Every obligation, searched and filtered."""
    wanted = {name: request.args.get(name, "").strip()[:100] for name in ("q", "jurisdiction", "recipient", "confidence")}
    filters = {name: wanted[name] for name in ("jurisdiction", "recipient", "confidence")}
    found = find_obligations(library.shelf().law, wanted["q"], **filters)
    page = max(1, request.args.get("page", 1, type=int))
    return render_template(
        "law/index.html",
        found=found[(page - 1) * PER_PAGE : page * PER_PAGE],
        total=len(found),
        page=page,
        last=-(-len(found) // PER_PAGE),
        wanted=wanted,
        choices=_choices(),
        confidence_words=CONFIDENCE_WORDS,
    )


@pages.get("/law/<obligation_id>")
def show(obligation_id: str) -> ResponseReturnValue:
    """One obligation, and its clock for any moment; nothing of it is stored."""
    one = library.shelf().law.obligations.get(obligation_id)
    if one is None:
        raise NotFound("obligation")
    asked = "start-date" in request.args
    form = ClockForm(
        request.args if asked else None,
        meta={"csrf": False},
        start=moment_value({"at": clock.now().replace(second=0, microsecond=0).isoformat(), "zone": current_user.zone}, current_user.zone),
    )
    counted = _count(one, form) if asked and form.validate() else None
    return render_template(
        "law/show.html",
        one=one,
        form=form,
        counted=counted,
        zones=choosing.zones(),
        places=choosing.places(),
        confidence_words=CONFIDENCE_WORDS,
        contents=one.content,
    ), 422 if form.errors else 200


def _count(one: Obligation, form: ClockForm) -> Any:
    """The clock, or None with the reason beside the field."""
    typed = (form.place.data or "").strip()
    place = choosing.place_code(typed) if typed else None
    if typed and place is None:
        form.place.errors = [f"“{typed}” is no country or US state that we know. Choose one from the list."]
    elif form.start.form.moment is None:
        form.start.form.date.errors = ["Give the day; the time too if you know it."]
    else:
        try:
            return periods.due(
                one, {"trigger": form.start.form.moment}, country=place, options={"on_hour": form.on_hour.data}, law=library.shelf().law
            )
        except DueError as error:
            form.form_errors.append(str(error))
    return None


def _choices() -> dict[str, list[str]]:
    known = library.shelf().law.obligations.values()
    return {
        "jurisdiction": sorted({one.regime.jurisdiction for one in known}),
        "recipient": sorted({one.recipient.type for one in known}),
        "confidence": list(CONFIDENCE_WORDS),
    }
