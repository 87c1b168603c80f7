"""Places belong to groups for a time; authorities are where their place is."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from incident_tracker.rules.catalogues import PACKAGE_FOLDER
from incident_tracker.rules.places import default_places, read_places
from incident_tracker.rules.regimes import default_law
from incident_tracker.rules.sources import RegimeError

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


def test_a_state_belongs_to_its_country_and_a_country_to_itself() -> None:
    assert [PLACES.by_code[code].country for code in ("US-NY", "DE")] == ["US", "DE"]


def test_places_are_the_same_whatever_was_asked_of_them() -> None:
    asked, fresh = read_places(PACKAGE_FOLDER), read_places(PACKAGE_FOLDER)
    asked.members("EU")
    assert asked == fresh


def test_a_later_file_adds_and_corrects(tmp_path: Path) -> None:
    none, own = tmp_path / "none", tmp_path / "own"
    none.mkdir()
    own.mkdir()
    text = """places: {DE: {name: Allemagne, zone: Europe/Berlin, calendar: DE-BE}, XX: {name: Atlantis, zone: Atlantic/Azores}}
aliases: {AT2: XX}
groups: {ISLANDS: {XX: {since: 2020-01-01, until: 2025-12-31}, DE: ~}}
"""
    (own / "places.yaml").write_text(text, encoding="utf-8")
    found = read_places(PACKAGE_FOLDER, none, own)
    assert (found.name("DE"), found.by_code["DE"].calendar, found.name("FR"), found.by_code["XX"].calendar) == ("Allemagne", "DE-BE", "France", None)
    assert (found.normal("at2-1"), found.normal("UK")) == ("XX-1", "GB")
    assert found.members("ISLANDS") == {"DE"}
    assert [found.is_in("XX", "ISLANDS", day) for day in (date(2019, 12, 31), date(2020, 1, 1), date(2025, 12, 31), date(2026, 1, 1))] == [False, True, True, False]
    assert len(found.members("EU")) == 27


def test_a_group_has_known_places_only(tmp_path: Path) -> None:
    (tmp_path / "places.yaml").write_text("groups: {ISLANDS: {YY: ~}}\n", encoding="utf-8")
    with pytest.raises(RegimeError, match=r"places.yaml:1: the place 'YY' is not listed under places"):
        read_places(tmp_path)


def test_a_place_that_is_not_on_file_is_called_by_its_code_and_keeps_the_zone_of_its_country() -> None:
    assert (PLACES.name("DE-XX"), PLACES.zone("DE-XX"), PLACES.find("DE-XX")) == ("DE-XX", "Europe/Berlin", PLACES.by_code["DE"])
    assert (PLACES.name("QQ"), PLACES.zone("QQ"), PLACES.find("QQ")) == ("QQ", "UTC", None)
