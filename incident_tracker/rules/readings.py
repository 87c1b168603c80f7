"""The facts as the law reads them: values, derived values, and what is missing for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from incident_tracker.rules.catalogues import Catalogue
from incident_tracker.rules.facts import NO_LIMIT, Certainty, Count, Facts, Known
from incident_tracker.rules.places import Places

BY_PLACE = "affected.by_place"
TOTAL = "affected.total"
PEOPLE_PLACES = "organisation.people_places"
_NONE_KNOWN = Known(frozenset(), complete=False)
_NAME = "name"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a state's law defines personal information: elements that count with a name, and those that count alone."""

    place: str
    with_name: frozenset[str]
    alone: frozenset[str]
    electronic_only: bool
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Range:
    """What a number can be: from `low` to `high`; printed as the count it came from."""

    low: float
    high: float
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(slots=True)
class Reading:
    """One incident's facts under one law. `day` decides who belonged to a group; `cache` holds verdicts already given."""

    facts: Facts
    catalogue: Catalogue
    places: Places
    profiles: Mapping[str, Profile]
    day: date | None = None
    cache: dict[Any, Any] = field(default_factory=dict)

    def value(self, name: str, regime: str = "") -> Any:
        """A fact's value, worked out where it is derived; None while not known.

        `regime` is given for facts that each law may answer for itself (data.unsecured.us-ny before data.unsecured).
        """
        values = self.facts.values
        if regime and (own := values.get(f"{name}.{regime}")) is not None:
            return own
        if name == TOTAL:
            return self._total()
        found = values.get(name)
        if found is not None:
            return found
        stem, _, member = name.rpartition(".")
        if stem == BY_PLACE:
            return self.people_in(member)
        spec = self.catalogue[name]
        if spec.derive:
            return self._derived(spec.derive, member)
        if spec.assumed is not None:
            return spec.assumed == "true"
        return _NONE_KNOWN if spec.kind == "set" else None

    def missing_for(self, name: str) -> tuple[str, ...]:
        """The facts to ask for when a verdict on this one is unknown."""
        stem, _, member = name.rpartition(".")
        if stem == BY_PLACE:
            return (name,) if member in self.facts.by_place else (BY_PLACE,)
        rule = self.catalogue[name].derive
        if not rule:
            return (name,)
        if rule[0] == "hours_between":
            return tuple(one for one in rule[1:] if one.removeprefix("moments.") not in self.facts.moments)
        if rule[0] == "concerned_in":
            return self._missing_to_be_concerned(member, rule[1])
        return (rule[1],)

    def label(self, name: str) -> str:
        """The words for a fact; for a member of a family, with its place's name."""
        family = self.catalogue.family(name)
        if family and self.catalogue[family[0]].per == "place":
            return f"{self.catalogue[family[0]].label} in {self.places.name(family[1])}"
        return self.catalogue[name].label

    def people_in(self, place: str) -> Range | Count:
        """How many affected people live in a place, as far as it follows from what is known."""
        by_place = self.facts.by_place
        if place in by_place:
            return by_place[place]
        within = [count for code, count in by_place.items() if code.startswith(f"{place}-")]
        low = sum(count.low for count in within)
        if place.split("-")[0] not in by_place and (self.facts.places_complete or self._holds_nobody_of(place)):
            high = sum(count.high for count in within)
            return Range(low, high, f"{low:,.0f}" if low == high else f"at least {low:,.0f}")
        high = self._room_for(place, low)
        words = "not known yet" if high == NO_LIMIT else f"not known, at most {high:,.0f} by the total"
        return Range(low, high, words)

    def _holds_nobody_of(self, place: str) -> bool:
        """Whether the organisation's profile says that it holds data of nobody who lives there; what an incident says of a place goes before."""
        held = self.facts.values.get(PEOPLE_PLACES, _NONE_KNOWN)
        return held.complete and not any(code in (place, place.split("-")[0]) or code.startswith(f"{place}-") for code in held.values)

    def _room_for(self, place: str, low: float) -> float:
        """The most people that can live in a place, given the totals and what other places take."""
        by_place = self.facts.by_place
        country = place.split("-")[0]
        highs = [NO_LIMIT]
        total = self.facts.values.get(TOTAL)
        if total is not None:
            # A state's people are also counted in their country's number, so only whole countries are added up.
            others = sum(self.people_low(code) for code in {code.split("-")[0] for code in by_place} - {country})
            siblings = sum(count.low for code, count in by_place.items() if code.startswith(f"{country}-"))
            highs.append(total.high - others - (siblings if country != place else 0))
        if country != place and country in by_place:
            siblings = sum(count.low for code, count in by_place.items() if code.startswith(f"{country}-"))
            highs.append(by_place[country].high - siblings)
        room = min(highs)
        # Numbers that contradict each other prove nothing about this place.
        return room if room >= low else NO_LIMIT

    def people_low(self, country: str) -> float:
        """The smallest number of affected people in a country: its own count, or the sum of its states."""
        parts = sum(count.low for code, count in self.facts.by_place.items() if code.startswith(f"{country}-"))
        own = self.facts.by_place.get(country)
        return max(parts, own.low if own else 0)

    def _total(self) -> Count | Range:
        """Everybody affected: the number given, never below what the places add up to."""
        countries = {code.split("-")[0] for code in self.facts.by_place}
        low = sum(self.people_low(country) for country in countries)
        given = self.facts.values.get(TOTAL)
        if given is not None and given.value is not None:
            return given if given.low >= low else Range(low, max(given.high, low), f"{given}, by place at least {low:,.0f}")
        if not self.facts.places_complete:
            return Range(low, NO_LIMIT, f"at least {low:,.0f}" if low else "not known yet")
        high = sum(self._high(country) for country in countries)
        return Range(low, high, f"{low:,.0f}" if low == high else f"at least {low:,.0f}")

    def _high(self, country: str) -> float:
        own = self.facts.by_place.get(country)
        if own:
            return max(own.high, self.people_low(country))
        return sum(count.high for code, count in self.facts.by_place.items() if code.startswith(f"{country}-"))

    def _derived(self, rule: tuple[str, ...], member: str) -> Any:
        kind, *arguments = rule
        if kind == "any_in_group":
            return self._any_in_group(*arguments)
        if kind == "personal_information":
            return self._personal_information(member)
        if kind == "concerned_in":
            return self._concerned_in(member, arguments[0])
        if kind == "highest_by_place":
            return self._highest(arguments[1])
        return self._hours_between(*arguments)

    def _any_in_group(self, fact: str, group: str) -> bool | None:
        known = self.facts.values.get(fact, _NONE_KNOWN)
        if any(self.places.is_in(code, group, self.day) for code in known.values):
            return True
        return False if known.complete else None

    def _concerned_in(self, place: str, establishments: str) -> bool | None:
        """Whether we are established in a place, or people who live there are affected."""
        here, people = self._established_in(place, establishments), self.people_in(place)
        if here or people.low > 0:
            return True
        return False if here is False and people.high == 0 else None

    def _established_in(self, place: str, establishments: str) -> bool | None:
        known = self.facts.values.get(establishments, _NONE_KNOWN)
        if any(code == place or code.startswith(f"{place}-") for code in known.values):
            return True
        # An establishment in a country may be in any of its parts.
        return False if known.complete and place.split("-")[0] not in known.values else None

    def _missing_to_be_concerned(self, place: str, establishments: str) -> tuple[str, ...]:
        missing = (establishments,) if self._established_in(place, establishments) is None else ()
        if self.people_in(place).high == 0:
            return missing
        if place in self.facts.by_place:
            return (*missing, f"{BY_PLACE}.{place}")
        return (*missing, "affected.places_complete" if self.facts.by_place else BY_PLACE)

    def _personal_information(self, place: str) -> bool | None:
        """Whether the data are what a state's law protects; worked out from the elements, never ticked by hand."""
        profile = self.profiles[place]
        media = self.facts.values.get("data.media", _NONE_KNOWN)
        # Only a record known to be all on paper falls outside: an unknown medium must not silence a duty.
        if profile.electronic_only and media.complete and media.values == {"paper"}:
            return False
        elements = self.facts.values.get("data.elements", _NONE_KNOWN)
        if elements.values & profile.alone or (_NAME in elements.values and elements.values & profile.with_name):
            return True
        return False if elements.complete else None

    def _highest(self, group: str) -> Range:
        members = self.places.members(group, self.day)
        found = [self.people_in(code) for code in self.facts.by_place if code in members]
        low = max((count.low for count in found), default=0)
        high = max((count.high for count in found), default=0)
        if not self.facts.places_complete:
            high = max(high, self._room_elsewhere(members))
        return Range(low, high, f"{low:,.0f}" if low == high else f"at least {low:,.0f}")

    def _room_elsewhere(self, members: frozenset[str]) -> float:
        samples = {code.split("-")[0]: code for code in members if code not in self.facts.by_place}
        return max((self.people_in(code).high for code in samples.values()), default=0)

    def _hours_between(self, first: str, second: str) -> float | None:
        start = self.facts.moments.get(first.removeprefix("moments."))
        end = self.facts.moments.get(second.removeprefix("moments."))
        if start is None or end is None:
            return None
        return (end.at - start.at).total_seconds() / 3600


__all__ = ["BY_PLACE", "TOTAL", "Certainty", "Profile", "Range", "Reading"]
