"""Recording that an approved notice went out. The tracker itself sends nothing to anybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_tracker import library
from incident_tracker.actions import clocks, drafts, notices
from incident_tracker.errors import Conflict, Invalid
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.evidence import Attachment
from incident_tracker.models.notices import Decision, Filing, Notice, NoticeKind, NoticeState, NoticeVersion, Review, first_filed_at
from incident_tracker.rules import duties as law
from incident_tracker.rules.calendars import end_of_day
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.notices import digest
from incident_tracker.rules.permissions import Permission
from incident_tracker.rules.timeliness import CANNOT_TELL, LATE, timeliness
from incident_tracker.work import Work

#: how far a clock may be ahead of ours before a filing counts as being in the future
TOLERANCE = timedelta(minutes=5)

#: the outcome of a supplement or a correction: the duty was met by an earlier notice
FURTHER = "further"


@dataclass(frozen=True)
class Proof:
    """How a notice went out, as a person recorded it."""

    moment: Moment
    channel: str
    reference: str = ""
    receipt: Attachment | None = None
    late_reasons: str = ""
    early_reasons: str = ""


def file_notice(work: Work, notice: Notice, sha256: str, proof: Proof) -> Filing:
    """Record that the approved, unchanged text went out, meet its duty, and let what this starts run.

    `sha256` is of the text that the person sent. Raises Conflict where no approval stands for exactly that text; Invalid
    (`moment`, `channel`, `late_reasons`, `early_reasons`, `receipt`) for a proof that cannot be taken.
    """
    work.require(Permission.FILE_NOTICE, notice.incident)
    version, approval = _approved_text(notice, sha256)
    outcome, text = judge(notice, proof.moment)
    _check_proof(work, notice, proof, approval, outcome)
    filing = Filing(
        notice_id=notice.id,
        duty_id=notice.duty_id,
        notice_version_id=version.id,
        sha256=version.sha256,
        filed_at=proof.moment.at,
        zone=proof.moment.zone,
        precision=proof.moment.precision,
        channel=proof.channel.strip(),
        reference=proof.reference.strip(),
        receipt_id=proof.receipt.id if proof.receipt else None,
        late_reasons=proof.late_reasons.strip(),
        early_reasons=proof.early_reasons.strip(),
        lacking=[lack.words for lack in drafts.lacks_of(notice.duty, version.body, work.now)],
        outcome=outcome,
        outcome_text=text,
        recorded_by_id=work.actor.id,
        recorded_at=work.now,
    )
    work.session.add(filing)
    notices.set_state(work, notice, NoticeState.FILED)
    work.session.flush()
    _record(work, notice, filing)
    clocks.recompute(work, notice.incident, f"filed: {notice.title}"[:300])
    _meet(work, notice.duty, filing)
    return filing


def judge(notice: Notice, done: Moment) -> tuple[str, str]:
    """Whether a filing at this moment is in time: the outcome and its sentence. A further notice has no limit of its own here."""
    if notice.kind != NoticeKind.FIRST:
        return FURTHER, "The duty was met by an earlier notice; this one adds to it or corrects it."
    assessment = law.assess(clocks.facts_document(notice.incident), law=library.shelf().law, at=notice.incident.reported_at)
    key = f"{notice.duty.obligation_id}@{notice.duty.recipient_key}"
    found = next((one for one in assessment.duties if one.key == key), None)
    if found is None or found.due is None:
        return CANNOT_TELL, "By the facts of today the law does not ask for this, so there is no limit to judge it by."
    judged = timeliness(found.due.trigger, found.due, done)
    return judged.outcome, judged.text


def _approved_text(notice: Notice, sha256: str) -> tuple[NoticeVersion, Review]:
    """The newest text and the approval of exactly it. Raises Conflict."""
    version, review = notices.newest(notice), notice.last_review
    if notice.state == NoticeState.FILED:
        raise Conflict("Somebody already recorded that this notice was filed.")
    if notice.state != NoticeState.APPROVED or review is None or review.decision != Decision.APPROVED:
        raise Conflict("This text is not approved. Only an approved text may go out; hand it in for review.")
    # the hash is taken again, so that a text changed behind our back is noticed too
    if not digest(version.body) == version.sha256 == review.sha256 == sha256:
        raise Conflict(
            "The text is not the one that was approved. Nothing was recorded; look at it again, and have it approved.",
            yours={"Fingerprint of the text you sent": sha256},
            theirs={"Fingerprint of the text you sent": review.sha256},
        )
    return version, review


def _check_proof(work: Work, notice: Notice, proof: Proof, approval: Review, outcome: str) -> None:
    wrong: dict[str, str] = {}
    if proof.moment.at > work.now + TOLERANCE:
        wrong["moment"] = "This lies in the future. Record it once it has gone out."
    elif _latest(proof.moment) < approval.at and not proof.early_reasons.strip():
        wrong["early_reasons"] = (
            "This is before the text was approved. If the time is right, say why it went out first, and that it was this exact text."
        )
    if notice.kind != NoticeKind.FIRST and _latest(proof.moment) < (first_filed_at(notice.duty_id) or proof.moment.at):
        wrong["moment"] = "This is before the notice that it adds to or corrects went out."
    if not proof.channel.strip():
        wrong["channel"] = "Say how it went out."
    if outcome == LATE and not proof.late_reasons.strip():
        wrong["late_reasons"] = "It is late: give the reasons for the delay."
    if proof.receipt is not None and proof.receipt.incident_id != notice.incident_id:
        wrong["receipt"] = "This file belongs to another incident."
    if wrong:
        raise Invalid("", **wrong)


def _latest(moment: Moment) -> datetime:
    """The last instant that a recorded moment may mean, in UTC: a day lasts to its end."""
    return end_of_day(moment.day, moment.zone) if moment.precision == "day" else moment.at


def _meet(work: Work, duty: Duty, filing: Filing) -> None:
    """A duty is done when its notice went out, not when that was recorded; also one that the law of today no longer names."""
    if filing.outcome == FURTHER:
        return
    if duty.is_open:
        duty.state = DutyState.MET_LATE if filing.outcome == LATE else DutyState.MET
        clocks.replan(work, duty.incident)
    duty.done_at = filing.filed_at


def _record(work: Work, notice: Notice, filing: Filing) -> None:
    work.record(
        "notice.file",
        f"filed “{notice.title}” with {notice.duty.recipient_name}: {filing.outcome.replace('_', ' ')}",
        incident=notice.incident,
        subject=f"notice:{notice.id}",
        after={
            "state": str(notice.state),
            "version": notice.last_number,
            "sha256": filing.sha256,
            "filed": Moment(filing.filed_at, filing.zone, filing.precision).to_json(),
            "channel": filing.channel,
            "reference": filing.reference,
            "outcome": filing.outcome,
            "lacking": filing.lacking,
        },
    )
