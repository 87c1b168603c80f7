"""Standard Webhooks: JSON to a program of one's own, signed, with the same id on every try."""

import base64
import binascii
import json
import secrets
from typing import Any

from standardwebhooks.webhooks import Webhook as Signer

from incident_tracker.channels.hooks import Hook, Post
from incident_tracker.channels.letters import Blank, ChannelError, Letter, Setup, Target

#: the specification asks for 24 to 64 bytes
SHORTEST, LONGEST = 24, 64


class Webhook(Hook):
    """Posts thin events: what it is about and until when. Whoever receives one comes back for more, by the link or the API."""

    name = "webhook"
    # an event is of one incident
    sums_up = False
    setup = Setup(
        "Webhook", "Signed JSON to a program of your own, as standardwebhooks.com describes it.",
        Blank("Address", "Where your program listens, e.g. https://hooks.example.org/breaches"),
        Blank("Signing secret", "Begins with whsec_.", made_by=lambda: new_secret()),
    )

    def check(self, target: Target) -> dict[str, str]:
        """The secret must be one that receivers can check a signature with."""
        try:
            key = base64.b64decode(target.secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not (target.secret.startswith("whsec_") and SHORTEST <= len(key) <= LONGEST):
            return {"secret": f"A signing secret is whsec_ and then {SHORTEST} to {LONGEST} bytes in base64. Leave the field empty to have one made."}
        return {}

    def posts(self, letter: Letter, target: Target) -> list[Post]:
        """One event, signed for this try."""
        body = json.dumps(event(letter), separators=(",", ":"))
        try:
            signature = Signer(target.secret).sign(letter.message_id, letter.at, body)
        except (RuntimeError, ValueError) as error:
            raise ChannelError("its signing secret cannot be used: enter another one", is_permanent=True) from error
        signed = {"webhook-id": letter.message_id, "webhook-timestamp": str(int(letter.at.timestamp())), "webhook-signature": signature}
        return [Post(target.address, body.encode(), signed)]


def new_secret() -> str:
    """A signing secret that nobody has yet."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def event(letter: Letter) -> dict[str, Any]:
    """The event as JSON: `duty.warning` with each duty's deadline, or `channel.test`. It says nothing of the people affected."""
    if letter.kind == "test":
        return {"type": "channel.test", "timestamp": letter.at.isoformat(), "data": {"link": letter.link}}
    if letter.kind == "note":
        return {"type": "tracker.note", "timestamp": letter.at.isoformat(), "data": {"text": letter.subject, "urgent": letter.is_urgent, "link": letter.link}}
    duties = [
        {
            "title": one.title or None, "deadline": one.deadline.isoformat(), "is_overdue": one.is_over, "is_own_target": one.is_target,
            "link": one.link, "key": one.key,
        }
        for one in letter.items
    ]
    data = {"incident": letter.reference, "urgent": letter.is_urgent, "link": letter.link, "duties": duties}
    return {"type": "duty.warning", "timestamp": letter.at.isoformat(), "data": data}
