"""What moved, shown as a difference and accepted; and rules that change while incidents are open."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tracker import library
from incident_tracker.actions import clocks, movements
from incident_tracker.errors import Conflict, NotAllowed
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.movements import LawPack, open_movements
from incident_tracker.rules import regimes
from incident_tracker.rules.movements import why_moved
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.stories import AWARE, CERTAIN, FRIDAY, PROFILE, again, duty_of, person, record, report, set_profile

CLAUSE = """
regime: test-clause
title: A test rule
jurisdiction: contract
citation: Art. 1 Test
status: contractual
judged_at: [aware]
zone: notifier
source: written for the tests
confidence: memory
last_checked: 2026-11-01
obligations:
- id: test.notice
  title: Tell the test office
  citation: Art. 1 Test
  phase: initial
  recipient: {type: controller, name: Test office}
  trigger: {event: aware, definition: Reasonable certainty.}
  applies_when: {fact: personal_data_breach, op: eq, value: "true"}
  period: {standard: soon, nature: contract_parameter, within: {hours: %s}}
examples:
- {name: no breach, source: written for the tests, facts: {personal_data_breach: "false"}, duties: {test.notice: does_not_apply}}
"""


@pytest.fixture
def own_rules(tmp_path: Path, app: Any) -> Iterator[Any]:
    """A function that puts the tracker on rules of its own: one test obligation of so many hours, or none."""

    def use(hours: str | None) -> None:
        folder = tmp_path / "instance"
        (folder / "regimes").mkdir(parents=True, exist_ok=True)
        file = folder / "regimes" / "test.yaml"
        file.unlink(missing_ok=True)
        if hours is not None:
            file.write_text(CLAUSE % hours, encoding="utf-8")
        library.fill(folder)

    yield use
    library.fill()


def test_facts_that_move_a_clock_are_shown_until_somebody_accepts(browse: Any) -> None:
    set_profile()
    incident = report({name: value for name, value in CERTAIN.items() if name != "risk_level"})
    assert again(incident.reference).unaccepted_count == 0
    record(incident, {"risk_level": "risk"}, now=FRIDAY + timedelta(hours=1))
    ines = browse("ines")
    assert "Clocks moved since somebody last accepted them" in ines.get(f"/incidents/{incident.reference}").text
    page = ines.get(f"/incidents/{incident.reference}/moved").text
    assert "Notify the supervisory authority" in page
    assert "undecided" in page and "running" in page
    newest = open_movements(incident.id)[-1].id
    answer = ines.post(f"/incidents/{incident.reference}/moved/accept", data={"newest": newest}, follow_redirects=True)
    assert "Accepted. It stays in the record." in answer.text
    assert "Clocks moved since" not in answer.text
    assert "Accepted by Ines" in ines.get(f"/incidents/{incident.reference}/moved").text


def test_the_facts_of_a_person_count_at_once_even_where_they_end_a_duty(browse: Any) -> None:
    set_profile()
    incident = report(CERTAIN)
    record(incident, {"risk_level": "unlikely"}, now=FRIDAY + timedelta(hours=1))
    assert duty_of(incident, "eu-gdpr-33-1").state == "does_not_apply"


def test_more_that_moved_meanwhile_is_not_accepted_unseen(browse: Any) -> None:
    set_profile()
    incident = report({})
    record(incident, {"moments.aware": AWARE}, now=FRIDAY + timedelta(hours=1))
    seen = open_movements(incident.id)[-1].id
    record(incident, {name: CERTAIN[name] for name in ("personal_data_breach", "role", "risk_level")}, now=FRIDAY + timedelta(hours=2))
    with pytest.raises(Conflict, match="More moved"), unit_of_work(person("ines"), FRIDAY + timedelta(hours=3)) as work:
        movements.accept(work, again(incident.reference), seen)
    assert again(incident.reference).unaccepted_count == 2


def test_a_reader_cannot_accept(browse: Any) -> None:
    set_profile()
    incident = report({})
    record(incident, {"moments.aware": AWARE}, now=FRIDAY + timedelta(hours=1))
    newest = open_movements(incident.id)[-1].id
    with pytest.raises(NotAllowed), unit_of_work(person("olga"), FRIDAY) as work:
        movements.accept(work, again(incident.reference), newest)


def test_a_profile_that_would_silence_a_duty_waits(app: Any) -> None:
    set_profile({name: value for name, value in PROFILE.items() if name != "entity.sectors"})
    incident = report(CERTAIN)
    assert duty_of(incident, "us.sec.8k_105").state == "undecided"
    set_profile(PROFILE | {"entity.sectors": {"known": ["none_of_these"], "complete": True}}, now=FRIDAY + timedelta(hours=1))
    duty = duty_of(incident, "us.sec.8k_105")
    assert duty.state == "undecided"
    waiting = [entry for one in open_movements(incident.id) for entry in one.moved if entry["duty"] == duty.id]
    assert waiting[0]["held"] and waiting[0]["after"]["state"] == "does_not_apply"
    set_profile(PROFILE | {"entity.ny_dfs_covered": False, "organisation.zone": "Europe/Paris"}, now=FRIDAY + timedelta(hours=2))
    again_said = [entry for one in open_movements(incident.id) for entry in one.moved if entry["duty"] == duty.id]
    assert len(again_said) == 1, "what waits is said once"
    accept(incident)
    assert duty_of(incident, "us.sec.8k_105").state == "does_not_apply"


def test_a_law_that_becomes_stricter_counts_at_once(own_rules: Any) -> None:
    incident = _under(own_rules, "72")
    change_law(own_rules, "24")
    duty = duty_of(incident, "test.notice")
    assert duty.conservative_at == FRIDAY + timedelta(hours=24)
    movement = open_movements(incident.id)[-1]
    entry = next(one for one in movement.moved if one["duty"] == duty.id)
    assert not entry["held"]
    assert entry["why"] == "the text of this rule changed"
    assert movement.kind == "law" and movement.pack_before != movement.pack_after


def test_a_law_that_gives_more_time_moves_nothing_until_it_is_accepted(own_rules: Any, browse: Any) -> None:
    incident = _under(own_rules, "24")
    change_law(own_rules, "72")
    assert duty_of(incident, "test.notice").conservative_at == FRIDAY + timedelta(hours=24)
    page = browse("ines").get(f"/incidents/{incident.reference}/moved").text
    assert "Waits for you: 1 duty" in page
    assert "the text of this rule changed" in page
    record(incident, {"affected.total": {"value": 9, "certainty": "exact"}}, now=FRIDAY + timedelta(hours=4))
    assert duty_of(incident, "test.notice").conservative_at == FRIDAY + timedelta(hours=24), "no other change lets it through"
    accept(incident)
    assert duty_of(incident, "test.notice").conservative_at == FRIDAY + timedelta(hours=72)


def test_a_law_that_is_gone_ends_its_duties_only_when_accepted(own_rules: Any) -> None:
    incident = _under(own_rules, "24")
    change_law(own_rules, None)
    assert duty_of(incident, "test.notice").state == "running"
    accept(incident)
    assert duty_of(incident, "test.notice").state == "does_not_apply"


def test_what_waited_and_no_longer_differs_waits_no_more(own_rules: Any, browse: Any) -> None:
    incident = _under(own_rules, "24")
    change_law(own_rules, "72")
    change_law(own_rules, "24")
    assert "Waits for you" not in browse("ines").get(f"/incidents/{incident.reference}/moved").text


def test_taking_the_law_into_use_is_written_down_once(own_rules: Any) -> None:
    own_rules("24")
    assert [take_into_use(), take_into_use()] == [True, False]
    assert db.session.query(LawPack).count() == 1
    assert db.session.query(AuditEntry).filter_by(action="law.take_into_use").count() == 1


def test_new_time_zone_data_alone_is_named_as_the_reason(app: Any) -> None:
    set_profile()
    report(CERTAIN)
    pack = library.shelf().law.pack
    before = replace(pack, tzdata="2020a")
    assert regimes.default_law().regimes["eu-gdpr"].file in pack.digests
    assert why_moved(regimes.default_law().regimes["eu-gdpr"].file, before, pack) == f"the time-zone data changed from 2020a to {pack.tzdata}"


def _under(own_rules: Any, hours: str) -> Incident:
    own_rules(hours)
    take_into_use()
    set_profile()
    return report(CERTAIN)


def change_law(own_rules: Any, hours: str | None) -> None:
    own_rules(hours)
    assert take_into_use()
    with unit_of_work(CLOCKWORK, FRIDAY + timedelta(hours=3)) as work:
        assert clocks.refresh_stale(work) == 0


def take_into_use() -> bool:
    with unit_of_work(CLOCKWORK, FRIDAY + timedelta(hours=2)) as work:
        return movements.take_law_into_use(work)


def accept(incident: Incident) -> None:
    newest = open_movements(incident.id)[-1].id
    with unit_of_work(person("ines"), FRIDAY + timedelta(hours=5)) as work:
        movements.accept(work, again(incident.reference), newest)
