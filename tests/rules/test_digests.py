"""A digest is due once a day: at its hour, not in quiet time, whatever the clocks do in spring and autumn."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from incident_tracker.rules.digests import Wish, ahead, day_begins, due_on, read_time

BERLIN = "Europe/Berlin"


def days(wish: Wish, start: datetime, hours: int, step: int = 5) -> list[tuple[str, str]]:
    """Each local day that becomes due, with the moment at which it does (UTC), when somebody looks every few minutes."""
    found: dict[date, datetime] = {}
    for minutes in range(0, hours * 60, step):
        now = start + timedelta(minutes=minutes)
        day = due_on(wish, now)
        if day is not None:
            found.setdefault(day, now)
    return [(f"{day}", f"{at:%d %H:%M}") for day, at in found.items()]


def test_it_is_due_at_eight_of_ones_own_clock() -> None:
    start = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert days(Wish(BERLIN), start, 48) == [("2026-11-26", "26 12:00"), ("2026-11-27", "27 07:00"), ("2026-11-28", "28 07:00")]
    assert days(Wish("Pacific/Auckland"), datetime(2026, 11, 26, 12, tzinfo=UTC), 24) == [("2026-11-27", "26 19:00")]


@pytest.mark.parametrize(("hour", "at"), [(1, "29 00:00"), (2, "29 01:00"), (3, "29 01:00")])
def test_an_hour_that_spring_skips_gives_one_digest(hour: int, at: str) -> None:
    # on 29 March 2026 clocks in Berlin go from 02:00 to 03:00
    assert days(Wish(BERLIN, hour), datetime(2026, 3, 28, 23, tzinfo=UTC), 20) == [("2026-03-29", at)]


@pytest.mark.parametrize(("hour", "at"), [(1, "24 23:00"), (2, "25 00:00"), (3, "25 02:00")])
def test_an_hour_that_autumn_repeats_gives_one_digest(hour: int, at: str) -> None:
    # on 25 October 2026 clocks in Berlin go from 03:00 back to 02:00
    assert days(Wish(BERLIN, hour), datetime(2026, 10, 24, 22, tzinfo=UTC), 20) == [("2026-10-25", at)]


def test_a_day_that_begins_with_a_skipped_midnight_has_its_digest() -> None:
    # in Cairo the clocks went from 00:00 to 01:00 on 24 April 2026
    assert days(Wish("Africa/Cairo", 0), datetime(2026, 4, 23, 12, tzinfo=UTC), 24)[-1] == ("2026-04-24", "23 22:00")


def test_a_digest_waits_until_quiet_time_ends() -> None:
    wish = Wish(BERLIN, 6, time(22), time(7, 30))
    assert days(wish, datetime(2026, 11, 26, 23, tzinfo=UTC), 23) == [("2026-11-27", "27 06:30")]


def test_one_that_is_late_does_not_come_in_quiet_time_nor_for_a_day_that_is_over() -> None:
    wish = Wish(BERLIN, 8, time(20), time(7))
    assert due_on(wish, datetime(2026, 11, 27, 18, 59, tzinfo=UTC)) == date(2026, 11, 27)
    assert due_on(wish, datetime(2026, 11, 27, 19, 0, tzinfo=UTC)) is None
    assert due_on(wish, datetime(2026, 11, 28, 6, 30, tzinfo=UTC)) is None
    assert due_on(wish, datetime(2026, 11, 28, 7, 0, tzinfo=UTC)) == date(2026, 11, 28)


@pytest.mark.parametrize(("hour", "start", "end", "possible"), [(8, 22, 7, True), (22, 22, 7, False), (21, 22, 7, True), (0, 0, 23, True), (5, 5, 5, True), (12, 10, 18, True)])
def test_a_wish_that_leaves_no_minute_is_told_apart(hour: int, start: int, end: int, possible: bool) -> None:
    assert Wish(BERLIN, hour, time(start), time(end)).is_possible() is possible


def test_seven_days_ahead_are_local_days() -> None:
    assert day_begins(BERLIN, date(2026, 10, 25)).astimezone(UTC) == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert ahead(BERLIN, date(2026, 10, 20)).astimezone(UTC) == datetime(2026, 10, 26, 23, tzinfo=UTC)


@pytest.mark.parametrize(("text", "read"), [("22:00", time(22)), (" 7:30 ", time(7, 30)), ("24:00", None), ("7", None), ("07:60", None), ("", None), ("7:3", None)])
def test_it_reads_a_time_of_day(text: str, read: time | None) -> None:
    assert read_time(text) == read
