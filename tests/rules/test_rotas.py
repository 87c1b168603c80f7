"""On-call hours by the clock on somebody's own wall."""

from datetime import UTC, datetime

import pytest

from incident_tracker.rules.rotas import RotaError, read_hours

BERLIN = "Europe/Berlin"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 in Berlin, in UTC; the 27th is a Friday."""
    return datetime(2026, 11, day, hour - 1 if hour else 23, minute, tzinfo=UTC) if hour else datetime(2026, 11, day - 1, 23, minute, tzinfo=UTC)


@pytest.mark.parametrize(("moment", "covered"), [
    (at(27, 7, 59), False), (at(27, 8), True), (at(27, 17, 59), True), (at(27, 18), False), (at(26, 12), False), (at(28, 12), False),
])
def test_hours_of_a_day_begin_with_their_first_minute_and_end_before_their_last(moment: datetime, covered: bool) -> None:
    assert read_hours([4], "08:00", "18:00", BERLIN).cover(moment) is covered


@pytest.mark.parametrize(("moment", "covered"), [
    (at(27, 21, 59), False), (at(27, 22), True), (at(28, 0), True), (at(28, 5, 59), True), (at(28, 6), False), (at(27, 5), False), (at(28, 23), False),
])
def test_a_night_belongs_to_the_day_it_begins_on(moment: datetime, covered: bool) -> None:
    assert read_hours([4], "22:00", "06:00", BERLIN).cover(moment) is covered


@pytest.mark.parametrize(("moment", "covered"), [(at(27, 7, 59), False), (at(27, 8), True), (at(28, 7, 59), True), (at(28, 8), False)])
def test_the_same_beginning_and_end_are_a_whole_day(moment: datetime, covered: bool) -> None:
    assert read_hours([4], "8:00", "08:00", BERLIN).cover(moment) is covered


def test_the_night_from_sunday_reaches_into_monday() -> None:
    assert read_hours([6], "22:00", "06:00", BERLIN).cover(at(30, 3))
    assert not read_hours([0], "22:00", "06:00", BERLIN).cover(at(30, 3))


@pytest.mark.parametrize(("days", "starts", "ends", "field"), [
    ([], "08:00", "18:00", "weekdays"), ([7], "08:00", "18:00", "weekdays"), ([-1], "08:00", "18:00", "weekdays"),
    ([1], "24:00", "18:00", "starts"), ([1], "8", "18:00", "starts"), ([1], "08:00", "18:60", "ends"), ([1], "08:00", "", "ends"),
])
def test_hours_that_cannot_be_are_refused_by_field(days: list[int], starts: str, ends: str, field: str) -> None:
    with pytest.raises(RotaError) as refused:
        read_hours(days, starts, ends, BERLIN)
    assert refused.value.field == field
    assert str(refused.value) in ("Choose at least one day.", "Write a time such as 22:00.")
