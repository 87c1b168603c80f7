"""Whether something was done in time, judged no finer than it was recorded."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from incident_tracker.rules.calendars import zone_named
from incident_tracker.rules.deadlines import Deadline, Due, day_words, moment_words
from incident_tracker.rules.facts import Moment

ON_TIME, LATE, NO_NUMBER, CANNOT_TELL = "on_time", "late", "no_number", "cannot_tell"
_BY_THE_DAY = "by the day; the hour is not known"


@dataclass(frozen=True, slots=True)
class Timeliness:
    """The finding: outcome is "on_time", "late", "no_number" or "cannot_tell", with `text` in words.

    `late_days` counts calendar days after the deadline's day; `late` is the time past it where the hour is known.
    `days_from_trigger` counts calendar days from the trigger. `against` is the deadline it was judged by.
    """

    outcome: str
    late_days: int | None
    late: timedelta | None
    days_from_trigger: int | None
    against: Deadline | None
    text: str


def timeliness(trigger: Moment | None, due: Due, done: Moment) -> Timeliness:
    """Judge when something was done against the statutory deadline.

    Where the trigger or the filing is known to the day only, the calendar day decides: late is what was done on a later day
    than the deadline's. A duty without a number is never on time nor late.
    """
    days = (done.day - trigger.day).days if trigger else None
    against = due.statutory
    if due.conservative is None:
        if due.has_number:
            return Timeliness(CANNOT_TELL, None, None, days, None, "The clock has no start yet, or its number is not known.")
        words = f" ({due.standard})" if due.standard else ""
        return Timeliness(NO_NUMBER, None, None, days, None, f"The law names no number{words}: judge it by the circumstances.")
    if against is None:
        return _against_warning_date(due.conservative, done, days)
    if not isinstance(against.value, datetime):
        return _by_day(against, done, days, done.precision == "day")
    if done.precision == "day" or (trigger is not None and trigger.precision == "day"):
        return _without_hours(against, trigger, done, days)
    return _by_instant(due, against, done, days)


def _day_in(done: Moment, zone: str) -> date:
    """The day on which it was done: as recorded, or on the clocks where the deadline runs."""
    return done.day if done.precision == "day" else done.at.astimezone(zone_named(zone)).date()


def _by_day(against: Deadline, done: Moment, days: int | None, day_only: bool) -> Timeliness:
    past = (_day_in(done, against.zone) - against.day).days
    if past <= 0:
        return Timeliness(ON_TIME, 0, None, days, against, f"On time: the last day was {day_words(against.day)}.")
    late = None if day_only else done.at - against.at
    return Timeliness(LATE, past, late, days, against, _late_words(past, against))


def _without_hours(against: Deadline, trigger: Moment | None, done: Moment, days: int | None) -> Timeliness:
    """A period in hours where an hour is not known: only the day can decide, and on the last day sometimes nothing can."""
    past = (_day_in(done, against.zone) - against.day).days
    both_by_day = done.precision == "day" and (trigger is None or trigger.precision == "day")
    if past > 0:
        return Timeliness(LATE, past, None, days, against, _late_words(past, against))
    if past < 0:
        return Timeliness(ON_TIME, 0, None, days, against, "On time: done before the day of the deadline.")
    if both_by_day:
        return Timeliness(ON_TIME, 0, None, days, against, f"On time {_BY_THE_DAY}.")
    missing = "of the filing" if done.precision == "day" else "of the trigger"
    text = f"Done on the day of the deadline, {day_words(against.day)}; the hour {missing} is not known."
    return Timeliness(CANNOT_TELL, None, None, days, against, text)


def _by_instant(due: Due, against: Deadline, done: Moment, days: int | None) -> Timeliness:
    late = done.at - against.at
    if late <= timedelta(0):
        warned = due.conservative is None or done.at <= due.conservative.at
        text = "On time." if warned else "On time by the statutory reading only; past the conservative one."
        if due.standard:
            text += f" The law also asks for it {due.standard}: the number alone does not prove that."
        return Timeliness(ON_TIME, 0, None, days, against, text)
    past = max((_day_in(done, against.zone) - against.day).days, 0)
    text = f"Late by {_span_words(late)}: the limit was {moment_words(against.at, against.zone)}."
    return Timeliness(LATE, past, late, days, against, text)


def _against_warning_date(earliest: Deadline, done: Moment, days: int | None) -> Timeliness:
    """The statutory date is not known, but it is not earlier than the conservative one."""
    early = done.precision == "instant" and done.at <= earliest.at
    if early or _day_in(done, earliest.zone) < earliest.day:
        return Timeliness(ON_TIME, 0, None, days, earliest, "On time: done before the earliest date the limit can have.")
    return Timeliness(CANNOT_TELL, None, None, days, None, "The statutory date is not known, so neither is the answer.")


def _late_words(past: int, against: Deadline) -> str:
    return f"Late by {past} {'day' if past == 1 else 'days'}: the last day was {day_words(against.day)}."


def _span_words(late: timedelta) -> str:
    minutes = int(late.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{rest} min" if rest else ""]
    return " ".join(part for part in parts if part) or "less than a minute"
