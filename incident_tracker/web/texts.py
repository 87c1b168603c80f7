"""What the pages of a notice have in common: finding it, marking its gaps, what is demanded beside what is there."""

from dataclasses import dataclass

from flask_security import current_user

from incident_tracker import clock, library
from incident_tracker.actions import drafts
from incident_tracker.errors import NotFound
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Notice, NoticeState, NoticeVersion, authors_after, find_notice, find_version
from incident_tracker.rules.authorities import Authority
from incident_tracker.rules.contents import Demand, Element, folded
from incident_tracker.rules.notices import Lack, is_independent, lacks, marked, parse
from incident_tracker.rules.permissions import Permission, may

Pieces = tuple[tuple[str, bool], ...]

#: how a notice goes out; anything else may be typed
CHANNELS = ("web form of the authority", "e-mail", "post", "letter by courier", "telephone", "in person", "secure portal", "public notice")


@dataclass(frozen=True)
class Check:
    """What the law demands, section by section, with what a text lacks of it; and what else is still open."""

    rows: tuple[tuple[Demand, Lack | None], ...]
    others: tuple[Lack, ...]
    notes: tuple[Element, ...]
    phased: bool

    @property
    def lacking(self) -> int:
        """How many things are missing or open."""
        return sum(lack is not None for _, lack in self.rows) + len(self.others)


def notice(incident: Incident, notice_id: int, *, lock: bool = False) -> Notice:
    """One notice of an incident; `lock` inside a unit of work that changes it. Raises NotFound."""
    found = find_notice(incident.id, notice_id, lock=lock)
    if found is None:
        raise NotFound("notice")
    return found


def version(notice: Notice, number: int | None) -> NoticeVersion:
    """One version of a notice. Raises NotFound."""
    found = find_version(notice.id, number) if number else None
    if found is None:
        raise NotFound("version")
    return found


def authority(notice: Notice) -> Authority | None:
    """The authority that receives a notice, where one is on file: its language, its own form."""
    return library.shelf().law.authorities.get(notice.duty.recipient_key.partition(":")[2])


def check(notice: Notice, body: str) -> Check:
    """Hold a text against what is demanded of it today."""
    demands = drafts.demands_of(notice.duty, clock.now())
    found = lacks(body, demands)
    by_heading = {folded(lack.heading): lack for lack in found}
    rows = tuple((demand, by_heading.pop(folded(demand.heading), None)) for demand in demands.sections)
    return Check(rows, tuple(by_heading.values()), demands.notes, demands.phased)


def count_of_lacks(notice: Notice) -> int:
    """How many things the newest text of a notice lacks; a filed one is not judged again."""
    if notice.state == NoticeState.FILED:
        return len(notice.filing.lacking) if notice.filing else 0
    return len(drafts.lacks_of(notice.duty, notice.head.body, clock.now()))


def sections(body: str) -> list[tuple[str, Pieces]]:
    """A text for reading: its opening with an empty heading, then its sections, with the gaps marked."""
    draft = parse(body)
    opening = [("", marked(draft.opening))] if draft.opening else []
    return [*opening, *((one.heading, marked(one.text)) for one in draft.sections)]


def may_judge(notice: Notice) -> bool:
    """Whether the person who asks may judge the newest text: a reviewer who had no part in it."""
    approval, submission = notice.approval, notice.submission
    authors = authors_after(notice.id, approval.notice_version.number if approval else 0)
    is_free = is_independent(current_user.id, authors, submission.by_id if submission else None)
    return is_free and may(current_user, Permission.REVIEW_NOTICE, notice.incident)
