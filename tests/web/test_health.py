"""The tracker's own health: what monitors are told, which is nothing of any incident, and what administrators see."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from incident_tracker import clock
from incident_tracker.diary import Diary
from incident_tracker.models import revisions
from incident_tracker.models.alerts import beat, live
from incident_tracker.models.base import db
from incident_tracker.models.clock_jumps import ClockJump
from incident_tracker.models.messages import Message
from incident_tracker.models.outages import Outage
from incident_tracker.web.metrics import COUNTERS
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import run_once
from tests.alarms import HOUR, a_duty, an_incident
from tests.doors import text_of
from tests.guards.sources import ROOT
from tests.rows import contents
from tests.stories import person

TOKEN = "0123456789abcdef-of-the-monitor"
SECOND = timedelta(seconds=1)


@pytest.fixture
def configure(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda **values: monkeypatch.setitem(app.extensions, "tracker", replace(app.extensions["tracker"], **values))


@pytest.fixture
def migrated(app: Flask) -> Iterator[Callable[[str], None]]:
    """`migrated("0009")`: the database says that it is at this revision."""

    def stamp(revision: str) -> None:
        db.session.rollback()
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
            connection.execute(text("DELETE FROM alembic_version"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})

    yield stamp
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def numbers(client: Any, **headers: str) -> dict[tuple[str, str], float]:
    """Every sample by its name and its worker, as a Prometheus reads it."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200 and answer.mimetype == "text/plain"
    families = list(text_string_to_metric_families(answer.text))
    assert len({one.name for one in families}) == len(families)
    return {(one.name, one.labels.get("le", one.labels.get("worker", ""))): one.value for family in families for one in family.samples}


# -- readyz -----------------------------------------------------------------------------------------------------------------


def test_it_is_ready_once_the_tables_are_those_of_this_version(browse: Any, migrated: Callable[[str], None]):
    assert browse().get("/readyz").status_code == 503
    migrated("0001")
    assert (browse().get("/readyz").status_code, browse().get("/readyz").json["migrations"]) == (503, "behind")
    migrated(revisions.head())
    answer = browse().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "database": "ok", "migrations": "ok", "rules": "ok"})


def test_the_head_that_it_asks_for_is_the_migrations_own():
    assert revisions.head() == ScriptDirectory(str(ROOT / "incident_tracker" / "migrations")).get_current_head()


def test_it_is_not_ready_while_the_database_does_not_answer(browse: Any, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> None:
        raise revisions.DatabaseError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(db.session, "execute", fail)
    answer = browse().get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "failing")


def test_ready_does_not_ask_for_a_worker_and_healthy_does(browse: Any, migrated: Callable[[str], None]):
    migrated(revisions.head())
    assert (browse().get("/readyz").status_code, browse().get("/healthz").status_code) == (200, 503)


@pytest.mark.parametrize(("ahead", "status"), [(-30, 200), (-90, 503), (30, 200), (90, 503)])
def test_a_beat_far_in_the_future_is_as_stale_as_an_old_one(app: Flask, browse: Any, ahead: int, status: int):
    now = clock.now()
    with unit_of_work(CLOCKWORK, now) as work:
        beat(work.session, "w", now, now + ahead * SECOND)
    assert browse().get("/healthz").status_code == status


# -- metrics ----------------------------------------------------------------------------------------------------------------


def test_it_counts_for_each_worker_and_reads_the_rest_from_the_database(app: Flask, browse: Any):
    now = clock.now()
    a_duty(an_incident(), start=now - HOUR, plan_at=now - HOUR)
    run_once(app, now - HOUR + 2 * SECOND, "first")
    a_duty(an_incident(), start=now, plan_at=now - 10 * SECOND)
    found = numbers(browse())
    assert (found["tracker_rungs_due", ""], found["tracker_rungs_fired_total", "first"], found["tracker_workers_alive", ""]) == (1, 1, 0)
    run_once(app, now, "second")
    found = numbers(browse())
    assert (found["tracker_rungs_due", ""], found["tracker_rungs_fired_total", "second"], found["tracker_workers_alive", ""]) == (0, 1, 1)
    assert found["tracker_rungs_fired_total", "first"] == 1
    assert 0 <= found["tracker_heartbeat_age_seconds", ""] < 60


def test_lateness_is_counted_from_the_warnings_moment(app: Flask, browse: Any):
    now = clock.now()
    a_duty(an_incident(), start=now - HOUR, plan_at=now - HOUR)
    run_once(app, now - HOUR + 10 * SECOND, "late")
    lines = [line for line in browse().get("/metrics").text.splitlines() if line.startswith("tracker_rung_lateness_seconds")]
    assert 'tracker_rung_lateness_seconds_bucket{le="5",worker="late"} 0.0' in lines
    assert 'tracker_rung_lateness_seconds_bucket{le="15",worker="late"} 1.0' in lines
    assert 'tracker_rung_lateness_seconds_count{worker="late"} 1.0' in lines
    assert 'tracker_rung_lateness_seconds_sum{worker="late"} 10.0' in lines


def test_it_shows_what_waits_what_was_given_up_and_whether_mail_works(app: Flask, browse: Any, configure: Any):
    assert ("tracker_mail_up", "") not in numbers(browse())
    configure(smtp_host="mail.harbour.example")
    now = clock.now()
    with unit_of_work(CLOCKWORK, now) as work:
        for number, more in enumerate(({"next_attempt_at": now}, {"dead_at": now}, {"sent_at": now})):
            work.session.add(Message(
                person_id=person("ines").id, channel="email", kind="account_changed", content={}, message_id=f"m{number}", created_at=now - 90 * SECOND, **more,
            ))
    found = numbers(browse())
    assert (found["tracker_messages_waiting", ""], found["tracker_messages_undelivered", ""], found["tracker_mail_up", ""]) == (1, 1, 1)
    assert 90 <= found["tracker_message_oldest_unsent_seconds", ""] < 150
    with unit_of_work(CLOCKWORK, now) as work:
        work.session.add(Outage(channel="email", began_at=now, noticed_at=now))
    assert numbers(browse())["tracker_mail_up", ""] == 0


def test_it_has_every_counter_of_a_worker_even_at_nothing(app: Flask, browse: Any):
    diary = Diary("fresh")
    diary.add(jumps=1, pings_failed=2)
    with unit_of_work(CLOCKWORK) as work:
        live(work.session, "fresh", work.now, work.now, diary.signs())
        live(work.session, "of an older version", work.now, work.now, {})
    found = numbers(browse())
    assert {name for name, worker in found if worker == "fresh" and name.endswith("_total")} == {f"{title}_total" for title, _ in COUNTERS.values()}
    assert (found["tracker_clock_jumps_total", "fresh"], found["tracker_dead_man_pings_failed_total", "fresh"]) == (1, 2)
    assert found["tracker_rungs_fired_total", "of an older version"] == 0


def test_it_tells_nothing_of_an_incident(app: Flask, browse: Any):
    incident = an_incident(members=("ines",), restricted=True)
    duty = a_duty(incident, owner="ines", title="Notify the people of ward 7", start=clock.now() - HOUR, plan_at=clock.now() - HOUR)
    run_once(app, clock.now(), "w")
    said = browse().get("/metrics").text + browse().get("/healthz").text + browse().get("/readyz").text
    for word in (incident.reference, incident.title, duty.title, "ward", "Ines", "ines@", "restricted"):
        assert word not in said


def test_without_a_token_only_this_machine_reads_them(browse: Any):
    stranger = browse()
    assert stranger.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200
    for address in ("192.0.2.7", "10.0.0.2", "2001:db8::1", ""):
        assert stranger.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 404, address
    assert stranger.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 404, "a proxy on this machine that nobody told us of"
    assert browse("adam").get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404


def test_with_a_token_whoever_brings_it_reads_them(browse: Any, configure: Any):
    configure(metrics_token=TOKEN)
    for given in (None, "", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer ä"):
        answer = browse().get("/metrics", headers={"Authorization": given} if given is not None else {})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), given
    assert browse().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


# -- the page ---------------------------------------------------------------------------------------------------------------


def test_administrators_see_how_it_is_and_nobody_else_does(app: Flask, browse: Any, configure: Any):
    assert browse("ines").get("/health").status_code == 403
    page = text_of(browse("adam").get("/health").text)
    assert "Stopped. Restart the worker" in page and "No worker has run yet." in page and "None is set." in page
    run_once(app, clock.now(), "harbour:1:abc")
    page = text_of(browse("adam").get("/health").text)
    assert "Firing, last looked just now." in page and "harbour:1:abc" in page and "at work" in page


def test_it_shows_what_went_wrong_without_a_word_of_the_secret_address(app: Flask, browse: Any, configure: Any):
    configure(dead_man_url="https://monitor.example.org/secret-path", smtp_host="mail.harbour.example")
    diary, now = Diary("w"), clock.now()
    diary.note_ping(now, "HTTP 503")
    with unit_of_work(CLOCKWORK, now) as work:
        live(work.session, "w", now, now, diary.signs() | {"last_error": "fire: OperationalError at alerts.py:5"})
        work.session.add(ClockJump(worker="w", at=now, expected_at=now + HOUR, seconds=-3600))
        work.session.add(Outage(channel="email", began_at=now - HOUR, noticed_at=now))
    page = browse("adam").get("/health").text
    for said in ("Does not hear us: HTTP 503", "cannot fire", "fire: OperationalError at alerts.py:5", "Back by 3600 s", "Reaches nobody since"):
        assert said in text_of(page), said
    assert "secret-path" not in page


def test_the_red_line_leads_administrators_to_the_page(browse: Any):
    assert 'href="/health">What is wrong' in browse("adam").get("/me").text
    assert 'href="/health"' not in browse("ines").get("/me").text


def test_looking_changes_nothing(app: Flask, browse: Any):
    client = browse("adam")
    client.get("/health")
    db.session.rollback()
    with db.engine.connect() as connection:
        before = contents(connection)
    for path in ("/health", "/healthz", "/readyz", "/metrics"):
        client.get(path)
    with db.engine.connect() as connection:
        assert contents(connection) == before
