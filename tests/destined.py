"""Destinations put straight into the database, and what went to them."""

from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from incident_tracker.models.base import db
from incident_tracker.models.destinations import Destination, Seal
from incident_tracker.models.messages import Message
from incident_tracker.work import CLOCKWORK, unit_of_work
from tests.stories import FRIDAY, person

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cy0x" + "MjM0NQ=="


def a_destination(kind: str = "webhook", address: str = "http://127.0.0.1:9/hook", secret: str = SECRET, *, to: str = "", now: datetime = FRIDAY, **more: Any) -> Destination:
    """A room, or with `to` the own way of one of the cast."""
    seal = Seal.of(current_app.extensions["tracker"].instance)
    values: dict[str, Any] = {
        "name": f"{kind} of {to or 'all'}", "use": "always", "shown": "somewhere", "options": {}, "active": True, "created_by_id": person("adam").id,
    }
    with unit_of_work(CLOCKWORK, now) as work:
        found = Destination(**values | {
            "kind": kind, "address": seal.close(address), "secret": seal.close(secret) if secret else None, "person_id": person(to).id if to else None,
            "created_at": now,
        } | more)
        work.session.add(found)
    return found


def posts(destination: Destination | None = None, kind: str | None = None) -> list[Message]:
    """The messages to destinations, or to one, the oldest first."""
    db.session.rollback()
    query = select(Message).where(Message.destination_id.is_not(None)).order_by(Message.id)
    query = query.where(Message.destination_id == destination.id) if destination is not None else query
    return list(db.session.scalars(query.where(Message.kind == kind) if kind else query))


def state(message: Message) -> str:
    """sent, dead, withdrawn, carried or waiting."""
    found = [name for name in ("sent", "dead", "withdrawn") if getattr(message, f"{name}_at") is not None]
    return found[0] if found else "carried" if message.carried_by_id else "waiting"
