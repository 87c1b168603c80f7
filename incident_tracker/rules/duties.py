"""Regimes + facts: the duties of one incident, each with its reasons and its clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from incident_tracker.rules.calendars import zone_named
from incident_tracker.rules.chronicles import Chronicle
from incident_tracker.rules.conditions import Reason, Truth, Verdict
from incident_tracker.rules.deadlines import Due
from incident_tracker.rules.facts import Facts, Hold, read_facts
from incident_tracker.rules.holds import after_hold, end_of, hold_on
from incident_tracker.rules.laws import Law, Obligation, Regime
from incident_tracker.rules.questions import OpenDuty, Question, rank
from incident_tracker.rules.readings import BY_PLACE, Reading
from incident_tracker.rules.recipients import Recipient, Target, targets
from incident_tracker.rules.reckoning import Reckoner
from incident_tracker.rules.regimes import default_law

__all__ = ["Assessment", "Duty", "Question", "Reason", "Recipient", "assess"]

APPLIES, DOES_NOT_APPLY, UNKNOWN = "applies", "does_not_apply", "unknown"
_STATES = {Truth.TRUE: APPLIES, Truth.FALSE: DOES_NOT_APPLY, Truth.UNKNOWN: UNKNOWN}


@dataclass(frozen=True, slots=True)
class Duty:
    """An obligation as it stands for one incident and one recipient.

    `state` is "applies", "does_not_apply" or "unknown". `missing` names the facts that would settle the state, the
    recipient or the number of the period. `due` is None where the duty does not apply; its trigger is None where the clock
    has not started. An undecided duty has its clock too, in case it applies.
    """

    obligation: Obligation
    recipient: Recipient
    state: str
    missing: tuple[str, ...]
    because: tuple[Reason, ...]
    due: Due | None
    hold: Hold | None = None

    @property
    def key(self) -> str:
        """The duty's name within an incident."""
        return f"{self.obligation.id}@{self.recipient.key}"

    @property
    def held_until(self) -> datetime | None:
        """The instant, in UTC, at which a law-enforcement hold ends; None without one or while it is open."""
        return end_of(self.hold) if self.hold else None

    def is_held_at(self, at: datetime) -> bool:
        """Say whether a law-enforcement hold forbids meeting the duty at an instant."""
        if self.hold is None or at < self.hold.since.at:
            return False
        end = end_of(self.hold)
        return end is None or at < end

    def to_json(self) -> dict[str, Any]:
        """Return what other programs need of it; the two dates are ISO 8601 (a day ends with that day), or None."""
        one, due = self.obligation, self.due
        return {
            "obligation": one.id,
            "jurisdiction": one.regime.jurisdiction,
            "recipient": self.recipient.key,
            "state": self.state,
            "missing": list(self.missing),
            "conservative": due.conservative.value.isoformat() if due and due.conservative else None,
            "statutory": due.statutory.value.isoformat() if due and due.statutory else None,
            "standard": one.standard,
            "citation": one.citation,
            "because": [{"text": reason.text, "fact": reason.fact, "truth": str(reason.truth)} for reason in self.because],
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """All duties of an incident, in the order of the law's files, and the next questions, the best one first."""

    duties: tuple[Duty, ...]
    questions: tuple[Question, ...]

    def to_json(self) -> dict[str, Any]:
        """Return duties and questions as JSON values."""
        asked = [{"fact": question.fact, "settles": list(question.settles)} for question in self.questions]
        return {"duties": [duty.to_json() for duty in self.duties], "questions": asked}


def assess(facts: Facts | Mapping[str, Any], *, law: Law | None = None, at: datetime | None = None) -> Assessment:
    """Ask every regime what it demands.

    `facts` is a facts document or what read_facts made of one; `law` defaults to the tracker's. Each regime is judged by
    its version at the moment it names; where that is not recorded, at `at` (aware), else as the law stands. Superseded
    law makes duties for its own time; proposed and future law makes none. Raises FactError.
    """
    law = law or default_law()
    known = read_facts(facts, catalogue=law.facts, places=law.places)
    chronicle = Chronicle(known.moments, known.completed, law.triggers)
    days = {regime.id: _judged_on(regime, chronicle, at) for regime in law.regimes.values()}
    readings: dict[date | None, Reading] = {}
    reckoners: dict[date | None, Reckoner] = {}
    duties: list[Duty] = []
    open_duties: list[OpenDuty] = []
    for one in law.obligations.values():
        day = days[one.regime.id]
        if not one.is_law_on(day):
            continue
        if day not in readings:
            readings[day] = Reading(known, law.facts, law.places, law.profiles, day)
            reckoners[day] = Reckoner(law, chronicle, readings[day])
        for duty in _duties(one, law, readings[day], reckoners[day]):
            duties.append(duty)
            if duty.missing and duty.state != DOES_NOT_APPLY:
                open_duties.append(_open(duty, law))
    return Assessment(tuple(duties), _questions(open_duties, law))


def _judged_on(regime: Regime, chronicle: Chronicle, at: datetime | None) -> date | None:
    for trigger in regime.judged_at:
        if start := chronicle.start(trigger, {}):
            return start.moment.day
    if at is None:
        return None
    zone = regime.zone if "/" in regime.zone else None
    return at.astimezone(zone_named(zone) if zone else UTC).date()


def _duties(one: Obligation, law: Law, reading: Reading, reckoner: Reckoner) -> list[Duty]:
    verdict = law.checks[one.id].judge(reading)
    hold = hold_on(one, reading.facts.holds) if reading.facts.holds and one.modifiers else None
    found = []
    for target in targets(one, law, reading):
        truth, missing, reasons = _together(verdict, target)
        due = None
        if truth is not Truth.FALSE:
            due = reckoner.due(one, target.whereabouts)
            if due.missing:
                missing = tuple(dict.fromkeys((*missing, *due.missing)))
            if hold:
                due = after_hold(due, one, hold, reckoner.setting(one, target.whereabouts))
        found.append(Duty(one, target.recipient, _STATES[truth], missing, reasons, due, hold))
    return found


def _together(verdict: Verdict, target: Target) -> tuple[Truth, tuple[str, ...], tuple[Reason, ...]]:
    """The law's verdict and the recipient's, joined as a conjunction."""
    if verdict.truth is Truth.FALSE:
        return Truth.FALSE, (), verdict.reasons
    if target.truth is Truth.FALSE:
        return Truth.FALSE, (), target.reasons
    if not target.missing and not target.reasons:
        return verdict.truth, verdict.missing, verdict.reasons
    reasons = (*verdict.reasons, *target.reasons)
    missing = (*verdict.missing, *(name for name in target.missing if name not in verdict.missing))
    undecided = Truth.UNKNOWN in (verdict.truth, target.truth)
    return (Truth.UNKNOWN if undecided else Truth.TRUE), missing, reasons


def _open(duty: Duty, law: Law) -> OpenDuty:
    due = duty.due
    at = due.conservative.at if due and due.conservative else None
    # A place known to have nobody, or a recipient known not to exist, settles a duty like a "no" of the law.
    decisive = law.checks[duty.obligation.id].decisive | {BY_PLACE, "affected.places_complete"}
    return OpenDuty(duty.key, at, duty.missing, decisive)


def _questions(open_duties: list[OpenDuty], law: Law) -> tuple[Question, ...]:
    return tuple(Question(fact, law.question(fact), settles) for fact, settles in rank(open_duties))
