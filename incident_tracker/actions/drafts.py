"""The words of a notice, from the law and the facts. Nothing here changes anything."""

from collections.abc import Mapping
from datetime import datetime

from incident_tracker import library
from incident_tracker.actions import clocks
from incident_tracker.models.duties import Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Notice
from incident_tracker.rules.contents import Demands, default_contents
from incident_tracker.rules.fillings import fillings
from incident_tracker.rules.laws import Obligation
from incident_tracker.rules.notices import Lack, Refill, lacks, refill


def obligation_of(duty: Duty) -> Obligation | None:
    """What the law in use says of a duty; None where it no longer has that obligation."""
    return library.shelf().law.obligations.get(duty.obligation_id)


def demands_of(duty: Duty, now: datetime) -> Demands:
    """What a notice for this duty must contain; past its limit also the reasons for the delay, where the law asks for them."""
    obligation = obligation_of(duty)
    kind = duty.recipient_key.partition(":")[0]
    if obligation is None:
        return default_contents().demands((), kind)
    limit = duty.statutory_at or duty.conservative_at
    is_late = obligation.late is not None and duty.is_open and limit is not None and limit < now
    return default_contents().demands(obligation.content, obligation.recipient.type, obligation.phase, late=is_late)


def lacks_of(duty: Duty, body: str, now: datetime) -> tuple[Lack, ...]:
    """What the law demands and a text lacks."""
    return lacks(body, demands_of(duty, now))


def words_for(incident: Incident, duty: Duty) -> dict[str, str | None]:
    """What the facts say for each placeholder today."""
    law = library.shelf().law
    about = {
        "incident.reference": incident.reference,
        "incident.summary": incident.summary,
        "duty.recipient": duty.recipient_name,
        "duty.citation": duty.citation,
        "duty.place": duty.recipient_key.partition(":")[2],
    }
    return fillings(default_contents(), clocks.facts_document(incident), about, law.facts, law.places)


def renewed(notice: Notice, body: str, now: datetime, words: Mapping[str, str | None] | None = None) -> Refill:
    """A notice's text brought up to date with the facts of today (`words`, if they were already asked for)."""
    today = words if words is not None else words_for(notice.incident, notice.duty)
    return refill(body, demands_of(notice.duty, now), notice.fillings, today)
