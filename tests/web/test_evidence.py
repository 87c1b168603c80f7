"""The evidence page: putting away, getting back for saving only, and who may."""

import io
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from incident_tracker.actions import incidents
from incident_tracker.models.evidence import attachments_of
from incident_tracker.models.incidents import Incident
from incident_tracker.work import unit_of_work
from tests.stories import again, person, report, set_profile

Browse = Callable[..., FlaskClient]
PAGE = b"<script>alert(document.domain)</script>"


@pytest.fixture
def incident(app: Flask) -> Incident:
    # with an empty profile hundreds of duties would be in doubt, and none of them matters here
    set_profile()
    return report()


def put_away(client: FlaskClient, incident: Incident, content: bytes = PAGE, name: str = "page.html", note: str = "What people saw") -> TestResponse:
    data = {"file": (io.BytesIO(content), name), "note": note}
    return client.post(f"/incidents/{incident.reference}/evidence", data=data, content_type="multipart/form-data")


def stored(incident: Incident) -> str:
    """The address of the latest file."""
    return f"/incidents/{incident.reference}/evidence/{attachments_of(incident.id)[0].id}"


def test_it_puts_a_file_away_and_lists_it_with_its_fingerprint(incident: Incident, browse: Browse) -> None:
    client = browse("ines")
    assert put_away(client, incident).headers["Location"] == f"/incidents/{incident.reference}/evidence"
    text = client.get(f"/incidents/{incident.reference}/evidence").text
    for words in ("page.html", "What people saw", "Ines Vargas", sha256(PAGE).hexdigest(), "39 bytes, text/html"):
        assert words in text


def test_it_gives_a_file_back_for_saving_and_never_for_running(incident: Incident, browse: Browse) -> None:
    put_away(browse("ines"), incident)
    answer = browse("olga").get(stored(incident))
    assert (answer.status_code, answer.data) == (200, PAGE)
    assert answer.headers["Content-Disposition"] == "attachment; filename=page.html"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_name_cannot_break_out_of_its_header(incident: Incident, browse: Browse) -> None:
    put_away(browse("ines"), incident, name='Übersicht"; x=".html')
    header = browse("ines").get(stored(incident)).headers["Content-Disposition"]
    assert header.startswith("attachment; ")
    assert 'filename="' not in header or header.count('"') == 2 or '\\"' in header
    assert "Übersicht" in unquote(header)


def test_it_shows_names_and_notes_as_text(incident: Incident, browse: Browse) -> None:
    put_away(browse("ines"), incident, name="<b>x</b>.txt", note="<i>y</i>")
    text = browse("ines").get(f"/incidents/{incident.reference}/evidence").text
    assert "<i>y" not in text and "<b>x" not in text
    assert "&lt;i&gt;y&lt;/i&gt;" in text


def test_it_keeps_the_words_when_the_file_is_missing(incident: Incident, browse: Browse) -> None:
    answer = browse("ines").post(f"/incidents/{incident.reference}/evidence", data={"note": "Gateway log"})
    assert answer.status_code == 422
    assert "Choose a file." in answer.text
    assert 'value="Gateway log"' in answer.text


def test_an_empty_file_is_refused_beside_its_field(incident: Incident, browse: Browse) -> None:
    answer = put_away(browse("ines"), incident, b"")
    assert answer.status_code == 422
    assert "The file is empty" in answer.text
    assert attachments_of(incident.id) == []


def test_only_members_get_at_the_evidence_of_a_restricted_incident(incident: Incident, browse: Browse) -> None:
    put_away(browse("ines"), incident)
    with unit_of_work(person("ines")) as work:
        incidents.restrict(work, again(incident.reference), True)
    for name in ("otto", "adam", "olga"):
        assert browse(name).get(stored(incident)).status_code == 404
        assert browse(name).get(f"/incidents/{incident.reference}/evidence").status_code == 404
        assert put_away(browse(name), incident).status_code == 404
    assert browse("ines").get(stored(incident)).status_code == 200


def test_a_reader_is_offered_no_form_and_refused_one(incident: Incident, browse: Browse) -> None:
    assert "Put a file away" not in browse("olga").get(f"/incidents/{incident.reference}/evidence").text
    assert put_away(browse("olga"), incident).status_code == 403


def test_a_file_is_not_reached_through_another_incident(incident: Incident, browse: Browse) -> None:
    put_away(browse("ines"), incident)
    other = report()
    assert browse("ines").get(stored(incident).replace(incident.reference, other.reference)).status_code == 404


def test_a_damaged_file_is_not_passed_off_as_the_original(app: Flask, incident: Incident, browse: Browse) -> None:
    put_away(browse("ines"), incident)
    fingerprint = sha256(PAGE).hexdigest()
    path = app.extensions["tracker"].evidence_folder / fingerprint[:2] / fingerprint
    path.chmod(0o600)
    path.write_bytes(PAGE.replace(b"alert", b"aiert"))
    answer = browse("ines").get(stored(incident))
    assert answer.status_code == 422
    assert "no longer has the fingerprint" in answer.text
    path.unlink()
    assert browse("ines").get(stored(incident)).status_code == 422


def test_an_empty_page_says_what_to_begin_with(incident: Incident, browse: Browse) -> None:
    text = browse("ravi").get(f"/incidents/{incident.reference}/evidence").text
    assert "Nothing was put away yet" in text
    assert "overwritten first" in text
