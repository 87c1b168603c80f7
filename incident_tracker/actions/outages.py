"""When mail reaches nobody: administrators are told once by every other way, and once more when it works again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select

from incident_tracker.channels import CHANNELS
from incident_tracker.models.destinations import Destination
from incident_tracker.models.messages import Message
from incident_tracker.models.outages import Outage, begin_outage, open_outage
from incident_tracker.models.people import Person, active_people
from incident_tracker.models.vitals import Signs, signs_of_mail
from incident_tracker.rules.permissions import Permission, Role
from incident_tracker.work import Work

EMAIL = "email"


def look_after_mail(work: Work, *, is_on: bool, patience: timedelta, stale: timedelta) -> None:
    """Begin an outage once mail has reached nobody for the time `patience`, and end it with the next letter that is taken.

    Mail reaches nobody while a living worker (not silent for the time `stale`) cannot use the server at all, or letters to
    several people fail, and none was taken since. Where it is switched off (`is_on`) there is nothing to wait for.
    """
    work.require(Permission.RUN_CLOCKWORK)
    outage, signs = open_outage(work.session, EMAIL), signs_of_mail(work.session, work.now, stale)
    if outage is not None:
        if not is_on or (signs.sent_at is not None and signs.sent_at > outage.noticed_at):
            _end(work, outage, is_on=is_on)
    elif is_on and (since := _out_since(signs)) is not None and work.now - since >= patience:
        _begin(work, since)


def _out_since(signs: Signs) -> datetime | None:
    since = min((one for one in (signs.failing_since, signs.down_since) if one is not None), default=None)
    # a letter that another worker's server took, or this one's a moment ago, is a letter that arrived
    return since if since is None or signs.sent_at is None else max(since, signs.sent_at)


def _begin(work: Work, since: datetime) -> None:
    number = begin_outage(work.session, EMAIL, since, work.now)
    if number is None:
        return
    told = _tell(work, "mail_failing", number, {"since": since.isoformat()})
    work.record("mail.fail", "E-mail reaches nobody", subject=f"outage:{number}", after={"since": since.isoformat(), "told": told})


def _end(work: Work, outage: Outage, *, is_on: bool) -> None:
    outage.ended_at = work.now
    if not is_on:
        work.record("mail.end", "E-mail was switched off while it reached nobody", subject=f"outage:{outage.id}")
        return
    told = _tell(work, "mail_working", outage.id, {"since": outage.began_at.isoformat(), "until": work.now.isoformat()})
    work.record("mail.work", "E-mail works again", subject=f"outage:{outage.id}", after={"told": told})


def _tell(work: Work, kind: str, number: int, content: dict[str, str]) -> int:
    """Ring the administrators' bells, and use every destination that rooms and administrators have; returns how many messages that are.

    Each message has its own name in this outage, so that no second one can be written.
    """
    people = active_people(Role.ADMINISTRATOR)
    rows = [Message(channel="bell", kind=kind, content=content, person_id=person.id, created_at=work.now, sent_at=work.now) for person in people]
    rows += [
        Message(
            channel=place.kind, kind=kind, content=content, person_id=place.person_id, destination_id=place.id, message_id=f"{kind}.{number}.to{place.id}",
            created_at=work.now, next_attempt_at=work.now,
        )
        for place in _places(work, people)
    ]
    work.session.add_all(rows)
    return len(rows)


def _places(work: Work, people: list[Person]) -> Iterator[Destination]:
    mine = Destination.person_id.is_(None) | Destination.person_id.in_([person.id for person in people])
    for place in work.session.scalars(select(Destination).where(Destination.active, mine).order_by(Destination.id)):
        # mail itself is no other way
        if place.kind in CHANNELS and place.kind != EMAIL:
            yield place
