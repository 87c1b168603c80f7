"""Whom a warning reaches, and whom it never reaches."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.rules.audiences import Circle, Receipt, Staff, next_in_line, taken_by
from incident_tracker.rules.audiences import told as _told

INES, RAVI, LAURA, MONA, ADAM, OLGA, OTTO = range(1, 8)
CAST = {INES: {"officer"}, RAVI: {"officer"}, LAURA: {"legal"}, MONA: {"manager"}, ADAM: {"administrator"}, OLGA: {"auditor"}, OTTO: {"officer"}}
EVERYBODY = ("owner", "legal", "managers")


def told(wanted, around, people, takers=()) -> frozenset[int]:
    return _told(wanted, around, Staff(people), takers)


def circle(owner: int | None = RAVI, lead: int | None = INES, members: tuple[int, ...] = (), restricted: bool = False) -> Circle:
    return Circle(owner, lead, restricted, frozenset(members))


def without(*left: int) -> dict[int, set[str]]:
    return {one: roles for one, roles in CAST.items() if one not in left}


def test_it_tells_the_owner_alone_at_first():
    assert told(("owner",), circle(), CAST) == {RAVI}


def test_it_tells_counsel_and_managers_as_the_deadline_nears():
    assert told(EVERYBODY, circle(), CAST) == {RAVI, LAURA, MONA}


def test_without_an_owner_it_tells_the_lead():
    assert told(("owner",), circle(owner=None), CAST) == {INES}


def test_without_owner_and_lead_it_tells_everybody_who_could_own_the_duty():
    assert told(("owner",), circle(owner=None, lead=None), CAST) == {INES, RAVI, LAURA, OTTO}


def test_an_owner_who_left_is_replaced_by_the_lead():
    assert told(("owner",), circle(), without(RAVI)) == {INES}


def test_on_a_restricted_incident_only_members_are_told():
    assert told(EVERYBODY, circle(members=(INES, RAVI, LAURA), restricted=True), CAST) == {INES, RAVI, LAURA}


def test_on_a_restricted_incident_an_owner_who_is_no_member_is_not_told():
    assert told(("owner",), circle(owner=OTTO, lead=None, members=(LAURA, OLGA), restricted=True), CAST) == {LAURA}


def test_on_a_restricted_incident_without_anybody_of_a_role_all_members_are_told():
    assert told(("legal",), circle(members=(INES, OLGA), restricted=True), CAST) == {INES, OLGA}


def test_where_nobody_of_the_wanted_roles_is_left_those_who_watch_are_told():
    assert told(("owner",), circle(owner=None, lead=None), {MONA: {"manager"}, OLGA: {"auditor"}}) == {MONA}


def test_an_acknowledgement_keeps_the_warning_with_the_owner_and_whoever_gave_it():
    assert told(EVERYBODY, circle(), CAST, {MONA}) == {RAVI, MONA}


def test_an_acknowledgement_by_somebody_who_left_no_longer_stops_the_climb():
    assert told(EVERYBODY, circle(), without(LAURA), {LAURA}) == {RAVI, MONA}


DEADLINE = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_acknowledgement_counts_until_the_deadline_passes_and_then_has_to_be_given_anew():
    early = Receipt(MONA, DEADLINE - 5 * HOUR, DEADLINE)
    late = Receipt(LAURA, DEADLINE + HOUR, DEADLINE)
    assert taken_by([early], DEADLINE, DEADLINE - HOUR) == {MONA}
    assert taken_by([early], DEADLINE, DEADLINE) == frozenset()
    assert taken_by([early, late], DEADLINE, DEADLINE + 2 * HOUR) == {LAURA}


def test_an_acknowledgement_of_another_deadline_does_not_count():
    assert taken_by([Receipt(MONA, DEADLINE - 5 * HOUR, DEADLINE)], DEADLINE - HOUR, DEADLINE - 4 * HOUR) == frozenset()


def test_owners_of_duties_that_are_warned_of_with_this_one_are_told_too():
    around = Circle(None, INES, False, frozenset(), beside=frozenset({RAVI, ADAM}))
    assert told(("owner",), around, CAST) == {INES, RAVI}
    assert told(EVERYBODY, around, CAST, {MONA}) == {INES, RAVI, MONA}


IDS = st.integers(1, 8)
PEOPLE = st.dictionaries(IDS, st.frozensets(st.sampled_from(["officer", "legal", "manager", "administrator", "auditor"])))
CIRCLES = st.builds(Circle, st.none() | IDS, st.none() | IDS, st.booleans(), st.frozensets(IDS), st.frozensets(IDS))
WANTED = st.lists(st.sampled_from(EVERYBODY), min_size=1, unique=True)


@given(WANTED, CIRCLES, PEOPLE, st.frozensets(IDS))
def test_nobody_outside_is_ever_told_and_somebody_inside_always_is(wanted: list[str], around: Circle, people: dict[int, frozenset[str]], takers: frozenset[int]):
    found = told(wanted, around, people, takers)
    readers = {one for one, roles in people.items() if roles & {"officer", "legal", "manager", "auditor"}}
    may_know = (around.members & people.keys()) | (set() if around.restricted else readers)
    assert found <= may_know
    assert bool(found) == bool(may_know)


# -- away, on call, next in line --------------------------------------------------------------------------------------------


def test_who_stands_in_is_told_as_well_and_a_circle_of_stand_ins_ends():
    staff = Staff(CAST, stand_ins={RAVI: OTTO, OTTO: LAURA, LAURA: RAVI})
    assert _told(("owner",), circle(), staff) == {RAVI, OTTO, LAURA}


def test_a_stand_in_who_may_not_know_is_passed_over_but_theirs_is_asked():
    around = circle(members=(INES, RAVI, LAURA), restricted=True)
    assert _told(("owner",), around, Staff(CAST, stand_ins={RAVI: OTTO, OTTO: LAURA})) == {RAVI, LAURA}


def test_who_left_stands_in_for_nobody():
    assert _told(("owner",), circle(), Staff(without(OTTO), stand_ins={RAVI: OTTO})) == {RAVI}


def test_who_took_it_is_told_with_their_stand_in():
    assert _told(EVERYBODY, circle(), Staff(CAST, stand_ins={LAURA: OTTO}), {LAURA}) == {RAVI, LAURA, OTTO}


def test_who_is_on_call_is_told_where_the_ladder_names_them_and_they_may_know():
    staff = Staff(CAST, on_call=(OTTO, ADAM))
    assert _told(("owner", "on_call"), circle(), staff) == {RAVI, OTTO}
    assert _told(("owner",), circle(), staff) == {RAVI}
    assert _told(("owner", "on_call"), circle(members=(RAVI,), restricted=True), staff) == {RAVI}


def test_the_lead_is_told_where_the_ladder_names_them():
    assert _told(("owner", "lead"), circle(), Staff(CAST)) == {RAVI, INES}
    assert _told(("owner", "lead"), circle(lead=ADAM), Staff(CAST)) == {RAVI}


def test_next_in_line_are_stand_in_owner_lead_counsel_managers_and_then_the_others():
    staff, heard, line = Staff(CAST, on_call=(OTTO,), stand_ins={RAVI: LAURA}), {RAVI}, []
    while found := next_in_line(circle(), staff, heard):
        line.append(found)
        heard |= found
    assert line == [{LAURA}, {INES}, {MONA}, {OTTO}]
    assert next_in_line(circle(owner=INES), staff, {RAVI, LAURA}) == {INES}


def test_next_in_line_on_a_restricted_incident_are_members_alone():
    around = circle(members=(RAVI, OLGA), restricted=True)
    assert next_in_line(around, Staff(CAST, on_call=(OTTO,)), {RAVI}) == {OLGA}
    assert next_in_line(around, Staff(CAST, on_call=(OTTO,)), {RAVI, OLGA}) == frozenset()
