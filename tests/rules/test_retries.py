"""How long a message waits for its next try, and when it is given up."""

from datetime import timedelta

from incident_tracker.rules import retries


def test_it_tries_again_soon_and_then_less_often():
    assert [retries.delay(attempts, 0) for attempts in (1, 2, 3)] == [timedelta(seconds=15), timedelta(seconds=30), timedelta(seconds=60)]


def test_it_never_waits_longer_than_a_deadline_can_bear():
    assert max(retries.delay(attempts, 1) for attempts in range(1, retries.TRIES)) == timedelta(minutes=6, seconds=15)


def test_it_gives_up_after_the_last_try_and_not_before_a_weekend_is_over():
    assert retries.delay(retries.TRIES, 0) is None
    assert sum((retries.delay(attempts, 0) for attempts in range(1, retries.TRIES)), timedelta(0)) > timedelta(hours=72)


def test_it_spreads_the_tries_of_many_messages():
    assert retries.delay(5, 0.0) < retries.delay(5, 0.5) < retries.delay(5, 1.0)


def test_the_nine_hundredth_failure_is_the_last():
    assert retries.delay(899, 0) == timedelta(minutes=5)
    assert retries.delay(900, 0) is None


def test_before_the_first_failure_and_after_it_the_wait_is_the_same():
    assert retries.delay(0, 0) == retries.delay(1, 0) == timedelta(seconds=15)
    assert retries.delay(1, 1) == timedelta(seconds=18.75)


def test_it_leaves_a_receiver_alone_for_as_long_as_that_one_asks():
    assert retries.delay(1, 0, timedelta(hours=1)) == timedelta(hours=1)
    assert retries.delay(1, 0, timedelta(seconds=1)) == timedelta(seconds=15)
