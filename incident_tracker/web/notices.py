"""Notices: the list of an incident, one text, writing it, bringing it up to date, comparing versions, handing it in."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import IntegerField, TextAreaField, validators
from wtforms.widgets import HiddenInput

from incident_tracker import clock
from incident_tracker.actions import drafts
from incident_tracker.actions import notices as acts
from incident_tracker.errors import Conflict
from incident_tracker.models.duties import OPEN_STATES, Duty, DutyState, duties_of
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Notice, NoticeKind, NoticeState, notices_of, versions_of
from incident_tracker.rules.contents import default_contents
from incident_tracker.rules.differences import difference
from incident_tracker.rules.notices import LONGEST, digest
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, filings, finding, reviews, tellings, texts
from incident_tracker.work import unit_of_work

pages = Blueprint("notices", __name__)
for part in (reviews.of_notice, filings.pages, tellings.pages):
    pages.register_blueprint(part)


class EditForm(FlaskForm):
    """The whole text, and the number of the version it started from."""

    body = TextAreaField("Text", [validators.DataRequired("The text is empty."), validators.Length(max=LONGEST + 10_000)])
    base = IntegerField(validators=[validators.InputRequired()], widget=HiddenInput())


@pages.get("/incidents/<reference>/notices")
def index(reference: str) -> ResponseReturnValue:
    """What is being written, what waits to be started, what was filed."""
    incident = finding.incident(reference)
    written = notices_of(incident.id)
    lacking = {one.id: texts.count_of_lacks(one) for one in written}
    return render_template("notices/index.html", incident=incident, lacking=lacking, **_grouped(incident, written))


@pages.post("/incidents/<reference>/notices")
def start(reference: str) -> ResponseReturnValue:
    """Begin the text for a duty."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        work.require(Permission.WRITE_NOTICE, incident)
        duty = finding.duty(incident, request.form.get("duty_id", 0, type=int))
        notice_id = acts.start_notice(work, incident, duty, request.form.get("kind", NoticeKind.FIRST)).id
    flash("Started, and filled from the facts. What is still open is marked.", "good")
    return redirect(url_for(".show", reference=reference, notice_id=notice_id))


@pages.get("/incidents/<reference>/notices/<int:notice_id>")
def show(reference: str, notice_id: int) -> ResponseReturnValue:
    """The text, what it lacks, where it stands, and the next step."""
    incident = finding.incident(reference)
    notice = texts.notice(incident, notice_id)
    shown = texts.version(notice, request.args.get("version", type=int) or notice.last_number)
    return render_template(
        "notices/show.html", incident=incident, notice=notice, shown=shown, sections=texts.sections(shown.body), check=texts.check(notice, shown.body),
        versions=versions_of(notice.id), may_judge=texts.may_judge(notice), obligation=drafts.obligation_of(notice.duty), duty=notice.duty,
    )


@pages.route("/incidents/<reference>/notices/<int:notice_id>/edit", methods=["GET", "POST"])
def edit(reference: str, notice_id: int) -> ResponseReturnValue:
    """Write a new version."""
    incident = finding.incident(reference)
    choosing.demand(Permission.WRITE_NOTICE, incident)
    notice = texts.notice(incident, notice_id)
    form = EditForm(body=notice.head.body, base=notice.last_number)
    if form.validate_on_submit() and not choosing.refused(form, _write, reference, notice_id, form):
        return redirect(url_for(".show", reference=reference, notice_id=notice_id))
    return _edit_page(incident, notice, form), 422 if form.errors else 200


@pages.route("/incidents/<reference>/notices/<int:notice_id>/update", methods=["GET", "POST"])
def update(reference: str, notice_id: int) -> ResponseReturnValue:
    """Show what the facts say differently by now; on request replace exactly that."""
    incident = finding.incident(reference)
    choosing.demand(Permission.WRITE_NOTICE, incident)
    if request.method == "POST":
        _renew(reference, notice_id)
        return redirect(url_for(".show", reference=reference, notice_id=notice_id))
    notice = texts.notice(incident, notice_id)
    fresh = drafts.renewed(notice, notice.head.body, clock.now())
    found = difference(notice.head.body, fresh.body)
    return render_template("notices/update.html", incident=incident, notice=notice, fresh=fresh, sha256=digest(fresh.body), found=found)


@pages.get("/incidents/<reference>/notices/<int:notice_id>/compare")
def compare(reference: str, notice_id: int) -> ResponseReturnValue:
    """Two versions of a text, word by word."""
    incident = finding.incident(reference)
    notice = texts.notice(incident, notice_id)
    after = texts.version(notice, request.args.get("after", notice.last_number, type=int))
    before = texts.version(notice, request.args.get("before", max(after.number - 1, 1), type=int))
    found = difference(before.body, after.body)
    return render_template("notices/compare.html", incident=incident, notice=notice, before=before, after=after, found=found, versions=versions_of(notice.id))


@pages.post("/incidents/<reference>/notices/<int:notice_id>/submit")
def submit(reference: str, notice_id: int) -> ResponseReturnValue:
    """Hand the text in for review."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        work.require(Permission.WRITE_NOTICE, incident)
        acts.submit_notice(work, texts.notice(incident, notice_id, lock=True), request.form.get("number", 0, type=int), request.form.get("note", "")[:5_000])
    flash("Handed in. It stands in the queue of the reviewers, by its deadline.", "good")
    return redirect(url_for(".show", reference=reference, notice_id=notice_id))


@pages.post("/incidents/<reference>/notices/<int:notice_id>/withdraw")
def withdraw(reference: str, notice_id: int) -> ResponseReturnValue:
    """Take the text back out of review."""
    with unit_of_work(current_user) as work:
        incident = finding.incident(reference, lock=True)
        work.require(Permission.WRITE_NOTICE, incident)
        acts.withdraw_notice(work, texts.notice(incident, notice_id, lock=True))
    flash("Taken back. It is a draft again.", "good")
    return redirect(url_for(".show", reference=reference, notice_id=notice_id))


@pages.get("/incidents/<reference>/notices/<int:notice_id>/text.txt")
def text(reference: str, notice_id: int) -> ResponseReturnValue:
    """The exact approved text as a file, for sending. There is none of a text that nobody approved."""
    notice = texts.notice(finding.incident(reference), notice_id)
    if notice.state not in (NoticeState.APPROVED, NoticeState.FILED):
        raise Conflict("This text is not approved, so there is nothing to send yet.")
    answer = Response(notice.head.body, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{reference}-notice-{notice.id}-version-{notice.last_number}.txt"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _edit_page(incident: Incident, notice: Notice, form: EditForm) -> str:
    words = drafts.words_for(incident, notice.duty)
    catalogue = [(one, words[name]) for name, one in default_contents().placeholders.items()]
    check = texts.check(notice, notice.head.body)
    return render_template(
        "notices/edit.html", incident=incident, notice=notice, form=form, check=check, catalogue=catalogue, duty=notice.duty
    )


def _write(reference: str, notice_id: int, form: EditForm) -> None:
    with unit_of_work(current_user) as work:
        notice = texts.notice(finding.incident(reference, lock=True), notice_id, lock=True)
        version = acts.edit_notice(work, notice, form.base.data or 0, form.body.data or "")
        said = f"Saved as version {version.number}." if version else "Nothing was changed, so no version was made."
    flash(said, "good" if version else "plain")


def _renew(reference: str, notice_id: int) -> None:
    with unit_of_work(current_user) as work:
        notice = texts.notice(finding.incident(reference, lock=True), notice_id, lock=True)
        version = acts.update_from_facts(work, notice, request.form.get("base", 0, type=int), request.form.get("sha256", ""))
        said = f"Brought up to date as version {version.number}." if version else "The text already says what the facts say."
    flash(said, "good")


def _grouped(incident: Incident, written: list[Notice]) -> dict[str, list[Notice] | list[Duty]]:
    """The notices and duties of an incident by what is to be done about them."""
    has_text = {one.duty_id for one in written}
    waiting = [duty for duty in duties_of(incident.id) if duty.state in OPEN_STATES and duty.id not in has_text]
    open_texts = {one.duty_id for one in written if one.state != NoticeState.FILED}
    filed = [one for one in written if one.state == NoticeState.FILED]
    return {
        "writing": [one for one in written if one.state != NoticeState.FILED],
        "waiting": [duty for duty in waiting if duty.state != DutyState.UNDECIDED],
        "undecided": [duty for duty in waiting if duty.state == DutyState.UNDECIDED],
        "filed": filed,
        "followable": [one for one in filed if one.duty_id not in open_texts and one.kind == NoticeKind.FIRST],
    }
