"""Who may do what: one table of grants, one pure question."""

from collections.abc import Collection
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a person may do in general. A person can hold several."""

    ADMINISTRATOR = "administrator"
    OFFICER = "officer"
    LEGAL = "legal"
    MANAGER = "manager"
    AUDITOR = "auditor"


ROLE_MEANINGS = {
    Role.ADMINISTRATOR: "runs the tracker: people, roles, channels, the organisation's profile",
    Role.OFFICER: "logs and handles incidents, runs checklists, drafts notices, records filings",
    Role.LEGAL: "reviews notices, decides with reasons, does all an officer may",
    Role.MANAGER: "watches deadlines, assigns owners, approves decisions",
    Role.AUDITOR: "reads, and changes nothing",
}


class Permission(StrEnum):
    """One thing that somebody may do."""

    REPORT = "incident.report"
    READ = "incident.read"
    EDIT = "incident.edit"
    CHANGE_STAGE = "incident.change_stage"
    ASSIGN = "incident.assign"
    RESTRICT = "incident.restrict"
    RECORD_FACTS = "fact.record"
    DECIDE = "duty.decide"
    APPROVE_DECISION = "duty.approve"
    FOLLOW_CHECKLIST = "checklist.follow"
    WRITE_NOTICE = "notice.write"
    REVIEW_NOTICE = "notice.review"
    FILE_NOTICE = "notice.file"
    ADD_EVIDENCE = "evidence.add"
    ACKNOWLEDGE = "alert.acknowledge"
    SEND_AGAIN = "alert.send_again"
    KEEP_ROTA = "rota.keep"
    READ_AUDIT = "audit.read"
    MANAGE_PEOPLE = "people.manage"
    SET_UP_CHANNELS = "channels.set_up"
    EDIT_ORGANISATION = "organisation.edit"
    EDIT_SELF = "self.edit"
    ENTER = "door.enter"
    RUN_CLOCKWORK = "clockwork.run"


_RESPONDERS = frozenset({Role.OFFICER, Role.LEGAL})
_READERS = frozenset({Role.OFFICER, Role.LEGAL, Role.MANAGER, Role.AUDITOR})
_ANYONE = frozenset(Role)

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.REPORT: frozenset({Role.OFFICER, Role.LEGAL, Role.MANAGER}),
    Permission.READ: _READERS,
    Permission.EDIT: _RESPONDERS,
    Permission.CHANGE_STAGE: _RESPONDERS,
    Permission.ASSIGN: _RESPONDERS | {Role.MANAGER},
    Permission.RESTRICT: _RESPONDERS | {Role.MANAGER},
    Permission.RECORD_FACTS: _RESPONDERS,
    Permission.DECIDE: _RESPONDERS,
    Permission.APPROVE_DECISION: frozenset({Role.LEGAL, Role.MANAGER}),
    Permission.FOLLOW_CHECKLIST: _RESPONDERS | {Role.MANAGER},
    Permission.WRITE_NOTICE: _RESPONDERS,
    Permission.REVIEW_NOTICE: frozenset({Role.LEGAL}),
    Permission.FILE_NOTICE: _RESPONDERS,
    Permission.ADD_EVIDENCE: _RESPONDERS,
    Permission.ACKNOWLEDGE: _RESPONDERS | {Role.MANAGER},
    Permission.SEND_AGAIN: _RESPONDERS | {Role.MANAGER},
    Permission.KEEP_ROTA: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Permission.READ_AUDIT: frozenset({Role.AUDITOR, Role.LEGAL, Role.MANAGER, Role.OFFICER}),
    Permission.MANAGE_PEOPLE: frozenset({Role.ADMINISTRATOR}),
    Permission.SET_UP_CHANNELS: frozenset({Role.ADMINISTRATOR}),
    Permission.EDIT_ORGANISATION: frozenset({Role.ADMINISTRATOR, Role.LEGAL}),
    Permission.EDIT_SELF: _ANYONE,
    Permission.ENTER: _ANYONE,
    Permission.RUN_CLOCKWORK: frozenset(),
}


class Actor(Protocol):
    """Somebody who acts: a person, or the tracker's own clockwork or operator, who carry `own_permissions`."""

    @property
    def id(self) -> int | None: ...

    @property
    def active(self) -> bool: ...

    @property
    def role_names(self) -> Collection[str]: ...


class Guarded(Protocol):
    """What `may` asks of an incident."""

    restricted: bool

    @property
    def member_ids(self) -> Collection[int]: ...


def may_see(actor: Actor, incident: Guarded) -> bool:
    """Whether `actor` may know of `incident` at all.

    Members always do. Everybody with a role that reads incidents does unless it is restricted: then being on it is the
    only way, whatever the role, for the incident may be about an administrator or an auditor.
    """
    if not actor.active:
        return False
    own = own_permissions(actor)
    if own is not None:
        return Permission.READ in own
    # first what costs nothing to know: most incidents are open to all readers
    if not incident.restricted and GRANTS[Permission.READ].intersection(actor.role_names):
        return True
    return actor.id in incident.member_ids


def may(actor: Actor, permission: Permission, incident: Guarded | None = None) -> bool:
    """Whether `actor` may use `permission`, on `incident` where one is concerned."""
    if not actor.active:
        return False
    own = own_permissions(actor)
    if own is not None:
        return permission in own
    if incident is not None and not may_see(actor, incident):
        return False
    if permission is Permission.READ and incident is not None:
        return True
    return bool(GRANTS[permission].intersection(actor.role_names))


def own_permissions(actor: Actor) -> frozenset[Permission] | None:
    """What an actor that is no person may do by itself; None for a person, whose roles decide."""
    found: frozenset[Permission] | None = getattr(actor, "own_permissions", None)
    return found
