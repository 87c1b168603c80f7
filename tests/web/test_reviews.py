"""The queue of reviews and the page on which counsel judges one exact text."""

from typing import Any

import pytest
from sqlalchemy import event

from incident_tracker import clock
from incident_tracker.actions import notices as acts
from incident_tracker.models.base import db
from incident_tracker.models.notices import Review
from tests.drafts import LATER, approve, approved, breach, do, draft, fresh, hand_in, newest, write
from tests.stories import person


@pytest.fixture(autouse=True)
def friday_night(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is three hours after the report."""
    monkeypatch.setattr(clock, "now", lambda: LATER)


def at(notice: Any) -> str:
    return f"/incidents/{notice.incident.reference}/notices/{notice.id}/review"


def word(notice: Any, decision: str, reason: str = "") -> dict[str, str]:
    last = newest(notice)
    return {"number": str(last.number), "sha256": last.sha256, "decision": decision, "reason": reason}


def in_review(**more: Any) -> Any:
    notice = draft(breach(**more))
    hand_in(notice)
    return fresh(notice.id)


# -- the queue


def test_the_queue_shows_what_waits_who_wrote_it_and_how_long_is_left(browse: Any) -> None:
    in_review()
    page = browse("laura").get("/reviews").text
    assert "69 h left" in page
    assert "Mon 30 Nov 2026, 17:30" in page
    assert "Ines Vargas" in page
    assert " open</span>" in page


def test_the_queue_has_three_parts(browse: Any) -> None:
    waits, back = in_review(), in_review()
    do(acts.send_back_notice, back, 1, newest(back).sha256, "Say how many.", by="laura")
    ready = approved(breach())
    page = browse("laura").get("/reviews").text
    assert page.index("In review") < page.index("Sent back, waiting for the author") < page.index("Approved, not yet filed")
    assert "Say how many." in page
    for notice in (waits, back, ready):
        assert notice.incident.reference in page


def test_an_empty_queue_says_so(browse: Any) -> None:
    assert "Nothing waits for a review" in browse("laura").get("/reviews").text


def test_the_queue_is_narrowed_to_an_incident_or_a_recipient(browse: Any) -> None:
    one, other = in_review(), in_review()
    page = browse("laura").get(f"/reviews?incident={one.incident.reference}").text
    assert f"/incidents/{one.incident.reference}/notices/{one.id}/review" in page
    assert f"/incidents/{other.incident.reference}/notices/{other.id}/review" not in page
    assert "Nothing waits for a review" in browse("laura").get("/reviews?recipient=Nobody").text


def test_a_restricted_incident_is_in_nobodys_queue_but_its_members(browse: Any) -> None:
    notice = in_review(restricted=True, title="The chief executive's mailbox")
    page = browse("laura").get("/reviews").text
    assert notice.incident.reference not in page
    assert "chief executive" not in page
    assert notice.duty.recipient_name not in page


def test_the_queue_is_for_reviewers_only(browse: Any) -> None:
    for name in ("ines", "mona", "olga", "adam"):
        assert browse(name).get("/reviews").status_code == 403
    assert ">Reviews</a>" in browse("laura").get("/reviews").text
    assert ">Reviews</a>" not in browse("ines").get("/incidents").text


def test_the_queue_costs_the_same_however_long_it_is(browse: Any) -> None:
    in_review()
    few = _queries(browse)
    for _ in range(3):
        in_review()
    assert _queries(browse) == few


def _queries(browse: Any) -> int:
    seen: list[str] = []
    laura = browse("laura")
    laura.get("/reviews")

    def count(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        laura.get("/reviews")
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    return len(seen)


# -- judging


def test_one_page_has_text_lacks_clock_and_the_two_buttons(browse: Any) -> None:
    page = browse("laura").get(at(in_review())).text
    for words in ("The exact text", "What the law demands", "The clock", "Approve this text", "Send back", "[number of records]", "Mon 30 Nov 2026, 17:30"):
        assert words in page


def test_counsel_approves_exactly_what_she_read(browse: Any) -> None:
    notice = in_review()
    answer = browse("laura").post(at(notice), data=word(notice, "approved"), follow_redirects=True)
    assert "Approved: exactly this text may go out." in answer.text
    assert db.session.query(Review).one().sha256 == newest(notice).sha256
    assert fresh(notice.id).state == "approved"


def test_counsel_sends_back_and_the_author_reads_why(browse: Any) -> None:
    notice = in_review()
    assert browse("laura").post(at(notice), data=word(notice, "sent_back")).status_code == 422
    browse("laura").post(at(notice), data=word(notice, "sent_back", "Say <b>how many</b>."))
    page = browse("ines").get(at(notice).removesuffix("/review")).text
    assert "Sent back by Laura Beck." in page
    assert "Say &lt;b&gt;how many&lt;/b&gt;." in page


def test_the_second_review_shows_what_changed_since_the_first(browse: Any) -> None:
    notice = in_review()
    do(acts.send_back_notice, notice, 1, newest(notice).sha256, "Name the log.", by="laura")
    write(notice, newest(notice).body.replace("Seen in the log.", "Seen in the mail log."))
    hand_in(notice)
    page = browse("laura").get(at(notice)).text
    assert "Since version 1 was sent back" in page
    assert '<ins><span class="visually-hidden">[added: </span>mail ' in page
    assert "Laura Beck: Name the log." in page


def test_a_text_that_changed_while_it_was_read_is_not_judged(browse: Any) -> None:
    notice = in_review()
    read = word(notice, "approved")
    write(notice, "Another text")
    hand_in(notice)
    answer = browse("laura").post(at(notice), data=read)
    assert answer.status_code == 409
    assert "Another text" in answer.text
    assert "Nature of the breach" in answer.text
    assert fresh(notice.id).state == "in_review"


@pytest.mark.parametrize("forged", [{"sha256": "0" * 64}, {"number": "9"}, {"sha256": ""}, {"number": ""}])
def test_a_forged_approval_approves_nothing(browse: Any, forged: dict[str, str]) -> None:
    notice = in_review()
    assert browse("laura").post(at(notice), data={**word(notice, "approved"), **forged}).status_code in (409, 422)
    assert fresh(notice.id).state == "in_review"


def test_a_word_that_is_neither_sends_back_only_with_a_reason_and_never_approves(browse: Any) -> None:
    notice = in_review()
    assert browse("laura").post(at(notice), data=word(notice, "maybe")).status_code == 422
    assert fresh(notice.id).state == "in_review"


def test_who_wrote_a_part_sees_no_buttons_and_is_refused(browse: Any) -> None:
    notice = draft(breach())
    write(notice, newest(notice).body + "\n\nOne more", by="laura")
    hand_in(notice)
    page = browse("laura").get(at(notice)).text
    assert "somebody else has to judge it" in page
    assert "Approve this text" not in page
    assert browse("laura").post(at(notice), data=word(notice, "approved")).status_code == 403
    assert fresh(notice.id).state == "in_review"


def test_an_officer_has_no_page_for_judging(browse: Any) -> None:
    notice = in_review()
    assert browse("ravi").get(at(notice)).status_code == 403
    assert browse("ravi").post(at(notice), data=word(notice, "approved")).status_code == 403


def test_a_text_that_is_not_in_review_leads_to_where_it_stands(browse: Any) -> None:
    notice = in_review()
    approve(notice)
    answer = browse("laura").get(at(notice))
    assert answer.headers["Location"].endswith(at(notice).removesuffix("/review"))


def test_an_incomplete_text_needs_a_reason_where_the_law_wants_it_whole(browse: Any) -> None:
    notice = draft(breach({"risk_level": "high"}), "eu-gdpr-34-1")
    hand_in(notice)
    answer = browse("laura").post(at(notice), data=word(notice, "approved"))
    assert answer.status_code == 422
    assert "say why it may go out as it is" in answer.text
    browse("laura").post(at(notice), data=word(notice, "approved", "The hotline is on the envelope."))
    assert fresh(notice.id).state == "approved"
    assert person("laura").id == fresh(notice.id).last_review.reviewer_id
