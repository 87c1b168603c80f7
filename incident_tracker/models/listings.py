"""The register as a list: filtered, searched, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func
from sqlalchemy.orm import joinedload, load_only, raiseload

from incident_tracker.models.base import Pagination, db
from incident_tracker.models.incidents import OPEN_STAGES, Incident, incidents_visible_to
from incident_tracker.models.people import Person

PER_PAGE = 50
SORTS = {
    "due": (Incident.next_due_at.asc().nulls_last(), Incident.id.desc()),
    "newest": (Incident.id.desc(),),
    "reference": (Incident.reference,),
}

#: what a line of the list shows; to ask for more is an error, and no query of its own
_SHOWN = (
    load_only(
        Incident.reference, Incident.title, Incident.kind, Incident.stage, Incident.restricted, Incident.zone,
        Incident.undecided_count, Incident.undecided_due_at,
        Incident.next_due_at, Incident.next_due_value, Incident.next_due_zone, Incident.next_duty_title, raiseload=True,
    ),
    joinedload(Incident.lead).load_only(Person.name, raiseload=True).raiseload("*"),
    raiseload("*"),
)


@dataclass(frozen=True)
class Filter:
    """What somebody wants to see of the register; every field comes from the address, so a list can be linked to."""

    q: str = ""
    stage: str = "open"
    kind: str = ""
    lead: str = ""
    due: str = ""
    sort: str = "due"

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Filter:
        """From the words behind the question mark; what is not understood is left out."""
        sort = args.get("sort", "due")
        return cls(
            q=args.get("q", "").strip()[:200],
            stage=args.get("stage", "open"),
            kind=args.get("kind", ""),
            lead=args.get("lead", ""),
            due=args.get("due", ""),
            sort=sort if sort in SORTS else "due",
        )

    @property
    def args(self) -> dict[str, str]:
        """For links: only what differs from the start."""
        start = Filter()
        return {
            name: value for name in ("q", "stage", "kind", "lead", "due", "sort") if (value := getattr(self, name)) != getattr(start, name)
        }


def incident_page(actor: Any, wanted: Filter, number: int) -> Pagination:
    """One page of the incidents that `actor` may know of."""
    query = select_incidents(actor, wanted)
    count = query.with_only_columns(func.count(Incident.id))
    # what is searched for has to be looked for in every row, so it is counted on the way; else an index counts
    total = func.count().over() if wanted.q else count.scalar_subquery()
    shown = query.add_columns(total).options(*_SHOWN).order_by(*SORTS[wanted.sort])
    return _Counted(page=max(1, number), per_page=PER_PAGE, max_per_page=PER_PAGE, error_out=False, shown=shown, count_alone=count)


class _Counted(Pagination):
    """A page whose rows each carry the total, so that one query answers both."""

    def _query_items(self) -> list[Incident]:
        self._rows = db.session.execute(self._query_args["shown"].limit(self.per_page).offset(self._query_offset)).all()
        return [row[0] for row in self._rows]

    def _query_count(self) -> int:
        return int(self._rows[0][1] if self._rows else db.session.scalar(self._query_args["count_alone"]) or 0)


def incident_rows(actor: Any, wanted: Filter) -> list[dict[str, Any]]:
    """What the list's export holds, a row an incident."""
    query = select_incidents(actor, wanted).options(joinedload(Incident.lead).lazyload("*")).order_by(*SORTS[wanted.sort])
    return [
        {
            "reference": one.reference,
            "title": one.title,
            "kind": one.kind,
            "stage": one.stage,
            "restricted": one.restricted,
            "lead": one.lead.name if one.lead else "",
            "reported_at": one.reported_at.isoformat(),
            "next_deadline_at": one.next_due_at.isoformat() if one.next_due_at else "",
            "next_duty": one.next_duty_title or "",
            "open_duties": one.open_duty_count,
            "undecided_duties": one.undecided_count,
        }
        for one in db.session.scalars(query)
    ]


def select_incidents(actor: Any, wanted: Filter) -> Select[Incident]:
    """The query behind the list and its export."""
    query = incidents_visible_to(actor)
    if wanted.stage == "open":
        query = query.where(Incident.ended_at.is_(None))
    elif wanted.stage in (*OPEN_STAGES, "closed", "dismissed"):
        query = query.where(Incident.stage == wanted.stage)
    if wanted.kind:
        query = query.where(Incident.kind == wanted.kind)
    if wanted.lead.isdigit():
        query = query.where(Incident.lead_id == int(wanted.lead))
    if wanted.due == "none":
        query = query.where(Incident.next_due_at.is_(None))
    for word in wanted.q.lower().split():
        query = query.where(Incident.search_text.contains(word, autoescape=True))
    return query
