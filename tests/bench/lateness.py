"""How late warnings are when a thousand fall due in the same second: the worker inside the web process, mail to a post office on this machine."""

import itertools
import smtplib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from incident_tracker import clock
from incident_tracker.models.alerts import Heartbeat, Rung
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, DutyState
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message
from tests.bench import servers
from tests.bench.ground import Ground
from tests.bench.tables import doing, median, note, share, table, title
from tests.post_office import PostOffice, Received, open_office

RUNGS = 1000
WAVES = 3
RAW = 200
#: the worker looks every so many seconds and then knows of the next due moment
SWEEP = 2
PATIENCE = 60.0


@dataclass(frozen=True)
class Wave:
    """What came of one thousand: seconds from the due moment to each mail's arrival, and until the last of them had fired."""

    mails: list[float]
    fired: float


def measure(ground: Ground) -> None:
    """On a register of so many incidents, each with a duty whose next warning is due at the same moment as all the others'."""
    with ground.app.app_context(), db.engine.begin() as connection:
        duties = _duties(connection)
        # a beat from the future would pass for the worker's own
        connection.execute(Heartbeat.__table__.delete())  # type: ignore[attr-defined]
    with open_office() as office:
        arrivals = _stamped(office)
        mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(office.port), "SMTP_SECURITY": "none", "SWEEP_SECONDS": str(SWEEP)}
        floor = raw_rate(office.port)
        with servers.tracker(ground.instance, ground.url, more=mail) as running:
            idle = running.weigh()
            waves = [_wave(ground, duties, number, arrivals) for number in range(WAVES)]
            busy = running.weigh()
    _print(ground.kind, waves, floor)
    note(f"memory of the one process with its worker and pages: idle {idle.rss:.0f} MB RSS, {idle.pss:.0f} MB PSS; after the waves {busy.rss:.0f} and {busy.pss:.0f}")


def raw_rate(port: int) -> float:
    """Mails a second that the post office takes from a program that does nothing else, over one connection."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "tracker@localhost", "ines@harbour.example", "Due in 24 h"
    mail.set_content("Notify the supervisory authority within 72 hours.\n" * 30)
    with smtplib.SMTP("127.0.0.1", port) as way:
        began = time.perf_counter()
        for _ in range(RAW):
            way.send_message(mail)
    return RAW / (time.perf_counter() - began)


def _duties(connection: Connection) -> list[Any]:
    """A running duty each of a thousand incidents, due long after the measuring; whatever else waits is put off."""
    connection.execute(Rung.__table__.update().where(Rung.ended_at.is_(None)).values(due_at=clock.now() + timedelta(days=300)))  # type: ignore[attr-defined]
    first = (
        select(func.min(Duty.id)).join(Incident, Incident.id == Duty.incident_id)
        .where(Duty.state == DutyState.RUNNING, Duty.conservative_at > clock.now() + timedelta(days=1), Incident.restricted.is_(False))
        .group_by(Duty.incident_id).limit(RUNGS)
    )
    found = connection.execute(select(Duty.id, Duty.incident_id, Duty.conservative_at).where(Duty.id.in_(first))).all()
    assert len(found) == RUNGS, f"only {len(found)} duties run"
    return list(found)


def _stamped(office: PostOffice) -> list[float]:
    """The moments at which mails arrive, seconds since 1970; the mails themselves are not kept."""
    arrivals: list[float] = []

    def arrive(_received: Received) -> None:
        arrivals.append(time.time())
        office.letters.clear()

    office.kept = arrive
    return arrivals


def _wave(ground: Ground, duties: list[Any], number: int, arrivals: list[float]) -> Wave:
    doing(f"{ground.kind}: warnings, wave {number + 1} of {WAVES}")
    _wait_for_quiet(ground)
    arrivals.clear()
    due = datetime.fromtimestamp(int(time.time()) + 2 * SWEEP + 2, UTC)
    with ground.app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(Rung), [
            {
                "duty_id": duty, "incident_id": incident, "key": f"wave-{number}", "due_at": due, "planned_at": clock.now(), "deadline_at": deadline,
                "audience": ["owner"], "loudness": "normal", "channels": [], "late": False, "overtaken_count": 0,
            } for duty, incident, deadline in duties
        ])
    fired = _watch(ground, due.timestamp(), number)
    until = due.timestamp() + PATIENCE
    while len(arrivals) < RUNGS and time.time() < until:
        time.sleep(0.05)
    return Wave([at - due.timestamp() for at in arrivals], fired)


def _wait_for_quiet(ground: Ground) -> None:
    """Until no mail of before is on its way."""
    waiting = select(func.count()).select_from(Message).where(Message.next_attempt_at.is_not(None))
    until = time.time() + PATIENCE
    while time.time() < until:
        time.sleep(SWEEP)
        with ground.app.app_context(), db.engine.connect() as connection:
            if not connection.scalar(waiting):
                return


def _watch(ground: Ground, due: float, number: int) -> float:
    """Seconds from the due moment until every rung of the wave is seen to have fired."""
    time.sleep(max(0.0, due - time.time()))
    waiting = select(func.count()).select_from(Rung).where(Rung.key == f"wave-{number}", Rung.ended_at.is_(None))
    with ground.app.app_context():
        for _ in itertools.takewhile(lambda _: time.time() < due + PATIENCE, itertools.count()):
            with db.engine.connect() as connection:
                if not connection.scalar(waiting):
                    return time.time() - due
            time.sleep(0.01)
    return PATIENCE


def _print(kind: str, waves: list[Wave], floor: float) -> None:
    title(f"Warnings, {kind}: {RUNGS:,} due in the same second, medians of {WAVES} waves")
    rows = [(
        f"{median(RUNGS / wave.fired for wave in waves):,.0f}", f"{median(wave.fired for wave in waves) * 1000:.0f} ms",
        *(f"{median(share(wave.mails, percent) for wave in waves):.2f} s" for percent in (0, 50, 99, 100)),
        f"{median(len(wave.mails) / max(wave.mails) for wave in waves):,.0f}", min(len(wave.mails) for wave in waves),
    )]
    table(("fired/s", "all fired after", "first mail", "p50", "p99", "last mail", "mails/s", "mails a wave"), rows)
    note(f"the same post office takes {floor:,.0f} mails/s from a program that does nothing else, over one connection too")
    note("lateness of a mail: from the due moment until the post office has it; the bell rings when a rung has fired")
