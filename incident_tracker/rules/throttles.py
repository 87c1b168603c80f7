"""How often something may be tried before it has to wait, and for how long. Pure: numbers in, moments out."""

import hashlib
from datetime import datetime, timedelta

#: failures until a bucket closes, by its kind. An address may be a whole office; the rest is one person's.
LIMITS = {"address": 20, "account": 5, "device": 5, "code": 5, "confirm": 5, "reset": 3, "passkey": 20, "token": 20}

#: how long it stays closed after the last allowed failure, and after each one more. It never grows beyond the last:
#: whoever tries on somebody else's name must not be able to lock them out for good.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))

#: without a failure for so long, a bucket counts from nothing again
QUIET = timedelta(hours=1)


def bucket(kind: str, name: str) -> str:
    """The key under which tries are counted, `account:3f…`. The name is hashed: a password may have been typed as a name."""
    if kind not in LIMITS:
        raise ValueError(f"{kind} is no kind of bucket")
    return f"{kind}:{hashlib.sha256(name.encode()).hexdigest()[:48]}"


def closed_until(kind: str, failures: int, now: datetime) -> datetime | None:
    """Until when a bucket is closed after so many failures, the last of them at `now`; None while it stays open."""
    over = failures - LIMITS[kind]
    return now + PAUSES[min(over, len(PAUSES) - 1)] if over >= 0 else None


def network(address: str | None) -> str:
    """What of an address tries are counted for: all of an IPv4 one, of an IPv6 one the part that one customer has."""
    found = address or "unknown"
    return ":".join(found.split(":")[:4]) + "::/64" if ":" in found else found
