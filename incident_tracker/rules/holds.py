"""Law-enforcement holds: a duty held between two moments, and when it must be met after that."""

from dataclasses import replace
from datetime import datetime, timedelta

from incident_tracker.rules.calendars import end_of_day
from incident_tracker.rules.counting import count
from incident_tracker.rules.deadlines import Deadline, Due, Step, day_words
from incident_tracker.rules.facts import Hold, Moment
from incident_tracker.rules.laws import Modifier, Obligation
from incident_tracker.rules.spans import Setting, Span

KIND = "law_enforcement_hold"


def hold_on(one: Obligation, holds: tuple[Hold, ...]) -> Hold | None:
    """The hold that binds an obligation, if its law knows holds; of several, the one that ends last.

    A hold asked for orally ends after the days that the law gives it, unless an end is recorded.
    """
    modifier = _modifier(one)
    if modifier is None:
        return None
    found = [_lapsing(hold, modifier) for hold in holds if _concerns(hold, one)]
    open_ended = [hold for hold in found if hold.until is None]
    if open_ended:
        return open_ended[0]
    return max(found, key=lambda hold: end_of(hold) or hold.since.at, default=None)


def end_of(hold: Hold) -> datetime | None:
    """The instant, in UTC, at which a hold ends; one known to the day ends with that day. None while it is open."""
    if hold.until is None:
        return None
    if hold.until.precision == "day":
        return end_of_day(hold.until.day, hold.until.zone)
    return hold.until.at


def after_hold(due: Due, one: Obligation, hold: Hold, setting: Setting) -> Due:
    """The due once a hold is counted in: never before the hold ends, with the law's own period after it.

    A duty without a number gets none from a hold, unless the law gives a period after it.
    """
    modifier, end = _modifier(one), end_of(hold)
    if modifier is None or due.trigger is None:
        return due
    if hold.until is None or end is None:
        note = f"Held for law enforcement since {day_words(hold.since.day)}; no end is recorded ({modifier.cites})."
        return replace(due, warnings=(*due.warnings, note))
    ends = Deadline.instant(end, setting.zone)
    span = _resumed(modifier, hold.until, setting)
    resumes = span.conservative is not None
    after = span if resumes else Span(ends, ends) if due.conservative else Span()
    said = f"Held for law enforcement until {ends.words}" + ("." if resumes else "; from then on without delay.")
    return replace(
        due,
        conservative=_later(due.conservative, after.conservative),
        statutory=None if due.conservative and not due.statutory else _later(due.statutory, after.statutory),
        not_before=_later(due.not_before, ends),
        steps=(*due.steps, Step(said, modifier.cites), *span.steps),
        warnings=(*due.warnings, *span.warnings),
    )


def _modifier(one: Obligation) -> Modifier | None:
    return next((modifier for modifier in one.modifiers if modifier.kind == KIND), None)


def _concerns(hold: Hold, one: Obligation) -> bool:
    if hold.obligation:
        return hold.obligation.split("@")[0] == one.id
    return hold.regime in (None, one.regime.id)


def _lapsing(hold: Hold, modifier: Modifier) -> Hold:
    if not hold.oral or modifier.oral_lapses_after is None:
        return hold
    end = hold.since.day + timedelta(days=modifier.oral_lapses_after)
    lapse = Moment.on(end, hold.since.zone)
    return hold if hold.until and hold.until.at <= lapse.at else replace(hold, until=lapse)


def _resumed(modifier: Modifier, until: Moment, setting: Setting) -> Span:
    if modifier.resume is None or modifier.resume.number is None:
        return Span()
    return count(modifier.resume, modifier.resume.number, until, setting)


def _later(first: Deadline | None, second: Deadline | None) -> Deadline | None:
    found = [one for one in (first, second) if one]
    return max(found, key=lambda one: one.at, default=None)
