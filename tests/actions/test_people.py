"""Who belongs to the tracker: the actions themselves, on both databases, also at the same moment."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from incident_tracker.actions import accounts, people, sign_ins
from incident_tracker.errors import Conflict, Invalid, NotAllowed, NotFound, TrackerError
from incident_tracker.models.base import db
from incident_tracker.models.messages import Message
from incident_tracker.models.people import Invitation, Passkey, Person, active_people
from incident_tracker.models.sign_ins import Spent, Throttle
from incident_tracker.rules import throttles
from incident_tracker.work import CLOCKWORK, OPERATOR, unit_of_work
from tests.doors import look, trail
from tests.stories import FRIDAY, person

pytestmark = pytest.mark.usefixtures("app")

ENTRY = people.Entry("Nora Lang", "Europe/Vienna", "$argon2id$of-no-use")
MADE = accounts.NewPasskey(b"credential", b"key", 0, False, "single_device", ["internal"], "handle")


def at_once(app: Flask, *acts: Callable[[], Any]) -> list[Any]:
    """Do all of it at the same moment, each on its own connection; what came of each, in order."""
    gate, came = threading.Barrier(len(acts)), [None] * len(acts)
    # the very first entry makes the head of the trail; that two of them might meet is not what is asked here
    with unit_of_work(person("adam")) as work:
        work.record("trail.begin", "the trail begins")

    def run(place: int, act: Callable[[], Any]) -> None:
        with app.app_context():
            gate.wait()
            try:
                came[place] = act()
            except TrackerError as error:
                came[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return came


def make_administrator(name: str) -> None:
    with unit_of_work(person("adam"), FRIDAY) as work:
        people.change_roles(work, person(name), ["administrator"])


def switch_off(by: str, whom: str) -> None:
    with unit_of_work(person(by), FRIDAY) as work:
        people.switch_off(work, person(whom))


@pytest.mark.parametrize("name", ["ines", "laura", "mona", "olga"])
def test_only_an_administrator_manages_people(name: str) -> None:
    otto = person("otto")
    for act in (
        lambda work: people.invite(work, "x@y.example", ["legal"], ""), lambda work: people.change_roles(work, otto, ["legal"]), lambda work: people.switch_off(work, otto),
        lambda work: people.switch_on(work, otto), lambda work: people.reset_second_factor(work, otto), lambda work: people.offer_password_link(work, otto, str, ""),
        people.make_setup_link,
    ):
        with pytest.raises(NotAllowed), unit_of_work(person(name)) as work:
            act(work)
    assert trail() == []


def test_a_stranger_may_manage_nobody() -> None:
    with pytest.raises(NotAllowed), unit_of_work(sign_ins.STRANGER) as work:
        people.invite(work, "x@y.example", ["legal"], "")


def test_the_operator_at_the_machine_can_reset_a_second_factor() -> None:
    with unit_of_work(OPERATOR) as work:
        people.reset_second_factor(work, person("adam"))
    assert trail("person.reset_second_factor")[-1].actor_name == "the operator"


def test_two_administrators_who_remove_each_other_leave_one(app: Flask) -> None:
    make_administrator("ines")
    came = at_once(app, lambda: switch_off("adam", "ines"), lambda: switch_off("ines", "adam"))
    assert sum(isinstance(one, Invalid | NotAllowed) for one in came) == 1
    db.session.rollback()
    assert len(active_people("administrator")) == 1


def test_two_who_open_one_invitation_at_once_make_one_person(app: Flask) -> None:
    with unit_of_work(person("adam")) as work:
        secret = people.invite(work, "nora@harbour.example", ["legal"], "")[1].rpartition("/")[2]

    def accept() -> None:
        with unit_of_work(sign_ins.STRANGER) as work:
            people.accept_invitation(work, secret, ENTRY)

    came = at_once(app, accept, accept, accept)
    assert sum(isinstance(one, Conflict) for one in came) == 2
    db.session.rollback()
    assert db.session.query(Person).filter_by(email="nora@harbour.example").count() == 1


def test_one_code_sent_many_times_at_once_counts_once(app: Flask) -> None:
    def use() -> bool:
        with unit_of_work(sign_ins.STRANGER) as work:
            return sign_ins.use_code(work, person("ines"), 59_000_001)

    assert sorted(at_once(app, *[use] * 6)) == [False] * 5 + [True]


def test_one_recovery_code_sent_many_times_at_once_counts_once(app: Flask) -> None:
    person("ines").mf_recovery_codes = ["aaaa", "bbbb"]
    db.session.commit()

    def use() -> bool:
        with unit_of_work(person("ines")) as work:
            return sign_ins.use_recovery_code(work, person("ines"), "aaaa", lambda sealed: sealed)

    assert sorted(at_once(app, *[use] * 6)) == [False] * 5 + [True]
    assert look("ines").mf_recovery_codes == ["bbbb"]


def test_one_answer_of_a_passkey_counts_once(app: Flask) -> None:
    with unit_of_work(person("ines"), FRIDAY) as work:
        accounts.add_passkey(work, "laptop", MADE, "first challenge")

    def use() -> bool:
        with unit_of_work(person("ines")) as work:
            return sign_ins.use_passkey(work, db.session.query(Passkey).one(), "second challenge", 0, False)

    assert sorted(at_once(app, *[use] * 4)) == [False] * 3 + [True]


def test_many_tries_at_once_are_all_counted(app: Flask) -> None:
    bucket = throttles.bucket("account", "ines@harbour.example")

    def guess() -> None:
        with unit_of_work(sign_ins.STRANGER, FRIDAY) as work:
            sign_ins.count_try(work, {bucket}, "198.51.100.7")

    came = at_once(app, *[guess] * 8)
    assert sum(one is None for one in came) == 5
    db.session.rollback()
    row = db.session.get(Throttle, bucket)
    assert row is not None
    assert (row.failures, row.closed_until) == (5, FRIDAY + timedelta(minutes=1))


def test_after_an_hour_without_a_failure_counting_begins_anew() -> None:
    bucket = throttles.bucket("account", "x")
    for moment in (FRIDAY, FRIDAY, FRIDAY + timedelta(minutes=61)):
        with unit_of_work(sign_ins.STRANGER, moment) as work:
            sign_ins.count_try(work, {bucket}, "198.51.100.7")
    row = db.session.get(Throttle, bucket)
    assert row is not None
    assert row.failures == 1


def test_what_no_longer_matters_is_forgotten() -> None:
    with unit_of_work(sign_ins.STRANGER, FRIDAY) as work:
        sign_ins.count_try(work, {throttles.bucket("account", "x")}, "198.51.100.7")
    with unit_of_work(person("ines"), FRIDAY) as work:
        sign_ins.sign_out(work, "a session", FRIDAY + timedelta(hours=13))
        sign_ins.park_form(work, person("ines"), "/x", "sealed")
    with unit_of_work(CLOCKWORK, FRIDAY + timedelta(hours=12)) as work:
        assert sign_ins.forget_old(work) == 0
    with unit_of_work(CLOCKWORK, FRIDAY + timedelta(hours=25)) as work:
        assert sign_ins.forget_old(work) == 3
    assert db.session.query(Spent).count() == 0


def test_a_new_invitation_to_an_address_ends_the_one_before() -> None:
    for _ in range(2):
        with unit_of_work(person("adam"), FRIDAY) as work:
            people.invite(work, "nora@harbour.example", ["legal"], "")
    first, second = db.session.query(Invitation).order_by(Invitation.id)
    assert (first.is_open(FRIDAY), second.is_open(FRIDAY)) == (False, True)
    assert len(trail("person.revoke_invitation")) == 1


def test_an_invitation_is_queued_with_its_link_and_end() -> None:
    with unit_of_work(person("adam"), FRIDAY) as work:
        _, link = people.invite(work, "nora@harbour.example", ["legal"], "https://breaches.harbour.example/")
    assert link.startswith("https://breaches.harbour.example/invitation/")
    message = db.session.query(Message).one()
    assert (message.address, message.content["link"], message.content["by"]) == ("nora@harbour.example", link, "Adam Novak")
    assert message.content["until"] == (FRIDAY + timedelta(days=7)).isoformat()


def test_what_an_administrator_who_leaves_had_invited_ends() -> None:
    make_administrator("ines")
    with unit_of_work(person("ines"), FRIDAY) as work:
        people.invite(work, "nora@harbour.example", ["administrator"], "")
    switch_off("adam", "ines")
    assert not db.session.query(Invitation).one().is_open(FRIDAY)


def test_a_second_factor_is_set_by_its_owner_alone() -> None:
    with pytest.raises(NotFound), unit_of_work(person("adam")) as work:
        accounts.set_up_second_factor(work, person("ines"), "secret", 1, [])


def test_a_passkey_is_named_and_removed_by_its_owner_alone() -> None:
    with unit_of_work(person("ines"), FRIDAY) as work:
        number = accounts.add_passkey(work, "laptop", MADE, "challenge").id
    for act in (lambda work: accounts.rename_passkey(work, number, "mine"), lambda work: accounts.remove_passkey(work, number)):
        with pytest.raises(NotFound), unit_of_work(person("adam")) as work:
            act(work)
    with unit_of_work(person("ines")) as work:
        accounts.rename_passkey(work, number, "work laptop")
        assert accounts.remove_passkey(work, number) == "work laptop"
    assert [entry.action for entry in trail()] == ["account.add_passkey", "account.rename_passkey", "account.remove_passkey"]


@pytest.mark.parametrize("name", ["", "   ", "laptop", "x" * 61])
def test_a_passkey_has_a_name_of_its_own(name: str) -> None:
    with unit_of_work(person("ines")) as work:
        accounts.add_passkey(work, "laptop", MADE, "challenge")
    with pytest.raises(Invalid), unit_of_work(person("ines")) as work:
        accounts.add_passkey(work, name, accounts.NewPasskey(b"other", b"key", 0, False, "single_device", [], "handle"), "other challenge")


def test_one_passkey_belongs_to_one_person() -> None:
    with unit_of_work(person("ines")) as work:
        accounts.add_passkey(work, "laptop", MADE, "challenge")
    with pytest.raises(Conflict), unit_of_work(person("ravi")) as work:
        accounts.add_passkey(work, "laptop", MADE, "other challenge")


def test_a_password_link_and_a_session_end_together() -> None:
    """The link names the identity that it was made for; after any change of that it is worth nothing."""
    before = person("ines").fs_uniquifier
    with unit_of_work(person("ines")) as work:
        accounts.sign_out_everywhere(work)
    with pytest.raises(Conflict), unit_of_work(sign_ins.STRANGER) as work:
        accounts.reset_password(work, person("ines"), before, "$argon2id$of-no-use")


@pytest.mark.parametrize(("name", "zone"), [("", "UTC"), ("x" * 121, "UTC"), ("Nora", "Mars/Olympus"), ("Nora", "../../etc/passwd")])
def test_nobody_joins_with_a_name_or_zone_that_is_none(name: str, zone: str) -> None:
    with unit_of_work(person("adam")) as work:
        secret = people.invite(work, "nora@harbour.example", ["legal"], "")[1].rpartition("/")[2]
    with pytest.raises(Invalid), unit_of_work(sign_ins.STRANGER) as work:
        people.accept_invitation(work, secret, people.Entry(name, zone, "hash"))
    db.session.rollback()
    assert db.session.query(Invitation).one().used_at is None


def test_a_link_of_one_kind_does_nothing_of_the_other() -> None:
    """An invitation makes no administrator, and the set-up link takes no role from an invitation."""
    with unit_of_work(person("adam")) as work:
        invitation = people.invite(work, "nora@harbour.example", ["legal"], "")[1].rpartition("/")[2]
    person("adam").active = False
    db.session.commit()
    with unit_of_work(OPERATOR) as work:
        set_up = people.make_setup_link(work).rpartition("/")[2]
    with pytest.raises(Conflict), unit_of_work(sign_ins.STRANGER) as work:
        people.accept_setup(work, invitation, "nora@harbour.example", ENTRY, handles_incidents=True)
    with pytest.raises(Conflict), unit_of_work(sign_ins.STRANGER) as work:
        people.accept_invitation(work, set_up, ENTRY)
    assert db.session.query(Person).filter_by(name="Nora Lang").count() == 0
