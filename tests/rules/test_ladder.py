"""When warnings go out, and how the waiting ones follow a clock that moves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.rules import ladder
from incident_tracker.rules.ladder import Agreement, LadderError, PlannedRung, Standing

OURS = Path(str(files("incident_tracker"))) / "ladders.yaml"
LADDERS = ladder.load_ladders(OURS)
START = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
DEADLINE = START + timedelta(hours=72)
THREE_DAYS = LADDERS["three-days"]
HOUR = timedelta(hours=1)


def remember(agreement: Agreement, before: list[Standing], deadline: datetime, now: datetime) -> list[Standing]:
    """What is remembered after an agreement was carried out."""
    renewed = dict(agreement.renew)
    after = []
    for rung in before:
        if rung.id in agreement.cancel:
            rung = replace(rung, outcome="cancelled", ended_at=now)
        if rung.id in agreement.overtake:
            rung = replace(rung, outcome="overtaken", ended_at=now)
        if rung.id in renewed:
            new = renewed[rung.id]
            rung = replace(rung, outcome=None, ended_at=None, due_at=new.due_at, audience=new.audience, loudness=new.loudness)
        after.append(rung)
    number = len(after)
    for one, outcome in [(one, None) for one in agreement.add] + [(one, "overtaken") for one in agreement.add_overtaken]:
        number += 1
        after.append(Standing(number, one.key, one.due_at, deadline, one.audience, one.loudness, outcome, now if outcome else None))
    assert len({(rung.deadline_at, rung.key) for rung in after}) == len(after), "a rung is remembered twice"
    return after


def settle(before: list[Standing], deadline: datetime, now: datetime, start: datetime = START) -> list[Standing]:
    return remember(ladder.agree(THREE_DAYS, start, deadline, now, before), before, deadline, now)


def fire(rungs: list[Standing], now: datetime) -> list[Standing]:
    """As the worker does: of those due the most urgent fires, the others are overtaken."""
    due = sorted((rung for rung in rungs if rung.outcome is None and rung.due_at <= now), key=lambda rung: rung.due_at)
    outcome = {rung.id: "overtaken" for rung in due[:-1]} | {rung.id: "fired" for rung in due[-1:]}
    return [replace(rung, outcome=outcome[rung.id], ended_at=now) if rung.id in outcome else rung for rung in rungs]


def waiting(rungs: list[Standing]) -> list[str]:
    return [rung.key for rung in sorted(rungs, key=lambda rung: rung.due_at) if rung.outcome is None]


def test_a_72_hour_clock_warns_at_the_hours_people_expect():
    planned = ladder.plan(THREE_DAYS, START, DEADLINE)
    assert [rung.due_at for rung in planned] == [START, *(DEADLINE - HOUR * hours for hours in (48, 24, 12, 6, 3, 1, 0.25, 0))]
    assert planned[-1].key == "at-deadline"


def test_it_tells_more_people_and_louder_as_the_deadline_nears():
    planned = {rung.key: rung for rung in ladder.plan(THREE_DAYS, START, DEADLINE)}
    assert planned["48h-before"].audience == ("owner",)
    assert planned["24h-before"].audience == ("owner", "legal")
    assert planned["6h-before"].audience == ("owner", "legal", "managers")
    assert (planned["48h-before"].loudness, planned["1h-before"].loudness) == ("normal", "loud")


def test_after_the_deadline_it_reminds_hourly_for_a_day_and_then_daily():
    at, seen = DEADLINE, []
    for _ in range(27):
        rung = ladder.next_after_deadline(THREE_DAYS, DEADLINE, at)
        seen.append((rung.key, (rung.due_at - DEADLINE) / HOUR))
        at = rung.due_at
    assert seen[:3] == [("overdue-1", 1), ("overdue-2", 2), ("overdue-3", 3)]
    assert seen[22:] == [("overdue-23", 23), ("overdue-24", 24), ("overdue-25", 48), ("overdue-26", 72), ("overdue-27", 96)]


def test_reminders_missed_while_nobody_was_at_work_are_counted_not_repeated():
    rung = ladder.next_after_deadline(THREE_DAYS, DEADLINE, DEADLINE + timedelta(hours=5, minutes=20))
    assert (rung.key, rung.due_at) == ("overdue-6", DEADLINE + 6 * HOUR)


@given(st.sampled_from(sorted(LADDERS)), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_next_reminder_is_always_ahead_and_the_walk_to_it_is_the_same(name: str, later: timedelta):
    one = LADDERS[name]
    found = ladder.next_after_deadline(one, DEADLINE, DEADLINE + later)
    assert found.due_at > DEADLINE + later
    before = ladder.next_after_deadline(one, DEADLINE, found.due_at - timedelta(microseconds=1))
    assert before == found
    assert ladder.reminder_number(ladder.next_after_deadline(one, DEADLINE, found.due_at).key) == ladder.reminder_number(found.key) + 1


@pytest.mark.parametrize(("length", "name"), [
    (timedelta(hours=4), "hours"), (timedelta(hours=24), "day"), (timedelta(hours=72), "three-days"), (timedelta(days=4), "three-days"),
    (timedelta(days=10), "weeks"), (timedelta(days=30), "months"), (timedelta(days=60), "months"), (timedelta(0), "hours"),
])
def test_the_length_of_the_clock_chooses_the_ladder(length: timedelta, name: str):
    assert ladder.choose(LADDERS, length).name == name
    assert ladder.choose(LADDERS, length, "target").name == "target"


def test_an_own_target_never_sounds_the_alarm_of_a_legal_deadline():
    assert {step.loudness for step in LADDERS["target"].steps + LADDERS["target"].reminders} <= {"quiet", "normal"}


def test_a_clock_shorter_than_a_rung_leaves_that_rung_out():
    planned = ladder.plan(THREE_DAYS, START, START + timedelta(hours=20))
    assert [rung.key for rung in planned] == ["start", "12h-before", "6h-before", "3h-before", "1h-before", "15min-before", "at-deadline"]


def test_a_clock_that_ends_as_it_starts_still_warns():
    assert [rung.key for rung in ladder.plan(THREE_DAYS, START, START)] == ["at-deadline"]


def test_a_clock_entered_late_warns_once_at_once():
    now = DEADLINE - timedelta(hours=20)
    rungs = settle([], DEADLINE, now)
    assert [(rung.key, rung.outcome) for rung in rungs if rung.due_at <= now] == [("24h-before", None), ("start", "overtaken"), ("48h-before", "overtaken")]
    assert waiting(rungs)[1:] == ["12h-before", "6h-before", "3h-before", "1h-before", "15min-before", "at-deadline"]


def test_a_clock_entered_after_its_deadline_says_so_at_once():
    assert waiting(settle([], DEADLINE, DEADLINE + timedelta(days=10))) == ["at-deadline"]


def test_a_moved_deadline_cancels_the_old_rungs_and_warns_of_the_new_one():
    rungs = fire(settle([], DEADLINE, START), START)
    earlier = DEADLINE - timedelta(hours=30)
    moved = settle(rungs, earlier, START + HOUR)
    assert {rung.outcome for rung in moved if rung.deadline_at == DEADLINE} == {"fired", "cancelled"}
    assert waiting(moved)[0] == "start"
    assert len([rung for rung in moved if rung.outcome is None and rung.due_at <= START + HOUR]) == 1


def test_a_deadline_moved_away_and_back_is_told_again_without_repeating_what_was_said():
    rungs = fire(settle([], DEADLINE, START), START)
    elsewhere = fire(settle(rungs, DEADLINE + timedelta(hours=24), START + HOUR), START + HOUR)
    back = settle(elsewhere, DEADLINE, START + 2 * HOUR)
    assert waiting(back) == ["again-1", "48h-before", "24h-before", "12h-before", "6h-before", "3h-before", "1h-before", "15min-before", "at-deadline"]
    told = fire(back, START + 2 * HOUR)
    assert "again-1" not in waiting(settle(told, DEADLINE, START + 3 * HOUR))


def test_a_new_rung_in_the_file_is_not_fired_late_when_a_more_urgent_one_was():
    now = DEADLINE - 10 * HOUR
    rungs = fire(settle([], DEADLINE, now), now)
    more = replace(THREE_DAYS, steps=tuple(sorted(
        (*THREE_DAYS.steps, ladder.Step("36h-before", 36 * HOUR, ("owner",), "normal")), key=lambda s: timedelta.max if s.before is None else s.before, reverse=True,
    )))
    assert ladder.agree(more, START, DEADLINE, now, rungs) == Agreement(add_overtaken=(PlannedRung("36h-before", DEADLINE - 36 * HOUR, ("owner",), "normal"),))


def test_a_duty_that_needs_no_warning_has_its_waiting_rungs_cancelled_and_nothing_else():
    rungs = fire(settle([], DEADLINE, START), START)
    agreement = ladder.agree(None, START, DEADLINE, START, rungs)
    assert agreement == Agreement(cancel=tuple(rung.id for rung in rungs if rung.outcome is None))


def test_a_hold_that_ends_after_the_deadline_takes_the_reminders_up_again():
    now = DEADLINE + timedelta(minutes=10)
    rungs = fire(settle([], DEADLINE, now), now)
    rungs = settle(rungs, DEADLINE, now)
    assert waiting(rungs) == ["overdue-1"]
    held = remember(ladder.agree(None, START, DEADLINE, now, rungs), rungs, DEADLINE, now)
    assert waiting(held) == []
    assert waiting(settle(held, DEADLINE, now + timedelta(minutes=5))) == ["overdue-1"]
    assert waiting(settle(held, DEADLINE, now + 2 * HOUR)) == ["overdue-3"]


MOMENTS = st.timedeltas(timedelta(hours=-100), timedelta(hours=300)).map(lambda span: START + timedelta(minutes=span // timedelta(minutes=1)))
HAPPENINGS = st.lists(st.one_of(
    st.tuples(st.just("move"), MOMENTS), st.tuples(st.just("pass"), st.timedeltas(timedelta(0), timedelta(hours=60))),
    st.tuples(st.just("silence"), st.just(None)),
), max_size=12)


@given(HAPPENINGS)
def test_whatever_happens_planning_twice_changes_nothing_and_a_running_duty_is_never_silent(happenings: list[tuple[str, object]]):
    now, deadline, rungs = START, DEADLINE, settle([], DEADLINE, START)
    for what, value in happenings:
        if what == "move":
            deadline = value
        elif what == "pass":
            now += value
            rungs = fire(rungs, now)
        else:
            rungs = remember(ladder.agree(None, START, deadline, now, rungs), rungs, deadline, now)
        rungs = settle(rungs, deadline, now)
        assert not ladder.agree(THREE_DAYS, START, deadline, now, rungs), "planning again changes something"
        assert waiting(rungs), "nothing waits for a running duty"
        assert all(rung.deadline_at == deadline for rung in rungs if rung.outcome is None)
        said = [(rung.deadline_at, rung.key) for rung in rungs if rung.outcome == "fired"]
        assert len(said) == len(set(said)), "a rung fired twice"


def written(tmp_path: Path, old: str, new: str, count: int = 1) -> Path:
    """Our own file with one thing changed."""
    text = OURS.read_text()
    assert old in text
    path = tmp_path / "ladders.yaml"
    path.write_text(text.replace(old, new, count))
    return path


@pytest.mark.parametrize(("old", "new", "said"), [
    ("tell: [owner, legal], loudness: loud", "tell: [owner, everybody], loudness: loud", r"ladders.yaml:16: 'everybody' is not one of owner, lead, legal, managers, on_call"),
    ("when: 3 h before", "when: 3 hours before", r"ladders.yaml:17: expected a time such as '3 h before'"),
    ("key: 3h-before", "key: 2h-before", r"ladders.yaml:16: two rungs have the same key"),
    ("key: start", "key: overdue-1", r"ladders.yaml:16: a key is small letters"),
    ("when: 3 h before", "when: 1 h before", r"ladders.yaml:16: the rungs stand in order"),
    ("up_to: 6 h", "up_to: 2 h", r"ladders.yaml:16: the second rung is farther"),
    ("{every: 1 d, tell", "{every: 1 d, for: 9 d, tell", r"ladders.yaml:27: every entry has a 'for' but the last one"),
    ("{every: 15 min, for: 2 h", "{every: 15 min, for: 10 min", r"ladders.yaml:27: the time is shorter than one round"),
    ("key: 1h-before, when: 1 h before, tell: [owner, legal, managers]", "key: 1h-before, when: 1 h before, tell: [owner]", r"ladders.yaml:16: whom to tell never narrows"),
    ("key: 3h-before, when: 3 h before, tell: [owner, legal]", "key: 3h-before, when: 3 h before, tell: []", r"ladders.yaml:17: name whom to tell"),
    ("when: deadline", "when: 0 min before", r"ladders.yaml:22: expected a time"),
    ("loudness: loud", "loudness: deafening", r"ladders.yaml:16: 'deafening' is not one of"),
    ("up_to: 6 h", "up_to: 36 h", r"ladders.yaml:11: of the ladders for law exactly one has no up_to"),
    ("    for: target", "    for: nobody", r"'nobody' is not one of law, target"),
    ("name: day", "name: hours", r"the ladder 'hours' is written twice"),
    ("loudness: loud}", "loudness: loud, colour: red}", r"ladders.yaml:16: unknown key 'colour'"),
])
def test_a_mistake_in_the_file_is_refused_with_its_line_and_the_rule(tmp_path: Path, old: str, new: str, said: str):
    with pytest.raises(LadderError, match=said):
        ladder.load_ladders(written(tmp_path, old, new))


# -- nobody answers ---------------------------------------------------------------------------------------------------------

THREE_DAYS = LADDERS["three-days"]
FIRED = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
FAR = FIRED + timedelta(hours=72)


def test_an_unanswered_warning_is_followed_step_by_step_and_then_no_more() -> None:
    first = ladder.next_if_unanswered(THREE_DAYS, "start", FIRED, FAR)
    assert first is not None
    assert (first.key, first.due_at, first.audience) == ("unanswered-1-start", FIRED + timedelta(hours=2), ("owner", "lead", "on_call"))
    second = ladder.next_if_unanswered(THREE_DAYS, first.key, first.due_at, FAR)
    assert second is not None
    assert (second.key, second.due_at) == ("unanswered-2-start", FIRED + timedelta(hours=4))
    assert ladder.next_if_unanswered(THREE_DAYS, second.key, second.due_at, FAR) is None


def test_the_climb_keeps_the_name_of_a_rung_with_dashes() -> None:
    found = ladder.next_if_unanswered(THREE_DAYS, "unanswered-1-24h-before", FIRED, FAR)
    assert found is not None and found.key == "unanswered-2-24h-before"


@pytest.mark.parametrize(("key", "deadline"), [("overdue-3", FAR), ("start", FIRED + timedelta(hours=2)), ("at-deadline", FIRED)])
def test_nothing_climbs_where_reminders_or_the_deadline_come_first(key: str, deadline: datetime) -> None:
    assert ladder.next_if_unanswered(THREE_DAYS, key, FIRED, deadline) is None


def test_a_climb_that_waits_is_left_alone_while_its_deadline_stands() -> None:
    waits = ladder.Standing(9, "unanswered-1-start", FIRED + timedelta(hours=2), FAR, ("owner",), "normal")
    start = ladder.Standing(8, "start", FIRED, FAR, ("owner",), "normal", "fired", FIRED)
    assert 9 not in ladder.agree(THREE_DAYS, FIRED, FAR, FIRED + timedelta(hours=1), [start, waits]).cancel
    assert 9 in ladder.agree(THREE_DAYS, FIRED, FAR + timedelta(hours=1), FIRED + timedelta(hours=1), [start, waits]).cancel
