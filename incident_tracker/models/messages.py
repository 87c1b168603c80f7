"""Messages: warnings and other words of ours on their way to one person by one channel."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Row,
    Select,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, aliased, joinedload, mapped_column, relationship
from sqlalchemy.sql.base import ExecutableOption

from incident_tracker.models.alerts import Heartbeat, Rung
from incident_tracker.models.base import Base, db, listed
from incident_tracker.models.destinations import Destination
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident, is_visible_to
from incident_tracker.models.outages import is_out
from incident_tracker.models.people import Person

_ON_ITS_WAY = text("next_attempt_at IS NOT NULL")
_GIVEN_UP = text("dead_at IS NOT NULL")
_CARRIED = text("carried_by_id IS NOT NULL")
_UNSEEN = text("channel = 'bell' AND seen_at IS NULL")
#: mails that a server took; a statement finds the index only where this stands in it word for word
MAILED = text("channel = 'email' AND sent_at IS NOT NULL")
_DESTINED = text("destination_id IS NOT NULL")

#: nobody has to know how many more than this ring
COUNTED = 100


class Message(Base):
    """A warning, or another word of ours, on its way to one person by one channel. It is rendered when it is sent."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    rung_id: Mapped[int | None] = mapped_column(ForeignKey("rung.id"))
    duty_id: Mapped[int | None] = mapped_column(ForeignKey("duty.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: the room, or the person's own way beside mail, to which it goes
    destination_id: Mapped[int | None] = mapped_column(ForeignKey("destination.id"))
    #: where it goes when it is not to a person of ours (an invitation)
    address: Mapped[str | None] = mapped_column(String(255))
    channel: Mapped[str] = mapped_column(String(20))
    #: warning, invitation, password_reset, …: which template renders it
    kind: Mapped[str] = mapped_column(String(40))
    #: the values for the template; forgotten once a mail is sent, for it may hold a one-time link
    content: Mapped[dict[str, Any]]
    #: stays the same on every try, so that a receiver can tell a repetition; on the bell nothing is sent and there is none
    message_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    #: when the next try is due, while one is made when that one counts as lost; None once sent, given up, withdrawn or carried
    next_attempt_at: Mapped[datetime | None]
    #: the worker that has it, or that tried it without learning what came of it
    leased_by: Mapped[str | None] = mapped_column(String(80))
    #: the message with which it goes in one letter: several warnings of one incident to one person are one mail
    carried_by_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    sent_at: Mapped[datetime | None]
    #: given up: a person may send it again
    dead_at: Mapped[datetime | None]
    #: not sent on purpose: a newer warning says more, or the person may no longer know
    withdrawn_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    #: the bell: when the person looked at it
    seen_at: Mapped[datetime | None]
    person: Mapped[Person | None] = relationship()
    destination: Mapped[Destination | None] = relationship()
    rung: Mapped[Rung | None] = relationship()
    duty: Mapped[Duty | None] = relationship()
    incident: Mapped[Incident | None] = relationship()
    __table_args__ = (
        UniqueConstraint("rung_id", "person_id", "channel"),
        # a room hears of a warning once; that it was taken, and that the duty is settled, are told once each
        UniqueConstraint("rung_id", "destination_id", "kind"),
        # what went to a destination
        Index("ix_message_destination_id", "destination_id", postgresql_where=_DESTINED, sqlite_where=_DESTINED),
        # what the worker asks for every few seconds
        Index("ix_message_due", "next_attempt_at", postgresql_where=_ON_ITS_WAY, sqlite_where=_ON_ITS_WAY),
        # what else of an incident is on its way to the same person
        Index("ix_message_on_its_way", "person_id", "incident_id", "channel", postgresql_where=_ON_ITS_WAY, sqlite_where=_ON_ITS_WAY),
        # what goes with a message
        Index("ix_message_carried_by_id", "carried_by_id", postgresql_where=_CARRIED, sqlite_where=_CARRIED),
        # when the last mail went
        Index("ix_message_mailed", "sent_at", postgresql_where=MAILED, sqlite_where=MAILED),
        # the page of what was not delivered
        Index("ix_message_dead", "dead_at", postgresql_where=_GIVEN_UP, sqlite_where=_GIVEN_UP),
        # the bell's page, and its count on every page
        Index("ix_message_person_id_channel", "person_id", "channel", "id"),
        # the columns that are always the same make SQLite, which has no statistics, prefer it to the one above
        Index("ix_message_unseen", "person_id", "channel", "seen_at", "incident_id", postgresql_where=_UNSEEN, sqlite_where=_UNSEEN),
    )


#: whoever shows messages asks for each what one may do with it, and for that who is on its incident
_WITH_MEMBERS = joinedload(Message.incident).selectinload(Incident.memberships)


def next_attempt_at() -> datetime | None:
    """When the next message is due to be tried (UTC); None if none is on its way."""
    return db.session.scalar(select(func.min(Message.next_attempt_at)).where(Message.next_attempt_at.is_not(None)))


def is_known_to(actor: Any) -> ColumnElement[bool]:
    """The condition under which `actor` may know of a message: it is of no incident, or of one that they may know of."""
    return or_(Message.incident_id.is_(None), is_visible_to(actor, Message.incident_id))


def is_unseen_by(actor: Any) -> ColumnElement[bool]:
    """The condition of a message that rings for `actor`: put there for them, not looked at, and still theirs to know of."""
    # literal: a partial index is found only where its condition stands in the statement itself
    is_bell = Message.channel == literal("bell", literal_execute=True)
    return (Message.person_id == actor.id) & is_bell & Message.seen_at.is_(None) & is_known_to(actor)


def look_around(actor: Any) -> Row[Any]:
    """In one query: the newest beat of a worker, whether mails fail, what `actor` has not seen, and what was given up that they may know of.

    Every page asks this. What is not seen is counted to `COUNTED` only.
    """
    return db.session.execute(_around(actor.role_names), {"somebody": actor.id}).one()


@dataclass(frozen=True)
class _Somebody:
    """Whoever has these roles; who it is, is said when the statement is run."""

    role_names: frozenset[str]
    id: Any = bindparam("somebody")


@cache
def _around(role_names: frozenset[str]) -> Select[Any]:
    """Put together once: that took half as long as running it."""
    actor = _Somebody(role_names)
    unseen = select(Message.id).where(is_unseen_by(actor)).limit(COUNTED).subquery()
    return select(
        select(func.max(Heartbeat.beat_at)).scalar_subquery().label("beat_at"),
        _fails().label("failing"),
        select(func.count()).select_from(unseen).scalar_subquery().label("unseen"),
        select(func.count()).select_from(Message).where(_is_given_up(actor)).scalar_subquery().label("undelivered"),
    )


def is_mail_failing() -> bool:
    """Whether a mail waits that was tried several times, or mail reaches nobody."""
    return bool(db.session.scalar(select(_fails())))


def _fails() -> ColumnElement[bool]:
    # one refused try is nothing: servers that do not know a sender often ask it to come back in a minute
    waits = exists().where(Message.next_attempt_at.is_not(None), Message.channel == "email", Message.attempts >= 3, Message.last_error.is_not(None))
    return waits | is_out("email")


def _is_given_up(actor: Any) -> ColumnElement[bool]:
    return Message.dead_at.is_not(None) & Message.carried_by_id.is_(None) & is_known_to(actor)


def bell_of(actor: Any, *, unseen: bool) -> Select[Message]:
    """The messages that rang for `actor` and that they may still know of, newest first."""
    query = select(Message).where(Message.person_id == actor.id, Message.channel == "bell", is_known_to(actor))
    if unseen:
        query = query.where(is_unseen_by(actor))
    return query.options(joinedload(Message.rung), joinedload(Message.duty), _WITH_MEMBERS).order_by(Message.id.desc())


def mails_beside(messages: list[Message]) -> dict[int, Message]:
    """The mails of the same warnings to the same people, by the id of their rung."""
    rungs, people = {one.rung_id for one in messages if one.rung_id}, {one.person_id for one in messages}
    query = select(Message).where(Message.rung_id.in_(rungs), Message.person_id.in_(people), Message.channel == "email")
    return {mail.rung_id: mail for mail in db.session.scalars(query) if mail.rung_id is not None}


def undelivered(actor: Any) -> Select[Message]:
    """The letters that were given up, of everything that `actor` may know of, newest first."""
    query = select(Message).where(_is_given_up(actor))
    return query.options(joinedload(Message.person), joinedload(Message.destination), joinedload(Message.duty), _WITH_MEMBERS).order_by(
        Message.dead_at.desc(), Message.id.desc()
    )


def waited_for(now: datetime) -> list[Destination]:
    """The destinations for which something is due at `now` (UTC) and that do not rest, in the order of their ids."""
    due = select(Message.destination_id).where(Message.next_attempt_at.is_not(None), Message.next_attempt_at <= now, Message.destination_id.is_not(None))
    query = select(Destination).where(Destination.id.in_(due), or_(Destination.resting_until.is_(None), Destination.resting_until <= now))
    return list(db.session.scalars(query.order_by(Destination.id)))


def is_destination_used(destination_id: int) -> bool:
    """Whether anything was ever sent, or is to be sent, to a destination."""
    return bool(db.session.scalar(select(exists().where(Message.destination_id == destination_id))))


def was_warned(message: Message) -> bool:
    """Whether the destination of a message was sent a warning of the same duty and deadline, as far as is known."""
    its_rung, rung = aliased(Rung), message.rung
    # taken once and withdrawn, it was not sent; taken before that, an earlier try may have arrived
    was_tried = or_(Message.sent_at.is_not(None), Message.withdrawn_at.is_not(None) & (Message.attempts > 1))
    query = select(Message.id).join(its_rung, its_rung.id == Message.rung_id).where(
        Message.destination_id == message.destination_id, Message.duty_id == message.duty_id, Message.kind == "warning", was_tried,
        its_rung.deadline_at == (rung.deadline_at if rung else None),
    )
    return bool(db.session.scalar(select(query.exists())))


def given_up(actor: Any, incident_id: int, duty_id: int | None = None) -> list[Message]:
    """The letters of one incident, or of one of its duties, that were given up, newest first; ten of them say enough."""
    query = select(Message).where(Message.dead_at.is_not(None), Message.incident_id == incident_id, is_known_to(actor))
    if duty_id is not None:
        query = query.where(Message.duty_id == duty_id)
    names = joinedload(Message.person).load_only(Person.name, raiseload=True).raiseload("*")
    return list(db.session.scalars(query.options(names).order_by(Message.dead_at.desc(), Message.id.desc()).limit(10)))


def carried_by(message: Message) -> list[Message]:
    """The messages that go with this one in one letter, this one first."""
    beside = select(Message).where(Message.carried_by_id == message.id).order_by(Message.id)
    return [message, *db.session.scalars(beside)]


def letters_of(numbers: Collection[int], loads: Sequence[ExecutableOption]) -> dict[int, list[Message]]:
    """For each of these ids its message and those that go with it in one letter, it first; one that is gone is left out."""
    query = select(Message).where(or_(Message.id.in_(numbers), Message.carried_by_id.in_(numbers))).options(*loads).order_by(Message.id)
    found = list(db.session.scalars(query).unique())
    heads = {one.id: [one] for one in found if one.id in numbers}
    for one in found:
        if one.carried_by_id in heads:
            heads[one.carried_by_id].append(one)
    return heads


def find_message(actor: Any, message_id: int) -> Message | None:
    """The message with this id if `actor` may know of it, else None."""
    return db.session.scalar(select(Message).where(Message.id == message_id, is_known_to(actor)))


def add_warnings(session: Session, channel: str, now: datetime, addressed: Sequence[tuple[int, int, int, int]]) -> None:
    """Write a warning by one channel for each (rung, duty, incident, person). On the bell it has arrived; else it is due to be sent."""
    is_bell, salt = channel == "bell", secrets.token_hex(8)
    names = ("rung_id", "duty_id", "incident_id", "person_id", "message_id")
    rows = [(*one, None if is_bell else f"warning.{salt}.{one[0]}.{one[3]}") for one in addressed]
    _add(session, now, names, rows, channel=channel, kind="warning", moment="sent_at" if is_bell else "next_attempt_at")


def add_destined(session: Session, kind: str, now: datetime, channel: str, addressed: Sequence[tuple[int, int, int, int | None, int]]) -> None:
    """Write a message of a kind by one channel for each (rung, duty, incident, person or None, destination), due to be sent. What is there already stays."""
    salt = secrets.token_hex(8)
    names = ("rung_id", "duty_id", "incident_id", "person_id", "destination_id", "message_id")
    rows = [(*one, f"{kind}.{salt}.{one[0]}.to{one[4]}") for one in addressed]
    _add(session, now, names, rows, channel=channel, kind=kind, moment="next_attempt_at")


def _add(session: Session, now: datetime, names: Sequence[str], rows: Sequence[tuple[Any, ...]], *, channel: str, kind: str, moment: str) -> None:
    """Thousands can be due in one second, so it is one statement, and what is the same in all rows is said once."""
    if not rows:
        return
    dialect = session.get_bind().dialect
    said = {"channel": channel, "kind": kind, "content": {}, "attempts": 0, "created_at": now, moment: now}
    # bound, not written into the statement: one that differs each time is compiled, and kept, each time
    same = {name: literal(value, Message.__table__.c[name].type) for name, value in said.items()}
    table: Any = Message.__table__
    if dialect.name == "postgresql":
        arrays = zip(names, zip(*rows, strict=True), strict=True)
        columns: list[Any] = [func.unnest(listed(values, postgresql.ARRAY(table.c[name].type))) for name, values in arrays]
        written: Any = postgresql.insert(table).from_select([*names, *same], select(*columns, *same.values()))
    else:
        # one parameter with all rows: binding each value of each row took longer than writing them
        read = func.json_each(json.dumps(rows)).table_valued("value")
        columns = [func.json_extract(read.c.value, f"$[{place}]") for place in range(len(names))]
        # the condition keeps SQLite from reading ON CONFLICT as part of a join
        written = sqlite.insert(table).from_select([*names, *same], select(*columns, *same.values()).where(text("1 = 1")))
    session.connection().execute(written.on_conflict_do_nothing() if "destination_id" in names else written)
