"""Slack, by an incoming webhook: its address alone lets somebody post, so it is kept as a secret."""

from typing import Any

from incident_tracker.channels.hooks import Hook, Post, cut, others, plain, shown_items
from incident_tracker.channels.letters import Blank, Letter, Setup, Target

#: Slack's limits: letters of a header, and of a section
HEADER, SECTION = 150, 3000


class Slack(Hook):
    """A header, the duties with their links, and a plain text for notifications. Slack tells no repetition: after a broken talk one may come twice."""

    name = "slack"
    setup = Setup(
        "Slack", "A channel in Slack. Make an app with an incoming webhook for it (api.slack.com, Your Apps, Incoming Webhooks).",
        Blank("Webhook URL", "As Slack shows it: https://hooks.slack.com/services/… Whoever has it can post, so it is kept sealed."),
    )

    def posts(self, letter: Letter, target: Target) -> list[Post]:
        """One message."""
        return [Post(target.address, body(letter))]


def body(letter: Letter) -> dict[str, Any]:
    """The message as Slack's blocks."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(letter.subject, HEADER), "emoji": False}}, _section(escape(letter.text)),
    ]
    blocks += [_section(f"<{_url(link)}|{escape(cut(title, 300))}>\n{escape(due)}") for title, due, link in shown_items(letter)]
    if not letter.items:
        blocks.append(_section(f"<{_url(letter.link)}|Open the tracker>"))
    if others(letter):
        blocks.append(_section(f"<{_url(letter.link)}|{escape(others(letter))}>"))
    return {"text": cut(escape(f"{letter.subject}\n{plain(letter)}"), SECTION), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escape(text: str) -> str:
    """The three signs by which Slack knows its own markup, mentions of people among it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _url(link: str) -> str:
    return escape(link).replace("|", "%7C")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text, SECTION), "verbatim": True}}
