"""Matrix: a message into a room, put under its own id, so that a repetition is the same message."""

import re
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import quote

from incident_tracker.channels.hooks import Hook, Post, others, plain, shown_items
from incident_tracker.channels.letters import Blank, ChannelError, Letter, Setup, Target
from incident_tracker.channels.outgoing import LONGEST_REST


class Matrix(Hook):
    """Text with an HTML form beside it. Older servers say only in the body how long they want to be left alone."""

    name = "matrix"
    setup = Setup(
        "Matrix", "A room on a Matrix server. Make a user for the tracker and let it into the room, which must not be encrypted end to end.",
        Blank("Server", "The address of the server's client API, e.g. https://matrix.example.org"),
        Blank("Access token", "Of the tracker's own user."),
        {"room": Blank("Room id", "Begins with an exclamation mark, e.g. !abc123:example.org; in Element under Settings, Advanced.")},
    )

    def check(self, target: Target) -> dict[str, str]:
        """The id of a room, not its name: names move."""
        found = {}
        if not re.fullmatch(r"![^\s/]{1,254}", target.options.get("room", "")):
            found["room"] = "A room id begins with an exclamation mark, e.g. !abc123:example.org"
        if not re.fullmatch(r"[!-~]{1,1000}", target.secret):
            found |= {"secret": "An access token has neither spaces nor line breaks."}
        return found

    def posts(self, letter: Letter, target: Target) -> list[Post]:
        """One event, under the message's own id."""
        room, transaction = quote(target.options.get("room", ""), safe=""), quote(letter.message_id, safe="")
        address = f"{target.address.rstrip('/')}/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}"
        return [Post(address, body(letter), {"Authorization": f"Bearer {target.secret}"}, "PUT")]

    def understand(self, error: ChannelError) -> ChannelError:
        """`retry_after_ms` in the body of a refusal, as a rest."""
        said = re.search(r'"retry_after_ms"\s*:\s*(\d{1,9})', str(error))
        if said is not None and error.is_down and error.retry_after is None:
            error.retry_after = min(timedelta(milliseconds=int(said[1])), LONGEST_REST)
        return error


def body(letter: Letter) -> dict[str, Any]:
    """The event's content."""
    items = "".join(f'<li><a href="{escape(link)}">{escape(title)}</a><br>{escape(due)}</li>' for title, due, link in shown_items(letter))
    more = escape(others(letter) or ("" if letter.items else "Open the tracker"))
    html = f"<p><strong>{escape(letter.subject)}</strong><br>{escape(letter.text)}</p>" + (f"<ul>{items}</ul>" if items else "")
    html += f'<p><a href="{escape(letter.link)}">{more}</a></p>' if more else ""
    return {"msgtype": "m.text", "body": f"{letter.subject}\n\n{plain(letter)}", "format": "org.matrix.custom.html", "formatted_body": html}
