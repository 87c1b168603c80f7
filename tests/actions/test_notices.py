"""A notice from its first draft to its approval, and everybody who tries to get around it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from incident_tracker.actions import notices as acts
from incident_tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.notices import NoticeVersion, Review, notices_of, review_queue
from incident_tracker.rules.notices import LONGEST, digest, parse
from incident_tracker.work import unit_of_work
from tests.drafts import LATER, approve, approved, breach, do, draft, file, fresh, hand_in, newest, whole_text, write
from tests.stories import CERTAIN, FRIDAY, again, duty_of, person, record, report

pytestmark = pytest.mark.usefixtures("app")


def last_entry() -> AuditEntry:
    return db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


# -- drafting


def test_it_starts_a_draft_filled_from_the_facts() -> None:
    incident = breach({"breach.consequences": "Phishing with real invoices."})
    notice = draft(incident)
    body = newest(notice).body
    assert [one.heading for one in parse(body).sections][:3] == ["Nature of the breach", "Categories of people affected", "Approximate number of people affected"]
    assert "Our reference: INC-2026-0001" in body
    assert "By place: Germany: about 1,200" in body
    assert "Phishing with real invoices." in body
    assert "[number of records]" in body
    assert (notice.state, newest(notice).number, newest(notice).author_id) == ("draft", 1, person("ines").id)
    assert newest(notice).sha256 == digest(body)


def test_it_names_the_authority_as_it_is_on_file() -> None:
    notice = draft(breach())
    assert f"To: {notice.duty.recipient_name}" in newest(notice).body


def test_it_starts_one_text_at_a_time_for_a_duty() -> None:
    incident = breach()
    draft(incident)
    with pytest.raises(Conflict, match="being written already"):
        draft(incident, by="ravi")


def test_the_database_itself_refuses_a_second_open_text() -> None:
    notice = draft(breach())
    with pytest.raises(Conflict), unit_of_work(person("ravi"), LATER) as work:
        values = {key: getattr(fresh(notice.id), key) for key in ("incident_id", "duty_id", "kind", "title", "state", "created_by_id", "created_at", "state_at", "last_number", "fillings")}
        work.session.add(type(notice)(**values))


def test_it_starts_no_text_for_a_settled_duty_nor_a_supplement_to_nothing() -> None:
    incident = breach()
    with pytest.raises(Conflict, match="Nothing was filed"):
        draft(incident, kind="supplement")
    with pytest.raises(Invalid):
        draft(incident, kind="poem")
    record(incident, {"risk_level": "unlikely"})
    with pytest.raises(Conflict, match="asks for no notice"):
        draft(incident)


def test_every_edit_makes_a_version_with_its_author_and_hash() -> None:
    notice = draft(breach())
    version = write(notice, "## Nature of the breach\r\n\r\nA mailbox.\r\n", by="ravi")
    assert (version.number, version.body, version.author_id) == (2, "## Nature of the breach\n\nA mailbox.", person("ravi").id)
    assert version.sha256 == digest(version.body)
    assert "wrote version 2" in last_entry().summary
    assert last_entry().after["sha256"] == version.sha256
    assert "mailbox." not in str(last_entry().after)


def test_it_makes_no_empty_version_and_none_that_changes_nothing() -> None:
    notice = draft(breach())
    assert write(notice, newest(notice).body.replace("\n", "\r\n") + "\r\n ") is None
    with pytest.raises(Invalid) as caught:
        write(notice, " \n\t\r\n ")
    assert "body" in caught.value.fields
    with pytest.raises(Invalid):
        write(notice, "x" * (LONGEST + 1))
    assert db.session.scalar(select(func.count()).select_from(NoticeVersion)) == 1


def test_two_people_at_once_get_both_texts_and_lose_nothing() -> None:
    notice = draft(breach())
    write(notice, "Ravi's text", by="ravi", base=1)
    with pytest.raises(Conflict) as caught:
        write(notice, "Laura's text", by="laura", base=1)
    assert caught.value.yours == {"Text": "Laura's text"}
    assert caught.value.theirs == {"Text": "Ravi's text"}
    assert "Ravi Menon saved version 2" in str(caught.value)


def test_the_same_text_typed_twice_is_no_conflict() -> None:
    notice = draft(breach())
    write(notice, "The text", base=1)
    assert write(notice, "The text", base=1) is None


@pytest.mark.parametrize("hostile", ["{{ config.SECRET_KEY }}", "{% include '/etc/passwd' %}", "<script>alert(1)</script>", "${{ 7*7 }}", "%(x)s {0.__class__}"])
def test_template_language_and_markup_are_only_text(hostile: str) -> None:
    notice = draft(breach({"breach.description": hostile}))
    assert hostile in newest(notice).body
    assert write(notice, f"{hostile}\n\n[contact point]").body == f"{hostile}\n\n[contact point]"


def test_an_edit_keeps_what_a_database_cannot_hold_out() -> None:
    assert write(draft(breach()), "a\x00b\x0bc").body == "abc"


# -- bringing up to date


def test_it_shows_what_the_facts_would_change_and_replaces_exactly_that() -> None:
    incident = breach()
    notice = draft(incident)
    write(notice, newest(notice).body.replace("Seen in the log.", "Somebody read the log."))
    record(incident, {"affected.by_place.DE": {"value": 4000, "certainty": "at_least"}})
    shown = acts.drafts.renewed(fresh(notice.id), newest(notice).body, LATER)
    version = do(acts.update_from_facts, notice, 2, digest(shown.body), by="ravi")
    assert "Germany: at least 4,000" in version.body
    assert "Somebody read the log." in version.body
    assert (version.number, version.author_id) == (3, person("ravi").id)
    assert do(acts.update_from_facts, notice, 3, version.sha256) is None


def test_it_replaces_nothing_that_was_not_shown() -> None:
    incident = breach()
    notice = draft(incident)
    shown = acts.drafts.renewed(notice, newest(notice).body, LATER)
    record(incident, {"breach.records": {"value": 9, "certainty": "exact"}})
    with pytest.raises(Conflict, match="changed since this difference was shown"):
        do(acts.update_from_facts, notice, 1, digest(shown.body))
    write(notice, "Other text")
    with pytest.raises(Conflict):
        do(acts.update_from_facts, notice, 1, digest("Other text"))


# -- review


def test_the_way_to_approval() -> None:
    notice = draft(breach())
    hand_in(notice)
    assert fresh(notice.id).state == "in_review"
    review = approve(notice)
    found = fresh(notice.id)
    assert (found.state, found.state_at) == ("approved", LATER)
    assert (review.decision, review.sha256, review.notice_version_id) == ("approved", newest(notice).sha256, newest(notice).id)
    assert "“Approximate number of records” is still open: [number of records]" in review.lacking


def test_it_sends_back_with_a_reason_only() -> None:
    notice = draft(breach())
    hand_in(notice)
    last = newest(notice)
    with pytest.raises(Invalid) as caught:
        do(acts.send_back_notice, notice, last.number, last.sha256, "  ", by="laura")
    assert "reason" in caught.value.fields
    do(acts.send_back_notice, notice, last.number, last.sha256, "Say how many records.", by="laura")
    found = fresh(notice.id)
    assert (found.state, found.last_review.reason, found.last_review.sha256) == ("sent_back", "Say how many records.", last.sha256)
    hand_in(notice)
    assert fresh(notice.id).state == "in_review"


def test_nobody_approves_what_they_wrote_a_part_of() -> None:
    notice = draft(breach())
    write(notice, whole_text(notice), by="laura")
    write(notice, whole_text(notice) + "\n\nEnd", by="ines")
    hand_in(notice)
    with pytest.raises(NotAllowed, match="wrote a part"):
        approve(notice, by="laura")
    assert fresh(notice.id).state == "in_review"


def test_nobody_approves_what_they_started_or_handed_in() -> None:
    started = draft(breach(), by="laura")
    hand_in(started)
    with pytest.raises(NotAllowed):
        approve(started)
    other = draft(breach(), by="ines")
    hand_in(other, by="laura")
    with pytest.raises(NotAllowed):
        approve(other)
    last = newest(other)
    with pytest.raises(NotAllowed):
        do(acts.send_back_notice, other, last.number, last.sha256, "No.", by="laura")


def test_who_wrote_before_the_last_approval_may_judge_what_came_after(people: dict) -> None:
    people["mona"].roles = people["laura"].roles
    db.session.commit()
    notice = draft(breach(), by="laura")
    hand_in(notice, by="ines")
    approve(notice, by="mona")
    write(notice, whole_text(notice), by="ines")
    hand_in(notice, by="ines")
    assert approve(notice, by="laura").decision == "approved"


def test_any_edit_takes_the_approval_back_and_says_so() -> None:
    notice = approved(breach())
    text_approved = newest(notice).body
    write(notice, text_approved + "\n\nOne more line", by="ravi")
    assert fresh(notice.id).state == "draft"
    assert "takes back the approval" in last_entry().summary
    write(notice, text_approved, by="ravi")
    assert fresh(notice.id).state == "draft"


def test_an_edit_takes_a_text_out_of_review() -> None:
    notice = draft(breach())
    hand_in(notice)
    write(notice, "Shorter", by="laura")
    assert fresh(notice.id).state == "draft"
    assert "out of review" in last_entry().summary


def test_it_is_taken_back_out_of_review_by_its_writers() -> None:
    notice = draft(breach())
    hand_in(notice)
    do(acts.withdraw_notice, notice, by="ravi")
    assert fresh(notice.id).state == "draft"
    with pytest.raises(Conflict):
        do(acts.withdraw_notice, notice)


def test_a_reviewer_who_read_an_older_text_decides_nothing() -> None:
    notice = draft(breach())
    hand_in(notice)
    read = newest(notice)
    write(notice, "Another text")
    hand_in(notice)
    for act in (acts.approve_notice, acts.send_back_notice):
        with pytest.raises(Conflict) as caught:
            do(act, notice, read.number, read.sha256, "because", by="laura")
        assert caught.value.yours["Text"] == read.body
        assert caught.value.theirs["Text"] == "Another text"
    assert fresh(notice.id).state == "in_review"
    assert db.session.scalar(select(func.count()).select_from(Review)) == 0


def test_a_forged_fingerprint_or_number_approves_nothing() -> None:
    notice = draft(breach())
    hand_in(notice)
    last = newest(notice)
    for number, sha256 in ((last.number, "0" * 64), (last.number + 1, last.sha256), (0, last.sha256)):
        with pytest.raises(Conflict):
            do(acts.approve_notice, notice, number, sha256, by="laura")


def test_a_text_changed_behind_our_back_is_not_approved() -> None:
    notice = draft(breach())
    hand_in(notice)
    last = newest(notice)
    number, sha256 = last.number, last.sha256
    db.session.execute(text("UPDATE notice_version SET body = 'Nothing happened' WHERE id = :id"), {"id": last.id})
    db.session.commit()
    with pytest.raises(Conflict):
        do(acts.approve_notice, notice, number, sha256, by="laura")


def test_only_a_text_in_review_is_judged() -> None:
    notice = draft(breach())
    with pytest.raises(Conflict, match="not in review"):
        approve(notice)
    hand_in(notice)
    with pytest.raises(Conflict):
        hand_in(notice)
    approve(notice)
    with pytest.raises(Conflict, match="not in review"):
        approve(notice)


def test_handing_in_an_older_version_is_refused() -> None:
    notice = draft(breach())
    write(notice, "Newer", by="ravi")
    with pytest.raises(Conflict, match="Ravi Menon saved version 2"):
        do(acts.submit_notice, notice, 1)


def test_an_incomplete_text_passes_where_the_rest_may_follow() -> None:
    notice = draft(breach())
    assert acts.drafts.demands_of(notice.duty, LATER).phased
    hand_in(notice)
    assert approve(notice).lacking


def test_an_incomplete_text_needs_a_reason_where_the_law_wants_it_whole() -> None:
    incident = breach({"risk_level": "high"})
    notice = draft(incident, "eu-gdpr-34-1")
    assert not acts.drafts.demands_of(notice.duty, LATER).phased
    hand_in(notice)
    with pytest.raises(Invalid) as caught:
        approve(notice)
    assert "reason" in caught.value.fields
    assert approve(notice, reason="The hotline stands on the envelope.").reason == "The hotline stands on the envelope."


# -- afterwards


def test_a_filed_notice_never_changes() -> None:
    notice = approved(breach())
    file(notice)
    sha256 = newest(notice).sha256
    for act, args in (
        (acts.edit_notice, (2, "Other")), (acts.update_from_facts, (2, sha256)), (acts.submit_notice, (2,)), (acts.withdraw_notice, ()),
    ):
        with pytest.raises(Conflict):
            do(act, notice, *args)
    with pytest.raises(Conflict):
        approve(notice)
    assert newest(notice).sha256 == sha256


@pytest.mark.parametrize("change", ["body", "review", "filing", "delete"])
def test_rows_of_proof_refuse_to_change(change: str) -> None:
    notice = approved(breach())
    filing = file(notice)
    with pytest.raises(RuntimeError, match="only ever added"), unit_of_work(person("ines"), LATER) as work:
        if change == "delete":
            work.session.delete(work.session.merge(filing))
        elif change == "filing":
            work.session.merge(filing).reference = "AZ 1"
        elif change == "review":
            fresh(notice.id).reviews[0].decision = "sent_back"
        else:
            newest(notice).body = "Nothing happened"


def test_a_filed_notice_is_followed_by_a_supplement_that_says_so() -> None:
    incident = breach()
    notice = approved(incident)
    file(notice)
    with pytest.raises(Conflict, match="Start a supplement"):
        draft(incident)
    following = draft(incident, kind="supplement")
    assert following.title.startswith("Supplement: ")
    assert [one.kind for one in notices_of(incident.id)] == ["first", "supplement"]
    with pytest.raises(Conflict, match="being written already"):
        draft(incident, kind="correction")


# -- who may


@pytest.mark.parametrize(("name", "error"), [("olga", NotAllowed), ("mona", NotAllowed), ("adam", NotFound)])
def test_readers_write_nothing(name: str, error: type[Exception]) -> None:
    incident = breach()
    with pytest.raises(error):
        draft(incident, by=name)
    notice = draft(incident)
    for act, args in ((acts.edit_notice, (1, "x")), (acts.update_from_facts, (1, "x")), (acts.submit_notice, (1,)), (acts.withdraw_notice, ())):
        with pytest.raises(error):
            do(act, notice, *args, by=name)
    for act in (acts.approve_notice, acts.send_back_notice):
        with pytest.raises(error):
            do(act, notice, 1, "x", "y", by=name)


def test_an_officer_reviews_nothing() -> None:
    notice = draft(breach())
    hand_in(notice)
    with pytest.raises(NotAllowed):
        approve(notice, by="ravi")


def test_an_outsider_learns_nothing_of_a_restricted_incident() -> None:
    incident = breach(restricted=True)
    notice = draft(incident)
    hand_in(notice)
    for act, args in ((acts.edit_notice, (1, "x")), (acts.submit_notice, (1,))):
        with pytest.raises(NotFound):
            do(act, notice, *args, by="otto")
    with pytest.raises(NotFound):
        approve(notice, by="laura")
    assert review_queue(person("laura"), ["in_review"]) == []
    assert len(review_queue(person("ines"), ["in_review"])) == 1


def test_the_queue_is_sorted_by_the_earlier_instant_with_undated_duties_last() -> None:
    early = breach()
    hour_later = FRIDAY + timedelta(hours=1)
    aware = {"at": hour_later.isoformat(), "zone": "Europe/Berlin", "precision": "instant"}
    late = report({**CERTAIN, "moments.aware": aware, "risk_level": "high"}, now=hour_later)
    started = [draft(late), draft(late, "eu-gdpr-34-1"), draft(early)]
    for notice in started:
        hand_in(notice)
    queue = review_queue(person("laura"), ["in_review"])
    assert [notice.id for notice in queue] == [started[2].id, started[0].id, started[1].id]
    assert [one.incident.reference for one in review_queue(person("laura"), ["in_review"], incident=early.reference)] == [early.reference]
    assert [one.id for one in review_queue(person("laura"), ["in_review"], recipient=duty_of(again(late.reference), "eu-gdpr-34-1").recipient_name)] == [started[1].id]
