"""Working days, public holidays, ends of day and time zones."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays

from incident_tracker.rules.catalogues import PACKAGE_FOLDER
from incident_tracker.rules.sources import Node, read_yaml

SATURDAY, SUNDAY = 5, 6
_WEEKDAYS = {"monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6}
_FARTHEST_SEARCH = 60


class YearUnknown(LookupError):
    """No holiday data for a calendar or a year: the answer is not known, which is not "no holidays"."""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of this name. Raises zoneinfo.ZoneInfoNotFoundError (a KeyError) or ValueError."""
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def tzdata_version() -> str:
    """The version of the zone database in use: the system's where it has one, else the package's."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / "tzdata.zi"
        if path.is_file():
            with path.open(encoding="ascii", errors="replace") as lines:
                return f"system {lines.readline().removeprefix('# version').strip()}"
    return f"tzdata {version('tzdata')}"


def holidays_version() -> str:
    """The version of the holiday data in use."""
    return f"holidays {version('holidays')}"


def end_of_day(day: date, zone: str) -> datetime:
    """The instant, in UTC, at which a day ends in a zone: the first instant of the next day."""
    return datetime.combine(day + timedelta(days=1), time(), zone_named(zone)).astimezone(UTC)


def at_time(day: date, clock: time, zone: str) -> datetime:
    """The instant, in UTC, of a time of day in a zone."""
    return datetime.combine(day, clock, zone_named(zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Public holidays and the weekly rest days of a place or an institution.

    `country`, `part` and `categories` name a set of the holidays library; `days` are our own data by year, added to the
    library's, or alone where `country` is None. `part_days` are working days that end early, with their end.
    """

    name: str
    title: str
    country: str | None = None
    part: str | None = None
    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    days: Mapping[int, frozenset[date]] = field(default_factory=dict)
    part_days: Mapping[date, time] = field(default_factory=dict)
    cache: dict[int, frozenset[date] | None] = field(default_factory=dict, compare=False, repr=False)

    def holidays_of(self, year: int) -> frozenset[date]:
        """The public holidays of a year. Raises YearUnknown."""
        if year not in self.cache:
            self.cache[year] = self._load(year)
        found = self.cache[year]
        if found is None:
            raise YearUnknown(f"no holiday data for {self.title} in {year}")
        return found

    def _load(self, year: int) -> frozenset[date] | None:
        own = self.days.get(year)
        if self.country is None:
            return own
        try:
            table = holidays.country_holidays(self.country, subdiv=self.part, years=year, observed=True)
        except NotImplementedError:
            return own
        if not table.start_year <= year <= table.end_year or not table:
            return own
        return frozenset(day for day in table if day.year == year) | (own or frozenset())

    def is_holiday(self, day: date) -> bool:
        """Say whether a day is a public holiday. Raises YearUnknown."""
        return day in self.holidays_of(day.year)

    def is_weekend(self, day: date) -> bool:
        """Say whether a day is a weekly rest day."""
        return day.weekday() in self.weekend

    def is_working_day(self, day: date) -> bool:
        """Say whether a day is neither a rest day nor a public holiday. Raises YearUnknown."""
        return not self.is_weekend(day) and not self.is_holiday(day)

    def next_working_day(self, day: date) -> date:
        """The first working day on or after a day. Raises YearUnknown."""
        for ahead in range(_FARTHEST_SEARCH):
            if self.is_working_day(found := day + timedelta(days=ahead)):
                return found
        raise YearUnknown(f"no working day within {_FARTHEST_SEARCH} days of {day} for {self.title}")

    def without_holidays(self) -> "Calendar":
        """The same weekly rest days and no holidays: a lower bound where holidays are not known."""
        every_year = {year: frozenset[date]() for year in range(1970, 2200)}
        return Calendar(self.name, self.title, weekend=self.weekend, days=every_year)


class Calendars:
    """The named calendars, and those made from a country's or a state's code."""

    def __init__(self, named: Mapping[str, Calendar]) -> None:
        self._named = dict(named)

    def get(self, name: str) -> Calendar:
        """The calendar of a name ("us-sec") or of a place ("DE-BE"); one without data answers YearUnknown."""
        if name not in self._named:
            country, _, part = name.upper().partition("-")
            self._named[name] = Calendar(name, name, country, _part_of(country, part), _weekend_of(country))
        return self._named[name]

    def __contains__(self, name: str) -> bool:
        return name in self._named


def _part_of(country: str, part: str) -> str | None:
    known = holidays.list_supported_countries().get(country, ())
    return part if part in known else None


def _weekend_of(country: str) -> frozenset[int]:
    try:
        return frozenset(holidays.country_holidays(country).weekend)
    except NotImplementedError:
        return frozenset({SATURDAY, SUNDAY})


def read_calendars(*folders: Path) -> Calendars:
    """Read calendars.yaml of every folder that has one. Raises RegimeError."""
    found: dict[str, Calendar] = {}
    for folder in folders:
        path = folder / "calendars.yaml"
        if path.exists():
            for name, node in read_yaml(path, path.name).mapping().items():
                found[name] = _calendar(name, node)
    return Calendars(found)


@lru_cache(maxsize=1)
def default_calendars() -> Calendars:
    """The calendars that come with the tracker."""
    return read_calendars(PACKAGE_FOLDER)


def _calendar(name: str, node: Node) -> Calendar:
    keys = node.mapping("title", "country part weekend days part_days source")
    weekend = frozenset({SATURDAY, SUNDAY})
    if "weekend" in keys:
        weekend = frozenset(_WEEKDAYS[day.one_of(*_WEEKDAYS)] for day in keys["weekend"].items())
    days: dict[int, frozenset[date]] = {}
    if "days" in keys:
        for year, listed in keys["days"].mapping().items():
            days[int(year)] = frozenset(_day(one) for one in listed.items())
    closures: dict[date, time] = {}
    if "part_days" in keys:
        for day, until in keys["part_days"].mapping().items():
            closures[date.fromisoformat(day)] = time.fromisoformat(until.text())
    country = keys["country"].text() if "country" in keys else None
    part = keys["part"].text() if "part" in keys else None
    return Calendar(name, keys["title"].text(), country, part, weekend, days, closures)


def _day(node: Node) -> date:
    found = node.day()
    return found or node.refuse("expected a day")
