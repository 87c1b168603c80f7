"""What somebody does to their own account: name, password, second factor, recovery codes, passkeys, sessions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from incident_tracker.actions import deliveries
from incident_tracker.actions.people import clean_name, clean_zone, new_uniquifier
from incident_tracker.actions.sign_ins import digest
from incident_tracker.errors import Conflict, Invalid, NotFound
from incident_tracker.models import sign_ins
from incident_tracker.models.people import Passkey, Person, person_by_email
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: more would be a mistake; a person has a phone, a laptop, a key and a spare
MOST_PASSKEYS = 10


@dataclass(frozen=True)
class NewPasskey:
    """What a browser and its authenticator made, after it was checked."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool
    device_type: str
    transports: Sequence[str]
    user_handle: str


def change_profile(work: Work, name: str, zone: str) -> None:
    """Change one's own name and time zone."""
    work.require(Permission.EDIT_SELF)
    person = _self(work)
    before = {"name": person.name, "zone": person.zone}
    person.name, person.zone = clean_name(name), clean_zone(zone)
    after = {"name": person.name, "zone": person.zone}
    work.record("account.change_profile", "changed their name or zone", subject=_subject(person), before=before, after=after)


def change_password(work: Work, password_hash: str) -> str:
    """Change one's own password (argon2id hash). Every session ends; returns the identity that this one goes on with."""
    work.require(Permission.EDIT_SELF)
    person = _self(work)
    person.password, person.fs_uniquifier = password_hash, new_uniquifier()
    work.record("account.change_password", "changed their password", subject=_subject(person))
    deliveries.queue(work, "account_changed", person=person, content={"what": "Your password was changed. Every other session was signed out."})
    return person.fs_uniquifier


def ask_password_reset(work: Work, email: str, link_for: Callable[[Person], str], address: str) -> None:
    """Mail a link for a new password to whoever has this address. Does as much, and says as little, when nobody has it."""
    work.require(Permission.ENTER)
    person = person_by_email(email)
    if person is None or not person.active:
        work.record("account.ask_password_reset", "a password link was asked for an address that nobody here has", after={"from": address})
        return
    work.record("account.ask_password_reset", f"a password link was asked for {person.name}", subject=_subject(person), after={"from": address})
    deliveries.queue(work, "password_reset", person=person, content={"link": link_for(person)})


def reset_password(work: Work, person: Person, uniquifier: str, password_hash: str) -> None:
    """Set a new password by a link made while the sessions' identity was `uniquifier`. Raises Conflict if it was used before."""
    work.require(Permission.ENTER)
    locked = work.session.get(Person, person.id, with_for_update={"key_share": True}, populate_existing=True)
    if locked is None or not locked.active or locked.fs_uniquifier != uniquifier:
        raise Conflict("This link was used already. Ask for a new one if you still need it.")
    locked.password, locked.fs_uniquifier = password_hash, new_uniquifier()
    work.record("account.reset_password", f"{locked.name} set a new password by a link", subject=_subject(locked))
    deliveries.queue(work, "account_changed", person=locked, content={"what": "Your password was set anew by a link. Every session was signed out."})


def set_up_second_factor(work: Work, person: Person, secret: str, counter: int, sealed_codes: Sequence[str]) -> None:
    """Turn on codes from an authenticator app. `secret` is encrypted, `counter` the time step of the code that proved it works.

    Somebody else's second factor cannot be set; on a first sign-in `work.actor` is the person whose password was right.
    """
    work.require(Permission.EDIT_SELF)
    if work.actor.id != person.id:
        raise NotFound("person")
    person = _self(work)
    again = person.has_second_factor
    person.tf_totp_secret, person.tf_primary_method, person.totp_counter = secret, "authenticator", counter
    person.mf_recovery_codes = list(sealed_codes)
    work.record("account.set_up_second_factor", "set up their second factor" + (" again" if again else ""), subject=_subject(person))
    if again:
        deliveries.queue(work, "account_changed", person=person, content={"what": "A new authenticator app was set up. Codes from the old one no longer work."})


def renew_recovery_codes(work: Work, sealed_codes: Sequence[str]) -> None:
    """Replace the recovery codes; the old ones stop working."""
    work.require(Permission.EDIT_SELF)
    person = _self(work)
    person.mf_recovery_codes = list(sealed_codes)
    work.record("account.renew_recovery_codes", f"made {len(sealed_codes)} new recovery codes", subject=_subject(person))


def add_passkey(work: Work, name: str, made: NewPasskey, challenge: str) -> Passkey:
    """Register a passkey under a name that is unique among one's own. `challenge` is used up."""
    work.require(Permission.EDIT_SELF)
    person = _self(work)
    name = _passkey_name(person, name)
    if len(person.webauthn) >= MOST_PASSKEYS:
        raise Invalid(name=f"You have {MOST_PASSKEYS} passkeys. Remove one first.")
    known = work.session.scalar(select(Passkey).where(Passkey.credential_id == made.credential_id))
    if known is not None or not sign_ins.spend(work.session, digest(challenge), work.now + timedelta(hours=1)):
        raise Conflict("That passkey is registered already.")
    passkey = Passkey(
        credential_id=made.credential_id, public_key=made.public_key, sign_count=made.sign_count, backup_state=made.backed_up,
        device_type=made.device_type, transports=list(made.transports), extensions=None, name=name, usage="first",
        create_datetime=work.now, lastuse_datetime=work.now,
    )
    person.fs_webauthn_user_handle = person.fs_webauthn_user_handle or made.user_handle
    person.webauthn.append(passkey)
    work.record("account.add_passkey", f"added the passkey “{name}”", subject=_subject(person))
    deliveries.queue(work, "account_changed", person=person, content={"what": f"A passkey named “{name}” was added to your account."})
    return passkey


def rename_passkey(work: Work, passkey_id: int, name: str) -> None:
    """Give one of one's own passkeys another name."""
    work.require(Permission.EDIT_SELF)
    person, passkey = _own_passkey(work, passkey_id)
    before, passkey.name = passkey.name, _passkey_name(person, name, besides=passkey)
    work.record("account.rename_passkey", "renamed a passkey", subject=_subject(person), before={"name": before}, after={"name": passkey.name})


def remove_passkey(work: Work, passkey_id: int) -> str:
    """Remove one of one's own passkeys; returns its name."""
    work.require(Permission.EDIT_SELF)
    person, passkey = _own_passkey(work, passkey_id)
    name = passkey.name
    person.webauthn.remove(passkey)
    work.record("account.remove_passkey", f"removed the passkey “{name}”", subject=_subject(person))
    deliveries.queue(work, "account_changed", person=person, content={"what": f"The passkey named “{name}” was removed from your account."})
    return name


def sign_out_everywhere(work: Work) -> str:
    """End every session of one's own; returns the identity that this one may go on with."""
    work.require(Permission.EDIT_SELF)
    person = _self(work)
    person.fs_uniquifier = new_uniquifier()
    work.record("account.sign_out_everywhere", "signed out of every session", subject=_subject(person))
    return person.fs_uniquifier


def _self(work: Work) -> Person:
    person = work.session.get(Person, work.actor.id, with_for_update={"key_share": True}, populate_existing=True)
    assert person is not None
    return person


def _own_passkey(work: Work, passkey_id: int) -> tuple[Person, Passkey]:
    person = _self(work)
    for passkey in person.webauthn:
        if passkey.id == passkey_id:
            return person, passkey
    raise NotFound("passkey")


def _passkey_name(person: Person, name: str, besides: Passkey | None = None) -> str:
    found = " ".join(name.split())
    if not found or len(found) > 60:
        raise Invalid(name="Give it a name of up to 60 letters, such as “work laptop”.")
    if any(one.name == found and one is not besides for one in person.webauthn):
        raise Invalid(name=f"You have a passkey named “{found}” already.")
    return found


def _subject(person: Person) -> str:
    return f"person:{person.id}"
