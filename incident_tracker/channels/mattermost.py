"""Mattermost, by an incoming webhook: its address alone lets somebody post, so it is kept as a secret."""

import re
from typing import Any

from incident_tracker.channels.hooks import Hook, Post, cut, others, shown_items
from incident_tracker.channels.letters import Blank, Letter, Setup, Target

#: letters of a post
LONGEST = 16_000


class Mattermost(Hook):
    """One post in Markdown. Mattermost tells no repetition: after a broken talk one may come twice."""

    name = "mattermost"
    setup = Setup(
        "Mattermost", "A channel in Mattermost. Make an incoming webhook for it (Integrations, Incoming Webhooks).",
        Blank("Webhook URL", "As Mattermost shows it: https://chat.example.org/hooks/… Whoever has it can post, so it is kept sealed."),
    )

    def posts(self, letter: Letter, target: Target) -> list[Post]:
        """One post."""
        return [Post(target.address, body(letter))]


def body(letter: Letter) -> dict[str, Any]:
    """The post."""
    lines = [f"#### {escape(letter.subject)}", escape(letter.text)]
    lines += [f"- [{escape(title)}]({_url(link)})\n  {escape(due)}" for title, due, link in shown_items(letter)]
    if not letter.items or others(letter):
        lines.append(f"[{escape(others(letter) or 'Open the tracker')}]({_url(letter.link)})")
    return {"text": cut("\n".join(lines), LONGEST)}


def escape(text: str) -> str:
    """The signs of Markdown as what they are, on one line, and nobody called by a mention."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]#~|<>!])", r"\\\1", one_line).replace("@", "@\u200b")


def _url(link: str) -> str:
    return link.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
