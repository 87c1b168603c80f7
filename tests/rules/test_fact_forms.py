"""Every form in which a fact may be written, and what is said of one that cannot be read."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from incident_tracker.rules.catalogues import Catalogue, FactSpec
from incident_tracker.rules.facts import NO_LIMIT, Certainty, Count, FactError, Facts, Hold, Known, Moment, read_facts

NOON = "2026-11-27T12:00:00+01:00"


@pytest.mark.parametrize(
    ("document", "low", "high", "words"),
    [
        (1200, 1200, 1200, "1,200"),
        (0, 0, 0, "0"),
        (10**12, 10**12, 10**12, "1,000,000,000,000"),
        ({"value": 100, "certainty": "about"}, 50, 200, "about 100"),
        ({"value": 1200, "certainty": "at_least"}, 1200, NO_LIMIT, "at least 1,200"),
        ({"value": 7, "certainty": "not_known"}, 0, NO_LIMIT, "not known"),
        ({"value": None, "certainty": "about"}, 0, NO_LIMIT, "not known"),
        (Count(5, Certainty.ABOUT), 3, 10, "about 5"),
        (None, 0, NO_LIMIT, "not known"),
    ],
)
def test_a_count_means_a_range_and_says_how_sure_it_is(document: Any, low: float, high: float, words: str) -> None:
    count = Count.parse(document)
    assert (count.low, count.high, str(count)) == (low, high, words)
    assert (Count(None).low, Count(None).high) == (0, NO_LIMIT)


def test_a_count_goes_out_as_it_came_in() -> None:
    assert Count.parse({"value": 3, "certainty": "about"}).to_json() == {"value": 3, "certainty": "about"}
    assert Count.parse({"value": 3}).to_json() == {"value": 3, "certainty": "exact"}


@pytest.mark.parametrize("document", [10**12 + 1, {"value": -1, "certainty": "exact"}])
def test_more_people_than_there_are_is_no_count(document: Any) -> None:
    with pytest.raises(FactError, match=r"^count: expected a whole number"):
        Count.parse(document)


@pytest.mark.parametrize(
    ("document", "zone", "expected"),
    [
        (NOON, None, "Etc/GMT-1"),
        ("2026-11-27T12:00:00-05:00", None, "Etc/GMT+5"),
        ("2026-11-27T12:00:00+05:30", None, "UTC"),
        ("2026-11-27T12:00:00+00:00", None, "UTC"),
        (NOON, "Europe/Berlin", "Europe/Berlin"),
        (datetime(2026, 11, 27, 12, tzinfo=ZoneInfo("Asia/Tokyo")), None, "Asia/Tokyo"),
        (datetime(2026, 11, 27, 12, tzinfo=ZoneInfo("Asia/Tokyo")), "Europe/Berlin", "Europe/Berlin"),
        ({"at": NOON}, "Europe/Berlin", "Europe/Berlin"),
        ({"at": NOON, "zone": "Asia/Tokyo"}, "Europe/Berlin", "Asia/Tokyo"),
        ({"on": "2026-11-27"}, None, "UTC"),
        ({"on": "2026-11-27"}, "Europe/Berlin", "Europe/Berlin"),
        ("2026-11-27", "Europe/Berlin", "Europe/Berlin"),
        (date(2026, 11, 27), None, "UTC"),
        (Moment.on(date(2026, 11, 27), "Asia/Tokyo"), "Europe/Berlin", "Asia/Tokyo"),
    ],
)
def test_a_moment_lives_in_its_own_zone_else_in_the_one_at_hand_else_in_that_of_its_offset(document: Any, zone: str | None, expected: str) -> None:
    assert Moment.parse(document, zone=zone).zone == expected


@pytest.mark.parametrize(
    ("document", "precision", "at"),
    [
        (NOON, "instant", "2026-11-27T11:00:00+00:00"),
        ("2026-11-27", "day", "2026-11-26T23:00:00+00:00"),
        (date(2026, 11, 27), "day", "2026-11-26T23:00:00+00:00"),
        ({"on": date(2026, 11, 27)}, "day", "2026-11-26T23:00:00+00:00"),
        ({"at": NOON, "precision": "instant"}, "instant", "2026-11-27T11:00:00+00:00"),
        ({"at": "2026-11-26T23:30:00+00:00", "precision": "day"}, "day", "2026-11-26T23:00:00+00:00"),
        ({"on": "2026-11-27", "at": NOON, "precision": "day"}, "day", "2026-11-26T23:00:00+00:00"),
        (Moment.on(date(2026, 11, 27), "Europe/Berlin"), "day", "2026-11-26T23:00:00+00:00"),
    ],
)
def test_a_moment_is_an_instant_or_a_day(document: Any, precision: str, at: str) -> None:
    moment = Moment.parse(document, zone="Europe/Berlin")
    assert (moment.precision, moment.at.astimezone(UTC).isoformat()) == (precision, at)
    assert moment.day == date(2026, 11, 27)
    assert moment.local.tzinfo == ZoneInfo("Europe/Berlin")


def test_a_day_taken_from_an_instant_without_a_zone_is_the_day_of_its_offset() -> None:
    moment = Moment.parse({"at": "2026-11-27T23:30:00-05:00", "precision": "day"})
    assert (moment.day, moment.zone, moment.precision) == (date(2026, 11, 27), "UTC", "day")


def test_a_moment_goes_out_in_the_form_that_is_read() -> None:
    assert Moment.parse(NOON, zone="Europe/Berlin").to_json() == {"at": NOON, "zone": "Europe/Berlin", "precision": "instant"}
    assert Moment.parse("2026-11-27", zone="Europe/Berlin").to_json() == {"on": "2026-11-27", "zone": "Europe/Berlin", "precision": "day"}


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ({}, "moments.aware", '"at" with an instant or "on" with a day'),
        ({"at": "Friday"}, "moments.aware", "an ISO 8601 time with an offset, such as 2026-11-27T17:30:00+01:00"),
        ({"at": 5}, "moments.aware", "an ISO 8601 time with an offset, such as 2026-11-27T17:30:00+01:00"),
        ({"at": "2026-11-27T12:00:00", "precision": "day"}, "moments.aware", "a time with its offset from UTC, such as 2026-11-27T17:30:00+01:00"),
        ("2026-11-31", "moments.aware", "a day as YYYY-MM-DD"),
        ("1969-12-31", "moments.aware", "a year from 1970 to 2149"),
        ("2150-01-01T00:00:00+00:00", "moments.aware", "a year from 1970 to 2149"),
        ({"at": NOON, "zone": "Mars"}, "moments.aware.zone", "an IANA time zone such as Europe/Berlin"),
        ({"on": "2026-11-27", "zone": 7}, "moments.aware.zone", "an IANA time zone such as Europe/Berlin"),
        ({"at": NOON, "precision": "day", "zone": "Mars"}, "moments.aware.zone", "an IANA time zone such as Europe/Berlin"),
    ],
)
def test_a_moment_that_cannot_be_read_is_named(document: Any, path: str, expected: str) -> None:
    with pytest.raises(FactError) as refused:
        read_facts({"moments": {"aware": document}})
    assert (refused.value.path, refused.value.expected) == (path, expected)
    assert str(refused.value) == f"{path}: expected {expected}"


def test_the_first_and_the_last_year_that_count_are_read() -> None:
    assert [Moment.parse(f"{year}-06-01").day.year for year in (1970, 2149)] == [1970, 2149]
    assert [Moment.parse(f"{year}-06-01T12:00:00+00:00").day.year for year in (1970, 2149)] == [1970, 2149]


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ([], "facts", "a mapping of fact names to values"),
        ({"organisation.zone": "Mars"}, "organisation.zone", "an IANA time zone such as Europe/Berlin"),
        ({"harm.exempt": True}, "harm.exempt", 'an answer for each place, such as {"US-NY": …}'),
        ({"weather": "fair"}, "weather", "the name of a fact in the catalogue"),
        ({"contract": {"weather": 1}}, "contract.weather", "the name of a fact in the catalogue"),
        ({"data.pi_match.US-NY": True}, "data.pi_match.US-NY", "nothing: this is worked out from data.elements"),
        ({"affected.by_place": [5]}, "affected.by_place", 'a count for each place, such as {"DE": 40}'),
        ({"affected.by_place": {7: 5}}, "affected.by_place", "a country such as DE or a state such as US-NY, not 7"),
        ({"affected.by_place": {"DEU": 5}}, "affected.by_place", "a country such as DE or a state such as US-NY, not 'DEU'"),
        ({"affected.by_place": {"DE": "5"}}, "affected.by_place.DE", 'a whole number, or {"value": …, "certainty": "exact|about|at_least|not_known"}'),
        ({"personal_data_breach": 1}, "personal_data_breach", "true, false or null"),
        ({"contract": {"processor_notice_hours": True}}, "contract.processor_notice_hours", "a whole number or null"),
        ({"contract": {"processor_notice_hours": -1}}, "contract.processor_notice_hours", "a whole number or null"),
        ({"contract": {"processor_notice_hours": 10**12 + 1}}, "contract.processor_notice_hours", "a whole number or null"),
        ({"risk_level": 3}, "risk_level", "text or null"),
        ({"risk_level": "huge"}, "risk_level", "one of unlikely, risk, high"),
        ({"role": 3}, "role", 'a list, or {"known": […], "complete": false}'),
        ({"role": {"known": ["owner"], "complete": "yes"}}, "role", 'a list, or {"known": […], "complete": false}'),
        ({"organisation.establishments": ["Bavaria"]}, "organisation.establishments", "a country such as DE or a state such as US-NY, not 'Bavaria'"),
        ({"moments": ["aware"]}, "moments", "a mapping of names to moments"),
        ({"moments": {"awake": NOON}}, "moments.awake", "the name of a moment in the catalogue"),
        ({"completed": ["eu-gdpr-33-1"]}, "completed", "a mapping of names to moments"),
        ({"holds": {"from": NOON}}, "holds", "a list of holds"),
        ({"holds": [{"from": NOON}, {"until": NOON}]}, "holds[1]", '{"regime": …, "from": moment, "until": moment or null}'),
        ({"holds": ["now"]}, "holds[0]", '{"regime": …, "from": moment, "until": moment or null}'),
        ({"holds": [{"from": "now"}]}, "holds[0].from", "an ISO 8601 time with an offset, such as 2026-11-27T17:30:00+01:00"),
        ({"holds": [{"from": NOON, "until": "later"}]}, "holds[0].until", "an ISO 8601 time with an offset, such as 2026-11-27T17:30:00+01:00"),
    ],
)
def test_a_fact_that_cannot_be_read_is_named_with_what_was_expected(document: Any, path: str, expected: str) -> None:
    with pytest.raises(FactError) as refused:
        read_facts(document)
    assert (refused.value.path, refused.value.expected) == (path, expected)


def test_an_element_that_is_no_choice_is_shown_beside_the_choices() -> None:
    for element in ("king", 3):
        with pytest.raises(FactError, match=rf"^role: expected elements of .*controller.*; found {element!r}$"):
            read_facts({"role": [element]})


def test_facts_that_were_read_are_taken_as_they_are() -> None:
    facts = read_facts({})
    assert read_facts(facts) is facts
    assert facts == Facts({}, {}, None, {}, {}, ())


def test_what_is_null_is_not_known_wherever_it_stands() -> None:
    document = {"risk_level": None, "harm.exempt": {"US-NY": None}, "moments": None, "completed": {"eu-gdpr-33-1": None}, "holds": None, "affected.by_place": None}
    assert read_facts(document) == Facts({}, {}, None, {}, {}, ())


def test_values_are_kept_by_their_kind() -> None:
    facts = read_facts(
        {
            "personal_data_breach": False,
            "risk_level": "high",
            "contract": {"processor_notice_hours": 0},
            "affected.total": {"value": 9, "certainty": "about"},
            "affected.places_complete": True,
            "affected.by_place.UK": 4,
            "affected.by_place": {"us-ny": 5},
            "harm.exempt": {"us-ny": True},
            "data.unsecured.us-ny": False,
        }
    )
    assert facts.values == {
        "personal_data_breach": False, "risk_level": "high", "contract.processor_notice_hours": 0, "affected.total": Count(9, Certainty.ABOUT),
        "harm.exempt.US-NY": True, "data.unsecured.us-ny": False,
    }
    assert facts.places_complete is True
    assert facts.by_place == {"GB": Count(4), "US-NY": Count(5)}


@pytest.mark.parametrize(
    ("written", "known"),
    [
        (["employer"], Known(frozenset({"employer"}))),
        ("employer", Known(frozenset({"employer"}))),
        ({"employer"}, Known(frozenset({"employer"}))),
        ([], Known(frozenset())),
        ({"known": ["employer"]}, Known(frozenset({"employer"}), complete=False)),
        ({"known": "employer", "complete": True}, Known(frozenset({"employer"}), complete=True)),
        ({"complete": True}, Known(frozenset(), complete=True)),
        ({}, Known(frozenset(), complete=False)),
    ],
)
def test_a_set_is_a_list_or_says_what_is_known_of_it(written: Any, known: Known) -> None:
    assert read_facts({"role": written}).values["role"] == known


def test_who_is_a_vendor_holds_the_data_for_somebody() -> None:
    assert read_facts({"role": {"known": ["vendor"], "complete": True}}).values["role"] == Known(frozenset({"vendor", "maintainer"}))


def test_what_an_element_brings_along_may_bring_more() -> None:
    implies = (("a", ("b",)), ("b", ("c", "a")))
    spec = FactSpec("letters", "set", "Letters", "Which?", choices=(("a", "a"), ("b", "b"), ("c", "c")), implies=implies)
    assert read_facts({"letters": ["a"]}, catalogue=Catalogue({"letters": spec}, {})).values["letters"].values == {"a", "b", "c"}


def test_the_largest_number_is_read() -> None:
    assert read_facts({"contract.processor_notice_hours": 10**12}).values == {"contract.processor_notice_hours": 10**12}


def test_a_hold_is_read_with_whom_it_concerns() -> None:
    hold = {"from": NOON, "until": "2026-12-01", "regime": "us-ny", "obligation": "us-ny.breach.individual", "oral": True}
    bare = {"from": NOON, "until": None}
    facts = read_facts({"organisation.zone": "Europe/Berlin", "holds": [hold, bare]})
    since = Moment.parse(NOON, zone="Europe/Berlin")
    until = Moment.on(date(2026, 12, 1), "Europe/Berlin")
    assert facts.holds == (Hold(since, until, "us-ny", "us-ny.breach.individual", True), Hold(since, None))


def test_what_was_done_may_be_named_by_any_duty() -> None:
    facts = read_facts({"organisation.zone": "Europe/Berlin", "completed": {"eu-gdpr-33-1@authority:DE-BE": "2026-12-01"}})
    assert facts.completed == {"eu-gdpr-33-1@authority:DE-BE": Moment.on(date(2026, 12, 1), "Europe/Berlin")}
