"""The audit trail: every action leaves an entry, chained to the one before it by a hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, event, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from incident_tracker.models.base import Base, Pagination, db
from incident_tracker.models.incidents import is_visible_to
from incident_tracker.rules import chains


class AuditEntry(Base):
    """Who did what, when, to what, from what to what. Rows are only ever added."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor_name: Mapped[str] = mapped_column(String(120))
    #: `incident.report`, `fact.record`, …: noun and verb of the action
    action: Mapped[str] = mapped_column(String(60))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    subject: Mapped[str] = mapped_column(String(120), default="")
    summary: Mapped[str] = mapped_column(String(500))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("ix_audit_entry_incident_id_id", "incident_id", "id"),)

    def content(self) -> dict[str, Any]:
        """What the hash is taken of, besides the hash before it."""
        return {
            "id": self.id,
            "at": self.at.isoformat(timespec="microseconds"),
            "actor_id": self.actor_id,
            "actor_name": self.actor_name,
            "action": self.action,
            "incident_id": self.incident_id,
            "subject": self.subject,
            "summary": self.summary,
            "before": self.before,
            "after": self.after,
        }


class AuditHead(Base):
    """The chain's last link, one row. Locking it puts writers in line, so that the chain never forks."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True)
    last_id: Mapped[int] = mapped_column(default=0)
    last_hash: Mapped[str] = mapped_column(String(64), default=chains.ROOT)


def append_entries(session: Session, entries: Iterable[AuditEntry]) -> None:
    """Link `entries` to the chain, in order. The head stays locked until the transaction ends."""
    locked = select(AuditHead.last_id, AuditHead.last_hash).where(AuditHead.id == 1).with_for_update()
    head = session.execute(locked).one_or_none()
    if head is None:
        # the very first entries: of two writers at once one makes the row, and the other waits for it here
        first = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(first(AuditHead).values(id=1, last_id=0, last_hash=chains.ROOT).on_conflict_do_nothing())
        head = session.execute(locked).one()
    last_id, last_hash = head.last_id, head.last_hash
    rows = []
    for entry in entries:
        entry.id, entry.previous_hash = last_id + 1, last_hash
        entry.hash = chains.link(last_hash, entry.content())
        last_id, last_hash = entry.id, entry.hash
        rows.append({column.key: getattr(entry, column.key) for column in AuditEntry.__table__.columns})
    # past the session: nobody looks at an entry before it is committed, and several are written with every change
    session.execute(insert(AuditEntry.__table__), rows)  # type: ignore[arg-type]
    session.execute(update(AuditHead.__table__).values(last_id=last_id, last_hash=last_hash))  # type: ignore[arg-type]


def chain() -> Iterator[AuditEntry]:
    """Every entry in order, a thousand at a time."""
    yield from db.session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000))


def head() -> AuditHead | None:
    """The last link as the database holds it."""
    return db.session.get(AuditHead, 1)


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _refuse(_mapper: Any, _connection: Any, entry: AuditEntry) -> None:
    raise RuntimeError(f"audit entry {entry.id} is being changed: entries are only ever added")


def trail_page(actor: Any, number: int, *, incident_id: int | None = None, action: str = "") -> Pagination:
    """A page of the trail, newest first, without the entries of incidents that `actor` may not know of."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    if incident_id is not None:
        query = query.where(AuditEntry.incident_id == incident_id)
    else:
        query = query.where(or_(AuditEntry.incident_id.is_(None), is_visible_to(actor, AuditEntry.incident_id)))
    if action:
        query = query.where(AuditEntry.action.startswith(action, autoescape=True))
    return db.paginate(query, page=max(1, number), per_page=50, max_per_page=50, error_out=False)
