"""Recording that a notice went out: the proof, whether it was in time, and what it starts."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from incident_tracker.actions import evidence, filings
from incident_tracker.actions import notices as acts
from incident_tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from incident_tracker.models.alerts import Rung
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty
from incident_tracker.models.evidence import Attachment, Vault
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Filing
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.moments import read_local
from incident_tracker.work import unit_of_work
from tests.drafts import LATER, approve, approved, breach, do, draft, file, fresh, hand_in, newest, proof, whole_text, write
from tests.stories import CERTAIN, PROFILE, again, duty_of, person, record, report, set_profile

pytestmark = pytest.mark.usefixtures("app")

MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
NEW_YEAR = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


def article_33(incident: Incident) -> Duty:
    return duty_of(again(incident.reference), "eu-gdpr-33-1")


def refused(notice, at, **more) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        file(notice, at, **more)
    db.session.rollback()
    return caught.value.fields


# -- the proof


def test_it_keeps_time_channel_reference_and_the_exact_text() -> None:
    notice = approved(breach())
    filing = file(notice, MONDAY, reference="LDA-1085.4-7")
    assert (filing.filed_at, filing.zone, filing.precision) == (MONDAY, "Europe/Berlin", "instant")
    assert (filing.channel, filing.reference, filing.sha256) == ("web form of the authority", "LDA-1085.4-7", newest(notice).sha256)
    assert filing.notice_version_id == newest(notice).id
    assert (filing.recorded_by_id, filing.recorded_at) == (person("ravi").id, MONDAY)
    assert fresh(notice.id).state == "filed"


def test_it_keeps_the_receipt(tmp_path: Path) -> None:
    notice = approved(breach())
    filing = file(notice, MONDAY, receipt=_receipt(notice.incident, tmp_path))
    assert filing.receipt.filename == "receipt.pdf"


def test_a_receipt_of_another_incident_is_refused(tmp_path: Path) -> None:
    other = breach()
    notice = approved(breach())
    assert "receipt" in refused(notice, MONDAY, receipt=_receipt(other, tmp_path))


def _receipt(incident: Incident, folder: Path) -> Attachment:
    with unit_of_work(person("ines"), LATER) as work:
        return evidence.add(work, again(incident.reference), "receipt.pdf", "application/pdf", io.BytesIO(b"%PDF"), vault=Vault(folder / "vault", 1000))


def test_it_meets_the_duty_when_the_notice_went_out() -> None:
    incident = breach()
    notice = approved(incident)
    filing = file(notice, MONDAY, now=MONDAY + timedelta(hours=2))
    duty = article_33(incident)
    assert (duty.state, duty.done_at) == ("met", MONDAY)
    assert (filing.outcome, filing.outcome_text.startswith("On time")) == ("on_time", True)
    assert duty.changes[-1].after["state"] == "met"
    assert "filed" in duty.changes[-1].reason


def test_its_warnings_stop() -> None:
    incident = breach()
    notice = approved(incident)
    duty_id = article_33(incident).id
    waiting = select(Rung).where(Rung.duty_id == duty_id, Rung.ended_at.is_(None))
    assert db.session.scalars(waiting).all()
    file(notice, LATER)
    assert db.session.scalars(waiting).all() == []


def test_it_leaves_an_entry_with_the_fingerprint_and_without_the_text() -> None:
    notice = approved(breach({"breach.consequences": "Fraud with patient files"}))
    file(notice, MONDAY)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "notice.file")).one()
    assert entry.after["sha256"] == newest(notice).sha256
    assert entry.after["filed"] == {"at": "2026-11-30T09:00:00+00:00", "zone": "Europe/Berlin", "precision": "instant"}
    assert "patient" not in str((entry.summary, entry.before, entry.after))


# -- only the approved text


@pytest.mark.parametrize("stage", ["draft", "in review", "sent back"])
def test_it_files_no_text_that_is_not_approved(stage: str) -> None:
    notice = draft(breach())
    if stage != "draft":
        hand_in(notice)
    if stage == "sent back":
        last = newest(notice)
        do(acts.send_back_notice, notice, last.number, last.sha256, "No.", by="laura")
    with pytest.raises(Conflict, match="not approved"):
        file(notice)
    assert db.session.scalars(select(Filing)).all() == []


def test_it_files_no_text_that_was_edited_after_its_approval() -> None:
    notice = approved(breach())
    write(notice, "Something milder")
    with pytest.raises(Conflict, match="not approved"):
        file(notice)


def test_it_files_no_other_text_than_the_one_that_was_sent() -> None:
    notice = approved(breach())
    with pytest.raises(Conflict, match="not the one that was approved"):
        do(filings.file_notice, notice, "0" * 64, proof(LATER))


@pytest.mark.parametrize("column", ["body = 'Nothing happened'", "body = 'Nothing happened', sha256 = '{}'"])
def test_it_notices_a_text_that_was_changed_behind_its_back(column: str) -> None:
    notice = approved(breach())
    sent = newest(notice)
    sha256 = sent.sha256
    db.session.execute(text(f"UPDATE notice_version SET {column.format('0' * 64)} WHERE id = {sent.id}"))
    db.session.commit()
    with pytest.raises(Conflict, match="not the one that was approved"):
        do(filings.file_notice, notice, sha256, proof(LATER))
    assert fresh(notice.id).state == "approved"


def test_a_notice_is_filed_once() -> None:
    notice = approved(breach())
    file(notice)
    with pytest.raises(Conflict, match="already recorded"):
        file(notice)


# -- when


def test_the_future_is_refused_but_for_five_minutes_of_a_fast_clock() -> None:
    notice = approved(breach())
    assert "future" in refused(notice, LATER + timedelta(minutes=6), now=LATER)["moment"][0]
    assert file(notice, LATER + timedelta(minutes=4), now=LATER).filed_at == LATER + timedelta(minutes=4)


def test_a_day_that_has_begun_is_not_in_the_future() -> None:
    notice = approved(breach())
    filing = file(notice, read_local("2026-11-27", None, "Europe/Berlin"), now=LATER)
    assert (filing.precision, filing.outcome) == ("day", "on_time")


def test_before_its_approval_only_with_the_reason() -> None:
    notice = approved(breach())
    before = LATER - timedelta(hours=1)
    assert "before the text was approved" in refused(notice, before, now=LATER)["early_reasons"][0]
    filing = file(notice, before, now=LATER, early_reasons="Sent at night by telephone order of counsel, this very text.")
    assert filing.early_reasons.startswith("Sent at night")


def test_a_day_is_not_before_an_approval_of_that_day() -> None:
    filing = file(approved(breach()), Moment.parse({"on": "2026-11-27", "zone": "Europe/Berlin"}), now=LATER)
    assert filing.early_reasons == ""


def test_it_asks_how_it_went_out() -> None:
    assert "channel" in refused(approved(breach()), LATER, channel="  ")


# -- late


def test_a_late_notice_asks_for_the_reasons_and_the_duty_is_met_late() -> None:
    incident = breach()
    notice = approved(incident)
    tuesday = MONDAY + timedelta(days=1)
    assert "reasons" in refused(notice, tuesday)["late_reasons"][0]
    filing = file(notice, tuesday, late_reasons="The mailbox was found on Monday night.")
    assert (filing.outcome, filing.late_reasons) == ("late", "The mailbox was found on Monday night.")
    assert filing.outcome_text.startswith("Late by")
    duty = article_33(incident)
    assert (duty.state, duty.done_at) == ("met_late", tuesday)


def test_past_the_limit_the_text_itself_owes_the_reasons() -> None:
    incident = breach()
    notice = draft(incident)
    tuesday = MONDAY + timedelta(days=1)
    headings = {lack.heading for lack in acts.drafts.lacks_of(article_33(incident), newest(notice).body, tuesday)}
    assert "Reasons for the delay" in headings
    assert "Reasons for the delay" not in {lack.heading for lack in acts.drafts.lacks_of(article_33(incident), newest(notice).body, LATER)}
    assert fresh(notice.id).state == "draft"


def test_on_time_is_never_said_where_the_law_has_no_number() -> None:
    incident = breach({"risk_level": "high"})
    notice = approved(incident, "eu-gdpr-34-1")
    filing = file(notice, MONDAY)
    assert filing.outcome == "no_number"
    assert "on time" not in filing.outcome_text.lower()
    assert duty_of(again(incident.reference), "eu-gdpr-34-1").state == "met"


def test_a_filing_for_a_duty_that_the_facts_no_longer_name_is_kept_and_not_judged() -> None:
    incident = breach()
    notice = approved(incident)
    record(incident, {"risk_level": "unlikely"})
    filing = file(notice, MONDAY)
    assert filing.outcome == "cannot_tell"
    assert article_33(incident).state == "met"


# -- incomplete, and what follows


def test_an_incomplete_notice_keeps_the_list_of_what_it_lacked() -> None:
    notice = draft(breach())
    hand_in(notice)
    approve(notice)
    filing = file(notice, MONDAY)
    assert "“Approximate number of records” is still open: [number of records]" in filing.lacking
    other = approved(breach())
    assert file(other, MONDAY).lacking == []


def test_a_supplement_is_filed_beside_and_moves_nothing() -> None:
    incident = breach()
    file(approved(incident), MONDAY)
    done_at = article_33(incident).done_at
    supplement = approved(incident, kind="supplement", now=MONDAY)
    filing = file(supplement, MONDAY + timedelta(days=9))
    assert (filing.outcome, filing.late_reasons) == ("further", "")
    duty = article_33(incident)
    assert (duty.state, duty.done_at) == ("met", done_at)


def test_a_supplement_does_not_go_out_before_what_it_adds_to() -> None:
    incident = breach()
    file(approved(incident), MONDAY)
    supplement = approved(incident, kind="correction", now=MONDAY)
    assert "before the notice" in refused(supplement, LATER, now=MONDAY + timedelta(hours=1))["moment"][0]


def test_it_starts_the_clock_of_what_follows() -> None:
    set_profile({**PROFILE, "entity.sectors": {"known": ["nis2_entity"], "complete": True}, "nis2.member_states": {"known": ["DE"], "complete": True}})
    incident = report({**CERTAIN, "nis2.significant_incident": True})
    final = duty_of(incident, "eu-nis2-23-final")
    assert final.conservative_at is None or final.state != "running"
    notice = approved(incident, "eu-nis2-23-notification")
    file(notice, MONDAY)
    final = duty_of(again(incident.reference), "eu-nis2-23-final")
    assert final.state == "running"
    assert final.trigger_at == MONDAY
    assert final.conservative_at is not None
    assert final.conservative_at < NEW_YEAR


# -- who may


@pytest.mark.parametrize(("name", "error"), [("olga", NotAllowed), ("mona", NotAllowed), ("adam", NotFound)])
def test_readers_record_nothing(name: str, error: type[Exception]) -> None:
    notice = approved(breach())
    with pytest.raises(error):
        file(notice, by=name)
    assert fresh(notice.id).state == "approved"


def test_an_outsider_records_nothing_of_a_restricted_incident() -> None:
    incident = breach(restricted=True)
    notice = draft(incident)
    write(notice, whole_text(notice))
    with pytest.raises(NotFound):
        file(notice, by="otto")
