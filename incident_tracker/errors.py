"""What can go wrong, without a word of HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


class TrackerError(Exception):
    """A refusal that a person can understand and act on; `str()` is the sentence shown."""


class NotFound(TrackerError):
    """There is no such thing, or none that this person may know of."""

    def __init__(self, what: str = "page") -> None:
        super().__init__(f"There is no such {what}, or you are not on it.")


class NotAllowed(TrackerError):
    """The person may see the thing but not change it in this way."""

    def __init__(self, what: str = "do this") -> None:
        super().__init__(f"Your role does not let you {what}.")


class Conflict(TrackerError):
    """Somebody else changed the same thing meanwhile.

    `yours` and `theirs` map field labels to texts, so that a page can show both and nothing typed is lost.
    """

    def __init__(self, text: str, yours: Mapping[str, Any] | None = None, theirs: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.yours = dict(yours or {})
        self.theirs = dict(theirs or {})


class Invalid(TrackerError):
    """What was entered cannot be taken; `fields` maps a field's name to the sentences beside it."""

    def __init__(self, text: str = "", **fields: str | Sequence[str]) -> None:
        self.fields = {name: [said] if isinstance(said, str) else list(said) for name, said in fields.items()}
        super().__init__(text or " ".join(sentence for said in self.fields.values() for sentence in said))


class TooManyTries(TrackerError):
    """Something was tried too often; `until` (UTC) is when it may be tried again."""

    def __init__(self, until: datetime, now: datetime) -> None:
        minutes = max(1, -int((now - until).total_seconds() // 60))
        super().__init__(f"Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}.")
        self.until = until
        self.seconds = max(1, int((until - now).total_seconds()))
