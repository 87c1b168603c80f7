"""What must hold for all facts and all moments, tried on many."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tracker.rules.duties import assess
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.periods import due
from incident_tracker.rules.regimes import default_law
from incident_tracker.rules.terms import END_OF_YEAR, UNITS

LAW = default_law()
NUMBERED = sorted(one.id for one in LAW.obligations.values() if one.period.within and not one.period.within.number_fact)
#: those that count from their own trigger; the others wait for another duty
COUNTED = [
    identity
    for identity in NUMBERED
    if any(term.kind in UNITS and not term.after and term.start in (None, END_OF_YEAR) for term in LAW.obligations[identity].period.within.walk())  # type: ignore[union-attr]
]
instants = st.datetimes(datetime(2019, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))
moments = st.builds(
    lambda at, zone, day: Moment.parse({"at": at.isoformat(), "zone": zone, "precision": "day" if day else "instant"}),
    instants,
    st.sampled_from(["Europe/Berlin", "Europe/Dublin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
    st.booleans(),
)
options = st.fixed_dictionaries({"on_hour": st.sampled_from(["strict", "lenient"]), "art_3_5": st.sampled_from(["off", "A", "B", "C"])})
countries = st.sampled_from(["DE", "IE", "FR", "US-NY", "US-CA", "GB"])


def latest(result: Any) -> datetime | None:
    return result.statutory.at if result.statutory else None


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NUMBERED), moments, options, countries)
def test_the_conservative_date_is_never_after_the_statutory_one(identity: str, moment: Moment, chosen: dict[str, str], country: str) -> None:
    result = due(identity, {"trigger": moment}, options=chosen, country=country)
    if result.conservative and result.statutory:
        assert result.conservative.at <= result.statutory.at
        assert result.conservative.at > moment.at


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NUMBERED), moments, st.timedeltas(timedelta(0), timedelta(days=40)), options, countries)
def test_knowing_later_never_makes_it_due_earlier(identity: str, moment: Moment, later: timedelta, chosen: dict[str, str], country: str) -> None:
    second = Moment.parse({**moment.to_json(), **({"at": (moment.at + later).isoformat()} if moment.precision == "instant" else {"on": (moment.day + later).isoformat()})})
    first_due, second_due = (due(identity, {"trigger": one}, options=chosen, country=country) for one in (moment, second))
    if first_due.conservative and second_due.conservative:
        assert first_due.conservative.at <= second_due.conservative.at
    first_end, second_end = latest(first_due), latest(second_due)
    if first_end and second_end:
        assert first_end <= second_end


@settings(max_examples=200, deadline=None)
@given(instants, countries)
def test_summer_time_does_not_change_how_long_hours_last(at: datetime, country: str) -> None:
    for identity, hours in (("eu-gdpr-33-1", 72), ("eu-nis2-23-early", 24)):
        result = due(identity, {"aware": at}, country=country)
        assert result.conservative
        assert result.conservative.at - at == timedelta(hours=hours)
        assert result.statutory
        assert timedelta(0) <= result.statutory.at - result.conservative.at <= timedelta(hours=1)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NUMBERED), moments, options, countries)
def test_the_same_question_has_the_same_answer(identity: str, moment: Moment, chosen: dict[str, str], country: str) -> None:
    first = due(identity, {"trigger": moment}, options=chosen, country=country)
    assert due(identity, {"trigger": moment}, options=chosen, country=country) == first
    assert first.to_json()["obligation"] == identity


counts = st.one_of(st.integers(0, 20_000), st.fixed_dictionaries({"value": st.integers(0, 20_000), "certainty": st.sampled_from(["exact", "about", "at_least", "not_known"])}))
ANSWERS: dict[str, st.SearchStrategy[Any]] = {
    "personal_data_breach": st.booleans(),
    "role": st.lists(st.sampled_from(LAW.facts["role"].choice_values), unique=True),
    "risk_level": st.sampled_from(["unlikely", "risk", "high"]),
    "entity.sectors": st.lists(st.sampled_from(LAW.facts["entity.sectors"].choice_values), unique=True),
    "data.elements": st.lists(st.sampled_from(LAW.facts["data.elements"].choice_values), unique=True),
    "data.unsecured": st.booleans(),
    "organisation.establishments": st.lists(st.sampled_from(["DE", "FR", "US", "GB"]), unique=True),
    "organisation.lead_authority": st.sampled_from(["DE-BE", "FR", "GB"]),
    "gdpr.art_3_2_applies": st.booleans(),
    "uk_gdpr.art_3_2_applies": st.booleans(),
    "entity.ny_dfs_covered": st.booleans(),
    "incident.material": st.booleans(),
    "nis2.significant_incident": st.booleans(),
    "nis2.member_states": st.lists(st.sampled_from(["DE", "FR"]), unique=True),
    "affected.total": counts,
    "affected.by_place": st.dictionaries(st.sampled_from(["DE", "FR", "US-NY", "US-CA", "US-TX"]), counts),
    "moments": st.fixed_dictionaries({}, optional={"aware": moments.map(Moment.to_json), "discovery": moments.map(Moment.to_json)}),
}
documents = st.fixed_dictionaries({}, optional=ANSWERS)


def states(document: dict[str, Any]) -> dict[str, str]:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return {duty.key: duty.state for duty in assess(document, at=at).duties}


@settings(max_examples=200, deadline=None)
@given(documents, st.sampled_from(sorted(set(ANSWERS) - {"moments", "affected.by_place"})).flatmap(lambda name: st.tuples(st.just(name), ANSWERS[name])))
def test_one_more_fact_never_turns_a_sure_duty_unsure(document: dict[str, Any], answer: tuple[str, Any]) -> None:
    name, value = answer
    if name in document:
        return
    before, after = states(document), states({**document, name: value})
    for key, state in before.items():
        if state == "applies":
            assert after.get(key, "elsewhere") != "unknown", key


@settings(max_examples=150, deadline=None)
@given(documents)
def test_every_undecided_duty_says_what_it_lacks_and_every_lack_is_asked(document: dict[str, Any]) -> None:
    assessment = assess(document)
    asked = {question.fact for question in assessment.questions}
    for duty in assessment.duties:
        if duty.state == "unknown":
            assert duty.missing
        if duty.state == "does_not_apply":
            assert duty.due is None
            assert duty.because
        else:
            assert duty.due is not None
            assert set(duty.missing) <= asked
    assert len({duty.key for duty in assessment.duties}) == len(assessment.duties)


@settings(max_examples=60, deadline=None)
@given(documents)
def test_every_question_is_in_words(document: dict[str, Any]) -> None:
    for question in assess(document).questions:
        assert question.text.endswith("?"), question


@pytest.mark.parametrize("identity", COUNTED)
def test_every_numbered_obligation_can_be_computed(identity: str) -> None:
    result = due(identity, {"trigger": "2026-11-24T14:37:00+01:00"}, country="DE")
    assert result.conservative
    assert result.steps
