"""API tokens: making one, taking one back, and what happens when one is shown at the door."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from incident_tracker.actions import deliveries, sign_ins
from incident_tracker.errors import Conflict, Invalid, NotFound, TooManyTries
from incident_tracker.models.people import Person
from incident_tracker.models.sign_ins import count_try
from incident_tracker.models.tokens import ApiToken, known_scopes, token_by_hash, tokens_of
from incident_tracker.rules import throttles
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: how a token begins, so that it is known for what it is where it should not stand
PREFIX = "bt_"

#: the longest that one lives, in days
LONGEST = 366

#: more live ones at once would be a mistake: one for each program
MOST = 20


@dataclass(frozen=True)
class Holder:
    """Whoever shows a live token: acts with the roles and the sight of its person, for the scopes that it has.

    In the trail its name says which token it was.
    """

    id: int
    name: str
    role_names: frozenset[str]
    token: str
    hint: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    person_name: str
    active: bool = True


def make_token(work: Work, name: str, scopes: Collection[str], days: int) -> tuple[ApiToken, str]:
    """Make a token of one's own that lives for so many days; returns it and its text, which is shown now and never again."""
    work.require(Permission.EDIT_SELF)
    name, chosen = _clean_name(name), known_scopes(scopes)
    if not chosen or len(chosen) != len(set(scopes)):
        raise Invalid(scopes="Choose what it may be used for.")
    if not 1 <= days <= LONGEST:
        raise Invalid(days=f"Choose 1 to {LONGEST} days.")
    person = work.session.get(Person, work.actor.id, with_for_update={"key_share": True}, populate_existing=True)
    assert person is not None
    live = [one for one in tokens_of(person.id) if one.is_live(work.now)]
    if len(live) >= MOST:
        raise Invalid(f"You have {MOST} live tokens. Revoke one first.")
    if any(one.name == name for one in live):
        raise Invalid(name=f"You have a live token named “{name}” already.")
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        person_id=person.id, name=name, token_hash=sign_ins.digest(text), hint=text[-4:], scopes=chosen, created_at=work.now,
        expires_at=work.now + timedelta(days=days),
    )
    work.session.add(token)
    work.session.flush()
    after = {"scopes": chosen, "expires_at": token.expires_at.isoformat()}
    work.record("token.make", f"made the API token “{name}”", subject=f"token:{token.id}", after=after)
    deliveries.queue(work, "account_changed", person=person, content={"what": f"An API token named “{name}” was made for your account."})
    return token, text


def revoke_token(work: Work, token: ApiToken) -> None:
    """Take a token back: it opens nothing from now on. Somebody else's only by whoever manages people; for others it is not there."""
    work.require(Permission.EDIT_SELF if token.person_id == work.actor.id else Permission.MANAGE_PEOPLE)
    locked = work.session.scalar(select(ApiToken).where(ApiToken.id == token.id).with_for_update().execution_options(populate_existing=True))
    if locked is None:
        raise NotFound("token")
    if locked.revoked_at is not None:
        raise Conflict("That token was revoked already.")
    locked.revoked_at = work.now
    whose = "their" if locked.person_id == work.actor.id else f"{locked.person.name}’s"
    work.record("token.revoke", f"revoked {whose} API token “{locked.name}”", subject=f"token:{locked.id}")


def holder_of(text: str, now: datetime) -> tuple[Holder | None, ApiToken | None]:
    """Who shows this token at `now` (UTC), None if it opens nothing; and the token as it is kept, if there is such a one.

    A token is dead when it was revoked, has expired, or its person was switched off.
    """
    found = token_by_hash(sign_ins.digest(text)) if text.startswith(PREFIX) else None
    if found is None or not found.is_live(now) or not found.person.active:
        return None, found
    person = found.person
    return Holder(
        id=person.id, name=f"{person.name}, by the token “{found.name}”"[:120], role_names=person.role_names, token=found.name, hint=found.hint,
        scopes=frozenset(found.scopes), created_at=found.created_at, expires_at=found.expires_at, person_name=person.name,
    ), found


def refuse_token(work: Work, token: ApiToken | None, address: str) -> None:
    """Count and record that a token which opens nothing was shown from this address; what was shown goes nowhere.

    Raises TooManyTries, and counts nothing more, after too many of them.
    """
    work.require(Permission.ENTER)
    until, closing = count_try(work.session, {throttles.bucket("token", address)}, work.now)
    if until is not None:
        raise TooManyTries(until, work.now)
    what = f"the API token “{token.name}” of {token.person.name}, which is dead" if token else "an API token that there is not"
    subject = f"token:{token.id}" if token else ""
    work.record("token.refuse", f"refused {what}", subject=subject, after={"from": address} | ({"closed": True} if closing else {}))


def _clean_name(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > 60 or not found.isprintable():
        raise Invalid(name="Say in up to 60 letters what it is for, such as “monitoring”.")
    return found
