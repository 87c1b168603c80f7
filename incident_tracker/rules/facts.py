"""What is known about one incident, and how surely: counts, moments, sets, and the document that carries them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from enum import StrEnum
from typing import Any, Self

from incident_tracker.rules.calendars import zone_named
from incident_tracker.rules.catalogues import Catalogue, FactSpec, default_catalogue
from incident_tracker.rules.places import Places, default_places

__all__ = ["Catalogue", "Certainty", "Count", "FactError", "FactSpec", "Facts", "Hold", "Known", "Moment", "read_facts"]

NO_LIMIT = float("inf")
#: more people than there are; and years whose deadlines still lie within what calendars reach, see Calendar.without_holidays
_MOST = 10**12
YEARS = range(1970, 2150)
_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,4})?")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class FactError(ValueError):
    """A fact that cannot be read: `path` says where, `expected` what was wanted."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"{path}: expected {expected}")
        self.path = path
        self.expected = expected


class Certainty(StrEnum):
    """How sure a number is."""

    EXACT = "exact"
    ABOUT = "about"
    AT_LEAST = "at_least"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True)
class Count:
    """A number of people or records with its certainty."""

    value: int | None
    certainty: Certainty = Certainty.EXACT

    @property
    def low(self) -> float:
        """The smallest number this can mean; "about 100" is read as 50 to 200."""
        if self.value is None or self.certainty is Certainty.NOT_KNOWN:
            return 0
        return (self.value + 1) // 2 if self.certainty is Certainty.ABOUT else self.value

    @property
    def high(self) -> float:
        """The largest number this can mean, or infinity."""
        if self.value is None or self.certainty in (Certainty.NOT_KNOWN, Certainty.AT_LEAST):
            return NO_LIMIT
        return self.value * 2 if self.certainty is Certainty.ABOUT else self.value

    @classmethod
    def parse(cls, document: Any, path: str = "count") -> Self:
        """Read 1200, {"value": 1200, "certainty": "about"} or None. Raises FactError."""
        if document is None:
            return cls(None, Certainty.NOT_KNOWN)
        if isinstance(document, Count):
            return cls(document.value, document.certainty)
        certainty: Any = Certainty.EXACT
        if isinstance(document, Mapping):
            certainty = document.get("certainty", Certainty.EXACT)
            document = document.get("value")
        if certainty not in tuple(Certainty):
            raise FactError(f"{path}.certainty", "one of " + ", ".join(Certainty))
        if document is None or certainty == Certainty.NOT_KNOWN:
            return cls(None, Certainty.NOT_KNOWN)
        if isinstance(document, bool) or not isinstance(document, int) or not 0 <= document <= _MOST:
            raise FactError(path, 'a whole number, or {"value": …, "certainty": "exact|about|at_least|not_known"}')
        return cls(document, Certainty(certainty))

    def to_json(self) -> dict[str, Any]:
        """Return the form that parse reads."""
        return {"value": self.value, "certainty": str(self.certainty)}

    def __str__(self) -> str:
        if self.value is None:
            return "not known"
        words = {Certainty.ABOUT: "about ", Certainty.AT_LEAST: "at least "}
        return f"{words.get(self.certainty, '')}{self.value:,}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as it was recorded: an instant, or only the day.

    `at` is aware, with a fixed offset; for a day it is that day's first instant in `zone`, an IANA name.
    """

    at: datetime
    zone: str
    precision: str = "instant"

    def __post_init__(self) -> None:
        offset = self.at.utcoffset()
        if offset is None:
            raise FactError("moment", "a time with its offset from UTC, such as 2026-11-27T17:30:00+01:00")
        # On a zone with changing clocks "plus 72 hours" would move the hands of the clock; with a fixed offset it is elapsed time.
        object.__setattr__(self, "at", self.at.replace(tzinfo=timezone(offset), fold=0))

    @property
    def local(self) -> datetime:
        """The same instant on the clocks of its own zone."""
        return self.at.astimezone(zone_named(self.zone))

    @property
    def day(self) -> date:
        """The calendar day in its own zone."""
        return self.local.date()

    @classmethod
    def on(cls, day: date, zone: str) -> Self:
        """A moment known to the day only."""
        return cls(datetime.combine(day, time(), zone_named(zone)), zone, "day")

    @classmethod
    def parse(cls, document: Any, path: str = "moment", zone: str | None = None) -> Self:
        """Read a moment.

        Accepts {"at": ISO time with offset, "zone": …}, {"on": day, "zone": …}, a plain ISO string, a datetime or a
        date. `zone` is used where none is written. A time without an offset is refused, never guessed. Raises FactError.
        """
        if isinstance(document, Moment):
            return cls(document.at, document.zone, document.precision)
        if isinstance(document, Mapping):
            zone = document.get("zone") or zone
            raw = document.get("on") if document.get("on") is not None else document.get("at")
            if raw is None:
                raise FactError(path, '"at" with an instant or "on" with a day')
            if document.get("precision") == "day" and not _is_day(raw):
                return cls._day_of(raw, path, zone)
            return cls.parse(raw, path, zone)
        if _is_day(document):
            day = _parse_day(document, path)
            return cls.on(day, _checked_zone(zone or "UTC", path))
        return cls._instant(document, path, zone)

    @classmethod
    def _instant(cls, raw: Any, path: str, zone: str | None) -> Self:
        try:
            at = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw)
        except (TypeError, ValueError):
            raise FactError(path, "an ISO 8601 time with an offset, such as 2026-11-27T17:30:00+01:00") from None
        if at.utcoffset() is None:
            raise FactError(path, "a time with its offset from UTC, such as 2026-11-27T17:30:00+01:00")
        _check_year(at.year, path)
        name = zone or getattr(at.tzinfo, "key", None) or _offset_zone(at)
        return cls(at, _checked_zone(name, path))

    @classmethod
    def _day_of(cls, raw: Any, path: str, zone: str | None) -> Self:
        return cls.on(cls._instant(raw, path, zone).day, _checked_zone(zone or "UTC", path))

    def to_json(self) -> dict[str, str]:
        """Return the form that parse reads."""
        if self.precision == "day":
            return {"on": self.day.isoformat(), "zone": self.zone, "precision": "day"}
        return {"at": self.at.isoformat(), "zone": self.zone, "precision": "instant"}


def _is_day(raw: Any) -> bool:
    if isinstance(raw, str):
        return bool(_ISO_DAY.fullmatch(raw))
    return isinstance(raw, date) and not isinstance(raw, datetime)


def _parse_day(raw: Any, path: str) -> date:
    try:
        day = raw if isinstance(raw, date) else date.fromisoformat(raw)
    except ValueError:
        raise FactError(path, "a day as YYYY-MM-DD") from None
    _check_year(day.year, path)
    return day


def _check_year(year: int, path: str) -> None:
    if year not in YEARS:
        raise FactError(path, f"a year from {YEARS.start} to {YEARS.stop - 1}")


def _offset_zone(at: datetime) -> str:
    offset = at.utcoffset()
    # Zone names with a fixed offset exist for whole hours only, and their sign is reversed by convention.
    seconds = int(offset.total_seconds()) if offset else 0
    if seconds % 3600 or not seconds:
        return "UTC"
    return f"Etc/GMT{-seconds // 3600:+d}"


def _checked_zone(name: Any, path: str) -> str:
    try:
        zone_named(name)
    except (KeyError, ValueError, TypeError, OSError):
        raise FactError(f"{path}.zone", "an IANA time zone such as Europe/Berlin") from None
    return str(name)


@dataclass(frozen=True, slots=True)
class Known:
    """A set of which some elements are known; `complete` says that there are no others."""

    values: frozenset[str]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Hold:
    """A law-enforcement hold: until it ends, what it holds must not be sent."""

    since: Moment
    until: Moment | None
    regime: str | None = None
    obligation: str | None = None
    oral: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one incident, read and checked; made by read_facts.

    `values` holds answered facts by name (bool, str, int, Known or Count); what is absent is not known. `by_place` holds
    affected people by country or state. `completed` tells when duties were done, by "obligation" or "obligation@recipient".
    """

    values: Mapping[str, Any]
    by_place: Mapping[str, Count]
    places_complete: bool | None
    moments: Mapping[str, Moment]
    completed: Mapping[str, Moment]
    holds: tuple[Hold, ...]


def read_facts(
    document: "Mapping[str, Any] | Facts", *, catalogue: Catalogue | None = None, places: Places | None = None
) -> Facts:
    """Read the facts document of an incident: flat dotted keys, null or absent for what is not known.

    `catalogue` and `places` default to those that come with the tracker. Raises FactError, which names the key and what
    was expected there; a name outside the catalogue is refused, so that a misspelt fact is never lost.
    """
    if isinstance(document, Facts):
        return document
    if not isinstance(document, Mapping):
        raise FactError("facts", "a mapping of fact names to values")
    return _Document(catalogue or default_catalogue(), places or default_places()).read(document)


class _Document:
    """Reads one facts document."""

    def __init__(self, catalogue: Catalogue, places: Places) -> None:
        self._catalogue = catalogue
        self._places = places
        self._values: dict[str, Any] = {}
        self._by_place: dict[str, Count] = {}
        self._zone: str | None = None

    def read(self, document: Mapping[str, Any]) -> Facts:
        self._zone = document.get("organisation.zone")
        if self._zone is not None:
            _checked_zone(self._zone, "organisation")
        for key, raw in document.items():
            if key not in ("moments", "completed", "holds") and raw is not None:
                self._take(key, raw)
        return Facts(
            values=self._values,
            by_place=self._by_place,
            places_complete=self._values.pop("affected.places_complete", None),
            moments=self._moments(document.get("moments") or {}, "moments", known=True),
            completed=self._moments(document.get("completed") or {}, "completed", known=False),
            holds=self._holds(document.get("holds") or []),
        )

    def _take(self, key: str, raw: Any) -> None:
        spec = self._catalogue.find(key)
        if key == "affected.by_place":
            self._take_places(raw)
        elif spec is not None and spec.per == "place" and not isinstance(raw, Mapping):
            raise FactError(key, "an answer for each place, such as {\"US-NY\": …}")
        elif isinstance(raw, Mapping) and (spec is None or spec.per == "place"):
            for name, inner in raw.items():
                if inner is not None:
                    self._take(f"{key}.{self._places.normal(name) if spec else name}", inner)
        elif spec is None:
            raise FactError(key, "the name of a fact in the catalogue")
        elif spec.derive:
            raise FactError(key, f"nothing: this is worked out from {spec.derive[1]}")
        elif key.startswith("affected.by_place."):
            self._take_places({key.removeprefix("affected.by_place."): raw})
        else:
            self._values[key] = self._typed(spec, key, raw)

    def _take_places(self, raw: Any) -> None:
        if not isinstance(raw, Mapping):
            raise FactError("affected.by_place", "a count for each place, such as {\"DE\": 40}")
        for code, count in raw.items():
            self._by_place[self._place(code, "affected.by_place")] = Count.parse(count, f"affected.by_place.{code}")

    def _place(self, code: Any, path: str) -> str:
        normal = self._places.normal(code) if isinstance(code, str) else ""
        if not _PLACE.fullmatch(normal):
            raise FactError(path, f"a country such as DE or a state such as US-NY, not {code!r}")
        return normal

    def _typed(self, spec: FactSpec, path: str, raw: Any) -> Any:
        if spec.kind == "flag":
            return raw if isinstance(raw, bool) else _refuse(path, "true, false or null")
        if spec.kind == "number":
            whole = isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= _MOST
            return raw if whole else _refuse(path, "a whole number or null")
        if spec.kind == "count":
            return Count.parse(raw, path)
        if spec.kind == "set":
            return self._known(spec, path, raw)
        if not isinstance(raw, str):
            raise FactError(path, "text or null")
        if spec.kind == "choice" and raw not in spec.choice_values:
            raise FactError(path, "one of " + ", ".join(spec.choice_values))
        return self._places.normal(raw) if spec.of == "places" else raw

    def _known(self, spec: FactSpec, path: str, raw: Any) -> Known:
        complete: Any = True
        if isinstance(raw, Mapping):
            complete, raw = raw.get("complete", False), raw.get("known", ())
        listed = [raw] if isinstance(raw, str) else raw
        if not isinstance(listed, (list, tuple, set, frozenset)) or not isinstance(complete, bool):
            raise FactError(path, 'a list, or {"known": […], "complete": false}')
        values = {self._element(spec, path, one) for one in listed}
        implied = dict(spec.implies)
        pending = list(values)
        while pending:
            fresh = set(implied.get(pending.pop(), ())) - values
            values |= fresh
            pending += fresh
        return Known(frozenset(values), complete)

    def _element(self, spec: FactSpec, path: str, raw: Any) -> str:
        if spec.of == "places":
            return self._place(raw, path)
        if not isinstance(raw, str) or (spec.choices and raw not in spec.choice_values):
            raise FactError(path, f"elements of {', '.join(spec.choice_values)}; found {raw!r}")
        return raw

    def _moments(self, raw: Any, path: str, *, known: bool) -> dict[str, Moment]:
        if not isinstance(raw, Mapping):
            raise FactError(path, "a mapping of names to moments")
        for name in raw:
            if known and f"moments.{name}" not in self._catalogue:
                raise FactError(f"{path}.{name}", "the name of a moment in the catalogue")
        return {
            name: Moment.parse(one, f"{path}.{name}", self._zone) for name, one in raw.items() if one is not None
        }

    def _holds(self, raw: Any) -> tuple[Hold, ...]:
        if not isinstance(raw, list | tuple):
            raise FactError("holds", "a list of holds")
        return tuple(self._hold(one, f"holds[{place}]") for place, one in enumerate(raw))

    def _hold(self, raw: Any, path: str) -> Hold:
        if not isinstance(raw, Mapping) or raw.get("from") is None:
            raise FactError(path, '{"regime": …, "from": moment, "until": moment or null}')
        until = raw.get("until")
        return Hold(
            since=Moment.parse(raw["from"], f"{path}.from", self._zone),
            until=None if until is None else Moment.parse(until, f"{path}.until", self._zone),
            regime=raw.get("regime"),
            obligation=raw.get("obligation"),
            oral=bool(raw.get("oral", False)),
        )


def _refuse(path: str, expected: str) -> Any:
    raise FactError(path, expected)
