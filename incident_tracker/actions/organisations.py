"""The organisation's profile: what is true of it in every incident."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update

from incident_tracker import library
from incident_tracker.actions import clocks
from incident_tracker.errors import Invalid
from incident_tracker.models.incidents import OPEN_STAGES, Incident
from incident_tracker.models.organisations import OrganisationFact, organisation_facts
from incident_tracker.rules.facts import FactError, read_facts
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: so many open incidents are recomputed at once; more are left to the worker, and say so
AT_ONCE = 25


def set_profile(work: Work, values: Mapping[str, Any]) -> int:
    """Write lines of the profile, None for "not known"; every open incident is recomputed. Returns how many wait for the worker."""
    work.require(Permission.EDIT_ORGANISATION)
    before = organisation_facts()
    changed = {name: value for name, value in values.items() if before.get(name) != value}
    try:
        read_facts({name: value for name, value in changed.items() if value is not None}, catalogue=library.shelf().law.facts)
    except FactError as error:
        raise Invalid(f"{error.path}: expected {error.expected}") from error
    for name, value in changed.items():
        row = work.session.get(OrganisationFact, name) or OrganisationFact(name=name)
        row.value, row.set_by_id, row.set_at = value, work.actor.id, work.now
        work.session.add(row)
    work.record("organisation.set_profile", "changed the profile", before={name: before.get(name) for name in changed}, after=changed)
    if not changed:
        return 0
    reason = "the organisation's profile changed: " + ", ".join(sorted(changed))
    is_open = Incident.stage.in_(OPEN_STAGES)
    count = work.session.scalar(select(func.count()).select_from(Incident).where(is_open)) or 0
    if count > AT_ONCE:
        work.session.execute(update(Incident).where(is_open).values(stale_since=work.now, stale_reason=reason[:300], stale_kind=clocks.PROFILE))
        return int(count)
    for incident in work.session.scalars(select(Incident).where(is_open).with_for_update(key_share=True)):
        clocks.recompute(work, incident, reason[:300], clocks.PROFILE)
    return 0
