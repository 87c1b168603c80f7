"""The duties of an incident, put together for its page: by when they are due, or by whom they are owed to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from incident_tracker.models.duties import Duty

#: heading of the part, and how far from now its deadlines lie
SPANS = (
    ("soon", "Due within 24 hours", timedelta(days=1)),
    ("week", "Due within 7 days", timedelta(days=7)),
    ("later", "Due later", timedelta.max),
)
STANDING = {"held": "waiting", "not_started": "waiting", "undecided": "undecided", "running": "running"}


@dataclass
class Part:
    """Duties under one heading, the most urgent first; `hint` is a sentence below it."""

    key: str
    heading: str
    hint: str = ""
    duties: list[Duty] = field(default_factory=list)


def standing_of(duty: Duty) -> str:
    """running, undecided, waiting or ended."""
    return STANDING.get(duty.state, "ended")


def by_time(duties: Iterable[Duty], now: datetime) -> list[Part]:
    """What runs, by how soon it is due (`now` in UTC); then what has not started, then what is settled. Undecided ones stand elsewhere."""
    parts = [
        Part("overdue", "Overdue"),
        *(Part(key, heading) for key, heading, _ in SPANS),
        Part("unnumbered", "Due, without a number in the law"),
        Part("waiting", "Not started", "They apply; what starts their clocks has not happened or is not recorded, or a hold delays them."),
        Part("ended", "Settled"),
    ]
    found = {part.key: part for part in parts}
    for duty in duties:
        if standing_of(duty) != "undecided":
            found[_time_of(duty, now)].duties.append(duty)
    return [part for part in parts if part.duties]


def by_recipient(duties: Iterable[Duty]) -> list[Part]:
    """What is owed to each recipient, the one with the nearest deadline first; what is settled stands at the end."""
    open_ones: dict[str, Part] = {}
    ended = Part("ended", "Settled")
    for duty in duties:
        if standing_of(duty) == "ended":
            ended.duties.append(duty)
        elif standing_of(duty) != "undecided":
            name = duty.recipient_name
            open_ones.setdefault(name, Part(f"to-{len(open_ones) + 1}", f"To: {name}")).duties.append(duty)
    return [*open_ones.values(), *([ended] if ended.duties else [])]


def _time_of(duty: Duty, now: datetime) -> str:
    if standing_of(duty) != "running":
        return standing_of(duty)
    if duty.is_overdue(now):
        return "overdue"
    if duty.conservative_at is None:
        return "unnumbered"
    return next(key for key, _, span in SPANS if duty.conservative_at - now <= span)
