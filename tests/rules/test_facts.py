"""The facts document is read strictly, and numbers carry how sure they are."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident_tracker.rules.facts import Certainty, Count, FactError, Moment, read_facts


def test_about_means_half_to_double() -> None:
    assert (Count.parse({"value": 401, "certainty": "about"}).low, Count.parse({"value": 401, "certainty": "about"}).high) == (201, 802)


def test_at_least_has_no_upper_end() -> None:
    count = Count.parse({"value": 600, "certainty": "at_least"})
    assert (count.low, count.high) == (600, float("inf"))


def test_an_unknown_count_can_be_anything() -> None:
    for document in (None, {"value": None}, {"value": 7, "certainty": "not_known"}):
        count = Count.parse(document)
        assert (count.low, count.high, count.certainty) == (0, float("inf"), Certainty.NOT_KNOWN)


@pytest.mark.parametrize("document", [1200, {"value": 5, "certainty": "about"}, None])
def test_a_count_survives_its_json(document: object) -> None:
    count = Count.parse(document)
    assert Count.parse(count.to_json()) == count


@pytest.mark.parametrize("document", ["12", 1.5, True, -1, {"value": "x"}])
def test_it_refuses_counts_that_are_no_whole_numbers(document: object) -> None:
    with pytest.raises(FactError, match="a whole number"):
        Count.parse(document, "affected.total")


def test_it_refuses_a_certainty_it_does_not_know() -> None:
    with pytest.raises(FactError, match=r"affected\.total\.certainty"):
        read_facts({"affected.total": {"value": 3, "certainty": "sure"}})


def test_a_moment_keeps_its_instant_and_zone() -> None:
    moment = Moment.parse({"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin", "precision": "instant"})
    assert moment.at == datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
    assert (moment.zone, moment.day, moment.precision) == ("Europe/Berlin", date(2026, 11, 27), "instant")


def test_a_day_starts_at_midnight_in_its_zone() -> None:
    moment = Moment.parse({"on": "2026-11-06", "zone": "America/New_York"})
    assert moment.at == datetime(2026, 11, 6, 5, tzinfo=UTC)
    assert moment.precision == "day"


@pytest.mark.parametrize("document", [{"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin"}, {"on": "2026-11-06", "zone": "Asia/Tokyo"}])
def test_a_moment_survives_its_json(document: object) -> None:
    moment = Moment.parse(document)
    assert Moment.parse(moment.to_json()) == moment


def test_it_never_guesses_an_offset() -> None:
    with pytest.raises(FactError, match="with its offset"):
        read_facts({"moments": {"aware": "2026-11-27T17:30:00"}})


def test_hours_after_a_moment_are_elapsed_time_whatever_its_zone_object() -> None:
    saturday = datetime(2026, 10, 24, 16, tzinfo=ZoneInfo("Europe/Berlin"))
    for moment in (Moment(saturday, "Europe/Berlin"), Moment.parse(saturday), Moment.on(date(2026, 10, 24), "Europe/Berlin")):
        assert (moment.at + timedelta(hours=24)).astimezone(UTC) - moment.at.astimezone(UTC) == timedelta(hours=24)


def test_the_second_of_two_equal_hours_keeps_its_instant() -> None:
    twice = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert Moment.parse(twice).at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_moment_cannot_be_made_without_an_offset() -> None:
    with pytest.raises(FactError, match="offset"):
        Moment(datetime(2026, 10, 24, 16), "Europe/Berlin")


def test_it_refuses_a_zone_that_does_not_exist() -> None:
    with pytest.raises(FactError, match="IANA"):
        Moment.parse({"on": "2026-11-06", "zone": "Europe/Atlantis"})


def test_a_plain_time_takes_the_zone_of_the_organisation() -> None:
    facts = read_facts({"organisation.zone": "Europe/Berlin", "moments": {"aware": "2026-11-06"}})
    assert facts.moments["aware"].zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"risc_level": "high"}, "risc_level"),
        ({"risk_level": "huge"}, "risk_level"),
        ({"personal_data_breach": "yes"}, "personal_data_breach"),
        ({"role": ["king"]}, "role"),
        ({"moments": {"awareness": "2026-11-06"}}, "moments.awareness"),
        ({"affected.by_place": {"Bavaria": 3}}, "affected.by_place"),
        ({"affected.by_place": 7}, "affected.by_place"),
        ({"organisation.zone": "Mars"}, "organisation.zone"),
        ({"holds": [{"regime": "us-ny"}]}, "holds[0]"),
        ({"data.pi_match": {"US-NY": True}}, "data.pi_match.US-NY"),
        ({"contract": {"processor_notice_hours": "24"}}, "contract.processor_notice_hours"),
    ],
)
def test_it_names_the_fact_that_it_cannot_read(document: dict[str, object], path: str) -> None:
    with pytest.raises(FactError) as refused:
        read_facts(document)
    assert refused.value.path == path
    assert refused.value.expected


def test_null_is_the_same_as_absent() -> None:
    assert read_facts({"risk_level": None, "personal_data_breach": None}).values == {}


def test_a_bare_list_is_complete_and_a_known_list_may_not_be() -> None:
    facts = read_facts({"role": ["processor"], "data.elements": {"known": ["ssn"], "complete": False}})
    assert facts.values["role"].complete
    assert not facts.values["data.elements"].complete


def test_elements_bring_along_what_they_imply() -> None:
    facts = read_facts({"role": ["controller"], "data.elements": ["phi"]})
    assert "owner" in facts.values["role"].values
    assert "medical" in facts.values["data.elements"].values


def test_a_place_has_one_code() -> None:
    facts = read_facts({"affected.by_place": {"UK": 5, "us-ny": 2}, "organisation.establishments": ["UK"], "organisation.lead_authority": "UK"})
    assert set(facts.by_place) == {"GB", "US-NY"}
    assert facts.values["organisation.establishments"].values == {"GB"}
    assert facts.values["organisation.lead_authority"] == "GB"


def test_a_family_may_be_written_as_a_map_or_flat() -> None:
    nested = read_facts({"harm.exempt": {"US-NY": True}, "contract": {"processor_notice_hours": 24}})
    flat = read_facts({"harm.exempt.US-NY": True, "contract.processor_notice_hours": 24})
    assert nested.values == flat.values
