"""Local times are read as one moment, or asked about; never guessed."""

from datetime import UTC, datetime

import pytest

from incident_tracker.rules.facts import Moment
from incident_tracker.rules.moments import MomentError, read_local

BERLIN = "Europe/Berlin"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def refused(*arguments: str) -> MomentError:
    with pytest.raises(MomentError) as caught:
        read_local(*arguments)
    return caught.value


def test_it_reads_a_time_in_its_zone_and_keeps_the_offset():
    moment = read_local("2026-11-27", "17:30", BERLIN)
    assert moment.at == at(2026, 11, 27, 16, 30)
    assert moment.at.isoformat() == "2026-11-27T17:30:00+01:00"
    assert (moment.zone, moment.precision) == (BERLIN, "instant")


def test_it_reads_seconds_and_a_single_digit_hour():
    assert read_local("2026-07-01", "9:05:07", "UTC").at == at(2026, 7, 1, 9, 5, 7)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_it_keeps_a_day_as_a_day_when_no_time_is_given(nothing):
    moment = read_local("2026-11-27", nothing, "America/New_York")
    assert moment.precision == "day"
    assert moment.to_json() == {"on": "2026-11-27", "zone": "America/New_York", "precision": "day"}


def test_it_offers_both_instants_of_a_time_that_came_twice():
    error = refused("2026-10-25", "02:30", BERLIN)
    assert error.field == "offset"
    assert "twice" in str(error)
    assert [choice.offset for choice in error.choices] == ["+02:00", "+01:00"]
    assert [choice.at for choice in error.choices] == [at(2026, 10, 25, 0, 30), at(2026, 10, 25, 1, 30)]


@pytest.mark.parametrize(("offset", "hour"), [("+02:00", 0), ("+01:00", 1), ("UTC+01:00", 1)])
def test_it_takes_the_instant_that_was_chosen(offset, hour):
    assert read_local("2026-10-25", "02:30", BERLIN, offset).at == at(2026, 10, 25, hour, 30)


def test_it_offers_both_readings_of_a_time_that_never_came():
    error = refused("2026-03-29", "02:30", BERLIN)
    assert "never showed" in str(error)
    assert [choice.text for choice in error.choices] == ["Sun 29 Mar 2026, 01:30 (UTC+01:00)", "Sun 29 Mar 2026, 03:30 (UTC+02:00)"]
    for choice in error.choices:
        assert read_local("2026-03-29", "02:30", BERLIN, choice.offset).at == choice.at


def test_it_refuses_an_offset_that_the_zone_did_not_have():
    error = refused("2026-11-27", "17:30", BERLIN, "+02:00")
    assert error.field == "offset"
    assert "UTC+01:00 then" in str(error)
    assert [choice.offset for choice in error.choices] == ["+01:00"]


def test_it_accepts_an_offset_that_agrees_with_the_zone():
    assert read_local("2026-07-01", "12:00", "Asia/Kolkata", "+05:30").at == at(2026, 7, 1, 6, 30)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("27.11.2026", "17:30", BERLIN), "date"),
        (("2026-02-30", "17:30", BERLIN), "date"),
        (("", "17:30", BERLIN), "date"),
        (("0001-01-01", "00:00", BERLIN), "date"),
        (("11/12/2026", "", BERLIN), "date"),
        (("2026-11-27", "25:00", BERLIN), "time"),
        (("2026-11-27", "24:00", BERLIN), "time"),
        (("2026-11-27", "half past", BERLIN), "time"),
        (("2026-11-27", "17:30", "Berlin"), "zone"),
        (("2026-11-27", "17:30", ""), "zone"),
        (("2026-11-27", "17:30", "../etc/passwd"), "zone"),
        (("2026-11-27", "17:30", BERLIN, "summer"), "offset"),
    ],
)
def test_it_names_the_field_that_cannot_be_read(arguments, field):
    assert refused(*arguments).field == field


def test_a_moment_read_twice_is_the_same():
    moment = read_local("2026-11-27", "17:30", BERLIN)
    assert Moment.parse(moment.to_json()) == moment


@pytest.mark.parametrize(("offset", "at"), [("-04:00", "2026-11-01T05:30:00+00:00"), ("UTC-05:00", "2026-11-01T06:30:00+00:00")])
def test_it_takes_an_offset_west_of_greenwich(offset: str, at: str):
    assert read_local("2026-11-01", "01:30", "America/New_York", offset).at.astimezone(UTC).isoformat() == at


def test_it_names_offsets_as_clocks_show_them():
    with pytest.raises(MomentError) as twice:
        read_local("2026-10-25", "01:30", "Europe/London")
    assert [choice.offset for choice in twice.value.choices] == ["+01:00", "+00:00"]
    with pytest.raises(MomentError, match=r"the clocks stood at UTC\+01:00 then, not at UTC\+05:59\. Which do you mean\?"):
        read_local("2026-11-27", "12:00", "Europe/Berlin", "+05:59")


def test_it_takes_the_years_that_a_fact_may_have_and_no_others():
    for year in (1970, 2149):
        typed = read_local(f"{year}-06-01", "12:00", "Europe/Berlin")
        assert Moment.parse(typed.to_json()) == typed
    for year in (1969, 2150):
        with pytest.raises(MomentError, match=r"^The year must lie between 1970 and 2149\.$"):
            read_local(f"{year}-06-01", "12:00", "Europe/Berlin")
