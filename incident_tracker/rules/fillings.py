"""What the facts of an incident say for each placeholder, in words. What is not known says nothing."""

import re
from collections.abc import Mapping
from typing import Any

from incident_tracker.rules.catalogues import Catalogue
from incident_tracker.rules.contents import GAP, Contents, Placeholder
from incident_tracker.rules.deadlines import day_words, moment_words
from incident_tracker.rules.facts import Certainty, Count, Facts, Known, Moment, read_facts
from incident_tracker.rules.places import Places

__all__ = ["fillings"]

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_HEADING = re.compile(r"(?m)^[ \t]*#+[ \t]*")


def fillings(
    contents: Contents, document: Mapping[str, Any], about: Mapping[str, str], catalogue: Catalogue, places: Places
) -> dict[str, str | None]:
    """The words for every placeholder of the catalogue, None where the facts do not say.

    `document` is the incident's facts document; `about` holds what the tracker knows itself: incident.reference,
    incident.summary, duty.recipient, duty.citation, duty.place. Raises FactError for a document that cannot be read.
    """
    words = _Words(read_facts(document, catalogue=catalogue, places=places), about, catalogue, places)
    return {name: words.say(one) for name, one in contents.placeholders.items()}


class _Words:
    """Says facts in words."""

    def __init__(self, facts: Facts, about: Mapping[str, str], catalogue: Catalogue, places: Places) -> None:
        self._facts = facts
        self._about = about
        self._catalogue = catalogue
        self._places = places

    def say(self, placeholder: Placeholder) -> str | None:
        for source in placeholder.sources:
            said = self._source(source, placeholder.as_day)
            if said:
                return plain(said)
        return None

    def _source(self, source: str, as_day: bool) -> str | None:
        if source.startswith(("incident.", "duty.")) and source in self._about:
            return self._about[source].strip()
        if source.startswith("moments."):
            return self._moment(source.removeprefix("moments."), as_day)
        if source == "affected.total":
            return self._total()
        if source == "affected.here":
            return self._here()
        if source in ("affected.by_place", "affected.places"):
            return self._by_place(with_counts=source == "affected.by_place")
        return self._value(source)

    def _moment(self, name: str, as_day: bool) -> str | None:
        moment = self._facts.moments.get(name)
        if moment is None and name == "individuals_notified":
            told = [done for key, done in self._facts.completed.items() if key.partition("@")[2].startswith("people")]
            moment = min(told, key=lambda one: one.at, default=None)
        if moment is None:
            return None
        return _day(moment) if as_day else _instant(moment)

    def _total(self) -> str | None:
        total = self._facts.values.get("affected.total")
        if isinstance(total, Count) and total.value is not None:
            return str(total)
        return self._sum()

    def _sum(self) -> str | None:
        """The sum over the places where they are all listed and no number is open both ways; a country counts its states."""
        listed = self._facts.by_place
        own = [count for code, count in listed.items() if "-" not in code or code.split("-")[0] not in listed]
        kinds = {count.certainty for count in own if count.value != 0} - {Certainty.EXACT}
        if not own or not self._facts.places_complete or Certainty.NOT_KNOWN in kinds or len(kinds) > 1:
            return None
        return str(Count(sum(count.value or 0 for count in own), kinds.pop() if kinds else Certainty.EXACT))

    def _here(self) -> str | None:
        count = self._facts.by_place.get(self._about.get("duty.place", ""))
        return str(count) if count is not None and count.value is not None else None

    def _by_place(self, *, with_counts: bool) -> str | None:
        affected = {code: count for code, count in self._facts.by_place.items() if count.value != 0}
        if not affected:
            return None
        names = {code: self._places.name(code) for code in affected}
        said = (
            [f"{names[code]}: {count if count.value is not None else 'not known yet'}" for code, count in affected.items()]
            if with_counts
            else list(names.values())
        )
        more = "" if self._facts.places_complete else "; perhaps others, the list is not complete"
        return ("; " if with_counts else ", ").join(said) + more

    def _value(self, name: str) -> str | None:
        value = self._facts.values.get(name)
        spec = self._catalogue.find(name)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Count):
            return str(value) if value.value is not None else None
        if isinstance(value, Known):
            return self._known(name, value)
        if value is None:
            return None
        return spec.label_of(str(value)) if spec else str(value)

    def _known(self, name: str, value: Known) -> str | None:
        spec = self._catalogue.find(name)
        order = spec.choice_values if spec else ()
        listed = sorted(value.values, key=lambda one: (order.index(one) if one in order else len(order), one))
        said = "; ".join(spec.label_of(one) if spec else one for one in listed)
        return said + ("" if value.complete else "; perhaps more, the list is not complete") if said else None


def plain(said: str) -> str:
    """A fact's text as it goes into a notice: it opens no section and no placeholder of its own."""
    return GAP.sub(lambda found: f"({found[1]})", _HEADING.sub("", said.replace("\r\n", "\n").replace("\r", "\n"))).strip()


def _day(moment: Moment) -> str:
    day = moment.day
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _instant(moment: Moment) -> str:
    if moment.precision == "day":
        return f"{day_words(moment.day)} (the time of day is not recorded)"
    return f"{moment_words(moment.at, moment.zone)[:-1]}, {moment.zone})"
