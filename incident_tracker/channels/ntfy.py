"""ntfy: a push message under a topic, best on a server of one's own, for whoever knows a topic of a public one can read along."""

import re
from typing import Any

from incident_tracker.channels.hooks import Hook, Post, cut, plain
from incident_tracker.channels.letters import Blank, Letter, Setup, Target

#: a longer message becomes a file that is attached, in bytes
LONGEST = 4096


class Ntfy(Hook):
    """Title, text, priority and the page to open. ntfy tells no repetition: after a broken talk one may come twice."""

    name = "ntfy"
    setup = Setup(
        "ntfy", "Push messages to phones by ntfy. Use a server of your own: on a public one whoever guesses the topic can read along.",
        Blank("Address", "Of the topic, as one subscribes to it, e.g. https://ntfy.example.org/breaches-7f3a"),
        Blank("Access token", "If the server wants one; begins with tk_.", is_needed=False),
    )

    def check(self, target: Target) -> dict[str, str]:
        """The address ends in a topic."""
        found = {}
        if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", _split(target)[1]) or "?" in target.address or "#" in target.address:
            found["address"] = "The address ends in the topic: letters, digits, - and _, e.g. https://ntfy.example.org/breaches-7f3a"
        if target.secret and not re.fullmatch(r"[!-~]{1,200}", target.secret):
            found |= {"secret": "An access token has neither spaces nor line breaks."}
        return found

    def posts(self, letter: Letter, target: Target) -> list[Post]:
        """One message, as JSON to the server itself: headers could not hold every letter."""
        server, topic = _split(target)
        headers = {"Authorization": f"Bearer {target.secret}"} if target.secret else {}
        return [Post(f"{server}/", body(letter, topic), headers)]


def body(letter: Letter, topic: str) -> dict[str, Any]:
    """The message. Priority 5 rings even on a phone that is set to be quiet, 3 is the usual one."""
    text = plain(letter)
    while len(text.encode()) > LONGEST:
        text = cut(text, len(text) - max(1, (len(text.encode()) - LONGEST) // 4))
    priority = 5 if letter.is_urgent else 3
    return {"topic": topic, "title": cut(letter.subject, 200), "message": text, "priority": priority, "tags": ["warning"], "click": letter.link}


def _split(target: Target) -> tuple[str, str]:
    server, _, topic = target.address.rstrip("/").rpartition("/")
    return server, topic
