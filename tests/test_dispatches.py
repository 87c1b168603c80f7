"""What was handed over and not marked yet outlives its process: a letter that a mail server took goes again only where nobody could have noted it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import OperationalError

from incident_tracker import delivery
from incident_tracker.actions import deliveries
from incident_tracker.channels import CHANNELS, Letter, Target
from incident_tracker.config import Config
from incident_tracker.dispatches import FOLDER, DispatchBook, left_behind
from incident_tracker.lanes import Lanes
from incident_tracker.models.audit import AuditEntry
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.work import CLOCKWORK, unit_of_work
from incident_tracker.worker import Pass, run_once
from tests.alarms import HOUR, a_duty, an_incident, fire
from tests.conftest import test_config
from tests.post_office import PostOffice
from tests.stories import FRIDAY

ROOT = Path(__file__).parents[1]
SECOND = timedelta(seconds=1)


@pytest.fixture
def config(database_url: str, tmp_path: Path, office: PostOffice) -> Config:
    return test_config(tmp_path, database_url, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none", mail_from="tracker@harbour.example")


def tick(app: Flask, now: datetime, worker: str = "worker-of-the-test") -> Pass:
    db.session.rollback()
    done = run_once(app, now, worker)
    db.session.rollback()
    return done


def mails() -> list[Message]:
    return list(db.session.scalars(select(Message).where(Message.channel == "email").order_by(Message.id)))


def books(config: Config) -> list[Path]:
    return sorted((config.instance / FOLDER).glob("*"))


def entries() -> int:
    return db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "message.send")) or 0


def wait_for_nothing_long(config: Config) -> None:
    """On the connection that the worker will use."""
    db.session.execute(text("PRAGMA busy_timeout=200" if config.database_url.startswith("sqlite") else "SET lock_timeout = 200"))
    db.session.commit()


@contextmanager
def held_by_somebody_else(config: Config) -> Iterator[None]:
    """Nothing can be written. May begin in one thread and end in another."""
    is_file = config.database_url.startswith("sqlite")
    engine = create_engine(config.database_url, connect_args={"check_same_thread": False} if is_file else {})
    try:
        with engine.connect().execution_options(immediate=True) as other:
            other.execute(text("SELECT 1" if is_file else "LOCK TABLE message IN EXCLUSIVE MODE"))
            yield
            other.rollback()
    finally:
        engine.dispose()


# -- the book -----------------------------------------------------------------------------------------------------------------


def test_a_book_tells_what_is_not_marked_yet_and_goes_when_all_is(tmp_path: Path):
    with closing(DispatchBook(tmp_path)) as book:
        book.note("warning.a", FRIDAY)
        book.note("warning.b", FRIDAY + SECOND)
        assert book.taken() == {"warning.a": FRIDAY, "warning.b": FRIDAY + SECOND}
        book.forget({"warning.a": FRIDAY})
        assert book.taken() == {"warning.b": FRIDAY + SECOND}
        with left_behind(tmp_path) as found:
            assert found == {}, "a book in use was read"
        book.forget(book.taken())
        assert [path.stat().st_size for path in (tmp_path / FOLDER).iterdir()] == [0]
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_what_a_killed_process_noted_is_found_once(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC; from incident_tracker.dispatches import DispatchBook\n"
        "book = DispatchBook(Path(sys.argv[1])); book.note('warning.a', datetime(2026, 11, 27, 16, 30, tzinfo=UTC)); print('noted', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "noted\n"
        with left_behind(tmp_path) as found:
            assert found == {}, "the process still has it"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with pytest.raises(ZeroDivisionError), left_behind(tmp_path) as found:
        assert found == {"warning.a": FRIDAY}
        raise ZeroDivisionError
    with left_behind(tmp_path) as found:
        assert found == {"warning.a": FRIDAY}, "it was thrown away before anybody had written it down"
    with left_behind(tmp_path) as found:
        assert found == {}


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "old.book").write_bytes(b"\nwarning.a 2026-11-27T16:30:00+00:00\n\nwarning.b 2026-11\nwarning.c 2026-11-27T16:30:01+00:00\n\xff\x00\n")
    with left_behind(tmp_path) as found:
        assert found == {"warning.a": FRIDAY, "warning.c": FRIDAY + SECOND}


def test_on_a_full_disk_it_says_so_and_forgets_nothing(tmp_path: Path):
    code = (
        "import resource, signal, sys; from pathlib import Path; from datetime import datetime, UTC; from incident_tracker.dispatches import DispatchBook\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); book = DispatchBook(Path(sys.argv[1])); resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))\n"
        "for name in 'ab': book.note('warning.' + name, datetime(2026, 11, 27, 16, 30, tzinfo=UTC)); print(book.is_kept, sorted(book.taken()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True)
    first, said, second = done.stdout.splitlines()
    assert (first, second) == ("True ['warning.a']", "False ['warning.a', 'warning.b']") and "cannot be noted on the disk" in said
    with left_behind(tmp_path) as found:
        assert found == {"warning.a": FRIDAY}


# -- sending with it -----------------------------------------------------------------------------------------------------------


def test_what_was_handed_over_while_the_database_was_out_of_reach_does_not_go_again(app: Flask, config: Config, office: PostOffice):
    for name in ("ines", "ravi", "laura"):
        a_duty(an_incident(lead=None), owner=name)
    fire(FRIDAY)
    wait_for_nothing_long(config)
    stack = held_by_somebody_else(config)
    office.kept = lambda _received: stack.__enter__() if len(office.letters) == 1 else None
    with pytest.raises(OperationalError):
        tick(app, FRIDAY)
    office.kept = lambda _received: None
    assert len(office.letters) == 3 and [mail.sent_at for mail in mails()] == [None] * 3
    db.session.rollback()
    assert len(books(config)) == 1
    stack.__exit__(None, None, None)
    tick(app, FRIDAY + SECOND, "whoever comes next")
    assert len(office.letters) == 3, "it went again"
    assert [mail.sent_at for mail in mails()] == [FRIDAY] * 3, "it says when they were taken, not when that was written down"
    assert (books(config), entries()) == ([], 3)
    tick(app, FRIDAY + deliveries.LEASE + SECOND)
    assert (len(office.letters), entries()) == (3, 3)


def test_a_book_from_before_a_back_up_was_restored_silences_nothing(app: Flask, config: Config, office: PostOffice):
    a_duty(an_incident(), owner="ravi")
    (config.instance / FOLDER).mkdir()
    (config.instance / FOLDER / "old.book").write_text(f"\nwarning.0123456789abcdef.1.1 {FRIDAY.isoformat()}\n", encoding="utf-8")
    tick(app, FRIDAY + SECOND)
    assert len(office.letters) == len(mails()) > 0
    assert {mail.sent_at for mail in mails()} == {FRIDAY + SECOND} and books(config) == []


def test_marking_twice_leaves_one_entry(app: Flask, office: PostOffice):
    a_duty(an_incident(), owner="ravi")
    tick(app, FRIDAY)
    before = entries()
    with unit_of_work(CLOCKWORK, FRIDAY + HOUR) as work:
        assert deliveries.mark_sent(work, {str(mail.message_id): FRIDAY + HOUR for mail in mails()} | {"warning.of.nobody": FRIDAY}) == 0
    assert (entries(), mails()[0].sent_at) == (before, FRIDAY)


def test_where_no_book_can_be_kept_letters_go_all_the_same(app: Flask, config: Config, office: PostOffice):
    (config.instance / FOLDER).write_text("in the way", encoding="utf-8")
    for name in ("ines", "ravi", "laura"):
        a_duty(an_incident(lead=None), owner=name)
    assert tick(app, FRIDAY).letters.sent == 3
    assert [mail.sent_at for mail in mails()] == [FRIDAY] * 3


def test_many_letters_go_by_two_connections_and_each_once(app: Flask, config: Config, office: PostOffice):
    for _ in range(deliveries.BATCH + 15):
        a_duty(an_incident(lead=None), owner="ravi")
    done = tick(app, FRIDAY)
    ids = [letter.message_id for letter in office.letters]
    assert (len(ids), len(set(ids)), done.letters.sent) == (deliveries.BATCH + 15,) * 3
    assert office.connections == 2
    assert {mail.sent_at for mail in mails()} == {FRIDAY} and books(config) == []


def test_what_was_not_begun_in_time_is_due_again_at_once_and_as_it_was(app: Flask, office: PostOffice, monkeypatch: pytest.MonkeyPatch):
    for name in ("ines", "ravi", "laura"):
        a_duty(an_incident(lead=None), owner=name)
    fire(FRIDAY)
    monkeypatch.setattr(delivery, "BATCH_SECONDS", -1.0)
    stopped, stop = threading.Event(), Lanes.stop

    def tell(lanes: Lanes) -> None:
        stop(lanes)
        stopped.set()

    monkeypatch.setattr(Lanes, "stop", tell)
    # the second is on its way until the others are told to stop
    office.kept = lambda _received: stopped.wait(10) if len(office.letters) == 2 else None
    tick(app, FRIDAY)
    (waiting,) = (mail for mail in mails() if mail.sent_at is None)
    assert len(office.letters) == 2
    assert (waiting.next_attempt_at, waiting.attempts, waiting.last_error) == (FRIDAY, 0, None)
    monkeypatch.undo()
    tick(app, FRIDAY + SECOND)
    assert len({letter.message_id for letter in office.letters}) == len(office.letters) == 3


def test_a_letter_that_waited_for_long_is_not_sent_as_it_was(app: Flask, config: Config, office: PostOffice):
    letter = Letter("Ines", "ines@harbour.example", "48 h left", "text\n", "<p>text</p>", "warning.a", "", False, FRIDAY)
    with closing(DispatchBook(config.instance)) as book, Lanes(CHANNELS["email"], config, book, lambda: FRIDAY + 3 * SECOND, 1) as lanes:
        lanes.give(7, letter)
        one = lanes.next()
    assert (one.number, one.is_stale, one.is_taken, one.error) == (7, True, False, None)
    assert office.letters == []


def test_a_lane_survives_what_nobody_expected(app: Flask, config: Config, monkeypatch: pytest.MonkeyPatch):
    def break_down(_self: object, _letter: Letter) -> str:
        raise RuntimeError("nobody thought of this")

    way = type(CHANNELS["email"].open(config, Target()).__enter__())
    monkeypatch.setattr(way, "send", break_down)
    letter = Letter("Ines", "ines@harbour.example", "48 h left", "text\n", "<p>text</p>", "warning.a", "", False, FRIDAY)
    with closing(DispatchBook(config.instance)) as book, Lanes(CHANNELS["email"], config, book, lambda: FRIDAY, 1) as lanes:
        lanes.give(7, letter)
        one = lanes.next()
    assert one.error is not None and one.error.is_unclear and "RuntimeError" in str(one.error)
