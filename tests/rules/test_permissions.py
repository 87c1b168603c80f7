"""Who may do what: the roles' rights, incidents that are closed to most, and actors that are no persons."""

from dataclasses import dataclass, field

import pytest

from incident_tracker.rules.permissions import Permission, Role, may, may_see, own_permissions

EVERYBODY = "administrator officer legal manager auditor"
RIGHTS = {
    Permission.REPORT: "officer legal manager",
    Permission.READ: "officer legal manager auditor",
    Permission.EDIT: "officer legal",
    Permission.CHANGE_STAGE: "officer legal",
    Permission.ASSIGN: "officer legal manager",
    Permission.RESTRICT: "officer legal manager",
    Permission.RECORD_FACTS: "officer legal",
    Permission.DECIDE: "officer legal",
    Permission.APPROVE_DECISION: "legal manager",
    Permission.FOLLOW_CHECKLIST: "officer legal manager",
    Permission.WRITE_NOTICE: "officer legal",
    Permission.REVIEW_NOTICE: "legal",
    Permission.FILE_NOTICE: "officer legal",
    Permission.ADD_EVIDENCE: "officer legal",
    Permission.ACKNOWLEDGE: "officer legal manager",
    Permission.SEND_AGAIN: "officer legal manager",
    Permission.READ_AUDIT: "officer legal manager auditor",
    Permission.MANAGE_PEOPLE: "administrator",
    Permission.EDIT_ORGANISATION: "administrator legal",
    Permission.EDIT_SELF: EVERYBODY,
    Permission.ENTER: EVERYBODY,
    Permission.RUN_CLOCKWORK: "",
}


@dataclass
class Somebody:
    role_names: frozenset[str]
    id: int | None = 1
    active: bool = True


@dataclass
class Clockwork:
    own_permissions: frozenset[Permission] | None
    id: int | None = None
    active: bool = True
    role_names: frozenset[str] = frozenset({"legal"})


@dataclass
class Case:
    restricted: bool = False
    member_ids: set[int] = field(default_factory=set)


def somebody(*roles: str, **more: bool) -> Somebody:
    return Somebody(frozenset(roles), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("permission", "roles"), RIGHTS.items())
def test_a_permission_is_for_these_roles_and_for_no_others(permission: Permission, roles: str) -> None:
    assert {role.value for role in Role if may(somebody(role.value), permission)} == set(roles.split())


def test_who_holds_several_roles_may_what_any_of_them_may() -> None:
    assert may(somebody("auditor", "administrator"), Permission.MANAGE_PEOPLE)
    assert may(somebody("auditor", "administrator"), Permission.READ)
    assert not may(somebody(), Permission.EDIT_SELF)


def test_an_incident_is_open_to_all_readers_until_it_is_restricted() -> None:
    for role in ("officer", "legal", "manager", "auditor"):
        assert may_see(somebody(role), Case())
        assert not may_see(somebody(role), Case(restricted=True))
    assert not may_see(somebody("administrator"), Case())


def test_who_is_on_an_incident_sees_it_whatever_the_role() -> None:
    assert may_see(somebody(), Case(restricted=True, member_ids={1}))
    assert may(somebody(), Permission.READ, Case(restricted=True, member_ids={1}))
    assert not may(somebody(), Permission.READ, Case(restricted=True, member_ids={2}))


def test_on_an_incident_one_may_only_what_one_s_roles_allow() -> None:
    assert not may(somebody("auditor"), Permission.EDIT, Case(member_ids={1}))
    assert may(somebody("officer"), Permission.EDIT, Case(member_ids={1}))
    assert not may(somebody("officer"), Permission.EDIT, Case(restricted=True))


def test_who_has_left_may_nothing() -> None:
    gone = somebody("legal", active=False)
    assert may_see(gone, Case(member_ids={1})) is False
    assert may(gone, Permission.EDIT_SELF) is False
    assert may(somebody("legal"), Permission.READ, Case(restricted=True)) is False


def test_the_clockwork_may_what_it_carries_and_nothing_by_role() -> None:
    worker = Clockwork(frozenset({Permission.RUN_CLOCKWORK, Permission.READ}))
    assert may(worker, Permission.RUN_CLOCKWORK)
    assert not may(worker, Permission.EDIT)
    assert may_see(worker, Case(restricted=True))
    assert not may_see(Clockwork(frozenset({Permission.RUN_CLOCKWORK})), Case())
    assert own_permissions(Clockwork(None)) is None
    assert may(Clockwork(None), Permission.EDIT)
