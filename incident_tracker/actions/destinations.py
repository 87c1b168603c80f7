"""Destinations, for the administrator: set up, changed, switched off and on, tried out. Their addresses and secrets are sealed and never given back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import select

from incident_tracker.actions import postings
from incident_tracker.channels import CHANNELS, Channel, ChannelError, Letter, Target
from incident_tracker.channels.letters import Setup
from incident_tracker.channels.outgoing import Doorkeeper, Refused
from incident_tracker.errors import Conflict, Invalid, NotFound
from incident_tracker.models.destinations import USES, Destination, Seal, Unreadable
from incident_tracker.models.messages import is_destination_used
from incident_tracker.models.people import Person
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

__all__ = [
    "Checked", "Draft", "Target", "add", "change", "check", "delete", "kinds", "note_test", "prepare_test", "send_test", "switch_off", "switch_on", "target_of",
]


@dataclass(frozen=True)
class Draft:
    """What was entered. An empty address or secret keeps the one that is there, if there is one; `forgets_secret` does not keep the secret."""

    name: str
    address: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    person_id: int | None = None
    use: str = "always"
    forgets_secret: bool = False


@dataclass(frozen=True)
class Checked:
    """A draft whose address was looked up and may be used, whole: with what was kept or made. `made` is a secret that nobody has seen yet."""

    draft: Draft
    target: Target = field(repr=False)
    made: str = field(default="", repr=False)


def kinds() -> dict[str, Setup]:
    """What can be set up, by channel: what each asks for."""
    return {name: channel.setup for name, channel in CHANNELS.items() if channel.setup is not None}


def check(kind: str, draft: Draft, allowed: str, kept: Target | None = None) -> Checked:
    """See whether a draft can be used, which looks its address up in the network: never inside a unit of work. Raises Invalid.

    `allowed` is the setting for private targets, `kept` what is stored so far. A secret that is kept goes to no other host.
    """
    channel, setup = _channel(kind)
    kept = kept or Target()
    if draft.forgets_secret:
        kept = replace(kept, secret="")
    wrong = {} if draft.name.strip() else {"name": "Give it a name that people know it by."}
    if draft.use not in USES or (draft.use == "fallback" and draft.person_id is None):
        wrong["use"] = "Only a person's own way can be for when another one fails." if draft.use == "fallback" else "Choose when it is told."
    address = draft.address.strip() or kept.address or setup.address.default
    secret, made = draft.secret.strip(), ""
    if not secret and kept.secret and _host(address) != _host(kept.address):
        wrong |= {"secret": "The address leads to another host: enter the secret for it too."}
    secret = secret or kept.secret
    if not secret and setup.secret is not None and setup.secret.made_by is not None:
        secret = made = setup.secret.made_by()
    target = Target(address, secret, {name: draft.options.get(name, "").strip() for name in setup.options})
    # of several sentences about one field the plainest is said
    if wrong := _refused(channel, target, allowed) | _missing(setup, target) | wrong:
        raise Invalid("", **wrong)
    return Checked(draft, target, made)


def add(work: Work, kind: str, checked: Checked, seal: Seal) -> Destination:
    """Set a destination up. Warnings that fire from now on go there."""
    work.require(Permission.SET_UP_CHANNELS)
    person = _person(work, checked.draft, kind)
    destination = Destination(kind=kind, active=True, created_at=work.now, created_by_id=work.actor.id, person_id=person.id if person else None)
    _write(destination, checked, seal)
    work.session.add(destination)
    work.session.flush()
    whose = f" for {person.name}" if person else ""
    work.record("destination.add", f"{_label(kind)}: {destination.name}{whose}", subject=f"destination:{destination.id}", after=_open_part(destination))
    return destination


def change(work: Work, destination: Destination, checked: Checked, seal: Seal, version: int) -> None:
    """Change a destination; to whom it belongs stays. `version` is the one that the form was opened with. Raises Conflict."""
    work.require(Permission.SET_UP_CHANNELS)
    if destination.version != version:
        raise Conflict("Somebody else changed this destination meanwhile. Look at it again, then repeat your change.")
    if checked.draft.use == "fallback" and destination.person_id is None:
        raise Invalid(use="Only a person's own way can be for when another one fails.")
    before = _open_part(destination)
    is_elsewhere = bool(checked.draft.address.strip() or checked.draft.secret.strip() or checked.draft.forgets_secret)
    _write(destination, checked, seal)
    after = _open_part(destination)
    if is_elsewhere:
        # what an old address answered says nothing of the new one
        destination.last_error = destination.last_error_at = destination.resting_until = None
        after = after | {"address or secret": "entered anew"}
    work.record("destination.change", f"{_label(destination.kind)}: {destination.name}", subject=f"destination:{destination.id}", before=before, after=after)


def switch_off(work: Work, destination: Destination) -> None:
    """Nothing more goes there; what waits is withdrawn with the worker's next round."""
    work.require(Permission.SET_UP_CHANNELS)
    destination.active = False
    work.record("destination.switch_off", f"{_label(destination.kind)}: {destination.name}", subject=f"destination:{destination.id}")


def switch_on(work: Work, destination: Destination) -> None:
    """Warnings that fire from now on go there again."""
    work.require(Permission.SET_UP_CHANNELS)
    destination.active, destination.resting_until = True, None
    work.record("destination.switch_on", f"{_label(destination.kind)}: {destination.name}", subject=f"destination:{destination.id}")


def delete(work: Work, destination: Destination) -> None:
    """Remove a destination to which nothing was ever sent. Raises Conflict for another one: the record must stay readable."""
    work.require(Permission.SET_UP_CHANNELS)
    if is_destination_used(destination.id):
        raise Conflict("Warnings went to this destination, and the record names it: switch it off in place of deleting it.")
    before = _open_part(destination)
    work.record("destination.delete", f"{_label(destination.kind)}: {destination.name}", subject=f"destination:{destination.id}", before=before)
    work.session.delete(destination)


def prepare_test(work: Work, destination: Destination, seal: Seal, organisation: str, base_url: str) -> tuple[Letter, Target]:
    """A letter that says nothing but that it is a test, and where it goes: to be sent by `send_test` when the unit of work has ended."""
    work.require(Permission.SET_UP_CHANNELS)
    work.record("destination.test", f"{_label(destination.kind)}: {destination.name}", subject=f"destination:{destination.id}")
    link, number = base_url.rstrip("/"), f"test.{uuid4().hex}"
    text = "This is a test. Nothing is due, and nothing has to be done."
    letter = Letter("", "", f"Test from the incident tracker of {organisation}", text, "", number, "", False, work.now, kind="test", link=link)
    return letter, target_of(destination, seal)


def send_test(kind: str, letter: Letter, target: Target, settings: Any) -> tuple[bool, str, ChannelError | None]:
    """Send a test at once; whether it was taken, and what was answered. It waits for the network: never inside a unit of work."""
    try:
        with _channel(kind)[0].open(settings, target) as way:
            return True, way.send(letter), None
    except ChannelError as error:
        return False, str(error), error


def note_test(work: Work, destination: Destination, error: ChannelError | None) -> None:
    """Keep how a test came out, for the list. A test switches nothing off."""
    work.require(Permission.SET_UP_CHANNELS)
    said = f"refused: {error}" if error is not None else "taken"
    work.record("destination.test", f"{_label(destination.kind)}: {destination.name}: {said}", subject=f"destination:{destination.id}")
    postings.note_try(work, destination.id, str(error) if error is not None else None)


def target_of(destination: Destination, seal: Seal) -> Target:
    """Where a destination's letters go, unsealed. Raises Conflict where the key is lost."""
    try:
        return Target(seal.open(destination.address), seal.open(destination.secret), dict(destination.options))
    except Unreadable as error:
        raise Conflict("What was entered cannot be read: secrets.json is not the one it was saved with. Enter the address and the secret again.") from error


def _channel(kind: str) -> tuple[Channel, Setup]:
    channel = CHANNELS.get(kind)
    if channel is None or channel.setup is None:
        raise NotFound("channel")
    return channel, channel.setup


def _label(kind: str) -> str:
    return _channel(kind)[1].label


def _host(address: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname}", parts.port
    except ValueError:
        return "", None


def _missing(setup: Setup, target: Target) -> dict[str, str]:
    asked = {"address": (setup.address, target.address), "secret": (setup.secret, target.secret)}
    asked |= {name: (blank, target.options[name]) for name, blank in setup.options.items()}
    return {name: f"{blank.label} is missing." for name, (blank, value) in asked.items() if blank is not None and blank.is_needed and not value}


def _refused(channel: Channel, target: Target, allowed: str) -> dict[str, str]:
    if not target.address:
        return {}
    try:
        Doorkeeper(allowed).check(target.address)
    except Refused as error:
        return channel.check(target) | {"address": str(error)}
    return channel.check(target)


def _person(work: Work, draft: Draft, kind: str) -> Person | None:
    if draft.person_id is None:
        return None
    person = work.session.get(Person, draft.person_id)
    if person is None or not person.active:
        raise Invalid(person="Choose somebody who can sign in, or a room.")
    if work.session.scalar(select(Destination.id).where(Destination.person_id == person.id, Destination.kind == kind)):
        raise Invalid(person=f"{person.name} has a way by {_label(kind)} already: change that one.")
    return person


def _write(destination: Destination, checked: Checked, seal: Seal) -> None:
    destination.name, destination.use = checked.draft.name.strip()[:120], checked.draft.use
    destination.options = dict(checked.target.options)
    destination.address = seal.close(checked.target.address)
    destination.secret = seal.close(checked.target.secret) if checked.target.secret else None
    destination.shown = _shown(checked.target.address)


def _shown(address: str) -> str:
    """The host, and the end of an address, by which its owner knows it again."""
    parts = urlsplit(address)
    host = f"{parts.hostname}:{parts.port}" if parts.port else f"{parts.hostname}"
    rest = address.partition("://")[2].partition("/")[2].rstrip("/")
    return f"{host}, ends in {rest[-4:]}" if len(rest) >= 16 else host


def _open_part(destination: Destination) -> dict[str, Any]:
    """What may stand in the record."""
    return {
        "name": destination.name, "kind": destination.kind, "use": destination.use, "person": destination.person_id, "shown": destination.shown,
        "options": dict(destination.options),
    }
