"""Signing in and out: counting tries, using up codes and passkeys, and leaving a trace of each."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, update

from incident_tracker.errors import NotFound, TooManyTries
from incident_tracker.models import sign_ins
from incident_tracker.models.people import Passkey, Person
from incident_tracker.models.sign_ins import ParkedForm
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Mechanism, Work

#: whoever is at the door: may show a password, a code or a link, and nothing else
STRANGER = Mechanism("somebody not signed in", frozenset({Permission.ENTER}))

#: how long a form that was typed into an ended session is kept
KEPT_FOR = timedelta(hours=24)

#: so many are kept for one person, the newest
KEPT_FORMS = 10


def count_try(work: Work, buckets: Collection[str], address: str) -> None:
    """Count a try before it is made. Raises TooManyTries while one of the buckets (`rules.throttles.bucket`) is closed."""
    work.require(Permission.ENTER)
    until, closing = sign_ins.count_try(work.session, buckets, work.now)
    if until is not None:
        raise TooManyTries(until, work.now)
    for row in closing:
        kind = row.bucket.split(":")[0]
        work.record("sign_in.throttle", f"too many tries for one {kind}", after={"from": address, "failures": row.failures, "until": str(row.closed_until)})


def fail(work: Work, person: Person | None, what: str, address: str) -> None:
    """Leave a trace of a try that failed. `what` says which proof was wrong; what was typed goes nowhere."""
    work.require(Permission.ENTER)
    subject = f"person:{person.id}" if person else ""
    work.record("sign_in.fail", f"{what}: {person.name if person else 'nobody by that name'}", subject=subject, after={"from": address})


def sign_in(work: Work, person: Person, via: str, address: str, buckets: Collection[str] = ()) -> None:
    """Record a complete sign-in, forgive the tries that led to it, and sweep up what no longer matters."""
    work.require(Permission.ENTER)
    sign_ins.forgive_try(work.session, buckets)
    sign_ins.forget_old(work.session, work.now, work.now - KEPT_FOR)
    person.signed_in_at = work.now
    work.record("sign_in.succeed", f"signed in with {via}", subject=f"person:{person.id}", after={"from": address, "with": via})


def confirm(work: Work, person: Person, via: str, buckets: Collection[str] = ()) -> None:
    """Record that somebody signed in showed once more that it is them, before something delicate."""
    work.require(Permission.ENTER)
    sign_ins.forgive_try(work.session, buckets)
    work.record("sign_in.confirm", f"confirmed with {via}", subject=f"person:{person.id}")


def forgive(work: Work, buckets: Collection[str], what: str) -> None:
    """A proof was right though the sign-in goes on: its tries no longer count."""
    work.require(Permission.ENTER)
    sign_ins.forgive_try(work.session, buckets)
    work.record("sign_in.prove", what)


def sign_out(work: Work, session_id: str, forget_at: datetime) -> None:
    """End one session for good: a copy of its cookie no longer works either."""
    work.require(Permission.ENTER)
    sign_ins.spend(work.session, digest(session_id), forget_at)
    work.record("sign_in.end", "signed out", subject=f"person:{work.actor.id}")


def use_code(work: Work, person: Person, counter: int) -> bool:
    """Use up the code of one time step (30 s each since 1970). False if it, or a later one, was used before.

    One UPDATE decides, so that the same code sent twice at once is accepted once.
    """
    work.require(Permission.ENTER)
    fresh = or_(Person.totp_counter.is_(None), Person.totp_counter < counter)
    done = work.session.execute(update(Person).where(Person.id == person.id, fresh).values(totp_counter=counter))
    if not done.rowcount:  # type: ignore[attr-defined]
        work.record("sign_in.refuse_replay", "a code was sent a second time", subject=f"person:{person.id}")
        return False
    return True


def use_recovery_code(work: Work, person: Person, code: str, opened: Callable[[list[str]], Sequence[str]]) -> bool:
    """Use up one recovery code. `opened` decrypts the stored ones, in order. False if it is none of them."""
    work.require(Permission.ENTER)
    locked = work.session.get(Person, person.id, with_for_update={"key_share": True}, populate_existing=True)
    assert locked is not None
    sealed = list(locked.mf_recovery_codes or [])
    plain = list(opened(sealed))
    typed = code.strip().lower().replace(" ", "")
    if typed not in plain:
        return False
    locked.mf_recovery_codes = [one for one, text in zip(sealed, plain, strict=True) if text != typed]
    work.record("sign_in.use_recovery_code", f"used a recovery code; {len(locked.mf_recovery_codes)} left", subject=f"person:{person.id}")
    return True


def use_passkey(work: Work, passkey: Passkey, challenge: str, count: int, backed_up: bool) -> bool:
    """Use up the challenge that a passkey answered, and keep its counter. False if that challenge was answered before."""
    work.require(Permission.ENTER)
    if not sign_ins.spend(work.session, digest(challenge), work.now + timedelta(hours=1)):
        work.record("sign_in.refuse_replay", "a passkey's answer was sent a second time", subject=f"person:{passkey.person_id}")
        return False
    passkey.sign_count, passkey.backup_state, passkey.lastuse_datetime = count, backed_up, work.now
    return True


def park_form(work: Work, person: Person, path: str, sealed: str, instead_of: int | None = None) -> ParkedForm:
    """Keep what somebody typed when their session had ended; `sealed` is encrypted. The oldest go beyond ten.

    `instead_of` is the kept form that was being sent again when the session ended once more.
    """
    work.require(Permission.ENTER)
    form = ParkedForm(person_id=person.id, path=path, sealed=sealed, parked_at=work.now)
    work.session.add(form)
    work.session.flush()
    for place, old in enumerate(sign_ins.parked_forms(person.id, work.now - KEPT_FOR)):
        if place >= KEPT_FORMS or old.id == instead_of:
            work.session.delete(old)
    work.record("form.park", "kept a form that was sent after the session ended", subject=f"person:{person.id}")
    return form


def discard_form(work: Work, form_id: int, why: str) -> None:
    """Remove one of one's own kept forms: it was sent after all, or is not wanted. Raises NotFound for anybody else's."""
    work.require(Permission.ENTER)
    form = work.session.get(ParkedForm, form_id, with_for_update=True, populate_existing=True)
    if form is None or form.person_id != work.actor.id:
        raise NotFound("kept text")
    work.session.delete(form)
    work.record("form.discard", f"removed a kept form: {why}", subject=f"person:{work.actor.id}")


def forget_old(work: Work) -> int:
    """Remove kept forms after a day, and counts and used-up tokens that no longer matter. Returns how many rows went."""
    work.require(Permission.RUN_CLOCKWORK)
    gone = sign_ins.forget_old(work.session, work.now, work.now - KEPT_FOR)
    if gone:
        work.record("sign_in.forget_old", f"removed {gone} old rows of kept forms, counts and used-up tokens")
    return gone


def digest(text: str) -> str:
    """SHA-256 in hexadecimal, under which a secret is remembered without being known."""
    return hashlib.sha256(text.encode()).hexdigest()
