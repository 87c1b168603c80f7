"""The pages of an incident, as people meet them."""

from datetime import timedelta
from typing import Any

import pytest

from incident_tracker.models.base import db
from incident_tracker.models.facts import Fact
from incident_tracker.models.incidents import Incident
from incident_tracker.models.movements import open_movements
from tests.stories import CERTAIN, FRIDAY, duty_of, record, report, set_profile

REPORT = {
    "title": "Mailbox of the billing team taken over", "summary": "Seen in the log.", "kind": "intrusion", "noticed-date": "2026-11-27", "noticed-time": "17:30",
    "noticed-zone": "Europe/Berlin", "awareness": "now", "role": "controller", "total-certainty": "about", "total-value": "1200",
    "places-0-place": "Germany", "places-0-count-certainty": "about", "places-0-count-value": "1200", "data": ["name", "contact"], "unsecured": "yes",
}


def test_an_officer_reports_and_sees_both_readings(browse: Any) -> None:
    set_profile()
    ines = browse("ines")
    answer = ines.post("/incidents/report", data=REPORT, follow_redirects=True)
    assert answer.status_code == 200
    assert "Mon 30 Nov 2026, 17:30" in answer.text
    assert "Find these out, the most urgent first." in answer.text
    incident = db.session.query(Incident).one()
    assert incident.stage == "confirmed"
    page = ines.post(f"/incidents/{incident.reference}/facts/asked?only=risk_level", data={"risk_level": "risk"}, follow_redirects=True).text
    assert "Mon 30 Nov 2026, 17:30" in page
    assert "Mon 30 Nov 2026, 18:00" in page


def test_only_the_title_has_to_be_filled(browse: Any) -> None:
    answer = browse("ines").post("/incidents/report", data={"title": "Something is wrong", "kind": "other", "awareness": "not_yet"})
    assert answer.status_code == 302
    assert db.session.query(Incident).one().title == "Something is wrong"


def test_a_report_that_is_refused_says_why_and_keeps_the_text(browse: Any) -> None:
    answer = browse("ines").post("/incidents/report", data={**REPORT, "title": "", "places-0-place": "Atlantis", "noticed-date": "27.11.2026"})
    assert answer.status_code == 422
    assert "Say in a few words what happened." in answer.text
    assert "Seen in the log." in answer.text
    assert "27.11.2026" in answer.text
    assert db.session.query(Incident).count() == 0


def test_an_unknown_place_is_named_beside_its_row(browse: Any) -> None:
    answer = browse("ines").post("/incidents/report", data={**REPORT, "places-0-place": "Atlantis"})
    assert answer.status_code == 422
    assert "Atlantis” is no country or US state" in answer.text


def test_a_local_time_that_exists_twice_is_asked_for(browse: Any) -> None:
    twice = {**REPORT, "noticed-date": "2026-10-25", "noticed-time": "02:30"}
    answer = browse("ines").post("/incidents/report", data=twice)
    assert answer.status_code == 422
    assert 'name="noticed-offset"' in answer.text
    answer = browse("ines").post("/incidents/report", data={**twice, "noticed-offset": "+01:00"})
    assert answer.status_code == 302, answer.text
    fact = db.session.query(Fact).filter_by(name="moments.aware").one()
    assert fact.value["at"] == "2026-10-25T02:30:00+01:00"


def test_a_day_without_a_time_runs_from_its_start(browse: Any) -> None:
    set_profile()
    browse("ines").post("/incidents/report", data={**REPORT, "noticed-time": ""})
    incident = db.session.query(Incident).one()
    duty = duty_of(incident, "eu-gdpr-33-1")
    assert duty.trigger_precision == "day"
    assert duty.conservative_value == "2026-11-30T00:00:00+01:00"


@pytest.mark.parametrize("tab", ["", "/facts", "/people", "/record", "/edit", "/stage", "/confirm", "/places", "/facts/breach", "/facts/moments", "/facts/data", "/facts/law"])
def test_every_page_of_an_incident_opens(browse: Any, tab: str) -> None:
    set_profile()
    incident = report(CERTAIN)
    answer = browse("ines").get(f"/incidents/{incident.reference}{tab}")
    assert answer.status_code == 200
    assert incident.reference in answer.text


def test_a_duty_explains_itself(browse: Any) -> None:
    set_profile()
    incident = report(CERTAIN)
    duty = duty_of(incident, "eu-gdpr-33-1")
    page = browse("ines").get(f"/incidents/{incident.reference}/duties/{duty.id}").text
    assert "1182/71 art. 3(1)" in page
    assert "Mon 30 Nov 2026, 17:30" in page
    assert "How it was counted" in page


def test_an_answer_settles_an_undecided_duty(browse: Any) -> None:
    set_profile()
    incident = report({**CERTAIN, "risk_level": None})
    ines = browse("ines")
    assert duty_of(incident, "eu-gdpr-33-1").state == "undecided"
    answer = ines.post(f"/incidents/{incident.reference}/facts/asked?only=risk_level", data={"risk_level": "risk", "source": "Assessment by Ines"})
    assert answer.status_code == 302
    assert duty_of(incident, "eu-gdpr-33-1").state == "running"


def test_a_place_taken_off_the_list_has_nobody(browse: Any) -> None:
    set_profile()
    incident = report(CERTAIN)
    browse("ines").post(f"/incidents/{incident.reference}/places", data={"places-0-place": "France", "places-0-count-certainty": "exact", "places-0-count-value": "3", "places_complete": "yes"})
    values = {fact.name: fact.value for fact in db.session.query(Fact).filter_by(superseded_at=None)}
    assert values["affected.by_place.FR"]["value"] == 3
    assert values["affected.by_place.DE"]["value"] == 0


def test_two_who_edit_at_once_see_both_texts(browse: Any) -> None:
    incident = report()
    url = f"/incidents/{incident.reference}/edit"
    browse("ines").post(url, data={"title": "First", "summary": "from Ines", "kind": "other", "text_version": "1"})
    answer = browse("ravi").post(url, data={"title": "Second", "summary": "from Ravi", "kind": "other", "text_version": "1"})
    assert answer.status_code == 409
    assert "from Ines" in answer.text
    assert "from Ravi" in answer.text


def test_a_restricted_incident_shows_nowhere_to_others(browse: Any) -> None:
    set_profile()
    incident = report(CERTAIN, restricted=True, title="Kestrel affair")
    for name in ("otto", "olga", "mona"):
        one = browse(name)
        for path in ("/incidents", "/incidents?stage=all&q=kestrel", "/incidents.csv?stage=all", "/board", "/board/wall", "/record"):
            page = one.get(path).text
            assert "Kestrel" not in page, (name, path)
            assert incident.reference not in page, (name, path)
        for tab in ("", "/facts", "/people", "/record", "/checklist", "/notices", "/evidence"):
            assert one.get(f"/incidents/{incident.reference}{tab}").status_code == 404
        missing = one.get("/incidents/INC-2026-9999")
        hidden = one.get(f"/incidents/{incident.reference}")
        assert missing.text.replace("INC-2026-9999", "") == hidden.text.replace(incident.reference, "")


def test_the_list_filters_and_says_when_nothing_matches(browse: Any) -> None:
    report(title="Lost laptop")
    report(title="Stolen phone")
    ines = browse("ines")
    page = ines.get("/incidents?q=laptop").text
    assert "Lost laptop" in page
    assert "Stolen phone" not in page
    assert "Nothing matches" in ines.get("/incidents?q=submarine").text


def test_the_export_holds_no_formula(browse: Any) -> None:
    report(title="=HYPERLINK(1)")
    text = browse("ines").get("/incidents.csv").text
    assert "'=HYPERLINK(1)" in text


def test_html_that_was_typed_is_shown_as_text(browse: Any) -> None:
    incident = report(title="<script>alert(1)</script>")
    page = browse("ines").get(f"/incidents/{incident.reference}").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_the_board_sorts_duties_by_urgency(browse: Any) -> None:
    set_profile()
    incident = report(CERTAIN)
    duty = duty_of(incident, "eu-gdpr-33-1")
    page = browse("mona").get("/board").text
    assert duty.title in page
    assert incident.reference in page


def test_a_decision_needs_somebody_else(browse: Any) -> None:
    set_profile()
    incident = report(CERTAIN)
    duty = duty_of(incident, "eu-gdpr-33-1")
    url = f"/incidents/{incident.reference}/duties/{duty.id}/decision"
    laura = browse("laura")
    assert laura.post(url, data={"kind": "not_required", "reason": "No risk to anybody."}).status_code == 302
    decision = duty_of(incident, "eu-gdpr-33-1").decisions[0]
    assert laura.post(f"{url}/{decision.id}", data={"answer": "approve"}).status_code == 403
    assert browse("mona").post(f"{url}/{decision.id}", data={"answer": "approve"}).status_code == 302
    assert duty_of(incident, "eu-gdpr-33-1").state == "not_required"
    browse("mona").post(f"/incidents/{incident.reference}/duties/{duty.id}/reopen", data={"reason": "New facts."})
    assert duty_of(incident, "eu-gdpr-33-1").state == "running"


def test_the_profile_is_asked_once_for_all_incidents(browse: Any) -> None:
    incident = report(CERTAIN)
    before = duty_of(incident, "us.sec.8k_105").state
    set_profile(now=FRIDAY + timedelta(hours=1))
    assert before == "undecided"
    assert duty_of(incident, "us.sec.8k_105").state == "undecided", "a profile that ends a duty waits for somebody to look"
    newest = open_movements(incident.id)[-1].id
    browse("ines").post(f"/incidents/{incident.reference}/moved/accept", data={"newest": newest})
    assert duty_of(incident, "us.sec.8k_105").state == "does_not_apply"
    assert browse("laura").get("/organisation").status_code == 200
    assert browse("ines").get("/organisation").status_code == 403


def test_record_shows_who_did_what(browse: Any) -> None:
    incident = report(CERTAIN)
    record(incident, {"risk_level": "high"})
    page = browse("olga").get(f"/incidents/{incident.reference}/record").text
    assert "Ines Vargas" in page
    assert "fact.record" in page
