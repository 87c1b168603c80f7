"""The evidence of an incident: what was put away, and the way to get it back."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import StringField, validators

from incident_tracker.actions import evidence as acts
from incident_tracker.errors import Invalid, NotFound
from incident_tracker.models.evidence import Vault, attachments_of, find_attachment
from incident_tracker.models.incidents import Incident
from incident_tracker.models.playbooks import steps_of
from incident_tracker.rules.permissions import Permission
from incident_tracker.web import choosing, finding
from incident_tracker.work import unit_of_work

pages = Blueprint("evidence", __name__)

#: whatever the bytes are, the browser saves them and never runs them in our name
POLICY = "default-src 'none'; sandbox"
DAMAGED = (
    "This file is missing on the tracker's disk, or damaged: it no longer has the fingerprint it was put away with. "
    "Restore it from a backup."
)


class UploadForm(FlaskForm):
    """One file, and what it shows."""

    file = FileField("File", [FileRequired("Choose a file.")])
    note = StringField("What it shows", [validators.Length(max=300)], description="So that somebody finds it in a year: “mail gateway log, 26 to 27 November”.")


def vault() -> Vault:
    """Where the settings say that files are kept."""
    config = current_app.extensions["tracker"]
    return Vault(config.evidence_folder, config.upload_megabytes * 1024 * 1024)


@pages.get("/incidents/<reference>/evidence")
def index(reference: str) -> ResponseReturnValue:
    """What was put away, the newest first."""
    return _page(finding.incident(reference), UploadForm())


@pages.post("/incidents/<reference>/evidence")
def add(reference: str) -> ResponseReturnValue:
    """Put a file away."""
    incident = finding.incident(reference)
    choosing.demand(Permission.ADD_EVIDENCE, incident)
    form = UploadForm()
    if form.validate_on_submit() and not choosing.refused(form, _keep, reference, form.file.data, form.note.data or ""):
        flash("Put away. Its fingerprint stands in the record.", "good")
        return redirect(url_for(".index", reference=reference))
    return _page(incident, form), 422


@pages.get("/incidents/<reference>/evidence/<int:attachment_id>")
def download(reference: str, attachment_id: int) -> ResponseReturnValue:
    """The file, for saving; refused if its bytes are no longer those that were put away."""
    found = find_attachment(finding.incident(reference).id, attachment_id)
    if found is None:
        raise NotFound("file")
    if not vault().is_intact(found.sha256):
        raise Invalid(DAMAGED)
    path = vault().path(found.sha256).resolve()
    answer = send_file(path, mimetype="application/octet-stream", as_attachment=True, download_name=found.filename, etag=False)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _keep(reference: str, upload: Any, note: str) -> None:
    with unit_of_work(current_user) as work:
        acts.add(work, finding.incident(reference, lock=True), upload.filename or "", upload.mimetype or "", upload.stream, vault=vault(), note=note)


def _page(incident: Incident, form: UploadForm) -> str:
    return render_template(
        "evidence/index.html", incident=incident, form=form, attachments=attachments_of(incident.id), steps=steps_of(incident.id), largest=vault().largest,
    )
