"""The pages of a notice, as its writers meet them."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from incident_tracker import clock
from incident_tracker.actions import incidents
from incident_tracker.actions import notices as acts
from incident_tracker.models.base import db
from incident_tracker.models.evidence import Attachment
from incident_tracker.models.facts import Fact
from incident_tracker.models.notices import Filing, Notice
from incident_tracker.rules.notices import digest
from incident_tracker.work import unit_of_work
from tests.drafts import LATER, approved, breach, do, draft, file, fresh, hand_in, newest, whole_text, write
from tests.stories import CERTAIN, again, duty_of, person, record, report


@pytest.fixture(autouse=True)
def friday_night(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is three hours after the report."""
    monkeypatch.setattr(clock, "now", lambda: LATER)


def at(notice: Notice, tail: str = "") -> str:
    return f"/incidents/{notice.incident.reference}/notices/{notice.id}{tail}"


def sent(notice: Notice, **more: str) -> dict[str, Any]:
    """The form of a filing, filled in."""
    last = newest(notice)
    return {
        "sha256": last.sha256, "moment-date": "2026-11-27", "moment-time": "20:30", "moment-zone": "Europe/Berlin", "channel": "web form of the authority",
        "reference": "LDA-7",
    } | more


# -- the list


def test_the_list_offers_a_draft_for_each_open_duty_and_says_what_is_due(browse: Any) -> None:
    incident = breach()
    page = browse("ines").get(f"/incidents/{incident.reference}/notices").text
    assert page.count("Start the draft") >= 1
    assert "Mon 30 Nov 2026, 17:30" in page
    duty = duty_of(incident, "eu-gdpr-33-1")
    answer = browse("ines").post(f"/incidents/{incident.reference}/notices", data={"duty_id": str(duty.id)}, follow_redirects=True)
    assert "Nature of the breach" in answer.text
    page = browse("ines").get(f"/incidents/{incident.reference}/notices").text
    assert "Being written" in page
    assert "version 1, Ines Vargas" in page


def test_an_incident_without_duties_says_what_to_do(browse: Any) -> None:
    incident = report()
    with unit_of_work(person("laura"), LATER) as work:
        incidents.change_stage(work, again(incident.reference), "dismissed", "A test mail of our own.")
    assert "No notice is needed so far" in browse("ines").get(f"/incidents/{incident.reference}/notices").text


def test_the_list_costs_the_same_however_long_it_is(browse: Any) -> None:
    few, many = breach(), breach({"risk_level": "high", "affected.by_place.FR": {"value": 3, "certainty": "exact"}})
    draft(few)
    for obligation in ("eu-gdpr-33-1", "eu-gdpr-34-1"):
        notice = draft(many, obligation)
        for number in range(3):
            write(notice, f"text {number}")
    hand_in(notice)
    assert _queries(browse, f"/incidents/{few.reference}/notices") == _queries(browse, f"/incidents/{many.reference}/notices")


def test_a_text_costs_the_same_however_long_its_history(browse: Any) -> None:
    short, long = draft(breach()), draft(breach())
    for notice, rounds in ((short, 1), (long, 3)):
        for number in range(rounds):
            write(notice, f"text {number}", by=("ines", "ravi")[number % 2])
            hand_in(notice)
            last = newest(notice)
            do(acts.send_back_notice, notice, last.number, last.sha256, "Once more.", by="laura")
    assert _queries(browse, at(short)) == _queries(browse, at(long))


def _queries(browse: Any, url: str) -> int:
    seen: list[str] = []
    ines = browse("ines")
    ines.get(url)

    def count(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        assert ines.get(url).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    return len(seen)


# -- the text


def test_a_text_is_shown_with_its_gaps_marked_and_what_the_law_demands(browse: Any) -> None:
    notice = draft(breach())
    page = browse("ines").get(at(notice)).text
    assert '<mark class="gap"><span class="visually-hidden">open: </span>[number of records]</mark>' in page
    assert "What the law demands" in page
    assert "The law lets the rest follow" in page


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{ 7*7 }}", "</textarea><b>"])
def test_markup_in_a_text_is_shown_and_never_runs(browse: Any, hostile: str) -> None:
    notice = draft(breach({"breach.description": hostile}))
    write(notice, f"## Nature of the breach\n\n{hostile} [open {hostile[1:4]}]\n\n## {hostile}\n\nx")
    for tail in ("", "/edit", "/compare?before=1&after=2", "/update"):
        page = browse("ines").get(at(notice, tail)).text
        assert hostile not in page or hostile == "{{ 7*7 }}"
        assert "49" not in page.partition("<main")[2].replace("2026", "")


def test_an_edit_makes_a_version_and_an_unchanged_text_none(browse: Any) -> None:
    notice = draft(breach())
    body = newest(notice).body
    answer = browse("ravi").post(at(notice, "/edit"), data={"body": body.replace("\n", "\r\n") + "\r\nMore", "base": "1"}, follow_redirects=True)
    assert "Saved as version 2." in answer.text
    answer = browse("ravi").post(at(notice, "/edit"), data={"body": newest(notice).body, "base": "2"}, follow_redirects=True)
    assert "no version was made" in answer.text
    assert fresh(notice.id).last_number == 2


def test_a_refused_edit_keeps_what_was_typed(browse: Any) -> None:
    notice = draft(breach())
    answer = browse("ines").post(at(notice, "/edit"), data={"body": "   ", "base": "1"})
    assert answer.status_code == 422
    assert "The text is empty" in answer.text
    answer = browse("ines").post(at(notice, "/edit"), data={"body": "x" * 100_001, "base": "1"})
    assert answer.status_code == 422
    assert "xxxx" in answer.text


def test_two_who_write_at_once_see_both_texts(browse: Any) -> None:
    notice = draft(breach())
    browse("ines").post(at(notice, "/edit"), data={"body": "From Ines", "base": "1"})
    answer = browse("ravi").post(at(notice, "/edit"), data={"body": "From Ravi", "base": "1"})
    assert answer.status_code == 409
    assert "From Ines" in answer.text
    assert "From Ravi" in answer.text
    assert "Ines Vargas saved version 2" in answer.text


def test_of_two_who_save_in_the_same_moment_one_is_told(app: Any, browse: Any) -> None:
    notice = draft(breach())
    url, clients = at(notice, "/edit"), {name: browse(name) for name in ("ines", "ravi", "laura")}
    gate = threading.Barrier(len(clients))

    def save(name: str) -> Any:
        with app.app_context():
            gate.wait()
            return clients[name].post(url, data={"body": f"From {name}", "base": "1"})

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(save, clients))
    assert sorted(answer.status_code for answer in answers) == [302, 409, 409]
    db.session.rollback()
    won = newest(notice)
    assert (won.number, fresh(notice.id).last_number) == (2, 2)
    for name, answer in zip(clients, answers, strict=True):
        assert answer.status_code == 302 or (f"From {name}" in answer.text and won.body in answer.text)


def test_of_an_approval_and_an_edit_in_the_same_moment_only_a_true_approval_stands(app: Any, browse: Any) -> None:
    notice = draft(breach())
    hand_in(notice)
    last = newest(notice)
    url, edit = at(notice, "/review"), at(notice, "/edit")
    word = {"number": "1", "sha256": last.sha256, "decision": "approved", "reason": ""}
    counsel, writer, gate = browse("laura"), browse("ines"), threading.Barrier(2)

    def post(client: Any, address: str, data: dict[str, str]) -> Any:
        with app.app_context():
            gate.wait()
            return client.post(address, data=data)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(post, counsel, url, word)
        second = pool.submit(post, writer, edit, {"body": "Milder", "base": "1"})
        assert second.result().status_code == 302
        assert first.result().status_code in (302, 409)
    db.session.rollback()
    assert fresh(notice.id).state == "draft"


def test_two_versions_are_compared_word_by_word(browse: Any) -> None:
    notice = draft(breach())
    write(notice, newest(notice).body.replace("Seen in the log.", "Found in the log."))
    page = browse("olga").get(at(notice, "/compare")).text
    assert '<del><span class="visually-hidden">[removed: </span>Seen<span class="visually-hidden">]</span></del>' in page
    assert '<ins><span class="visually-hidden">[added: </span>Found<span class="visually-hidden">]</span></ins>' in page
    assert "to the letter" in browse("olga").get(at(notice, "/compare?before=2&after=2")).text
    assert browse("olga").get(at(notice, "/compare?before=7")).status_code == 404


def test_it_shows_what_the_facts_would_change_before_it_changes_it(browse: Any) -> None:
    incident = breach()
    notice = draft(incident)
    record(incident, {"breach.records": {"value": 52000, "certainty": "about"}})
    page = browse("ines").get(at(notice, "/update")).text
    assert "about 52,000" in page
    assert fresh(notice.id).last_number == 1
    shown = acts.drafts.renewed(fresh(notice.id), newest(notice).body, LATER)
    answer = browse("ines").post(at(notice, "/update"), data={"base": "1", "sha256": digest(shown.body)}, follow_redirects=True)
    assert "Brought up to date as version 2." in answer.text
    assert "Nothing to replace" in browse("ines").get(at(notice, "/update")).text


def test_it_replaces_nothing_that_was_not_shown(browse: Any) -> None:
    notice = draft(breach())
    assert browse("ines").post(at(notice, "/update"), data={"base": "1", "sha256": "0" * 64}).status_code == 409


def test_the_words_are_said_once_and_fill_the_drafts(browse: Any) -> None:
    incident = breach()
    answer = browse("ines").post(
        f"/incidents/{incident.reference}/notices/words",
        data={"breach__consequences": "Phishing with real invoices.", "breach__malicious": "yes", "breach__records-certainty": "about", "breach__records-value": "900"},
        follow_redirects=True,
    )
    assert answer.status_code == 200
    assert {fact.name for fact in db.session.query(Fact).filter(Fact.name.startswith("breach."))} == {"breach.consequences", "breach.malicious", "breach.records"}
    assert "Phishing with real invoices." in newest(draft(incident)).body


def test_it_is_handed_in_and_taken_back(browse: Any) -> None:
    notice = draft(breach())
    answer = browse("ines").post(at(notice, "/submit"), data={"number": "1", "note": "Please before ten."}, follow_redirects=True)
    assert "Handed in." in answer.text
    assert "Please before ten." in answer.text
    assert "Take it back to edit" in answer.text
    browse("ravi").post(at(notice, "/withdraw"))
    assert fresh(notice.id).state == "draft"


def test_handing_in_a_text_that_changed_is_refused(browse: Any) -> None:
    notice = draft(breach())
    write(notice, "Newer", by="ravi")
    assert browse("ines").post(at(notice, "/submit"), data={"number": "1"}).status_code == 409


# -- the exact text


def test_the_approved_text_is_offered_to_the_letter(browse: Any) -> None:
    notice = approved(breach())
    answer = browse("ines").get(at(notice, "/text.txt"))
    assert answer.data == newest(notice).body.encode()
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    page = browse("ines").get(at(notice)).text
    assert "data-copy" in page
    assert newest(notice).sha256 in page


def test_a_text_that_nobody_approved_is_not_offered(browse: Any) -> None:
    notice = draft(breach())
    assert browse("ines").get(at(notice, "/text.txt")).status_code == 409
    assert "data-copy" not in browse("ines").get(at(notice)).text


# -- filing


def test_a_filing_is_recorded_with_its_receipt(browse: Any) -> None:
    notice = approved(breach())
    receipt = {"receipt": (io.BytesIO(b"%PDF-1.7 receipt"), "receipt.pdf")}
    answer = browse("ravi").post(at(notice, "/file"), data={**sent(notice), **receipt}, content_type="multipart/form-data", follow_redirects=True)
    assert "Recorded. The duty is met" in answer.text
    filing = db.session.query(Filing).one()
    assert (filing.reference, filing.receipt.filename, filing.outcome) == ("LDA-7", "receipt.pdf", "on_time")
    assert "Fri 27 Nov 2026, 20:30 (UTC+01:00)" in answer.text
    assert "receipt.pdf" in answer.text


def test_a_refused_filing_keeps_what_was_typed_and_no_file(browse: Any) -> None:
    notice = approved(breach())
    receipt = {"receipt": (io.BytesIO(b"%PDF"), "receipt.pdf")}
    answer = browse("ravi").post(at(notice, "/file"), data={**sent(notice, **{"moment-date": "2026-12-24"}), **receipt}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "lies in the future" in answer.text
    assert "LDA-7" in answer.text
    assert db.session.query(Filing).count() == db.session.query(Attachment).count() == 0


@pytest.mark.parametrize(("wrong", "said"), [
    ({"moment-date": "", "moment-time": ""}, "Give the day"), ({"moment-date": ""}, "Give the date as well"), ({"moment-zone": "Berlin"}, "Choose a time zone"), ({"channel": ""}, "Say how it went out."),
    ({"moment-time": "18:00"}, "before the text was approved"), ({"moment-date": "27.11.2026"}, "year-month-day"),
])
def test_a_filing_says_what_is_wrong_beside_the_field(browse: Any, wrong: dict[str, str], said: str) -> None:
    notice = approved(breach())
    answer = browse("ravi").post(at(notice, "/file"), data=sent(notice, **wrong))
    assert answer.status_code == 422
    assert said in answer.text
    assert fresh(notice.id).state == "approved"


def test_an_hour_that_came_twice_is_asked_for(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    october = LATER.replace(year=2027, month=10, day=31, hour=12)
    aware = {"at": "2027-10-30T20:00:00+02:00", "zone": "Europe/Berlin", "precision": "instant"}
    incident = breach()
    incident = report({**CERTAIN, "moments.aware": aware}, now=october - timedelta(hours=16))
    notice = approved(incident, now=october - timedelta(hours=15))
    monkeypatch.setattr(clock, "now", lambda: october)
    twice = sent(notice, **{"moment-date": "2027-10-31", "moment-time": "02:30"})
    answer = browse("ravi").post(at(notice, "/file"), data=twice)
    assert answer.status_code == 422
    assert "showed 02:30 on Sun 31 Oct 2027 twice" in answer.text
    browse("ravi").post(at(notice, "/file"), data={**twice, "moment-offset": "+01:00"})
    assert db.session.query(Filing).one().filed_at.isoformat() == "2027-10-31T01:30:00+00:00"


def test_a_late_filing_asks_for_the_reasons_in_the_words_of_the_law(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    notice = approved(breach())
    tuesday = LATER + timedelta(days=4)
    monkeypatch.setattr(clock, "now", lambda: tuesday)
    late = sent(notice, **{"moment-date": "2026-12-01", "moment-time": "12:00"})
    answer = browse("ravi").post(at(notice, "/file"), data=late)
    assert answer.status_code == 422
    assert "give the reasons" in answer.text.lower()
    answer = browse("ravi").post(at(notice, "/file"), data={**late, "late_reasons": "Found on Monday."}, follow_redirects=True)
    assert "Late by" in answer.text
    assert db.session.query(Filing).one().late_reasons == "Found on Monday."


@pytest.mark.parametrize("sha256", ["", "0" * 64])
def test_a_text_other_than_the_approved_one_is_not_filed(browse: Any, sha256: str) -> None:
    notice = approved(breach())
    assert browse("ravi").post(at(notice, "/file"), data=sent(notice, sha256=sha256)).status_code in (409, 422)
    assert db.session.query(Filing).count() == 0


def test_an_unapproved_text_has_no_page_for_filing_and_takes_none(browse: Any) -> None:
    notice = draft(breach())
    assert browse("ravi").get(at(notice, "/file")).headers["Location"].endswith(at(notice))
    assert browse("ravi").post(at(notice, "/file"), data=sent(notice)).status_code == 302
    assert db.session.query(Filing).count() == 0


def test_a_text_edited_while_it_was_being_filed_is_not_filed(browse: Any) -> None:
    notice = approved(breach())
    form = sent(notice)
    write(notice, "Milder")
    browse("ravi").post(at(notice, "/file"), data=form)
    assert db.session.query(Filing).count() == 0


def test_a_filed_notice_offers_what_may_follow(browse: Any) -> None:
    notice = approved(breach())
    file(notice)
    page = browse("ines").get(at(notice)).text
    assert "Start a supplement" in page
    assert "Edit the text" not in page
    answer = browse("ines").post(f"/incidents/{notice.incident.reference}/notices", data={"duty_id": str(notice.duty_id), "kind": "supplement"}, follow_redirects=True)
    assert "Supplement: " in answer.text


def test_on_time_is_not_shown_where_the_law_has_no_number(browse: Any) -> None:
    incident = breach({"risk_level": "high"})
    notice = approved(incident, "eu-gdpr-34-1")
    file(notice)
    for url in (at(notice), f"/incidents/{incident.reference}/notices"):
        page = browse("ines").get(url).text
        assert "on time" not in page.lower()
        assert "The law names no number" in page


# -- who may


WRITING = ("/edit", "/update", "/submit", "/withdraw", "/file", "/review")


@pytest.mark.parametrize("tail", WRITING)
def test_an_auditor_reads_and_changes_nothing(browse: Any, tail: str) -> None:
    notice = draft(breach())
    hand_in(notice)
    olga = browse("olga")
    assert olga.get(at(notice)).status_code == 200
    assert olga.post(at(notice, tail), data={"body": "x", "base": "1", "number": "1"}).status_code == 403
    assert (fresh(notice.id).state, fresh(notice.id).last_number) == ("in_review", 1)


@pytest.mark.parametrize("tail", ["", "/compare", "/text.txt", "/edit", "/update", "/file", "/review"])
def test_an_outsider_finds_nothing_of_a_restricted_incident(browse: Any, tail: str) -> None:
    notice = draft(breach(restricted=True))
    answer = browse("otto").get(at(notice, tail))
    assert answer.status_code == 404
    assert notice.incident.title not in answer.text


@pytest.mark.parametrize("tail", WRITING)
def test_an_outsider_changes_nothing_of_a_restricted_incident(browse: Any, tail: str) -> None:
    notice = draft(breach(restricted=True))
    assert browse("otto").post(at(notice, tail), data={"body": "x", "base": "1", "number": "1"}).status_code == 404
    assert fresh(notice.id).last_number == 1


def test_a_notice_is_found_under_its_own_incident_only(browse: Any) -> None:
    notice, other = draft(breach()), breach()
    for tail in ("", "/edit", "/compare", "/text.txt"):
        assert browse("ines").get(f"/incidents/{other.reference}/notices/{notice.id}{tail}").status_code == 404
    foreign = duty_of(again(notice.incident.reference), "eu-gdpr-33-1")
    assert browse("ines").post(f"/incidents/{other.reference}/notices", data={"duty_id": str(foreign.id)}).status_code == 404


def test_a_duty_page_leads_to_its_notice(browse: Any) -> None:
    incident = breach()
    duty = duty_of(incident, "eu-gdpr-33-1")
    assert "Start the draft" in browse("ines").get(f"/incidents/{incident.reference}/duties/{duty.id}").text
    notice = draft(incident)
    assert at(notice) in browse("ines").get(f"/incidents/{incident.reference}/duties/{duty.id}").text


def test_what_lacks_is_the_same_on_every_page(browse: Any) -> None:
    notice = draft(breach())
    write(notice, whole_text(notice).replace("(number of records)", "[number of records]"))
    assert "1 open" in browse("ines").get(f"/incidents/{notice.incident.reference}/notices").text
    assert "1 thing is still open" in browse("ines").get(at(notice)).text
    do(acts.submit_notice, notice, 2)
    assert "1 open" in browse("laura").get("/reviews").text
