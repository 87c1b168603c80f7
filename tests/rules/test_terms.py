"""What a regime file may say about a period, read word for word."""

from datetime import time

import pytest

from incident_tracker.rules.sources import RegimeError, parse_yaml
from incident_tracker.rules.terms import COUNTINGS, Period, Roll, Term, read_period, read_roll, read_term

NOON = Roll(frozenset({"saturday", "sunday"}), "DE", "Act s. 5", to=time(12))


def term(text: str) -> Term:
    return read_term(parse_yaml(text, "trial.yaml"), {"noon": NOON})


def period(text: str) -> Period:
    return read_period(parse_yaml(text, "trial.yaml"), {})


@pytest.mark.parametrize(("unit", "counting"), [("hours", "elapsed"), ("days", "calendar"), ("weeks", "calendar"), ("months", "calendar"), ("years", "calendar")])
def test_a_number_is_counted_plainly_unless_the_file_says_otherwise(unit: str, counting: str) -> None:
    assert term(f"{{{unit}: 3}}") == Term(unit, number=3, counting=counting)
    assert term(f"{{{unit}: 3}}").unit == unit
    assert term(f"{{{unit}: 3, counting: eu1182}}").counting == "eu1182"


def test_working_days_leave_out_the_first_unless_the_file_says_otherwise() -> None:
    assert term("{working_days: 4, calendar: us-sec}") == Term("working_days", number=4, counting="excluding_first", calendar="us-sec")
    for counting in COUNTINGS["working_days"]:
        assert term(f"{{working_days: 4, calendar: us-sec, counting: {counting}}}").counting == counting


def test_everything_that_is_said_of_a_term_is_kept() -> None:
    text = '{days: {fact: contract.days}, from: detected, roll: noon, calendar: DE, statutory_calendar: FR, until: "17:00", keep_time: true, cites: Act s. 1}'
    assert term(text) == Term(
        "days", number_fact="contract.days", counting="calendar", start="detected", roll=NOON, calendar="DE", statutory_calendar="FR",
        until=time(17), keep_time=True, cites="Act s. 1",
    )
    assert term("{days: 3, after: trial.one, keep_time: false}") == Term("days", number=3, counting="calendar", after="trial.one")


def test_a_combination_has_the_unit_of_its_first_part_with_one_and_keeps_all_parts() -> None:
    both = term("{earlier_of: [{before: trial.one}, {months: 1}, {days: 3}], cites: Act s. 2}")
    assert (both.kind, both.unit, both.cites, both.keep_time, len(both.parts)) == ("earlier_of", "months", "Act s. 2", False, 3)
    assert [one.kind for one in both.walk()] == ["earlier_of", "before", "months", "days"]
    assert term("{later_of: [{months: 1}, {days: 3}]}").cites == ""


@pytest.mark.parametrize("relation", ["before", "with", "not_later_than"])
def test_a_relation_has_no_unit(relation: str) -> None:
    assert term(f"{{{relation}: trial.one, cites: Act s. 3}}") == Term(relation, other="trial.one", cites="Act s. 3")
    assert term(f"{{{relation}: trial.one}}").unit == ""


def test_a_period_has_words_a_limit_an_earliest_moment_or_several_of_them() -> None:
    whole = period("{standard: soon, nature: outer limit, within: {days: 3}, not_before: {days: 1}, lasts: {months: 2}}")
    assert (whole.standard, whole.nature, whole.unit) == ("soon", "outer limit", "days")
    assert [one.number if one else None for one in (whole.within, whole.not_before, whole.lasts)] == [3, 1, 2]
    assert period("{not_before: {days: 1}}").unit == ""
    assert period("{standard: ~, within: {days: 3}}").standard is None
    assert period("{standard: soon}") == Period("soon", None, None, None, None)
    with pytest.raises(RegimeError, match="needs a standard in words, a limit"):
        period("{nature: hard, lasts: {months: 2}}")


def test_a_move_off_rest_days_is_named_or_written_out() -> None:
    assert read_roll(parse_yaml("noon", "trial.yaml"), {"noon": NOON}) is NOON
    full = read_roll(parse_yaml('{days: [sunday, holiday], calendar: FR, cites: Act s. 6, to: "12:00", when: {fact: risk_level, op: eq, value: high}}', "trial.yaml"), {})
    assert (full.days, full.calendar, full.cites, full.to) == (frozenset({"sunday", "holiday"}), "FR", "Act s. 6", time(12))
    assert full.when
    assert full.when.fact == "risk_level"
    bare = read_roll(parse_yaml("{days: [saturday], calendar: FR, cites: Act s. 6}", "trial.yaml"), {})
    assert (bare.to, bare.when) == (None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{days: 3, roll: later}", "trial.yaml:1: no roll rule 'later'; defined here: noon"),
        ("{days: 3, weeks: 1}", "expected exactly one of hours, days, .*, working_days, earlier_of, later_of, before, with, not_later_than"),
        ("{cites: Act}", "expected exactly one of"),
        ("{earlier_of: [{days: 3}]}", "earlier_of needs at least two terms"),
        ("{later_of: [{days: 3}, {days: 4}], until: '12:00'}", "unknown key 'until'"),
        ("{before: trial.one, roll: noon}", "unknown key 'roll'"),
        ("{working_days: 3}", "working days need a calendar"),
        ("{days: 3, from: aware, after: trial.one}", "from a moment or after a duty, not both"),
        ("{days: 3, until: noon}", "expected a time of day as HH:MM, found 'noon'"),
        ("{days: {fact: x, value: 3}}", "unknown key 'value'"),
        ("{days: 3, roll: {days: [friday], calendar: DE, cites: Act}}", "'friday' is not one of saturday, sunday, holiday"),
    ],
)
def test_it_refuses_terms_that_mean_nothing_or_two_things(text: str, message: str) -> None:
    with pytest.raises(RegimeError, match=message):
        term(text)


def test_it_says_that_no_move_is_defined_at_all() -> None:
    with pytest.raises(RegimeError, match="defined here: none"):
        read_roll(parse_yaml("noon", "trial.yaml"), {})
