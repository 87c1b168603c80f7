"""Ways of counting: elapsed hours, days, weeks, months and years, working days, and the moves off rest days."""

from calendar import monthrange
from datetime import date, datetime, timedelta

from incident_tracker.rules import eu1182
from incident_tracker.rules.calendars import SATURDAY, SUNDAY, Calendar, YearUnknown, at_time, zone_named
from incident_tracker.rules.deadlines import Deadline, Step, day_words, moment_words
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.spans import Setting, Span
from incident_tracker.rules.terms import REST_DAYS, Roll, Term

_DAY = timedelta(days=1)
_NO_HOLIDAYS = (
    "{error}: the warning date leaves out weekends only, so it can only be too early; the statutory date is not known."
)


def count(term: Term, number: int, start: Moment, setting: Setting) -> Span:
    """Count one term with a unit from its start, in both readings."""
    if term.kind == "hours":
        return _hours(term, number, start, setting)
    if term.kind == "working_days":
        return _working_days(term, number, start, setting)
    return _days(term, number, start, setting)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it has no such day."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _hours(term: Term, number: int, start: Moment, setting: Setting) -> Span:
    zone = setting.zone
    plain = Deadline.instant(start.at + timedelta(hours=number), zone)
    runs = "run on without a break, through nights, weekends and holidays"
    steps = [Step(f"{number} hours {runs}: {plain.words}.", setting.cites, "conservative")]
    warnings = _clock_change(start.at, plain.at, zone)
    statutory: Deadline | None = plain
    if term.counting == "eu1182":
        statutory, more, notes = _hours_1182(term, number, start, setting)
        steps, warnings = [*steps, *more], (*warnings, *notes)
    else:
        steps = [Step(steps[0].text, setting.cites)]
    if term.roll and statutory:
        return _rolled(Span(plain, statutory, tuple(steps), warnings), term.roll, setting)
    return Span(plain, statutory, tuple(steps), warnings)


def _hours_1182(
    term: Term, number: int, start: Moment, setting: Setting
) -> tuple[Deadline | None, list[Step], tuple[str, ...]]:
    cites, zone = term.cites or eu1182.CITATION, setting.zone
    first = eu1182.first_counted_hour(start.at, zone, setting.on_hour)
    end = first + timedelta(hours=number)
    strict = setting.on_hour == "strict" or first != start.at
    begins = "The hour in which it happened is not counted" if strict else "It happened on the full hour, which counts"
    steps = [
        Step(f"{begins}: the first hour begins {moment_words(first, zone)}.", f"{cites} art. 3(1)", "statutory"),
        Step(f"{number} whole hours end {moment_words(end, zone)}.", f"{cites} art. 3(2)(a)", "statutory"),
        Step("A period in hours is not moved off a weekend or a holiday.", f"{cites} art. 3(4)", "statutory"),
    ]
    if setting.art_3_5 == "off":
        return Deadline.instant(end, zone), steps, ()
    try:
        calendar = setting.calendar(term.calendar)
        longer = eu1182.with_two_working_days(first, end, setting.art_3_5, zone, calendar)
    except YearUnknown as error:
        return None, steps, (f"{error}: the two working days of art. 3(5) cannot be counted.",)
    words = eu1182.READINGS[setting.art_3_5]
    said = f"The period must include {words} (disputed for hours): it ends {moment_words(longer, zone)}."
    return Deadline.instant(longer, zone), [*steps, Step(said, f"{cites} art. 3(5)", "statutory")], ()


def _clock_change(start: datetime, end: datetime, zone: str) -> tuple[str, ...]:
    local = zone_named(zone)
    before, after = start.astimezone(local).utcoffset(), end.astimezone(local).utcoffset()
    if before == after or before is None or after is None:
        return ()
    wall = moment_words(end - (after - before), zone)
    return (f"The clocks change within this period. Hours are counted as they pass; by the clock face it would be {wall}.",)


def _days(term: Term, number: int, start: Moment, setting: Setting) -> Span:
    day = setting.day_of(start)
    last = _last_day(term, number, day)
    plain = _end(term, last, start, setting)
    unit = term.kind if number != 1 else term.kind.removesuffix("s")
    if term.counting == "including_first":
        begins = f"The day itself is day 1: {day_words(day)}."
    else:
        begins = f"The day itself, {day_words(day)}, is not counted."
    european = term.counting == "eu1182"
    cites = term.cites or eu1182.CITATION if european else setting.cites
    steps = (
        Step(begins, f"{cites} art. 3(1)" if european else cites),
        Step(f"{number} {unit} end {_on(plain)}.", f"{cites} art. 3(2)" if european else cites),
    )
    span = Span(plain, plain, steps)
    if european:
        return _european_days(term, day, last, span, setting)
    return _rolled(span, term.roll, setting) if term.roll else span


def _last_day(term: Term, number: int, day: date) -> date:
    if term.kind in ("months", "years"):
        return add_months(day, number * (12 if term.kind == "years" else 1))
    days = number * (7 if term.kind == "weeks" else 1)
    return day + timedelta(days=days - (term.counting == "including_first"))


def _end(term: Term, last: date, start: Moment, setting: Setting) -> Deadline:
    if term.until:
        return Deadline.instant(at_time(last, term.until, setting.zone), setting.zone)
    if term.keep_time:
        clock = start.at.astimezone(zone_named(setting.zone)).time()
        return Deadline.instant(at_time(last, clock, setting.zone), setting.zone)
    return Deadline.on(last, setting.zone)


def _european_days(term: Term, day: date, last: date, span: Span, setting: Setting) -> Span:
    cites = term.cites or eu1182.CITATION
    roll = term.roll or Roll(frozenset(REST_DAYS), term.calendar or "authority", f"{cites} art. 3(4)")
    rolled = _rolled(span, roll, setting)
    if rolled.statutory is None or last - day < 2 * _DAY:
        return rolled
    calendar = setting.calendar(roll.calendar)
    try:
        end = eu1182.second_working_day(day + _DAY, rolled.statutory.day, calendar)
    except YearUnknown as error:
        return Span(span.conservative, None, rolled.steps, (*rolled.warnings, f"{error}."))
    if end == rolled.statutory.day:
        return rolled
    step = Step(f"The period must include two working days: {day_words(end)}.", f"{cites} art. 3(5)", "statutory")
    return Span(span.conservative, Deadline.on(end, setting.zone), (*rolled.steps, step), rolled.warnings)


def _rolled(span: Span, roll: Roll, setting: Setting) -> Span:
    """Move the statutory deadline off a rest day; the conservative one stays."""
    before = span.statutory
    allowed = setting.may_roll(roll)
    if before is None or allowed is False:
        return span
    if allowed is None:
        note = f"Whether the limit may move off a rest day is not known yet ({roll.cites}); it was not moved."
        return Span(span.conservative, before, span.steps, (*span.warnings, note))
    try:
        day = _next_open_day(before.day, roll, setting)
    except YearUnknown as error:
        note = f"{error}: whether the limit moves off a rest day cannot be told ({roll.cites})."
        return Span(span.conservative, None, span.steps, (*span.warnings, note))
    if day == before.day:
        return span
    after = Deadline.instant(at_time(day, roll.to, setting.zone), setting.zone) if roll.to else None
    after = after or Deadline.on(day, setting.zone)
    step = Step(f"{day_words(before.day)} is a rest day: the limit moves to {_on(after)}.", roll.cites, "statutory")
    return Span(span.conservative, after, (*span.steps, step), span.warnings)


def _next_open_day(day: date, roll: Roll, setting: Setting) -> date:
    calendar = setting.calendar(roll.calendar) if "holiday" in roll.days else None
    while _rests(day, roll, calendar):
        day += _DAY
    return day


def _rests(day: date, roll: Roll, calendar: Calendar | None) -> bool:
    if (day.weekday() == SATURDAY and "saturday" in roll.days) or (day.weekday() == SUNDAY and "sunday" in roll.days):
        return True
    return calendar is not None and calendar.is_holiday(day)


def _working_days(term: Term, number: int, start: Moment, setting: Setting) -> Span:
    day = setting.day_of(start)
    try:
        calendar = setting.calendar(term.calendar)
        last, steps = _nth_working_day(day, number, term, (calendar,), setting)
    except YearUnknown as error:
        known = term.calendar if term.calendar not in (None, "authority", "place") else setting.place_calendar
        weekly = setting.calendars.get(known or "weekends").without_holidays()
        last, steps = _nth_working_day(day, number, term, (weekly,), setting)
        note = _NO_HOLIDAYS.format(error=error)
        return Span(_end(term, last, start, setting), None, steps, (note,))
    conservative = statutory = _end(term, last, start, setting)
    if last in calendar.part_days:
        closing = at_time(last, calendar.part_days[last], setting.zone)
        conservative = Deadline.instant(min(closing, statutory.at), setting.zone)
        steps += (Step(f"Offices close early that day: {conservative.words}.", setting.cites, "conservative"),)
    if term.statutory_calendar:
        try:
            both = (calendar, setting.calendar(term.statutory_calendar))
            later, more = _nth_working_day(day, number, term, both, setting)
        except YearUnknown as error:
            return Span(conservative, None, steps, (f"{error}: the statutory date is not known.",))
        if later > last:
            statutory = _end(term, later, start, setting)
            steps += tuple(Step(one.text, one.cites, "statutory") for one in more)
    return Span(conservative, statutory, steps)


def _nth_working_day(
    day: date, number: int, term: Term, calendars: tuple[Calendar, ...], setting: Setting
) -> tuple[date, tuple[Step, ...]]:
    def works(one: date) -> bool:
        return all(calendar.is_working_day(one) for calendar in calendars)

    names = " and ".join(calendar.title for calendar in calendars)
    counts_first = term.counting == "including_first" or (term.counting == "sec" and not works(day))
    last, found, skipped = day - _DAY if counts_first else day, 0, []
    while found < number:
        last += _DAY
        if works(last):
            found += 1
        elif last.weekday() not in calendars[0].weekend:
            skipped.append(day_words(last))
    begins = "The day itself is not counted." if not counts_first else "Counting starts on the first business day."
    left_out = f"; holidays left out: {', '.join(skipped)}" if skipped else ""
    words = "have passed in full at" if term.counting == "full" else "end on"
    return last, (
        Step(f"{begins} Day of the event: {day_words(day)}.", setting.cites),
        Step(f"{number} working days {words} {day_words(last)} ({names}{left_out}).", setting.cites),
    )


def _on(deadline: Deadline) -> str:
    return deadline.words if isinstance(deadline.value, datetime) else f"with {day_words(deadline.value)}"
