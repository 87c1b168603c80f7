"""Letters as channels get them."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from incident_tracker.channels.letters import Item, Letter
from tests.stories import FRIDAY

#: what a person may have typed into a title
NASTY = "Tell <b>everybody</b> & @channel <!here> *now* [x](https://evil.example) `rm` #1 | _so_ <https://evil.example|click> $$ \\ end"
LINK = "https://breaches.example/incidents/INC-2026-0001"


def an_item(title: str = "Notify the supervisory authority", number: int = 7, **more: Any) -> Item:
    deadline = datetime(2026, 11, 30, 17, 30, tzinfo=timezone(timedelta(hours=1)))
    found = Item(title, "Due: Mon 30 Nov 2026, 17:30 (UTC+01:00), 3 h left", deadline, False, False, f"{LINK}/duties/{number}", f"INC-2026-0001:{number}:2026-11-30T16:30Z")
    return replace(found, **more)


def a_letter(*items: Item, **more: Any) -> Letter:
    found = Letter(
        to_name="", to_address="", subject="Deadline INC-2026-0001: 3 h left", text="This has to be done before its deadline.", html="",
        message_id="warning.5a17.12.to3", thread="inc-2026-0001", is_urgent=False, at=FRIDAY, kind="warning", reference="INC-2026-0001", link=LINK,
        items=items if items or "items" in more else (an_item(),),
    )
    return replace(found, **more)


def a_test() -> Letter:
    """What the button sends."""
    text = "This is a test. Nothing is due, and nothing has to be done."
    return a_letter(kind="test", subject="Test from the incident tracker of Harbour Health", text=text, items=(), reference="", link="https://breaches.example")


#: letters of every kind that a room may get
LETTERS = {
    "one": a_letter(), "restricted": a_letter(an_item("")), "nasty": a_letter(an_item(NASTY)), "long": a_letter(an_item("word " * 1000)),
    "many": a_letter(*(an_item(f"Duty {number} " + "ä" * 150, number) for number in range(60))), "urgent": a_letter(is_urgent=True), "test": a_test(),
}
