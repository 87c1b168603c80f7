"""Finding obligations among all that the law knows."""

from incident_tracker.rules.laws import Law, Obligation


def find_obligations(
    law: Law, words: str = "", *, jurisdiction: str = "", recipient: str = "", confidence: str = "", status: str = ""
) -> list[Obligation]:
    """The obligations that fit everything given, in the order of the law's files.

    Each of the `words` stands in id, title, citation or law. A jurisdiction takes its parts along: US means US-NY too.
    """
    wanted = words.lower().split()
    return [
        one for one in law.obligations.values()
        if (not recipient or one.recipient.type == recipient)
        and (not confidence or one.confidence == confidence)
        and (not status or one.status == status)
        and (not jurisdiction or one.regime.jurisdiction == jurisdiction or one.regime.jurisdiction.startswith(f"{jurisdiction}-"))
        and all(word in _text_of(one) for word in wanted)
    ]


def _text_of(one: Obligation) -> str:
    return f"{one.id} {one.title} {one.citation} {one.regime.title} {one.regime.jurisdiction}".lower()
