"""What the finding says, and by which deadline and to which second it was judged."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident_tracker.rules.deadlines import Deadline, Due
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.timeliness import Timeliness, timeliness

BERLIN = "Europe/Berlin"
DAY, NEXT_DAY = Deadline.on(date(2026, 11, 30), BERLIN), Deadline.on(date(2026, 12, 1), BERLIN)


def instant(text: str) -> Deadline:
    return Deadline.instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)), BERLIN)


def judged(conservative: Deadline | None, statutory: Deadline | None, done: str, trigger: str | None = "2026-11-27T10:00:00+01:00", **more: object) -> Timeliness:
    due = Due("x", "Act", conservative, statutory, None, None, (), (), None)
    for name, value in more.items():
        object.__setattr__(due, name, value)
    return timeliness(Moment.parse(trigger, zone=BERLIN) if trigger else None, due, Moment.parse(done, zone=BERLIN))


NINE, TEN = instant("2026-11-30T09:00"), instant("2026-11-30T10:00")


@pytest.mark.parametrize(
    ("statutory", "done", "expected"),
    [
        (DAY, "2026-11-30", ("on_time", 0, None, 3, DAY, "On time: the last day was Mon 30 Nov 2026.")),
        (DAY, "2026-11-30T23:59:59+01:00", ("on_time", 0, None, 3, DAY, "On time: the last day was Mon 30 Nov 2026.")),
        (DAY, "2026-12-01", ("late", 1, None, 4, DAY, "Late by 1 day: the last day was Mon 30 Nov 2026.")),
        (DAY, "2026-12-03", ("late", 3, None, 6, DAY, "Late by 3 days: the last day was Mon 30 Nov 2026.")),
        (DAY, "2026-12-01T01:30:00+01:00", ("late", 1, timedelta(hours=1, minutes=30), 4, DAY, "Late by 1 day: the last day was Mon 30 Nov 2026.")),
        (DAY, "2026-11-30T23:30:00+00:00", ("late", 1, timedelta(minutes=30), 4, DAY, "Late by 1 day: the last day was Mon 30 Nov 2026.")),
        (TEN, "2026-11-30T09:00:00+01:00", ("on_time", 0, None, 3, TEN, "On time.")),
        (TEN, "2026-11-30T10:00:00+01:00", ("on_time", 0, None, 3, TEN, "On time by the statutory reading only; past the conservative one.")),
        (TEN, "2026-11-30T10:00:30+01:00", ("late", 0, timedelta(seconds=30), 3, TEN, "Late by less than a minute: the limit was Mon 30 Nov 2026, 10:00 (UTC+01:00).")),
        (TEN, "2026-11-30T11:00:00+01:00", ("late", 0, timedelta(hours=1), 3, TEN, "Late by 1 h: the limit was Mon 30 Nov 2026, 10:00 (UTC+01:00).")),
        (TEN, "2026-12-02T10:59:00+01:00", ("late", 2, timedelta(days=2, minutes=59), 5, TEN, "Late by 2 d 59 min: the limit was Mon 30 Nov 2026, 10:00 (UTC+01:00).")),
        (TEN, "2026-11-29", ("on_time", 0, None, 2, TEN, "On time: done before the day of the deadline.")),
        (TEN, "2026-11-30", ("cannot_tell", None, None, 3, TEN, "Done on the day of the deadline, Mon 30 Nov 2026; the hour of the filing is not known.")),
        (TEN, "2026-12-01", ("late", 1, None, 4, TEN, "Late by 1 day: the last day was Mon 30 Nov 2026.")),
    ],
)
def test_it_is_judged_by_the_statutory_deadline_as_finely_as_it_was_recorded(statutory: Deadline, done: str, expected: tuple[object, ...]) -> None:
    found = judged(NINE if statutory is TEN else DAY, statutory, done)
    assert (found.outcome, found.late_days, found.late, found.days_from_trigger, found.against, found.text) == expected


def test_a_limit_in_hours_from_a_day_can_be_told_by_the_day_alone() -> None:
    text = "Done on the day of the deadline, Mon 30 Nov 2026; the hour of the trigger is not known."
    assert judged(NINE, TEN, "2026-11-30T08:00:00+01:00", trigger="2026-11-27").text == text
    both = judged(NINE, TEN, "2026-11-30", trigger="2026-11-27")
    assert (both.outcome, both.late_days, both.text) == ("on_time", 0, "On time by the day; the hour is not known.")
    assert judged(NINE, TEN, "2026-11-30", trigger=None).outcome == "on_time"
    assert judged(NINE, TEN, "2026-11-30T08:00:00+01:00", trigger=None).outcome == "on_time"
    assert judged(NINE, TEN, "2026-11-29", trigger=None).days_from_trigger is None


@pytest.mark.parametrize(
    ("done", "outcome"),
    [("2026-11-30T08:59:00+01:00", "on_time"), ("2026-11-30T09:00:00+01:00", "on_time"), ("2026-11-30T09:01:00+01:00", "cannot_tell"), ("2026-11-29", "on_time"), ("2026-11-30", "cannot_tell")],
)
def test_where_the_statutory_date_is_not_known_only_what_is_early_enough_is_on_time(done: str, outcome: str) -> None:
    found = judged(NINE, None, done)
    assert found.outcome == outcome
    early = outcome == "on_time"
    assert found.text == ("On time: done before the earliest date the limit can have." if early else "The statutory date is not known, so neither is the answer.")
    assert (found.late_days, found.against) == ((0, NINE) if early else (None, None))


def test_without_a_number_or_a_start_it_says_which_of_them_lacks() -> None:
    assert judged(None, None, "2026-11-30", has_number=True).text == "The clock has no start yet, or its number is not known."
    assert judged(None, None, "2026-11-30").text == "The law names no number: judge it by the circumstances."
    soon = judged(None, None, "2026-11-30", standard="without delay")
    assert (soon.outcome, soon.text, soon.days_from_trigger) == ("no_number", "The law names no number (without delay): judge it by the circumstances.", 3)


def test_a_standard_beside_a_number_is_named_only_where_it_was_in_time() -> None:
    words = " The law also asks for it without delay: the number alone does not prove that."
    assert judged(TEN, TEN, "2026-11-30T08:00:00+01:00", standard="without delay").text == f"On time.{words}"
    assert words not in judged(TEN, TEN, "2026-11-30T11:00:00+01:00", standard="without delay").text


@pytest.mark.parametrize(
    ("done", "words"),
    [("2026-12-01T09:59:00+01:00", "23 h 59 min"), ("2026-12-01T10:00:00+01:00", "1 d"), ("2026-12-01T10:01:00+01:00", "1 d 1 min"), ("2026-12-10T10:00:00+01:00", "10 d")],
)
def test_it_says_by_how_many_days_hours_and_minutes_it_was_late(done: str, words: str) -> None:
    assert judged(NINE, TEN, done).text.startswith(f"Late by {words}: ")
