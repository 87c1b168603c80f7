"""Reviews: the queue of texts that wait for counsel, and the page on which one exact text is judged."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, TextAreaField, validators
from wtforms.widgets import HiddenInput

from incident_tracker.actions import drafts
from incident_tracker.actions import notices as acts
from incident_tracker.models.notices import Decision, Notice, NoticeState, NoticeVersion, queue_choices, review_queue
from incident_tracker.rules.differences import SectionDifference, difference
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding, texts
from incident_tracker.work import unit_of_work

pages = Blueprint("reviews", __name__)
of_notice = Blueprint("reviews", __name__)

#: the parts of the queue, in the order in which they are worked through
PARTS_OF_QUEUE = (NoticeState.IN_REVIEW, NoticeState.SENT_BACK, NoticeState.APPROVED)


class DecisionForm(FlaskForm):
    """The word on one exact text; number and fingerprint are those of the text that was read."""

    number = IntegerField(validators=[validators.InputRequired()], widget=HiddenInput())
    sha256 = HiddenField(validators=[validators.InputRequired()])
    reason = TextAreaField("Reason", [validators.Length(max=10_000)])


@pages.get("/reviews")
def index() -> ResponseReturnValue:
    """What waits for a reviewer, what was sent back, what is approved and has not gone out."""
    choosing.demand(Permission.REVIEW_NOTICE)
    wanted = {"incident": request.args.get("incident", "").strip(), "recipient": request.args.get("recipient", "").strip()}
    found = {state: review_queue(current_user, [state], incident=wanted["incident"], recipient=wanted["recipient"]) for state in PARTS_OF_QUEUE}
    lacking = {one.id: texts.count_of_lacks(one) for listed in found.values() for one in listed}
    incidents, recipients = queue_choices(current_user, PARTS_OF_QUEUE)
    return render_template("reviews/index.html", found=found, lacking=lacking, wanted=wanted, incidents=incidents, recipients=recipients)


@of_notice.get("/incidents/<reference>/notices/<int:notice_id>/review")
def show(reference: str, notice_id: int) -> ResponseReturnValue:
    """The exact text, what changed since it was last judged, what it lacks, and the clock."""
    incident = finding.incident(reference)
    choosing.demand(Permission.REVIEW_NOTICE, incident)
    notice = texts.notice(incident, notice_id)
    if notice.state != NoticeState.IN_REVIEW:
        flash("This text is not in review; this is where it stands.", "plain")
        return redirect(url_for("notices.show", reference=reference, notice_id=notice_id))
    return _page(notice, DecisionForm(number=notice.last_number, sha256=notice.head.sha256))


@of_notice.post("/incidents/<reference>/notices/<int:notice_id>/review")
def decide(reference: str, notice_id: int) -> ResponseReturnValue:
    """Approve the text that was read, or send it back."""
    incident = finding.incident(reference)
    choosing.demand(Permission.REVIEW_NOTICE, incident)
    form = DecisionForm()
    decision = request.form.get("decision", "")
    if not form.validate() or choosing.refused(form, _judge, reference, notice_id, form, decision):
        return _page(texts.notice(finding.incident(reference), notice_id), form), 422
    flash("Approved: exactly this text may go out." if decision == Decision.APPROVED else "Sent back. The author sees your reason.", "good")
    return redirect(url_for("reviews.index"))


def _judge(reference: str, notice_id: int, form: DecisionForm, decision: str) -> None:
    with unit_of_work(current_user) as work:
        notice = texts.notice(finding.incident(reference, lock=True), notice_id, lock=True)
        act = acts.approve_notice if decision == Decision.APPROVED else acts.send_back_notice
        act(work, notice, form.number.data or 0, form.sha256.data or "", form.reason.data or "")


def _page(notice: Notice, form: DecisionForm) -> str:
    body = notice.head.body
    base = notice.last_review.notice_version if notice.last_review else None
    return render_template(
        "reviews/show.html", incident=notice.incident, notice=notice, form=form, sections=texts.sections(body), check=texts.check(notice, body), base=base,
        found=_since(base, body), may_judge=texts.may_judge(notice), obligation=drafts.obligation_of(notice.duty), duty=notice.duty,
    )


def _since(base: NoticeVersion | None, body: str) -> tuple[SectionDifference, ...]:
    return difference(base.body, body) if base else ()
