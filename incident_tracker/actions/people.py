"""Who belongs to the tracker: the first administrator, invitations, roles, and people who leave."""

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import available_timezones

from sqlalchemy import Select, select

from incident_tracker.actions import deliveries
from incident_tracker.actions.sign_ins import digest
from incident_tracker.errors import Conflict, Invalid
from incident_tracker.models.base import db
from incident_tracker.models.people import Invitation, Person, Role, active_people, person_by_email
from incident_tracker.rules.permissions import Permission
from incident_tracker.rules.permissions import Role as RoleName
from incident_tracker.work import Work

SET_UP_WITHIN = timedelta(hours=24)
INVITED_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Entry:
    """What somebody enters about themselves; `password_hash` is argon2id."""

    name: str
    zone: str
    password_hash: str


def has_administrator() -> bool:
    """Whether anybody can sign in as administrator."""
    return bool(active_people(RoleName.ADMINISTRATOR))


def make_setup_link(work: Work, base_url: str = "") -> str:
    """A link that makes its holder the first administrator, once, within 24 hours. Older ones stop working.

    Its secret is shown here and never again. Raises Conflict when there is an administrator already.
    """
    work.require(Permission.MANAGE_PEOPLE)
    if has_administrator():
        raise Conflict("There is an administrator already. They can invite others under People.")
    _revoke(work, select(Invitation).where(Invitation.created_by_id.is_(None), *_IS_OPEN))
    link = secrets.token_urlsafe(32)
    work.session.add(Invitation(
        email=None, role_names=[RoleName.ADMINISTRATOR.value], secret_hash=digest(link), created_at=work.now, created_by_id=None,
        expires_at=work.now + SET_UP_WITHIN,
    ))
    work.record("person.make_setup_link", "made a set-up link")
    return f"{base_url.rstrip('/')}/set-up/{link}"


def invite(work: Work, email: str, role_names: Collection[str], base_url: str) -> tuple[Invitation, str]:
    """Invite somebody; returns the invitation and its link, which is also mailed. An older invitation to the address ends."""
    work.require(Permission.MANAGE_PEOPLE)
    email = _clean_email(email)
    roles = _clean_roles(role_names)
    known = person_by_email(email)
    if known is not None:
        raise Invalid(email=f"{known.name} has this address already." + ("" if known.active else " They are switched off: switch them on again instead."))
    _revoke(work, select(Invitation).where(Invitation.email == email, *_IS_OPEN))
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        email=email, role_names=roles, secret_hash=digest(secret), created_at=work.now, created_by_id=work.actor.id, expires_at=work.now + INVITED_FOR,
    )
    work.session.add(invitation)
    work.session.flush()
    work.record("person.invite", f"invited {email}", subject=f"invitation:{invitation.id}", after={"roles": roles})
    link = f"{base_url.rstrip('/')}/invitation/{secret}"
    deliveries.queue(work, "invitation", address=email, content={"link": link, "by": work.actor.name, "until": invitation.expires_at.isoformat()})
    return invitation, link


def revoke_invitation(work: Work, invitation: Invitation) -> None:
    """Make an invitation's link stop working."""
    work.require(Permission.MANAGE_PEOPLE)
    if not invitation.is_open(work.now):
        raise Conflict("That invitation was used, withdrawn or has expired meanwhile.")
    invitation.revoked_at = work.now
    work.record("person.revoke_invitation", f"withdrew the invitation of {invitation.email}", subject=f"invitation:{invitation.id}")


def open_invitation(secret: str, now: datetime) -> Invitation | None:
    """The invitation that this secret opens, if it still opens one. The set-up link does so only while nobody administers."""
    return _opened(_by_secret(secret), now)


def accept_invitation(work: Work, secret: str, entry: Entry) -> Person:
    """Become a person here by an invitation. Raises Conflict when its link no longer works."""
    work.require(Permission.ENTER)
    invitation = _claim(work, secret, wants_inviter=True)
    assert invitation.email is not None
    if person_by_email(invitation.email) is not None:
        raise Conflict("Somebody with this address joined already. Sign in instead.")
    person = _join(work, invitation, invitation.email, entry, invitation.role_names)
    work.record("person.accept_invitation", f"{person.name} accepted the invitation", subject=f"person:{person.id}", after={"roles": sorted(person.role_names)})
    deliveries.queue(work, "welcome", person=person, content={"name": person.name})
    return person


def accept_setup(work: Work, secret: str, email: str, entry: Entry, handles_incidents: bool) -> Person:
    """Become the first administrator. Raises Conflict when somebody else did, or the link no longer works."""
    work.require(Permission.ENTER)
    work.session.refresh(_role(work, RoleName.ADMINISTRATOR), with_for_update=True)
    invitation = _claim(work, secret, wants_inviter=False)
    roles = [RoleName.ADMINISTRATOR.value] + ([RoleName.OFFICER.value] if handles_incidents else [])
    email = _clean_email(email)
    if person_by_email(email) is not None:
        raise Invalid(email="Somebody has this address already.")
    person = _join(work, invitation, email, entry, roles)
    work.record("person.set_up", f"{person.name} set up the tracker", subject=f"person:{person.id}", after={"roles": sorted(roles)})
    return person


def change_roles(work: Work, person: Person, role_names: Collection[str]) -> None:
    """Give somebody other roles, from their next click on. The last administrator stays one."""
    work.require(Permission.MANAGE_PEOPLE)
    roles = _clean_roles(role_names)
    before = sorted(person.role_names)
    if RoleName.ADMINISTRATOR in before and RoleName.ADMINISTRATOR not in roles:
        _keep_an_administrator(work, person)
    person.roles = [_role(work, name) for name in roles]
    work.record("person.change_roles", f"changed the roles of {person.name}", subject=f"person:{person.id}", before={"roles": before}, after={"roles": roles})


def switch_off(work: Work, person: Person) -> None:
    """Somebody left: they can no longer sign in, every session of theirs ends, their open invitations to others too."""
    work.require(Permission.MANAGE_PEOPLE)
    if not person.active:
        raise Conflict(f"{person.name} is switched off already.")
    if RoleName.ADMINISTRATOR in person.role_names:
        _keep_an_administrator(work, person)
    person.active, person.switched_off_at, person.fs_uniquifier = False, work.now, new_uniquifier()
    _revoke(work, select(Invitation).where(Invitation.created_by_id == person.id, *_IS_OPEN))
    work.record("person.switch_off", f"switched off {person.name}", subject=f"person:{person.id}")


def switch_on(work: Work, person: Person) -> None:
    """Let somebody sign in again, with the password and second factor they had."""
    work.require(Permission.MANAGE_PEOPLE)
    if person.active:
        raise Conflict(f"{person.name} is switched on already.")
    person.active, person.switched_off_at = True, None
    work.record("person.switch_on", f"switched on {person.name}", subject=f"person:{person.id}")


def reset_second_factor(work: Work, person: Person) -> None:
    """Somebody lost their phone: codes, recovery codes and passkeys go, sessions end; they set up anew when they sign in."""
    work.require(Permission.MANAGE_PEOPLE)
    person.tf_totp_secret = person.tf_primary_method = person.totp_counter = None
    person.mf_recovery_codes, person.fs_uniquifier = [], new_uniquifier()
    removed = [passkey.name for passkey in person.webauthn]
    person.webauthn.clear()
    summary = f"reset the second factor of {person.name}"
    work.record("person.reset_second_factor", summary, subject=f"person:{person.id}", before={"passkeys": removed})
    what = f"{work.actor.name} reset your second factor. You set it up again when you next sign in."
    deliveries.queue(work, "account_changed", person=person, content={"what": what})


def password_link(person: Person, sign: Callable[[str], str], base_url: str) -> str:
    """The link by which this person sets a new password. `sign` signs, with the time, what it is given.

    What is signed is the name of their sessions: it changes with every new password, so that a link works once.
    """
    return f"{base_url.rstrip('/')}/new-password/{sign(person.fs_uniquifier)}"


def offer_password_link(work: Work, person: Person, sign: Callable[[str], str], base_url: str) -> str:
    """Make a link by which `person` sets a new password, to be shown once to whoever asked for it."""
    work.require(Permission.MANAGE_PEOPLE)
    if not person.active:
        raise Conflict(f"{person.name} is switched off.")
    work.record("person.offer_password_link", f"made a password link for {person.name}", subject=f"person:{person.id}")
    return password_link(person, sign, base_url)


def new_uniquifier() -> str:
    """A new identity of somebody's sessions: all that carry an older one end."""
    return uuid4().hex


def clean_zone(zone: str) -> str:
    """The zone if there is such a one. Raises Invalid beside `zone`."""
    if zone not in available_timezones():
        raise Invalid(zone="Choose a time zone from the list.")
    return zone


def clean_name(name: str) -> str:
    """The name on one line. Raises Invalid beside `name`."""
    found = " ".join(name.split())
    if not found or len(found) > 120 or not found.isprintable():
        raise Invalid(name="Enter a name of up to 120 letters.")
    return found


_IS_OPEN = (Invitation.used_at.is_(None), Invitation.revoked_at.is_(None))


def _clean_email(email: str) -> str:
    found = email.strip().lower()
    name, at, host = found.rpartition("@")
    if not (name and at and host) or len(found) > 255 or any(mark.isspace() or not mark.isprintable() for mark in found):
        raise Invalid(email="Enter an e-mail address, such as name@example.org.")
    return found


def _clean_roles(role_names: Iterable[str]) -> list[str]:
    chosen = set(role_names)
    roles: list[str] = [role.value for role in RoleName if role.value in chosen]
    if not roles or len(roles) != len(chosen):
        raise Invalid(roles="Choose at least one role.")
    return roles


def _role(work: Work, name: str) -> Role:
    found = work.session.scalar(select(Role).where(Role.name == name))
    if found is None:
        found = Role(name=str(name))
        work.session.add(found)
        work.session.flush()
    return found


def _keep_an_administrator(work: Work, leaving: Person) -> None:
    # the role's row is the lock: two administrators who remove each other at the same moment do so one after the other
    work.session.refresh(_role(work, RoleName.ADMINISTRATOR), with_for_update=True)
    if not [one for one in active_people(RoleName.ADMINISTRATOR) if one.id != leaving.id]:
        raise Invalid(roles=f"{leaving.name} is the last administrator. Make somebody else one first.")


def _by_secret(secret: str, lock: bool = False) -> Invitation | None:
    query = select(Invitation).where(Invitation.secret_hash == digest(secret))
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def _opened(invitation: Invitation | None, now: datetime) -> Invitation | None:
    if invitation is None or not invitation.is_open(now) or (invitation.created_by_id is None and has_administrator()):
        return None
    return invitation


def _claim(work: Work, secret: str, *, wants_inviter: bool) -> Invitation:
    found = _opened(_by_secret(secret, lock=True), work.now)
    if found is None or (found.created_by_id is not None) is not wants_inviter:
        raise Conflict("This link no longer works: it was used, withdrawn, or is too old.")
    found.used_at = work.now
    return found


def _join(work: Work, invitation: Invitation, email: str, entry: Entry, role_names: Iterable[str]) -> Person:
    person = Person(
        email=email, name=clean_name(entry.name), zone=clean_zone(entry.zone), password=entry.password_hash, active=True, created_at=work.now,
        fs_uniquifier=new_uniquifier(), fs_webauthn_user_handle=new_uniquifier(), roles=[_role(work, name) for name in role_names],
    )
    work.session.add(person)
    work.session.flush()
    invitation.used_by_id = person.id
    return person


def _revoke(work: Work, query: Select[Invitation]) -> None:
    for invitation in work.session.scalars(query):
        invitation.revoked_at = work.now
        work.record("person.revoke_invitation", f"withdrew the link for {invitation.email or 'the set-up'}", subject=f"invitation:{invitation.id}")
