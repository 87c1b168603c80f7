"""The unit of work: one session, one moment, one actor, the only commit."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from incident_tracker import clock
from incident_tracker.errors import Conflict, NotAllowed, NotFound
from incident_tracker.models.audit import AuditEntry, append_entries
from incident_tracker.models.base import db
from incident_tracker.rules.permissions import Actor, Guarded, Permission, may, may_see


class NamedActor(Actor, Protocol):
    """An actor whose name stands in the audit trail."""

    name: str


@dataclass(frozen=True)
class Mechanism:
    """An actor that is no person: it may do just what stands here."""

    name: str
    own_permissions: frozenset[Permission]
    id: None = None
    active: bool = True
    role_names: frozenset[str] = frozenset()


#: the tracker acting by itself: firing warnings, recomputing; it decides nothing
CLOCKWORK = Mechanism("the tracker", frozenset({Permission.RUN_CLOCKWORK, Permission.READ}))
#: whoever has a shell on the machine
OPERATOR = Mechanism(
    "the operator", frozenset({Permission.READ_AUDIT, Permission.MANAGE_PEOPLE, Permission.EDIT_ORGANISATION, Permission.SEND_AGAIN})
)


@dataclass
class Work:
    """What an action is given. `now` is read once, so everything inside happens at one moment (UTC)."""

    session: Session
    actor: Any
    now: datetime
    entries: list[AuditEntry] = field(default_factory=list)

    def require(self, permission: Permission, incident: Guarded | None = None) -> None:
        """Refuse unless the actor may: NotFound where they may not even know of the incident, else NotAllowed."""
        if incident is not None and not may_see(self.actor, incident):
            raise NotFound("incident")
        if not may(self.actor, permission, incident):
            raise NotAllowed(permission.value.replace(".", ": ").replace("_", " "))

    def record(
        self,
        action: str,
        summary: str,
        *,
        incident: Any = None,
        incident_id: int | None = None,
        subject: str = "",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Leave an audit entry, linked to the trail when the unit commits. Values must be JSON; no secrets, no victims' names.

        `incident_id` stands for `incident` where nobody has loaded it.
        """
        self.session.flush()
        self.entries.append(
            AuditEntry(
                at=self.now,
                actor_id=self.actor.id,
                actor_name=self.actor.name,
                action=action,
                summary=summary[:500],
                incident_id=incident.id if incident is not None else incident_id,
                subject=subject,
                before=dict(before or {}),
                after=dict(after or {}),
            )
        )


@contextmanager
def unit_of_work(actor: Any, now: datetime | None = None) -> Iterator[Work]:
    """Everything inside happens or nothing does. No network inside.

    Ends any read that is under way first, and on SQLite takes the write lock at once, so that what is read inside is
    what is written upon. Raises Conflict when somebody else changed the same row meanwhile.
    """
    session: Session = db.session()
    session.rollback()
    session.connection(execution_options={"immediate": True})
    work = Work(session, actor, now or clock.now())
    try:
        yield work
        session.flush()
        if work.entries:
            append_entries(session, work.entries)
        session.commit()
    except StaleDataError as error:
        session.rollback()
        raise Conflict("Somebody else changed this at the same moment. Look at it again, then repeat your change.") from error
    except IntegrityError as error:
        session.rollback()
        raise Conflict("Somebody else did the same at the same moment. Look at it again.") from error
    except BaseException:
        session.rollback()
        raise
