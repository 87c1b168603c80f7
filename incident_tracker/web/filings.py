"""Recording that an approved notice went out: the exact text for copying, and the form for the proof."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import FormField, HiddenField, SelectField, StringField, TextAreaField, validators

from incident_tracker import clock
from incident_tracker.actions import drafts
from incident_tracker.actions import evidence as files
from incident_tracker.actions import filings as acts
from incident_tracker.actions.filings import Proof
from incident_tracker.errors import Invalid
from incident_tracker.models.evidence import Attachment, attachments_of, find_attachment
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Notice, NoticeState
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, evidence, finding, texts
from incident_tracker.web.fact_fields import MomentFields, moment_value
from incident_tracker.work import Work, unit_of_work

pages = Blueprint("filings", __name__)


class FilingForm(FlaskForm):
    """When, how, with which number and receipt; and the fingerprint of the text that was sent."""

    sha256 = HiddenField(validators=[validators.InputRequired()])
    moment = FormField(MomentFields, "When it went out")
    channel = StringField("How it went out", [validators.DataRequired("Say how it went out."), validators.Length(max=100)])
    reference = StringField("Reference that the recipient gave", [validators.Length(max=200)])
    receipt = FileField("Receipt")
    stored = SelectField("Or a file already put away as evidence", choices=[], validate_choice=False)
    late_reasons = TextAreaField("Reasons for the delay", [validators.Length(max=10_000)])
    early_reasons = TextAreaField("Why it went out before it was approved", [validators.Length(max=10_000)])


@pages.route("/incidents/<reference>/notices/<int:notice_id>/file", methods=["GET", "POST"])
def record(reference: str, notice_id: int) -> ResponseReturnValue:
    """The approved text for copying, and the proof that it went out."""
    incident = finding.incident(reference)
    choosing.demand(Permission.FILE_NOTICE, incident)
    notice = texts.notice(incident, notice_id)
    if notice.state != NoticeState.APPROVED:
        flash("There is no approved text to file; this is where it stands.", "plain")
        return redirect(url_for("notices.show", reference=reference, notice_id=notice_id))
    form = FilingForm(sha256=notice.head.sha256, moment=moment_value(None, incident.zone))
    if form.validate_on_submit() and _is_dated(form) and not _refused(form, reference, notice_id):
        flash("Recorded. The duty is met, and the clocks that this starts are running.", "good")
        return redirect(url_for("notices.show", reference=reference, notice_id=notice_id))
    return _page(texts.notice(finding.incident(reference), notice_id), form), 422 if form.errors else 200


def _is_dated(form: FilingForm) -> bool:
    if form.moment.form.moment is None:
        form.moment.form.date.errors = ["Give the day; the time too if you know it."]
    return form.moment.form.moment is not None


def _refused(form: FilingForm, reference: str, notice_id: int) -> bool:
    """Record it; where it is refused, put the words beside the fields."""
    try:
        with unit_of_work(current_user) as work:
            incident = finding.incident(reference, lock=True)
            notice = texts.notice(incident, notice_id, lock=True)
            acts.file_notice(work, notice, form.sha256.data or "", _proof(work, incident, form))
    except Invalid as error:
        for name, said in error.fields.items():
            field: Any = form.moment.form.date if name == "moment" else form.receipt if name == "file" else form[name]
            field.errors = [*field.errors, *said]
        return True
    return False


def _proof(work: Work, incident: Incident, form: FilingForm) -> Proof:
    moment = form.moment.form.moment
    assert moment is not None
    return Proof(
        moment, form.channel.data or "", form.reference.data or "", _receipt(work, incident, form), form.late_reasons.data or "", form.early_reasons.data or ""
    )


def _receipt(work: Work, incident: Incident, form: FilingForm) -> Attachment | None:
    upload = form.receipt.data
    if upload and upload.filename:
        return files.add(work, incident, upload.filename, upload.mimetype or "", upload.stream, vault=evidence.vault(), note="receipt of a notice")
    return find_attachment(incident.id, int(form.stored.data)) if (form.stored.data or "").isdigit() else None


def _page(notice: Notice, form: FilingForm) -> str:
    incident, duty = notice.incident, notice.duty
    form.stored.choices = [("", "none"), *((str(one.id), one.filename) for one in attachments_of(incident.id))]
    limit = duty.statutory_at or duty.conservative_at
    asks_why = bool(form.late_reasons.errors or form.late_reasons.data or (limit and limit < clock.now() and duty.is_open))
    return render_template(
        "notices/file.html", incident=incident, notice=notice, form=form, duty=duty, obligation=drafts.obligation_of(duty), channels=texts.CHANNELS,
        zones=choosing.zones(), asks_why=asks_why, authority=texts.authority(notice), check=texts.check(notice, notice.head.body),
    )
