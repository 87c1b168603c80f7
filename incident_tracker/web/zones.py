"""Choosing a time zone: the likely one first, all of them below."""

from functools import cache
from importlib.resources import files

from flask import request
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from incident_tracker.web import choosing

COMMON = (
    "UTC", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Amsterdam",
    "Europe/Brussels", "Europe/Vienna", "Europe/Zurich", "Europe/Stockholm", "Europe/Warsaw", "Europe/Athens", "Europe/Helsinki", "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles",
)


class ZoneField(SelectField):
    """A time zone; no script is needed to fill it, though one may propose the browser's own."""

    def __init__(self, label: str, **kwargs: object) -> None:
        super().__init__(label, choices=_choices, **kwargs)


def likely() -> str:
    """The zone of the region that the browser prefers (`de-AT`: Vienna), UTC where it names none."""
    for wanted, _weight in request.accept_languages:
        region = wanted.replace("_", "-").rpartition("-")[2].upper()
        if "-" in wanted and region in _of_regions():
            return _of_regions()[region]
    return "UTC"


@cache
def _choices() -> list[SelectChoice]:
    rest = [name for name in choosing.zones() if name not in COMMON]
    return [SelectChoice(name, name.replace("_", " "), optgroup="Common") for name in COMMON] + [
        SelectChoice(name, name.replace("_", " "), optgroup="All others") for name in rest
    ]


@cache
def _of_regions() -> dict[str, str]:
    """The first zone of each country in the time zone database's own table: its most populous."""
    found: dict[str, str] = {}
    for line in (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _place, zone, *_rest = line.split("\t")
            found.setdefault(country, zone)
    return found
