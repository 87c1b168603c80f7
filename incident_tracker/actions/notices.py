"""What may be done to a notice until it is approved: start it, write it, hand it in, judge it."""

from collections.abc import Sequence

from incident_tracker.actions import deliveries, drafts
from incident_tracker.errors import Conflict, Invalid, NotAllowed
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import (
    Decision,
    Notice,
    NoticeKind,
    NoticeState,
    NoticeVersion,
    Review,
    Submission,
    authors_after,
    find_version,
    notices_for,
)
from incident_tracker.models.people import Person, active_people
from incident_tracker.rules.notices import LONGEST, Lack, clean, compose, digest, is_independent
from incident_tracker.rules.permissions import Permission, Role, may_see
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("set_state",)

KIND_WORDS = {NoticeKind.FIRST: "", NoticeKind.SUPPLEMENT: "Supplement: ", NoticeKind.CORRECTION: "Correction: "}


def start_notice(work: Work, incident: Incident, duty: Duty, kind: str = NoticeKind.FIRST) -> Notice:
    """Begin the text for a duty and its recipient, filled from the facts.

    The first notice of a duty is `first`; after one was filed there can be a `supplement` or a `correction`. Raises
    Conflict where a text for this duty is being written already, or where the duty asks for none.
    """
    work.require(Permission.WRITE_NOTICE, incident)
    _check_start(duty, kind)
    words = drafts.words_for(incident, duty)
    notice = Notice(
        incident_id=incident.id,
        duty_id=duty.id,
        kind=kind,
        title=f"{KIND_WORDS[NoticeKind(kind)]}{duty.title}",
        state=NoticeState.DRAFT,
        created_by_id=work.actor.id,
        created_at=work.now,
        state_at=work.now,
        last_number=0,
        fillings=words,
    )
    work.session.add(notice)
    work.session.flush()
    version = _add_version(work, notice, compose(drafts.demands_of(duty, work.now), words))
    _record(work, "notice.start", notice, f"started “{notice.title}” to {duty.recipient_name}", version)
    return notice


def edit_notice(work: Work, notice: Notice, base: int, body: str) -> NoticeVersion | None:
    """Write a new version; None where the text is the same. Any change takes back a review and an approval.

    `base` is the number of the version that the person started from: Conflict with both texts when it is no longer the newest.
    """
    work.require(Permission.WRITE_NOTICE, notice.incident)
    text = clean(body)
    last = newest(notice)
    _check_text(text)
    _check_open(notice)
    if last.body == text:
        return None
    if last.number != base:
        raise Conflict(
            f"{last.author.name} saved version {last.number} while you were writing from version {base}. Yours was not saved; both texts stand here.",
            yours={"Text": text},
            theirs={"Text": last.body},
        )
    version = _add_version(work, notice, text)
    _record(work, "notice.edit", notice, f"wrote version {version.number} of “{notice.title}”", version, _void(work, notice))
    return version


def update_from_facts(work: Work, notice: Notice, base: int, sha256: str) -> NoticeVersion | None:
    """Replace what the facts say differently by now, as it was shown: `sha256` is of the text that the person saw proposed.

    Raises Conflict where the text or the facts changed since it was shown.
    """
    work.require(Permission.WRITE_NOTICE, notice.incident)
    _check_open(notice)
    last, words = newest(notice), drafts.words_for(notice.incident, notice.duty)
    fresh = drafts.renewed(notice, last.body, work.now, words).body
    if last.number != base or digest(fresh) != sha256:
        raise Conflict("The text or the facts changed since this difference was shown. Nothing was replaced; look at it again.")
    notice.fillings = words
    if fresh == last.body:
        work.record(
            "notice.update", f"“{notice.title}” already says what the facts say", incident=notice.incident, subject=_subject(notice)
        )
        return None
    version = _add_version(work, notice, fresh)
    _record(work, "notice.update", notice, f"brought “{notice.title}” up to date with the facts", version, _void(work, notice))
    return version


def submit_notice(work: Work, notice: Notice, number: int, note: str = "") -> Submission:
    """Hand the newest text in for review. Raises Conflict where it changed meanwhile, or is not a draft."""
    work.require(Permission.WRITE_NOTICE, notice.incident)
    last = newest(notice)
    if notice.state not in (NoticeState.DRAFT, NoticeState.SENT_BACK):
        raise Conflict("This text is not a draft any more: look at where it stands.")
    if last.number != number:
        raise Conflict(f"{last.author.name} saved version {last.number} meanwhile. Read it, then hand it in.")
    submission = Submission(notice_id=notice.id, notice_version_id=last.id, note=note.strip(), by_id=work.actor.id, at=work.now)
    work.session.add(submission)
    set_state(work, notice, NoticeState.IN_REVIEW)
    _tell(work, notice, "to_review", [one for one in active_people(Role.LEGAL) if one.id not in (last.author_id, work.actor.id)])
    _record(work, "notice.submit", notice, f"handed in “{notice.title}”, version {last.number}", last)
    return submission


def withdraw_notice(work: Work, notice: Notice) -> None:
    """Take a text back out of review, to go on writing."""
    work.require(Permission.WRITE_NOTICE, notice.incident)
    if notice.state != NoticeState.IN_REVIEW:
        raise Conflict("This text is not in review any more.")
    set_state(work, notice, NoticeState.DRAFT)
    _record(work, "notice.withdraw", notice, f"took “{notice.title}” back out of review", newest(notice))


def approve_notice(work: Work, notice: Notice, number: int, sha256: str, reason: str = "") -> Review:
    """Approve the exact text that was read: `number` and `sha256` are posted back from the page.

    Where the law demands more than the text says and does not let it follow later, the `reason` says why it may go out all
    the same. Raises Conflict with both texts where it changed meanwhile, NotAllowed for whoever wrote or handed it in.
    """
    work.require(Permission.REVIEW_NOTICE, notice.incident)
    last = _check_review(work, notice, number, sha256)
    missing = drafts.lacks_of(notice.duty, last.body, work.now)
    if missing and not drafts.demands_of(notice.duty, work.now).phased and not reason.strip():
        raise Invalid("", reason="Something is missing or still open. Send it back, or say why it may go out as it is.")
    review = _review(work, notice, last, Decision.APPROVED, reason, missing)
    set_state(work, notice, NoticeState.APPROVED)
    _tell(work, notice, "approved", [last.author])
    _record(work, "notice.approve", notice, f"approved “{notice.title}”, version {last.number}", last)
    return review


def send_back_notice(work: Work, notice: Notice, number: int, sha256: str, reason: str) -> Review:
    """Send the exact text that was read back to its author, with the reason."""
    work.require(Permission.REVIEW_NOTICE, notice.incident)
    if not reason.strip():
        raise Invalid("", reason="Say what has to change; the author reads this.")
    last = _check_review(work, notice, number, sha256)
    review = _review(work, notice, last, Decision.SENT_BACK, reason, drafts.lacks_of(notice.duty, last.body, work.now))
    set_state(work, notice, NoticeState.SENT_BACK)
    _tell(work, notice, "sent_back", [last.author])
    _record(work, "notice.send_back", notice, f"sent back “{notice.title}”, version {last.number}", last)
    return review


def _tell(work: Work, notice: Notice, part: str, people: Sequence[Person]) -> None:
    """Ring whose turn it is; on a restricted incident only those who may know of it."""
    for person in people:
        if person.active and person.id != work.actor.id and may_see(person, notice.incident):
            deliveries.queue(work, "notice_moved", person=person, content={"part": part, "notice": notice.title, "id": notice.id}, incident=notice.incident)


def newest(notice: Notice) -> NoticeVersion:
    """The newest text, as the database has it now."""
    found = find_version(notice.id, notice.last_number)
    assert found is not None, f"notice {notice.id} has no version {notice.last_number}"
    return found


def set_state(work: Work, notice: Notice, state: NoticeState) -> None:
    """Move a notice, and remember when."""
    notice.state, notice.state_at = state, work.now


def _check_start(duty: Duty, kind: str) -> None:
    if kind not in set(NoticeKind):
        raise Invalid("", kind="Choose: a first notice, a supplement or a correction.")
    earlier = notices_for(duty.id)
    if any(one.state != NoticeState.FILED for one in earlier):
        raise Conflict("A text for this duty is being written already. Open that one.")
    if kind == NoticeKind.FIRST and earlier:
        raise Conflict("A notice was already filed for this duty. Start a supplement or a correction.")
    if kind != NoticeKind.FIRST and not earlier:
        raise Conflict("Nothing was filed for this duty yet, so there is nothing to add to or to correct.")
    if kind == NoticeKind.FIRST and not duty.is_open:
        raise Conflict("This duty is settled and asks for no notice. Open it again first.")


def _check_text(text: str) -> None:
    if not text:
        raise Invalid("", body="The text is empty. To start over, update it from the facts.")
    if len(text) > LONGEST:
        raise Invalid("", body=f"The text has {len(text):,} characters; at most {LONGEST:,} fit. Put the rest into an attachment.")


def _check_open(notice: Notice) -> None:
    if notice.state == NoticeState.FILED:
        raise Conflict("This notice was filed and never changes. Start a supplement or a correction of the same duty.")


def _check_review(work: Work, notice: Notice, number: int, sha256: str) -> NoticeVersion:
    last = newest(notice)
    if last.number != number or last.sha256 != sha256 or digest(last.body) != sha256:
        read = find_version(notice.id, number)
        raise Conflict(
            f"The text changed while you were reading: version {last.number} by {last.author.name} is the newest. Nothing was decided.",
            yours={"Text": read.body if read else ""},
            theirs={"Text": last.body},
        )
    if notice.state != NoticeState.IN_REVIEW:
        raise Conflict("This text is not in review any more: look at where it stands.")
    approval, submission = notice.approval, notice.submission
    authors = authors_after(notice.id, approval.notice_version.number if approval else 0)
    if not is_independent(work.actor.id, authors, submission.by_id if submission else None):
        raise NotAllowed("judge a text that you wrote a part of or handed in: somebody else has to")
    return last


def _review(work: Work, notice: Notice, version: NoticeVersion, decision: Decision, reason: str, missing: tuple[Lack, ...]) -> Review:
    review = Review(
        notice_id=notice.id,
        notice_version_id=version.id,
        decision=decision,
        reason=reason.strip(),
        lacking=[lack.words for lack in missing],
        sha256=version.sha256,
        reviewer_id=work.actor.id,
        at=work.now,
    )
    work.session.add(review)
    return review


def _add_version(work: Work, notice: Notice, body: str) -> NoticeVersion:
    notice.last_number += 1
    version = NoticeVersion(
        notice_id=notice.id, number=notice.last_number, body=body, sha256=digest(body), author_id=work.actor.id, at=work.now
    )
    work.session.add(version)
    work.session.flush()
    return version


def _void(work: Work, notice: Notice) -> str:
    """Back to draft; returns what the change took back, in words."""
    before = notice.state
    if before != NoticeState.DRAFT:
        set_state(work, notice, NoticeState.DRAFT)
    return {NoticeState.APPROVED: "this takes back the approval", NoticeState.IN_REVIEW: "this takes it out of review"}.get(
        NoticeState(before), ""
    )


def _subject(notice: Notice) -> str:
    return f"notice:{notice.id}"


def _record(work: Work, action: str, notice: Notice, summary: str, version: NoticeVersion, more: str = "") -> None:
    work.record(
        action,
        f"{summary}; {more}" if more else summary,
        incident=notice.incident,
        subject=_subject(notice),
        after={"state": str(notice.state), "version": version.number, "sha256": version.sha256},
    )
