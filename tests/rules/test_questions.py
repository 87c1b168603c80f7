"""The next question is the one whose answer settles the most urgent duties."""

from datetime import UTC, datetime

from incident_tracker.rules.questions import OpenDuty, rank

SOON, LATER = datetime(2026, 11, 28, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC)


def duty(key: str, at: datetime | None, missing: str, decisive: str = "") -> OpenDuty:
    return OpenDuty(key, at, tuple(missing.split()), frozenset(decisive.split()))


def test_the_more_urgent_duty_goes_before_several_that_are_less_so() -> None:
    found = rank([duty("b", LATER, "many"), duty("c", LATER, "many"), duty("a", SOON, "one")])
    assert found == (("one", ("a",)), ("many", ("b", "c")))


def test_of_facts_as_urgent_the_one_that_settles_more_comes_first() -> None:
    assert rank([duty("a", SOON, "one"), duty("b", SOON, "two"), duty("c", SOON, "two")]) == (("two", ("b", "c")), ("one", ("a",)))


def test_where_two_are_equal_the_next_duties_decide_and_then_the_name() -> None:
    assert [fact for fact, _ in rank([duty("a", SOON, "one"), duty("b", SOON, "two"), duty("c", LATER, "two")])] == ["two", "one"]
    assert [fact for fact, _ in rank([duty("a", SOON, "y"), duty("b", SOON, "x")])] == ["x", "y"]


def test_a_duty_without_a_date_comes_last() -> None:
    found = rank([duty("a", None, "one"), duty("b", LATER, "two")])
    assert found == (("two", ("b",)), ("one", ("a",)))


def test_the_last_fact_missing_counts_more_than_one_of_which_only_one_answer_settles() -> None:
    found = rank([duty("a", SOON, "first other", decisive="first"), duty("b", SOON, "second")])
    assert found == (("second", ("b",)), ("first", ("a",)), ("other", ()))


def test_the_fewer_are_missing_the_more_a_decisive_answer_counts() -> None:
    found = rank([duty("a", SOON, "first x y", decisive="first"), duty("b", SOON, "second z", decisive="second")])
    assert [fact for fact, _ in found][:2] == ["second", "first"]


def test_a_fact_of_one_place_makes_the_list_of_places_decisive() -> None:
    found = dict(rank([duty("a", SOON, "affected.by_place risk", decisive="affected.by_place.DE")]))
    assert found == {"affected.by_place": ("a",), "risk": ()}
    assert dict(rank([duty("a", SOON, "affected.by_place risk", decisive="affected.by_place.DE role")])) == {"affected.by_place": ("a",), "risk": ()}
    assert dict(rank([duty("a", SOON, "affected.by risk", decisive="affected.by_place.DE")])) == {"affected.by": (), "risk": ()}


def test_nothing_missing_asks_nothing() -> None:
    assert rank([]) == ()
    assert rank([duty("a", SOON, "")]) == ()
