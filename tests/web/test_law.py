"""The law library and its calculator."""

from typing import Any

import pytest

from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db


def test_it_is_searched_and_filtered(browse: Any) -> None:
    laura = browse("laura")
    page = laura.get("/law?q=gdpr+33").text
    assert "GDPR art. 33(1)" in page
    assert "Form 8-K" not in page
    assert "Nothing matches" in laura.get("/law?q=phlogiston").text
    assert "not legal advice" in page


def test_an_obligation_shows_its_source_and_examples(browse: Any) -> None:
    page = browse("ines").get("/law/eu-gdpr-33-1").text
    for words in ("GDPR art. 33(1)", "Last checked", "How sure", "E1 an ordinary Tuesday"):
        assert words in page
    assert browse("ines").get("/law/no-such-law").status_code == 404


def test_anyone_signed_in_counts_a_clock_and_nothing_is_stored(browse: Any) -> None:
    before = db.session.query(AuditEntry).count()
    page = browse("adam").get("/law/eu-gdpr-33-1?start-date=2026-11-27&start-time=17:30&start-zone=Europe/Berlin&place=Germany&on_hour=strict").text
    assert "Mon 30 Nov 2026, 17:30" in page
    assert "Mon 30 Nov 2026, 18:00" in page
    assert db.session.query(AuditEntry).count() == before


@pytest.mark.parametrize(("query", "said"), [
    ("start-date=tomorrow", "2026-11-27"),
    ("start-date=&start-time=", "Give the day"),
    ("start-date=2026-10-25&start-time=02:30&start-zone=Europe/Berlin", "twice"),
    ("start-date=2026-11-27&start-time=17:30&start-zone=Europe/Berlin&place=Atlantis", "no country or US state"),
])
def test_a_clock_that_cannot_be_counted_says_why(browse: Any, query: str, said: str) -> None:
    answer = browse("ines").get(f"/law/eu-gdpr-33-1?{query}")
    assert answer.status_code == 422
    assert said in answer.text


def test_a_stranger_is_asked_to_sign_in(browse: Any) -> None:
    assert browse().get("/law").status_code == 302
