"""A notice on its way: the Friday evening's breach with a draft to the authority, and what is done to it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from incident_tracker.actions import filings
from incident_tracker.actions import notices as acts
from incident_tracker.actions.filings import Proof
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.notices import Filing, Notice
from incident_tracker.rules.facts import Moment
from incident_tracker.work import Work, unit_of_work
from tests.stories import CERTAIN, FRIDAY, again, duty_of, person, report, set_profile

ARTICLE_33 = "eu-gdpr-33-1"

#: one hour after the breach was reported, one to write, one to read
LATER = FRIDAY + timedelta(hours=3)


def breach(values: dict[str, Any] | None = None, **more: Any) -> Incident:
    """The Friday evening's breach, with the clock of Article 33 running."""
    set_profile()
    return report({**CERTAIN, **(values or {})}, **more)


def do(action: Callable[..., Any], notice: Notice, *args: Any, by: str = "ines", now: datetime = LATER, **kwargs: Any) -> Any:
    """One action on a notice by one of the cast, in a unit of work of its own; its result."""
    notice_id = notice.id

    def act(work: Work) -> Any:
        return action(work, fresh(notice_id), *args, **kwargs)

    with unit_of_work(person(by), now) as work:
        return act(work)


def fresh(notice_id: int) -> Notice:
    """The notice as the database has it now."""
    return db.session.scalars(select(Notice).where(Notice.id == notice_id).execution_options(populate_existing=True)).one()


def draft(incident: Incident, obligation: str = ARTICLE_33, *, by: str = "ines", kind: str = "first", now: datetime = LATER) -> Notice:
    """A started notice."""
    with unit_of_work(person(by), now) as work:
        found = again(incident.reference)
        return acts.start_notice(work, found, duty_of(found, obligation), kind)


def whole_text(notice: Notice) -> str:
    """The text with every gap closed by hand."""
    return newest(notice).body.replace("[", "(").replace("]", ")")


def newest(notice: Notice) -> Any:
    """The newest version of a notice."""
    return acts.newest(fresh(notice.id))


def write(notice: Notice, text: str, *, by: str = "ines", base: int | None = None, now: datetime = LATER) -> Any:
    """A new version; `base` is the one it started from, the newest if nothing is said."""
    return do(acts.edit_notice, notice, base or newest(notice).number, text, by=by, now=now)


def hand_in(notice: Notice, *, by: str = "ines", now: datetime = LATER) -> Any:
    return do(acts.submit_notice, notice, newest(notice).number, by=by, now=now)


def approve(notice: Notice, *, by: str = "laura", now: datetime = LATER, **more: Any) -> Any:
    """Approve the newest text."""
    last = newest(notice)
    return do(acts.approve_notice, notice, last.number, last.sha256, by=by, now=now, **more)


def approved(incident: Incident, obligation: str = ARTICLE_33, **more: Any) -> Notice:
    """A notice that Ines wrote whole and Laura approved."""
    notice = draft(incident, obligation, **more)
    write(notice, whole_text(notice))
    hand_in(notice)
    approve(notice)
    return fresh(notice.id)


def proof(at: datetime | Moment, **more: Any) -> Proof:
    """How it went out: by the authority's web form, at this moment on Berlin's clocks."""
    moment = at if isinstance(at, Moment) else Moment(at, "Europe/Berlin")
    return Proof(moment, more.pop("channel", "web form of the authority"), **more)


def file(notice: Notice, at: datetime | Moment | None = None, *, by: str = "ravi", now: datetime | None = None, **more: Any) -> Filing:
    """Record that the newest text went out."""
    at = at or LATER
    instant = at.at if isinstance(at, Moment) else at
    filing: Filing = do(filings.file_notice, notice, newest(notice).sha256, proof(at, **more), by=by, now=now or max(instant, LATER))
    return filing
