"""Microsoft Teams, by a workflow of Power Automate that takes a card: its address alone lets somebody post, so it is kept as a secret."""

import json
from typing import Any

from incident_tracker.channels.hooks import Hook, Post, cut, others, shown_items
from incident_tracker.channels.letters import Blank, Letter, Setup, Target

#: a message may be 28 KB in all
LONGEST = 28 * 1024 - 500


class Teams(Hook):
    """An Adaptive Card of version 1.4. It is made of rich text, in which no Markdown is read, so nothing has to be escaped.

    The workflow answers 202 as soon as it has the message, before Teams does. It tells no repetition.
    """

    name = "teams"
    setup = Setup(
        "Microsoft Teams", "A channel or chat in Teams. Make a workflow from the template for webhook requests (in Teams: Workflows, “webhook”).",
        Blank("Workflow URL", "As the workflow shows it, on logic.azure.com or api.powerplatform.com. Whoever has it can post, so it is kept sealed."),
    )

    def posts(self, letter: Letter, target: Target) -> list[Post]:
        """One message with one card, with fewer duties on it where it would be too large."""
        count = len(letter.items)
        found = body(letter, count)
        while len(json.dumps(found).encode()) > LONGEST and count:
            count //= 2
            found = body(letter, count)
        return [Post(target.address, found)]


def body(letter: Letter, count: int) -> dict[str, Any]:
    """The message, with so many of the duties at most."""
    shown = shown_items(letter)[:count]
    more = others(letter) if len(shown) == len(shown_items(letter)) else f"and {len(letter.items) - len(shown)} more, in the tracker"
    blocks = [_rich(letter.subject, size="Large", weight="Bolder", color="Attention" if letter.is_urgent else "Default"), _rich(letter.text)]
    for title, due, link in shown:
        blocks += [_rich(cut(title, 300), weight="Bolder", separator=True, link=link), _rich(due)]
    blocks += [_rich(more)] if more else []
    card = {
        "type": "AdaptiveCard", "version": "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "fallbackText": letter.subject,
        "body": blocks, "actions": [{"type": "Action.OpenUrl", "title": "Open the tracker", "url": letter.link}],
    }
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}]}


def _rich(text: str, *, separator: bool = False, link: str = "", **look: str) -> dict[str, Any]:
    run: dict[str, Any] = {"type": "TextRun", "text": text, **look}
    if link:
        run["selectAction"] = {"type": "Action.OpenUrl", "url": link}
    return {"type": "RichTextBlock", "inlines": [run], "separator": separator}
