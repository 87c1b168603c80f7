"""PagerDuty, by Events API v2: a warning opens an alert for a duty and deadline, taking it acknowledges, settling it resolves."""

import re
from typing import Any
from urllib.parse import urlsplit

from incident_tracker.channels.hooks import Hook, Post, cut
from incident_tracker.channels.letters import Blank, Letter, Setup, Target

#: letters of a summary, and of the key by which repetitions are told
SUMMARY, KEY = 1024, 255
ACTIONS = {"warning": "trigger", "test": "trigger", "taken": "acknowledge", "settled": "resolve"}


class PagerDuty(Hook):
    """One alert for each duty and deadline, however many warnings there are of it: they all have the same key."""

    name = "pagerduty"
    follows_duties = True
    gathers = False
    sums_up = False
    setup = Setup(
        "PagerDuty", "A service in PagerDuty. Add the integration “Events API v2” to it (Services, Integrations).",
        Blank(
            "Address", "Only in the EU service region: https://events.eu.pagerduty.com/v2/enqueue. Elsewhere leave it empty.",
            is_needed=False, default="https://events.pagerduty.com/v2/enqueue",
        ),
        Blank("Integration key", "Also called routing key; 32 letters and digits."),
    )

    def check(self, target: Target) -> dict[str, str]:
        """The key has a fixed form."""
        return {} if re.fullmatch(r"[A-Za-z0-9]{32}", target.secret) else {"secret": "An integration key has 32 letters and digits."}

    def posts(self, letter: Letter, target: Target) -> list[Post]:
        """One event; a test opens an alert and closes it again at once."""
        events = [event(letter, target.secret)]
        if letter.kind == "test":
            events.append({"routing_key": target.secret, "event_action": "resolve", "dedup_key": events[0]["dedup_key"]})
        return [Post(target.address, one) for one in events]


def event(letter: Letter, routing_key: str) -> dict[str, Any]:
    """The event. Acknowledging and resolving say nothing but the key of what was opened."""
    first = letter.items[0] if letter.items else None
    found: dict[str, Any] = {
        "routing_key": routing_key, "event_action": ACTIONS[letter.kind], "dedup_key": (first.key if first else letter.message_id)[:KEY],
    }
    if found["event_action"] != "trigger":
        return found
    severity = "info" if letter.kind == "test" else "critical" if letter.is_urgent or (first and first.is_over) else "warning"
    summary = f"{letter.subject}: {first.title}" if first and first.title else letter.subject
    details = {"due": first.due, "deadline": first.deadline.isoformat()} if first else {"about": letter.text}
    return found | {
        "payload": {
            "summary": cut(summary, SUMMARY), "source": urlsplit(letter.link).hostname or "incident tracker", "severity": severity,
            "timestamp": letter.at.isoformat(), "component": letter.reference or "test", "class": "deadline", "custom_details": details,
        },
        "links": [{"href": first.link if first else letter.link, "text": "Open it in the tracker"}],
        "client": "Incident tracker", "client_url": letter.link,
    }
