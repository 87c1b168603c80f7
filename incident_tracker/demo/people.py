"""The people of the example organisation, invited and joined as anybody would be."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher

from incident_tracker.actions import organisations
from incident_tracker.actions import people as acts
from incident_tracker.actions.people import Entry
from incident_tracker.actions.sign_ins import STRANGER
from incident_tracker.models.people import Person, person_by_email
from incident_tracker.rules.permissions import Role
from incident_tracker.work import OPERATOR, unit_of_work

WORDS = ("amber", "birch", "canal", "delta", "ember", "fjord", "grove", "harbour", "island", "jasper", "kelp", "lagoon", "meadow", "north", "orchard", "pier")


@dataclass(frozen=True)
class LogIn:
    """What is printed once: how to sign in as one of them."""

    name: str
    email: str
    roles: tuple[str, ...]
    password: str


def hire(profile: Mapping[str, Any], base_url: str, now: datetime) -> list[LogIn]:
    """Bring everybody in, and fill in the organisation's profile; the administrator comes first, by the set-up link."""
    first, *others = sorted(profile["people"], key=lambda one: Role.ADMINISTRATOR not in one["roles"])
    log_ins = [_log_in(one) for one in (first, *others)]
    with unit_of_work(OPERATOR, now) as work:
        link = acts.make_setup_link(work)
    with unit_of_work(STRANGER, now) as work:
        acts.accept_setup(work, link.rsplit("/", 1)[1], first["email"], _entry(log_ins[0]), handles_incidents=False)
    for log_in in log_ins[1:]:
        with unit_of_work(_person(first["email"]), now) as work:
            _, link = acts.invite(work, log_in.email, log_in.roles, base_url)
        with unit_of_work(STRANGER, now) as work:
            acts.accept_invitation(work, link.rsplit("/", 1)[1], _entry(log_in))
    with unit_of_work(_person(first["email"]), now) as work:
        organisations.set_profile(work, profile["profile"])
    return log_ins


def _log_in(one: Mapping[str, Any]) -> LogIn:
    password = "-".join(secrets.choice(WORDS) for _ in range(4)) + f"-{secrets.randbelow(9000) + 1000}"
    return LogIn(one["name"], one["email"], tuple(one["roles"]), password)


def _entry(log_in: LogIn) -> Entry:
    return Entry(log_in.name, "Europe/Berlin", PasswordHasher().hash(log_in.password))


def _person(email: str) -> Person:
    found = person_by_email(email)
    assert found is not None
    return found
