"""People, their roles, and the ways in that they hold: passkeys, invitations, one-time links."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_security import AsaList, RoleMixin, UserMixin, WebAuthnMixin
from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, Text, select
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
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), unique=True)
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    totp_counter: Mapped[int | None]
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    roles: Mapped[list[Role]] = relationship(secondary=person_role, lazy="selectin", order_by=Role.name)
    webauthn: Mapped[list[Passkey]] = relationship(back_populates="person", cascade="all, delete-orphan")

    @property
    def role_names(self) -> frozenset[str]:
        return frozenset(role.name for role in self.roles)


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
    """A one-time link by which somebody becomes a person here; only the hash of its secret is kept."""

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
    created_by: Mapped[Person | None] = relationship(foreign_keys=[created_by_id])


class SignInAttempt(Base):
    """How often something was tried from one address or for one name lately; the log-in throttle counts these."""

    __tablename__ = "sign_in_attempt"
    id: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[str] = mapped_column(String(120), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class ParkedForm(Base):
    """What somebody had typed when their session ended, encrypted, kept for them for a short while."""

    __tablename__ = "parked_form"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(String(500))
    sealed: Mapped[str] = mapped_column(Text)
    parked_at: Mapped[datetime]


def person_by_email(email: str) -> Person | None:
    """The person with this address, whatever its upper and lower case."""
    return db.session.scalar(select(Person).where(Person.email == email.strip().lower()))


def active_people(*role_names: str) -> list[Person]:
    """Everybody who can sign in, by name; with role names, those who hold at least one of them."""
    query = select(Person).where(Person.active).order_by(Person.name)
    if role_names:
        query = query.where(Person.roles.any(Role.name.in_(role_names)))
    return list(db.session.scalars(query))
