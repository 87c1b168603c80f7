"""Guessing: counted in the database, for the address and for the account, in however many processes it happens."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from incident_tracker import clock
from incident_tracker.config import Config
from incident_tracker.models.base import db
from incident_tracker.models.sign_ins import Throttle
from incident_tracker.web.identity import identity
from tests.cast import PASSWORD
from tests.doors import (
    WRONG,
    code,
    enter_code,
    enter_password,
    forget_codes,
    give_app,
    give_password,
    is_in,
    other_code,
    switch_mail_on,
    trail,
    walk_in,
)
from tests.stories import person

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}
ROOT = Path(__file__).resolve().parents[2]


def guess(client: Any, name: str, times: int, **kwargs: Any) -> list[int]:
    return [enter_password(client, name, WRONG, **kwargs).status_code for _ in range(times)]


def test_the_sixth_wrong_password_has_to_wait(browse: Any) -> None:
    give_app("ines")
    assert guess(browse(), "ines", 6) == [422, 422, 422, 422, 422, 429]


def test_the_page_says_how_long_to_wait(browse: Any) -> None:
    give_app("ines")
    client = browse()
    with time_machine.travel(clock.now(), tick=False):
        guess(client, "ines", 5)
        answer = enter_password(client, "ines", WRONG)
    assert "Try again in 1 minute." in answer.text
    assert answer.headers["Retry-After"] == "60"


def test_the_right_password_has_to_wait_as_well_and_works_after_that(browse: Any) -> None:
    secret, client, start = give_app("ines"), browse(), clock.now()
    with time_machine.travel(start, tick=False):
        guess(client, "ines", 5)
        assert enter_password(client, "ines", PASSWORD).status_code == 429
    with time_machine.travel(start + timedelta(seconds=61)):
        walk_in(client, "ines", secret)
        assert is_in(client)
    assert not [row for row in db.session.query(Throttle) if row.bucket.startswith("account")]


def test_waiting_people_do_not_wait_longer_for_what_strangers_try_meanwhile(browse: Any) -> None:
    give_app("ines")
    client, start = browse(), clock.now()
    with time_machine.travel(start, tick=False):
        guess(client, "ines", 5)
    with time_machine.travel(start + timedelta(seconds=30), tick=False):
        assert set(guess(client, "ines", 20)) == {429}
    with time_machine.travel(start + timedelta(seconds=61), tick=False):
        assert enter_password(client, "ines", PASSWORD).status_code == 302


def test_an_account_that_does_not_exist_closes_in_the_same_way(browse: Any) -> None:
    give_app("ines")
    assert guess(browse(), "ines", 7) == guess(browse(), "nobody", 7)


def test_guessing_from_elsewhere_does_not_keep_somebody_out_of_a_device_they_know(browse: Any) -> None:
    """Else a stranger could lock an officer out for as long as they like."""
    secret, own = give_app("ines"), browse()
    walk_in(own, "ines", secret)
    own.post("/sign-out")
    assert guess(browse(), "ines", 6, environ_base=ELSEWHERE)[-1] == 429
    assert enter_password(own, "ines", PASSWORD).status_code == 302


def test_an_address_that_is_closed_does_not_close_the_devices_behind_it(browse: Any) -> None:
    """One guesser in the office, or a proxy that nobody told the tracker of, must not keep everybody out."""
    secret, own = give_app("ines"), browse()
    walk_in(own, "ines", secret)
    own.post("/sign-out")
    for number in range(20):
        enter_password(browse(), f"name{number}", WRONG)
    assert enter_password(browse(), "ravi", PASSWORD).status_code == 429
    forget_codes("ines")
    walk_in(own, "ines", secret)
    assert is_in(own)


def test_a_known_device_of_one_person_is_none_of_another(browse: Any) -> None:
    secret, own = give_app("ines"), browse()
    give_app("ravi")
    walk_in(own, "ines", secret)
    own.post("/sign-out")
    guess(browse(), "ravi", 5, environ_base=ELSEWHERE)
    assert enter_password(own, "ravi", PASSWORD).status_code == 429


def test_a_device_cookie_that_we_did_not_sign_is_worth_nothing(browse: Any) -> None:
    give_app("ines")
    guess(browse(), "ines", 5, environ_base=ELSEWHERE)
    client = browse()
    client.set_cookie("tracker_device", f'["{person("ines").id}","forged"]', domain="localhost")
    assert enter_password(client, "ines", PASSWORD).status_code == 429


def test_one_address_cannot_go_through_many_accounts(browse: Any) -> None:
    client = browse()
    answers = [enter_password(client, f"name{number}", WRONG).status_code for number in range(21)]
    assert answers == [422] * 20 + [429]
    assert enter_password(browse(), "name99", WRONG, environ_base=ELSEWHERE).status_code == 422


def test_one_good_account_does_not_cover_for_guessing_at_others(browse: Any) -> None:
    secret, client = give_app("otto"), browse()
    for number in range(19):
        enter_password(client, f"name{number}", WRONG)
    walk_in(client, "otto", secret)
    client.post("/sign-out")
    assert [enter_password(client, f"more{number}", WRONG).status_code for number in range(2)] == [422, 429]


def test_a_whole_network_of_one_customer_counts_as_one_address(browse: Any) -> None:
    for number in range(20):
        enter_password(browse(), f"name{number}", WRONG, environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"})
    assert enter_password(browse(), "name", WRONG, environ_base={"REMOTE_ADDR": "2001:db8:1:2:ffff::1"}).status_code == 429
    assert enter_password(browse(), "name", WRONG, environ_base={"REMOTE_ADDR": "2001:db8:1:3::1"}).status_code == 422


def test_codes_cannot_be_guessed_either(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    enter_password(client, "ines")
    wrong = other_code(secret)
    assert [enter_code(client, wrong).status_code for _ in range(6)] == [422, 422, 422, 422, 422, 429]
    assert enter_code(client, code(secret)).status_code == 429
    assert not is_in(client)


def test_signing_in_anew_gives_no_new_tries_for_the_code(browse: Any) -> None:
    secret = give_app("ines")
    wrong = other_code(secret)
    answers = []
    for _ in range(6):
        client = browse()
        enter_password(client, "ines")
        answers.append(enter_code(client, wrong).status_code)
    assert answers == [422] * 5 + [429]


def test_recovery_codes_share_the_tries_of_the_codes(browse: Any) -> None:
    secret, client = give_app("ines"), browse()
    plain, sealed = identity().mf_recovery_codes_util.make()
    person("ines").mf_recovery_codes = sealed
    db.session.commit()
    enter_password(client, "ines")
    for _ in range(3):
        enter_code(client, other_code(secret))
    answers = [client.post("/sign-in/recovery-code", data={"code": "0000-0000-0000"}).status_code for _ in range(3)]
    assert answers == [422, 422, 429]
    assert client.post("/sign-in/recovery-code", data={"code": plain[0]}).status_code == 429


def test_the_present_password_cannot_be_guessed_at_an_unlocked_screen(browse: Any) -> None:
    give_password("ines")
    client = browse("ines")
    answers = [client.post("/me/confirm", data={"password": WRONG}).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_links_for_new_passwords_are_not_mailed_without_end(browse: Any, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_mail_on(app, monkeypatch)
    answers = [browse().post("/forgotten-password", data={"email": "ines@harbour.example"}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_closing_is_recorded_once_and_tries_during_the_wait_are_not(browse: Any) -> None:
    give_app("ines")
    guess(browse(), "ines", 12)
    assert len(trail("sign_in.throttle")) == 1
    assert len(trail("sign_in.fail")) == 5


GUESSER = """
import sys
from pathlib import Path
from incident_tracker.config import from_environment
from incident_tracker.factory import create_app
from tests.doors import enter_password, forget_codes, give_password
from tests.visitor import Visitor

app = create_app(from_environment({}, instance=Path(sys.argv[1]), database_url=sys.argv[2], testing=True, log_level="CRITICAL"))
app.test_client_class = Visitor
app.app_context().push()
print("ready", flush=True)
sys.stdin.readline()
print(*[enter_password(app.test_client(), "ines", "wrong password number %d" % number).status_code for number in range(12)], flush=True)
"""


@pytest.mark.slow
def test_two_processes_together_have_no_more_tries_than_one(browse: Any, config: Config, database_url: str) -> None:
    give_app("ines")
    start = [sys.executable, "-c", GUESSER, str(config.instance), database_url]
    guessers = [subprocess.Popen(start, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in guessers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    answers = []
    for one in guessers:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in guessers:
        said, _ = one.communicate(timeout=60)
        answers += said.split()
    assert sorted(answers) == ["422"] * 5 + ["429"] * 19
