"""How long to wait before a message is tried again, and when to give up."""

from datetime import timedelta

FIRST = timedelta(seconds=15)
#: a mail server that comes back is tried within this time, for the deadline does not wait either
LONGEST = timedelta(minutes=5)
#: with five minutes between them the tries outlast a weekend: about 75 hours
TRIES = 900


def delay(attempts: int, jitter: float, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait after so many failed tries; None after the last one.

    `jitter`, from 0 to 1, adds up to a quarter, so that many messages do not come back all at once. `asked` is how long the
    receiver wants to be left alone: it is never tried sooner.
    """
    if attempts >= TRIES:
        return None
    doubled = FIRST * 2 ** min(max(attempts, 1) - 1, 10)
    return max(min(doubled, LONGEST), asked or timedelta(0)) * (1 + jitter / 4)
