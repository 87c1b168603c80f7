"""Destinations: where warnings go beside mail and the bell, with their addresses and secrets sealed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import ForeignKey, Index, Row, Select, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident_tracker.config import load_secrets
from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person

#: when a destination is told: of every warning, of the loud ones alone, or (a person's own) once another way to them was refused for good
USES = ("always", "loud", "fallback")


class Destination(Base):
    """A room that all who are in it see, or one person's own way beside their mail. Its address and secret are never shown again."""

    __tablename__ = "destination"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    #: the channel that carries what goes there
    kind: Mapped[str] = mapped_column(String(20))
    #: None for a room
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    use: Mapped[str] = mapped_column(String(10), default="always")
    #: sealed, for the address itself may be what lets somebody post there
    address: Mapped[str] = mapped_column(Text)
    #: sealed: a signing key, token or routing key
    secret: Mapped[str | None] = mapped_column(Text)
    #: what may be shown of the address, e.g. `hooks.example.com, ends in 3f2a`
    shown: Mapped[str] = mapped_column(String(300))
    #: what the channel needs besides and is no secret, e.g. the room at a Matrix server
    options: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    version: Mapped[int] = mapped_column(default=1)
    #: the receiver asked not to be sent anything before this
    resting_until: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None]
    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    created_by: Mapped[Person | None] = relationship(foreign_keys=[created_by_id])

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        # a warning to a person goes once by each channel
        UniqueConstraint("person_id", "kind"),
        Index("ix_destination_active", "active"),
    )

    @property
    def is_failing(self) -> bool:
        """Whether the last try was refused."""
        return self.last_error_at is not None and (self.last_ok_at is None or self.last_ok_at < self.last_error_at)


class Unreadable(Exception):
    """What was sealed cannot be opened: the instance folder does not hold the key that it was sealed with."""


class Seal:
    """Closes and opens addresses and secrets with the keys of the instance folder."""

    def __init__(self, keys: str) -> None:
        """`keys`: Fernet keys with commas between; the first one seals, all of them open, so that a new one can be put in front."""
        self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",")])

    @classmethod
    def of(cls, instance: Path) -> Seal:
        """The seal of an instance folder. Raises ConfigError where its secrets cannot be read."""
        return cls(load_secrets(instance).destination_keys)

    def close(self, text: str) -> str:
        """The text, sealed."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str | None) -> str:
        """The text that was sealed; empty for None. Raises Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode() if sealed else ""
        except InvalidToken as error:
            raise Unreadable from error


def all_destinations() -> list[Destination]:
    """Every destination: rooms first, then by person, by name."""
    query = select(Destination).options(joinedload(Destination.person)).outerjoin(Person, Person.id == Destination.person_id)
    return list(db.session.scalars(query.order_by(Person.name.asc().nulls_first(), Destination.name, Destination.id)))


def find_destination(destination_id: int) -> Destination | None:
    """The destination with this id, or None."""
    return db.session.get(Destination, destination_id)


def told_of_warnings() -> Select[int, str, int | None, str]:
    """Id, channel, person and use of the destinations that are told when a warning fires."""
    return select(Destination.id, Destination.kind, Destination.person_id, Destination.use).where(Destination.active, Destination.use != "fallback")


def fallbacks_of(person_ids: Collection[int]) -> list[Row[Any]]:
    """Id, channel and person of the ways that these people are told by once another one was refused for good."""
    query = select(Destination.id, Destination.kind, Destination.person_id).where(
        Destination.active, Destination.use == "fallback", Destination.person_id.in_(person_ids),
    )
    return list(db.session.execute(query.order_by(Destination.id)))
