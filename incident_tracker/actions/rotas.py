"""Keeping the on-call hours, and saying who is away and who stands in."""

from collections.abc import Collection
from datetime import datetime

from incident_tracker.errors import Invalid
from incident_tracker.models.people import Person
from incident_tracker.models.rotas import Absence, Shift
from incident_tracker.rules.permissions import Permission
from incident_tracker.rules.rotas import RotaError, read_hours
from incident_tracker.work import Work


def add_shift(work: Work, person: Person, weekdays: Collection[int], starts: str, ends: str) -> Shift:
    """Put somebody on call for hours of the week, by the clock of their own zone. Raises Invalid for hours that cannot be."""
    work.require(Permission.KEEP_ROTA)
    if not person.active:
        raise Invalid("Choose somebody who can sign in.", person="Choose somebody who can sign in.")
    try:
        hours = read_hours(weekdays, starts, ends, person.zone)
    except RotaError as error:
        raise Invalid(str(error), **{error.field: str(error)}) from error
    shift = Shift(
        person_id=person.id, weekdays=sorted(hours.weekdays), starts=f"{hours.starts:%H:%M}", ends=f"{hours.ends:%H:%M}", zone=person.zone,
        added_by_id=work.actor.id, added_at=work.now,
    )
    work.session.add(shift)
    work.record(
        "rota.add_shift", f"Put {person.name} on call", subject=f"person:{person.id}",
        after={"weekdays": shift.weekdays, "starts": shift.starts, "ends": shift.ends, "zone": shift.zone},
    )
    return shift


def remove_shift(work: Work, shift: Shift) -> None:
    """Take hours off the rota."""
    work.require(Permission.KEEP_ROTA)
    work.record(
        "rota.remove_shift", f"Took hours of {shift.person.name} off the rota", subject=f"person:{shift.person_id}",
        before={"weekdays": shift.weekdays, "starts": shift.starts, "ends": shift.ends, "zone": shift.zone},
    )
    work.session.delete(shift)


def add_absence(work: Work, person: Person, stand_in: Person, from_at: datetime, until_at: datetime) -> Absence:
    """Say that somebody is away from one instant to another (UTC), and who stands in. Everybody may for themselves.

    Raises Invalid for an end before the beginning or in the past, and for somebody who stands in for themselves.
    """
    work.require(Permission.EDIT_SELF if person.id == work.actor.id else Permission.KEEP_ROTA)
    if until_at <= from_at:
        raise Invalid("It ends before it begins.", until="It ends before it begins.")
    if until_at <= work.now:
        raise Invalid("That is over already.", until="That is over already.")
    if stand_in.id == person.id or not stand_in.active:
        raise Invalid("Choose somebody else who can sign in.", stand_in="Choose somebody else who can sign in.")
    absence = Absence(
        person_id=person.id, stand_in_id=stand_in.id, from_at=from_at, until_at=until_at, added_by_id=work.actor.id, added_at=work.now,
    )
    work.session.add(absence)
    work.record(
        "rota.add_absence", f"{person.name} is away; {stand_in.name} stands in", subject=f"person:{person.id}",
        after={"from": from_at.isoformat(), "until": until_at.isoformat(), "stand_in": stand_in.id},
    )
    return absence


def remove_absence(work: Work, absence: Absence) -> None:
    """Somebody is back, or stays."""
    work.require(Permission.EDIT_SELF if absence.person_id == work.actor.id else Permission.KEEP_ROTA)
    work.record(
        "rota.remove_absence", f"{absence.person.name} is not away", subject=f"person:{absence.person_id}",
        before={"from": absence.from_at.isoformat(), "until": absence.until_at.isoformat(), "stand_in": absence.stand_in_id},
    )
    work.session.delete(absence)
