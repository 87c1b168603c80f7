"""Everything that a regime file can say is read as it stands; what an obligation leaves out it takes from its regime."""

from datetime import date
from typing import Any

import pytest

from incident_tracker.rules.conditions import ALWAYS, Condition
from incident_tracker.rules.laws import Example, Modifier, Obligation, RecipientRule, Regime
from incident_tracker.rules.readings import Profile
from incident_tracker.rules.regime_files import plain, regime_of
from incident_tracker.rules.sources import RegimeError, parse_yaml
from incident_tracker.rules.terms import Term
from tests.rules.laws import HEAD, OBLIGATION

WHOLE = """regime: whole
title: A whole regime
jurisdiction: US-NY
citation: Whole Act
status: superseded
effective_from: 2020-01-01
effective_to: 2024-12-20
judged_at: [aware, discovery]
zone: America/New_York
calendar: US-NY
source: the statute book
confidence: secondary
last_checked: 2026-11-01
notes: of the regime
scope: {fact: personal_data_breach, op: eq, value: 'true'}
rolls: {noon: {days: [sunday], calendar: DE, cites: Act s. 5}}
profile: {place: US-NY, with_name: [ssn], alone: [biometric, phi], media: electronic, encryption: safe harbour, notes: narrow}
examples:
- {name: A breach, source: the court, facts: {affected.total: 12, data.unsecured: true, role: [owner], note: no}, duties: {whole.one@people: applies}, at: "2024-01-01T00:00:00+00:00"}
obligations:
- id: whole.one
  title: Tell the people
  recipient: {type: authority, name: the office, fan_out: each_place, authority: DE-BE, place: DE, group: EU, fact: role, more_than: 500, office: FIN}
  trigger: {event: discovery, definition: when it should have been known, after: [whole.two]}
  period: {within: {days: 3, roll: noon}}
  citation: Whole Act s. 2
  kind: documentation
  phase: final
  duty_holder: processor
  applies_when: {fact: risk_level, op: eq, value: high}
  content: [nature, contact]
  exemptions: encrypted
  late: reasons
  channel: by letter
  ladder: years
  modifiers:
  - {kind: law_enforcement_hold, cites: s. 4, resume: {days: 2}, oral_lapses_after: 30}
  - {kind: extension, cites: s. 5, filing: whole.two, adds: {days: 15}}
  record: {what: the facts, keep: five years, from: the day, cites: s. 6}
  same_filing_as: whole.two
  status: future
  effective_from: 2027-01-01
  effective_to: 2028-01-01
  zone: Europe/Berlin
  calendar: DE
  confidence: memory
  source: the gazette
  last_checked: 2026-11-02
  notes: of the obligation
  examples:
  - {name: On a Friday, source: us, events: {discovery: 2026-11-27}, facts: {affected.total: 7}, zone: Europe/Berlin, country: DE, options: {on_hour: lenient}, conservative: a, statutory: b, not_before: c}
  - {name: On a Monday, source: us, events: {discovery: 2026-11-30}}
"""


def read(text: str) -> tuple[Regime, Obligation]:
    regime, obligations = regime_of(parse_yaml(text, "whole.yaml"))
    return regime, obligations[0]


def fields(one: object, names: str) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names.split()}


def test_a_regime_is_read_as_it_stands() -> None:
    regime, _ = read(WHOLE)
    assert fields(regime, "id title jurisdiction citation status effective_from effective_to judged_at zone calendar source confidence last_checked notes file") == {
        "id": "whole", "title": "A whole regime", "jurisdiction": "US-NY", "citation": "Whole Act", "status": "superseded",
        "effective_from": date(2020, 1, 1), "effective_to": date(2024, 12, 20), "judged_at": ("aware", "discovery"), "zone": "America/New_York",
        "calendar": "US-NY", "source": "the statute book", "confidence": "secondary", "last_checked": date(2026, 11, 1), "notes": "of the regime", "file": "whole.yaml",
    }
    assert regime.profile == Profile("US-NY", frozenset({"ssn"}), frozenset({"biometric", "phi"}), True, {"encryption": "safe harbour", "notes": "narrow"})
    on_paper_too, _ = read(WHOLE.replace("media: electronic,", "media: electronic_and_paper,"))
    assert on_paper_too.profile
    assert not on_paper_too.profile.electronic_only


def test_an_example_of_a_regime_goes_from_facts_to_duties() -> None:
    regime, _ = read(WHOLE)
    facts = {"affected.total": 12, "data.unsecured": True, "role": ["owner"], "note": "no"}
    assert regime.examples == (Example("A breach", "the court", "whole.yaml:19", facts=facts, duties={"whole.one@people": "applies"}, at="2024-01-01T00:00:00+00:00"),)


def test_an_obligation_is_read_as_it_stands() -> None:
    regime, one = read(WHOLE)
    names = "id regime title citation kind phase duty_holder trigger trigger_definition trigger_after content exemptions late channel ladder record same_filing_as"
    assert fields(one, names) == {
        "id": "whole.one", "regime": regime, "title": "Tell the people", "citation": "Whole Act s. 2", "kind": "documentation", "phase": "final", "duty_holder": "processor",
        "trigger": "discovery", "trigger_definition": "when it should have been known", "trigger_after": ("whole.two",), "content": ("nature", "contact"),
        "exemptions": ("encrypted",), "late": "reasons", "channel": "by letter", "ladder": "years",
        "record": {"what": "the facts", "keep": "five years", "from": "the day", "cites": "s. 6"}, "same_filing_as": "whole.two",
    }
    assert fields(one, "status effective_from effective_to zone calendar confidence source last_checked notes") == {
        "status": "future", "effective_from": date(2027, 1, 1), "effective_to": date(2028, 1, 1), "zone": "Europe/Berlin", "calendar": "DE", "confidence": "memory",
        "source": "the gazette", "last_checked": date(2026, 11, 2), "notes": "of the obligation",
    }
    assert one.recipient == RecipientRule("authority", "the office", "each_place", "DE-BE", "DE", "EU", "role", 500, "FIN")
    assert one.modifiers == (
        Modifier("law_enforcement_hold", "s. 4", resume=Term("days", number=2, counting="calendar"), oral_lapses_after=30),
        Modifier("extension", "s. 5", filing="whole.two", adds=Term("days", number=15, counting="calendar")),
    )
    assert one.period.within
    assert one.period.within.roll
    assert one.period.within.roll.cites == "Act s. 5"


def test_an_obligation_binds_within_the_scope_of_its_regime() -> None:
    _, one = read(WHOLE)
    assert [(leaf.fact, leaf.place) for leaf in one.applies_when.leaves()] == [("personal_data_breach", "whole.yaml:15"), ("risk_level", "whole.yaml:30")]
    _, always = read(HEAD + OBLIGATION)
    assert always.applies_when == ALWAYS == Condition("all")


def test_an_example_of_an_obligation_goes_from_events_to_dates() -> None:
    _, one = read(WHOLE)
    assert one.examples == (
        Example(
            "On a Friday", "us", "whole.yaml:51", "whole.one", {"discovery": "2026-11-27"}, {"affected.total": 7}, "Europe/Berlin", "DE", {"on_hour": "lenient"}, "a", "b", "c"
        ),
        Example("On a Monday", "us", "whole.yaml:52", "whole.one", {"discovery": "2026-11-30"}),
    )


def test_what_an_obligation_leaves_out_its_regime_says() -> None:
    head = WHOLE[: WHOLE.index("obligations:")]
    regime, one = read(head + OBLIGATION.replace("trial.one", "whole.one").replace("{standard: soon}", "{within: {weeks: 1}}"))
    names = "citation status effective_from effective_to zone calendar confidence source last_checked"
    assert fields(one, names) == fields(regime, names)
    assert fields(one, "kind phase duty_holder trigger_definition trigger_after content exemptions late channel ladder modifiers record same_filing_as notes examples") == {
        "kind": "notification", "phase": "single", "duty_holder": "organisation", "trigger_definition": None, "trigger_after": (), "content": (), "exemptions": (), "late": None,
        "channel": None, "ladder": "weeks", "modifiers": (), "record": {}, "same_filing_as": None, "notes": None, "examples": (),
    }
    assert one.recipient == RecipientRule("authority", "them", authority="DE-BE")
    assert (one.recipient.fan_out, one.recipient.more_than) == ("one", 0)


def test_a_regime_that_says_little_leaves_the_rest_open() -> None:
    regime, one = read((HEAD + OBLIGATION).replace("zone: Europe/Berlin\ncalendar: DE\n", ""))
    assert fields(regime, "effective_from effective_to zone calendar notes profile examples") == {
        "effective_from": None, "effective_to": None, "zone": "authority", "calendar": None, "notes": None, "profile": None, "examples": (),
    }
    assert one.ladder == "none"
    _, agreed = read((HEAD + OBLIGATION).replace("status: in_force", "status: contractual").replace("{standard: soon}", "{within: {hours: 3}}"))
    assert agreed.ladder == "contract"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("filing: whole.two, adds: {days: 15}", "filing: whole.two", "whole.yaml:38: an extension needs the filing that earns it and what it adds"),
        ("filing: whole.two, adds: {days: 15}", "adds: {days: 15}", "an extension needs the filing"),
        ("kind: extension", "kind: wish", "'wish' is not one of law_enforcement_hold, extension"),
        ("group: EU, ", "", "each_place needs the group of places to choose from"),
        ("fan_out: each_place, authority: DE-BE, place: DE, group: EU, ", "fan_out: each_establishment, ", "each_establishment needs the group"),
        ("fan_out: each_place, authority: DE-BE, place: DE, group: EU, fact: role, ", "fan_out: each_listed, ", "each_listed needs the fact that lists the places"),
        ("whole.one@people: applies", "whole.one@people: perhaps", "'perhaps' is not one of applies, does_not_apply, unknown, none"),
        ("media: electronic,", "media: paper,", "'paper' is not one of electronic, electronic_and_paper"),
    ],
)
def test_it_refuses_what_says_too_little_or_the_wrong_word(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    with pytest.raises(RegimeError, match=message):
        read(WHOLE.replace(old, new))


def test_facts_of_an_example_are_what_they_look_like() -> None:
    assert plain(parse_yaml("{a: true, b: 'false', c: 012, d: [1, x, ~], e: '', f: -3}", "x.yaml")) == {"a": True, "b": False, "c": 12, "d": [1, "x", None], "e": "", "f": "-3"}
