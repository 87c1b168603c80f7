"""What a playbook file may say, how one extends another, and what the five that come with the tracker ask for."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_tracker.rules.catalogues import default_catalogue
from incident_tracker.rules.playbooks import CLOCKS, KINDS, PHASES, START, DueRule, Playbook, PlaybookError, load_playbooks, proposed_for

FOLDER = Path(__file__).resolve().parents[2] / "playbooks"
BUILT_IN = ("general", "lost_device", "misdirected_email", "ransomware", "vendor_breach")

HEAD = """\
title: Spilled papers
summary: Papers on the street.
kinds: [other]
steps:
"""
PICK_UP = """\
  - id: pick-up
    phase: contain
    title: Pick them up
    detail: All of them.
    role: lead
"""
COUNT = """\
  - id: count
    phase: scope
    title: Count them
    detail: Twice.
    role: privacy
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "playbooks"
    found.mkdir()
    return found


def write(folder: Path, text: str, name: str = "papers") -> Path:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def load(folder: Path, text: str, name: str = "papers") -> Playbook:
    return load_playbooks(write(folder, text, name))[name]


def refusal(folder: Path, text: str, name: str = "papers") -> str:
    with pytest.raises(PlaybookError) as caught:
        load_playbooks(write(folder, text, name), facts={"moments.aware"})
    return str(caught.value)


def titles(playbook: Playbook) -> list[str]:
    return [step.id for step in playbook.steps]


# -- what a file may say


def test_it_reads_a_step_with_all_it_can_say(folder: Path) -> None:
    more = '    due: 2 h after moments.aware\n    evidence: A photo\n    waits_for: [count]\n    facts: [data.media]\n    csf: [RS.MI-01, RS.MA]\n'
    step = load(folder, HEAD + COUNT + PICK_UP + more).steps[1]
    assert (step.id, step.phase, step.title, step.detail, step.role) == ("pick-up", "contain", "Pick them up", "All of them.", "lead")
    assert step.due == DueRule(120, "after", "moments.aware")
    assert (step.evidence, step.waits_for, step.facts, step.csf) == ("A photo", ("count",), ("data.media",), ("RS.MI-01", "RS.MA"))


def test_it_orders_steps_by_phase_and_keeps_the_order_within(folder: Path) -> None:
    assert titles(load(folder, HEAD + PICK_UP + COUNT + COUNT.replace("id: count", "id: again"))) == ["count", "again", "pick-up"]


def test_it_reads_no_word_as_a_number_or_a_truth(folder: Path) -> None:
    step = load(folder, HEAD + PICK_UP.replace("Pick them up", "NO").replace("All of them.", "72:00")).steps[0]
    assert (step.title, step.detail) == ("NO", "72:00")


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        (HEAD + PICK_UP + "    dew: 2 h after start\n", 10, "unknown key 'dew'"),
        (HEAD + PICK_UP + "    phase: scope\n", 10, "the key 'phase' is written twice"),
        (HEAD + PICK_UP + PICK_UP, 10, "the step 'pick-up' is written twice"),
        (HEAD + PICK_UP.replace("contain", "panic"), 6, "'panic' is not one of scope, contain, notify_regulators, notify_customers, remediate"),
        (HEAD + PICK_UP.replace("lead", "janitor"), 9, "'janitor' is not one of lead, security, privacy, legal, communications, manager"),
        (HEAD + PICK_UP + "    due: soon\n", 10, "a due time reads like '2 h after moments.aware'"),
        (HEAD + PICK_UP + "    due: 2 h after lunch\n", 10, "'lunch' is no anchor"),
        (HEAD + PICK_UP + "    due: 2 h after moments.awear\n", 10, "the fact 'moments.awear' is not in the catalogue"),
        (HEAD + PICK_UP + "    facts: [moments.aware, data.elemints]\n", 10, "the fact 'data.elemints' is not in the catalogue"),
        (HEAD + PICK_UP + "    waits_for: [cuont]\n", 10, "the step 'pick-up' waits for 'cuont', which is not a step here"),
        (HEAD + PICK_UP + "    csf: [RS.XX-01]\n", 10, "'RS.XX-01' is no tag"),
        (HEAD + PICK_UP + "    csf: [RS.MI-1]\n", 10, "'RS.MI-1' is no tag"),
        (HEAD + PICK_UP.replace("pick-up", "Pick up"), 5, "a step needs an id"),
        (HEAD + PICK_UP.replace("    role: lead\n", ""), 5, "the key 'role' is missing"),
        (HEAD + PICK_UP.replace("Pick them up", "x" * 301), 7, "expected 1 to 300 characters, found 301"),
        (HEAD.replace("other", "flood") + PICK_UP, 3, "'flood' is not one of misdirected_email"),
        (HEAD.replace("title: Spilled papers\n", "") + PICK_UP, 1, "the key 'title' is missing"),
        (HEAD.replace("steps:", "leave_out: [count]\nsteps:") + PICK_UP, 4, "only a playbook that extends another can leave out its steps"),
        (HEAD.replace("steps:", "extends: generel\nsteps:") + PICK_UP, 4, "there is no playbook 'generel' to extend"),
        (HEAD + "  - id: [\n", 6, "not readable as YAML"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_itself_the_line_and_the_rule(folder: Path, text: str, line: int, rule: str) -> None:
    said = refusal(folder, text)
    assert said.startswith(f"playbooks/papers.yaml:{line}: ")
    assert rule in said


def test_it_refuses_steps_that_wait_for_each_other(folder: Path) -> None:
    assert "in a circle: count → pick-up → count" in refusal(folder, HEAD + COUNT + "    waits_for: [pick-up]\n" + PICK_UP + "    waits_for: [count]\n")
    assert "in a circle: count → count" in refusal(folder, HEAD + COUNT + "    waits_for: [count]\n")


def test_it_lets_two_steps_wait_for_the_same_one(folder: Path) -> None:
    waiting = "".join(PICK_UP.replace("pick-up", name) + "    waits_for: [count]\n" for name in ("a", "b"))
    last = PICK_UP.replace("pick-up", "c") + "    waits_for: [a, b]\n"
    assert titles(load(folder, HEAD + COUNT + waiting + last)) == ["count", "a", "b", "c"]


def test_it_refuses_a_file_whose_name_is_no_id(folder: Path) -> None:
    assert "the file's name is the playbook's id" in refusal(folder, HEAD + PICK_UP, "Spilled papers")


# -- one extending another


def extending(text: str, more: str = "") -> str:
    return HEAD.replace("Spilled papers", "Burned papers").replace("steps:", f"extends: papers\n{more}steps:") + text


def test_an_extending_playbook_changes_only_what_it_writes(folder: Path) -> None:
    write(folder, HEAD + COUNT + PICK_UP + "    evidence: A photo\n")
    found = load(folder, extending("  - id: pick-up\n    detail: With gloves.\n    due: 1 h after start\n"), "burned")
    step = found.steps[1]
    assert titles(found) == ["count", "pick-up"]
    assert (step.title, step.detail, step.evidence, step.due) == ("Pick them up", "With gloves.", "A photo", DueRule(60, "after", START))
    assert (found.title, found.extends) == ("Burned papers", "papers")


def test_an_extending_playbook_can_take_something_away(folder: Path) -> None:
    write(folder, HEAD + COUNT + PICK_UP + "    evidence: A photo\n    waits_for: [count]\n    due: 2 h after start\n")
    found = load(folder, extending("  - id: pick-up\n    evidence:\n    waits_for: []\n    due:\n", "leave_out: [count]\n"), "burned")
    assert titles(found) == ["pick-up"]
    assert (found.steps[0].evidence, found.steps[0].waits_for, found.steps[0].due) == ("", (), None)


@pytest.mark.parametrize(("place", "order"), [("", ["count", "pick-up", "drop"]), ("after: pick-up", ["count", "pick-up", "drop"]), ("before: pick-up", ["count", "drop", "pick-up"])])
def test_a_new_step_stands_where_the_file_says(folder: Path, place: str, order: list[str]) -> None:
    write(folder, HEAD + COUNT + PICK_UP)
    fresh = PICK_UP.replace("pick-up", "drop") + (f"    place: {{{place}}}\n" if place else "")
    assert titles(load(folder, extending(fresh), "burned")) == order


def test_the_base_stays_as_it_was(folder: Path) -> None:
    write(folder, HEAD + COUNT + PICK_UP)
    write(folder, extending("  - id: count\n    title: Weigh them\n"), "burned")
    assert load_playbooks(folder)["papers"].steps[0].title == "Count them"


@pytest.mark.parametrize(
    ("text", "more", "rule"),
    [
        ("  - id: count\n    phase: contain\n", "", "burned.yaml:7: unknown key 'phase'"),
        ("  - id: drop\n    title: Drop\n", "", "burned.yaml:6: the key 'phase' is missing"),
        (PICK_UP.replace("pick-up", "drop") + "    place: {after: count}\n", "", "burned.yaml:11: the step 'count' is of another phase, scope"),
        (PICK_UP.replace("pick-up", "drop") + "    place: {after: nothing}\n", "", "burned.yaml:11: there is no step 'nothing' to stand after"),
        (PICK_UP.replace("pick-up", "drop") + "    place: {after: pick-up, before: pick-up}\n", "", "a place is {before: step} or {after: step}"),
        ("  - id: count\n    title: Weigh\n", "leave_out: [weigh]\n", "burned.yaml:5: the playbook it extends has no step 'weigh'"),
        ("  - id: pick-up\n    title: Lift\n", "leave_out: [count]\n", "burned.yaml:5: 'count' cannot be left out while the step 'pick-up' waits for it"),
    ],
)  # fmt: skip
def test_an_extension_that_does_not_fit_is_refused(folder: Path, text: str, more: str, rule: str) -> None:
    write(folder, HEAD + COUNT + PICK_UP + "    waits_for: [count]\n")
    assert rule in refusal(folder, extending(text, more), "burned")


def test_it_refuses_playbooks_that_extend_each_other(folder: Path) -> None:
    write(folder, HEAD.replace("steps:", "extends: burned\nsteps:") + PICK_UP)
    assert "the playbooks extend each other in a circle" in refusal(folder, extending(COUNT), "burned")


def test_the_organisations_own_file_replaces_the_built_in_one_and_all_that_builds_on_it_follows(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "built_in", tmp_path / "playbooks"
    ours.mkdir(), theirs.mkdir()
    write(ours, HEAD + COUNT + PICK_UP)
    write(ours, extending("  - id: count\n    title: Weigh them\n"), "burned")
    write(theirs, HEAD + COUNT + PICK_UP + PICK_UP.replace("pick-up", "call-mona"))
    found = load_playbooks(ours, theirs)
    assert titles(found["papers"]) == ["count", "pick-up", "call-mona"]
    assert titles(found["burned"]) == ["count", "pick-up", "call-mona"]


# -- due times


AWARE = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)


def test_it_dates_a_step_after_a_fact_and_before_a_deadline() -> None:
    anchors = {"moments.aware": AWARE, "clock.regulators": AWARE + timedelta(hours=72)}
    assert DueRule(120, "after", "moments.aware").at(anchors) == AWARE + timedelta(hours=2)
    assert DueRule(1440, "before", "clock.regulators").at(anchors) == AWARE + timedelta(hours=48)


def test_it_dates_nothing_while_the_fact_is_unknown() -> None:
    assert DueRule(120, "after", "moments.aware").at({}) is None


@pytest.mark.parametrize(("minutes", "words"), [(30, "30 min"), (60, "1 h"), (90, "90 min"), (1440, "24 h"), (2880, "48 h"), (4320, "3 days"), (4380, "73 h"), (20160, "14 days")])
def test_it_says_a_due_time_in_words(minutes: int, words: str) -> None:
    assert DueRule(minutes, "before", "clock.people").words("the deadline") == f"{words} before the deadline"


def test_a_due_rule_survives_being_stored() -> None:
    rule = DueRule(120, "after", "moments.aware")
    assert DueRule.from_json(rule.to_json()) == rule


def test_a_version_tells_two_texts_apart(folder: Path) -> None:
    first = load(folder, HEAD + PICK_UP).version
    assert load(folder, HEAD + PICK_UP).version == first
    assert load(folder, HEAD + PICK_UP.replace("All of", "Most of")).version != first
    assert re.fullmatch("[0-9a-f]{64}", first)


# -- the five that come with the tracker


@pytest.fixture(scope="module")
def built_in() -> dict[str, Playbook]:
    return load_playbooks(FOLDER, facts=default_catalogue())


def test_there_are_five_and_every_kind_of_incident_has_one(built_in: dict[str, Playbook]) -> None:
    assert sorted(built_in) == list(BUILT_IN)
    for kind in KINDS:
        assert len(proposed_for(kind, built_in.values())[0]) == 1, kind


def test_it_proposes_by_kind_and_keeps_the_others_at_hand(built_in: dict[str, Playbook]) -> None:
    proposed, others = proposed_for("lost_device", built_in.values())
    assert [one.id for one in proposed] == ["lost_device"]
    assert [one.title for one in others] == sorted(one.title for one in built_in.values() if one.id != "lost_device")


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_has_the_five_phases_and_a_workable_number_of_steps(built_in: dict[str, Playbook], name: str) -> None:
    playbook = built_in[name]
    assert [phase for phase, _ in playbook.phases()] == list(PHASES)
    assert 12 <= len(playbook.steps) <= 25


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_step_can_be_read_at_night(built_in: dict[str, Playbook], name: str) -> None:
    for step in built_in[name].steps:
        sentences = len(re.findall(r"[.?!](?=\s|$)", step.detail))
        assert 1 <= sentences <= 3, (step.id, sentences)
        assert len(step.detail) <= 290, (step.id, len(step.detail))
        assert len(step.title) <= 90, step.id


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_ends_in_a_filing_with_proof_before_the_deadline(built_in: dict[str, Playbook], name: str) -> None:
    steps = {step.id: step for step in built_in[name].steps}
    filing = steps["file-authority-notice"]
    assert filing.evidence and filing.due is not None
    assert (filing.due.side, filing.due.anchor) == ("before", "clock.regulators")
    assert steps["record-times"].facts[-1] == "moments.aware"
    assert titles(built_in[name])[-1] == "finish-record"


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_step_is_due_before_one_it_waits_for(built_in: dict[str, Playbook], name: str) -> None:
    steps = {step.id: step for step in built_in[name].steps}
    # a usual case: everybody is sure an hour after the start, and 72 hours run from there
    anchors = {START: AWARE, "moments.aware": AWARE + timedelta(hours=1), "clock.regulators": AWARE + timedelta(hours=73), "clock.people": AWARE + timedelta(days=5)}
    assert set(CLOCKS) < set(anchors)
    for step in steps.values():
        due = step.due.at(anchors) if step.due else None
        for other in (steps[id] for id in step.waits_for):
            before = other.due.at(anchors) if other.due else None
            assert due is None or before is None or before <= due, (step.id, other.id)
