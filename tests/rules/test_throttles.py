"""How often one may try, and how long one waits then."""

from datetime import UTC, datetime, timedelta

import pytest

from incident_tracker.rules import throttles

NOW = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)


def test_an_account_stays_open_for_four_failures_and_closes_with_the_fifth() -> None:
    assert [throttles.closed_until("account", failures, NOW) for failures in range(1, 5)] == [None] * 4
    assert throttles.closed_until("account", 5, NOW) == NOW + timedelta(minutes=1)


def test_the_wait_grows_and_ends_growing_at_a_quarter_of_an_hour() -> None:
    waits = [throttles.closed_until("code", failures, NOW) for failures in (5, 6, 7, 8, 9, 10, 1000)]
    assert [wait - NOW for wait in waits if wait] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 15, 15)]


def test_a_bucket_does_not_tell_what_was_typed() -> None:
    made = throttles.bucket("account", "hunter2 typed into the wrong field")
    assert made.startswith("account:")
    assert "hunter2" not in made
    assert len(made) <= 80


def test_a_bucket_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind"):
        throttles.bucket("planet", "earth")


@pytest.mark.parametrize(("kind", "tries"), [("address", 20), ("account", 5), ("device", 5), ("code", 5), ("confirm", 5), ("reset", 3), ("passkey", 20), ("token", 20)])
def test_each_kind_of_bucket_closes_after_its_own_number_of_failures(kind: str, tries: int) -> None:
    assert throttles.closed_until(kind, tries - 1, NOW) is None
    assert throttles.closed_until(kind, tries, NOW) == NOW + timedelta(minutes=1)
    assert throttles.bucket(kind, "x").startswith(f"{kind}:")
    assert len(throttles.bucket(kind, "x")) == len(kind) + 49


def test_an_hour_without_a_failure_is_quiet() -> None:
    assert timedelta(hours=1) == throttles.QUIET


@pytest.mark.parametrize(
    ("address", "counted"),
    [(None, "unknown"), ("", "unknown"), ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2:9:9:9:9", "2001:db8:1:2::/64")],
)
def test_tries_are_counted_for_what_one_customer_has(address: str | None, counted: str) -> None:
    assert throttles.network(address) == counted
