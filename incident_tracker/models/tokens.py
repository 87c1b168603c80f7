"""API tokens: by which programs come in as a person, narrowed by scopes. Only the hash of a token is kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, String, or_, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from incident_tracker.models.base import Base, db
from incident_tracker.models.people import Person

#: that a token was used is written down at most so often
NOTED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may be used for. It never widens what its person may do."""

    READ_LAW = "law:read"
    READ_INCIDENTS = "incidents:read"
    ACKNOWLEDGE = "alerts:acknowledge"


SCOPE_MEANINGS = {
    Scope.READ_LAW: "read the law and count clocks; nothing of any incident",
    Scope.READ_INCIDENTS: "read the duties and deadlines of the incidents that you may see",
    Scope.ACKNOWLEDGE: "take the warnings of a duty, as you would with the bell",
}


class ApiToken(Base):
    """One token. It acts as its person, for as long as they may sign in."""

    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: what it is for
    name: Mapped[str] = mapped_column(String(60))
    #: SHA-256 of the token, hexadecimal; 32 random bytes need no salt
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: the last four signs, by which its owner tells it from others
    hint: Mapped[str] = mapped_column(String(4))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()

    def is_live(self, now: datetime) -> bool:
        """Whether it opens anything at `now` (UTC), its person apart."""
        return self.revoked_at is None and now < self.expires_at

    def standing(self, now: datetime) -> str:
        """`live`, `revoked` or `expired`."""
        return "live" if self.is_live(now) else "revoked" if self.revoked_at else "expired"


def token_by_hash(token_hash: str) -> ApiToken | None:
    """The token with this SHA-256 (hexadecimal), with its person and their roles in the same query, however it stands."""
    whose = joinedload(ApiToken.person, innerjoin=True).joinedload(Person.roles)
    return db.session.scalars(select(ApiToken).where(ApiToken.token_hash == token_hash).options(whose)).unique().one_or_none()


def tokens_of(person_id: int) -> list[ApiToken]:
    """All tokens that somebody ever had, newest first."""
    return list(db.session.scalars(select(ApiToken).where(ApiToken.person_id == person_id).order_by(ApiToken.id.desc())))


def note_use(session: Session, token_id: int, now: datetime) -> None:
    """Remember that a token was used at `now` (UTC), unless that was noted within the last minute."""
    old = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - NOTED_EVERY)
    noted = update(ApiToken).where(ApiToken.id == token_id, old).values(last_used_at=now)
    session.execute(noted.execution_options(synchronize_session=False))


def known_scopes(names: Iterable[str]) -> list[str]:
    """The names that are scopes, each once, in the scopes' order."""
    chosen = set(names)
    return [scope.value for scope in Scope if scope.value in chosen]
