"""Places belong to groups for a time; authorities are where their place is."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from incident_tracker.rules.places import default_places
from incident_tracker.rules.regimes import default_law

PLACES = default_places()


@pytest.mark.parametrize(
    ("place", "group", "day", "expected"),
    [
        ("GB", "EU", date(2018, 9, 5), True),
        ("GB", "EU", date(2020, 12, 31), True),
        ("GB", "EU", date(2021, 1, 1), False),
        ("GB", "EU", None, False),
        ("HR", "EU", date(2013, 6, 30), False),
        ("HR", "EU", date(2013, 7, 1), True),
        ("DE-BE", "EU", None, True),
        ("NO", "EU", None, False),
        ("NO", "EEA", None, True),
        ("CH", "EEA", None, False),
        ("US-NY", "US-STATES", None, True),
        ("US", "US-STATES", None, False),
    ],
)
def test_membership_has_dates(place: str, group: str, day: date | None, expected: bool) -> None:
    assert PLACES.is_in(place, group, day) is expected


def test_there_are_27_members_and_30_with_the_eea() -> None:
    assert len(PLACES.members("EU")) == 27
    assert len(PLACES.members("EEA")) == 30
    assert len(PLACES.members("EU", date(2019, 1, 1))) == 28


@pytest.mark.parametrize(("code", "normal"), [("uk", "GB"), ("EL", "GR"), (" us-ny ", "US-NY"), ("DE", "DE")])
def test_a_place_has_one_code(code: str, normal: str) -> None:
    assert PLACES.normal(code) == normal


def test_every_zone_exists() -> None:
    for place in PLACES.by_code.values():
        ZoneInfo(place.zone)


def test_every_eea_state_the_uk_and_switzerland_have_an_authority() -> None:
    authorities = default_law().authorities
    missing = [code for code in sorted(PLACES.members("EEA") | {"GB", "CH"}) if code not in authorities]
    assert missing == []


def test_authorities_have_zone_calendar_and_language() -> None:
    law = default_law()
    for authority in law.authorities.values():
        ZoneInfo(authority.zone)
        assert authority.language, authority.key
        assert law.calendars.get(authority.calendar).holidays_of(2026), authority.key
