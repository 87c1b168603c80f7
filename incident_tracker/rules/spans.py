"""The two readings of one period, and the setting in which it is counted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from incident_tracker.rules.calendars import Calendar, Calendars, YearUnknown, zone_named
from incident_tracker.rules.deadlines import Deadline, Step
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.terms import Roll


@dataclass(frozen=True, slots=True)
class Span:
    """What counting one term gave: two deadlines, the steps, what to beware of, and which facts are missing."""

    conservative: Deadline | None = None
    statutory: Deadline | None = None
    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nothing could be counted yet."""
        return self.conservative is None


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how a period is counted.

    `place_calendar` is the name of the holiday calendar of the place of action. `on_hour` is strict or lenient; `art_3_5`
    is off, A, B or C. `may_roll` answers whether a conditional roll applies: True, False, or None while not known.
    """

    zone: str
    calendars: Calendars
    place_calendar: str | None
    cites: str
    on_hour: str = "strict"
    art_3_5: str = "off"
    may_roll: Callable[[Roll], bool | None] = lambda roll: roll.when is None

    def calendar(self, name: str | None) -> Calendar:
        """The calendar of a name; "authority" and "place" mean that of the place of action. Raises YearUnknown."""
        chosen = self.place_calendar if name in (None, "authority", "place") else name
        if chosen is None:
            raise YearUnknown("the place, and with it the holiday calendar, is not known")
        return self.calendars.get(chosen)

    def day_of(self, moment: Moment) -> date:
        """The calendar day of a moment: as recorded where only the day is known, else on the clocks of this setting."""
        if moment.precision == "day":
            return moment.day
        return moment.at.astimezone(zone_named(self.zone)).date()
