"""Which moves may be made before a person has looked, and what is named as their reason."""

from datetime import UTC, datetime, timedelta

import pytest

from incident_tracker.rules.movements import Pack, Position, is_looser, why_moved

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
LATER, EARLIER = NOON + timedelta(hours=1), NOON - timedelta(hours=1)


@pytest.mark.parametrize(("before", "after"), [
    (Position("running", NOON), Position("running", LATER)),
    (Position("undecided", NOON), Position("undecided", LATER)),
    (Position("running", NOON), Position("running", None)),
    (Position("running", NOON), Position("held", NOON)),
    (Position("running", NOON), Position("not_started", None)),
    (Position("running", NOON), Position("does_not_apply", None)),
    (Position("undecided", None), Position("does_not_apply", None)),
    (Position("held", None), Position("does_not_apply", None)),
    (Position("not_started", None), Position("does_not_apply", None)),
])
def test_more_time_and_the_end_of_a_duty_wait_for_a_person(before: Position, after: Position) -> None:
    assert is_looser(before, after) is True


@pytest.mark.parametrize(("before", "after"), [
    (Position("running", NOON), Position("running", NOON)),
    (Position("running", NOON), Position("running", EARLIER)),
    (Position("running", NOON), Position("undecided", NOON)),
    (Position("undecided", NOON), Position("running", NOON)),
    (Position("running", None), Position("running", NOON)),
    (Position("running", None), Position("held", None)),
    (Position("held", NOON), Position("running", LATER)),
    (Position("not_started", None), Position("running", NOON)),
    (Position("met", NOON), Position("does_not_apply", None)),
    (Position("does_not_apply", None), Position("running", NOON)),
])
def test_what_is_as_strict_or_stricter_counts_at_once(before: Position, after: Position) -> None:
    assert is_looser(before, after) is False


OLD = Pack("a" * 64, "2026a", "holidays 0.108", {"eu/gdpr.yaml": "1", "places.yaml": "1"})


@pytest.mark.parametrize(("after", "file", "said"), [
    (Pack("b" * 64, "2026a", "holidays 0.108", {"eu/gdpr.yaml": "2"}), "eu/gdpr.yaml", "the text of this rule changed"),
    (Pack("b" * 64, "2026a", "holidays 0.108", {"eu/new.yaml": "1"}), "eu/new.yaml", "this rule is new"),
    (Pack("a" * 64, "2026b", "holidays 0.109", OLD.digests), "eu/gdpr.yaml", "the time-zone data changed from 2026a to 2026b"),
    (Pack("a" * 64, "2026a", "holidays 0.109", OLD.digests), "eu/gdpr.yaml", "the holiday data changed from holidays 0.108 to holidays 0.109"),
    (Pack("b" * 64, "2026a", "holidays 0.108", {"eu/gdpr.yaml": "1", "places.yaml": "2"}), "eu/gdpr.yaml",
     "data that the rules share changed: facts, places, authorities or calendars"),
    (Pack("b" * 64, "2026a", "holidays 0.108", {}), None, "data that the rules share changed: facts, places, authorities or calendars"),
])
def test_the_reason_names_what_differs(after: Pack, file: str | None, said: str) -> None:
    assert why_moved(file, OLD, after) == said


def test_without_the_rules_of_before_no_part_is_named() -> None:
    assert why_moved("eu/gdpr.yaml", None, OLD) == "the rules in use changed"


def test_a_pack_has_a_short_name() -> None:
    assert OLD.name == "law aaaaaaaa, time zones 2026a, holidays 0.108"
