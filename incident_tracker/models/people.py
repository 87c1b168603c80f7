"""People, their roles, and the ways in that they hold: passkeys, invitations, one-time links."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from flask_security import AsaList, RoleMixin, UserMixin, WebAuthnMixin
from sqlalchemy import Column, ForeignKey, LargeBinary, Select, String, Table, or_, select
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incident_tracker.models.base import Base, db

person_role = Table(
    "person_role",
    Base.metadata,
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Base, RoleMixin):
    """What a person may do in general: administrator, officer, legal, manager or auditor."""

    __tablename__ = "role"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)


class Person(Base, UserMixin):
    """Somebody with a log-in. A person who left is switched off, never deleted: the record must stay readable."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), unique=True)  # type: ignore[assignment]
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    #: the time step of the last code that was accepted; one at or before it is a replay
    totp_counter: Mapped[int | None]
    switched_off_at: Mapped[datetime | None]
    signed_in_at: Mapped[datetime | None]
    roles: Mapped[list[Role]] = relationship(secondary=person_role, lazy="selectin", order_by=Role.name)  # type: ignore[assignment]
    webauthn: Mapped[list[Passkey]] = relationship(back_populates="person", cascade="all, delete-orphan")  # type: ignore[assignment]

    @property
    def role_names(self) -> frozenset[str]:
        return frozenset(role.name for role in self.roles)

    @property
    def has_second_factor(self) -> bool:
        """Whether codes from an authenticator app are set up."""
        return bool(self.tf_totp_secret and self.tf_primary_method)


class Passkey(Base, WebAuthnMixin):
    """A WebAuthn credential that a person registered."""

    __tablename__ = "passkey"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    transports: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))
    backup_state: Mapped[bool]
    device_type: Mapped[str] = mapped_column(String(64))
    extensions: Mapped[str | None] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(64))
    usage: Mapped[str] = mapped_column(String(64))
    create_datetime: Mapped[datetime]
    lastuse_datetime: Mapped[datetime]
    person: Mapped[Person] = relationship(back_populates="webauthn")

    def get_user_mapping(self) -> dict[str, Any]:
        return {"id": self.person_id}


class Invitation(Base):
    """A one-time link by which somebody becomes a person here; only the hash of its secret is kept.

    Without `created_by` it is the set-up link, made at the machine itself, for the first administrator.
    """

    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(String(255))
    role_names: Mapped[list[str]]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[Person | None] = relationship(foreign_keys=[created_by_id])

    def is_open(self, now: datetime) -> bool:
        """Whether the link still lets somebody in, apart from the rule for the set-up link."""
        return self.used_at is None and self.revoked_at is None and now < self.expires_at


def person_by_email(email: str) -> Person | None:
    """The person with this address, whatever its upper and lower case."""
    return db.session.scalar(select(Person).where(Person.email == email.strip().lower()))


def active_people(*role_names: str) -> list[Person]:
    """Everybody who can sign in, by name; with role names, those who hold at least one of them."""
    return list(db.session.scalars(_active(role_names)))


def active_names(*role_names: str) -> list[tuple[int, str]]:
    """Id and name of the same people, where no more of them is needed."""
    return [(row.id, row.name) for row in db.session.execute(_active_names(role_names))]


@cache
def _active_names(role_names: tuple[str, ...]) -> Select[int, str]:
    return _active(role_names).with_only_columns(Person.id, Person.name)


def _active(role_names: Collection[str]) -> Select[Person]:
    query = select(Person).where(Person.active).order_by(Person.name)
    return query.where(Person.roles.any(Role.name.in_(role_names))) if role_names else query


def find_people(text: str = "", role: str = "", state: str = "") -> Select[Person]:
    """People by name; `text` stands in the name or address, `state` is "on" or "off", empty for both."""
    query = select(Person).order_by(Person.active.desc(), Person.name, Person.id)
    if text.strip():
        part = "%" + text.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(or_(Person.name.ilike(part, escape="\\"), Person.email.like(part, escape="\\")))
    if role:
        query = query.where(Person.roles.any(Role.name == role))
    if state:
        query = query.where(Person.active.is_(state == "on"))
    return query


def open_invitations(now: datetime) -> list[Invitation]:
    """The invitations by administrators that still let somebody in, newest first."""
    query = select(Invitation).where(
        Invitation.used_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > now,
        Invitation.created_by_id.is_not(None),
    )
    return list(db.session.scalars(query.order_by(Invitation.id.desc())))
