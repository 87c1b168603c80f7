"""What the law says now, written into the stored duties; what would give more time or end a duty waits for a person where the rules changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from incident_tracker import library
from incident_tracker.models.duties import OPEN_STATES, Duty, DutyChange, DutyDecision, DutyState
from incident_tracker.models.incidents import Incident
from incident_tracker.models.movements import Movement
from incident_tracker.models.notices import Filing
from incident_tracker.rules import duties as law
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.movements import Pack, Position, is_looser, why_moved
from incident_tracker.rules.periods import Due
from incident_tracker.rules.timeliness import timeliness
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("carry_over", "filed")

#: what a recomputation follows: a change of the facts, of the profile or of the rules, or a step of the work itself
FACTS, PROFILE, LAW, STEP = "facts", "profile", "law", "step"

#: how the key of a recipient ends that is not known yet
OPEN_RECIPIENTS = (":lead", ":others")


@dataclass(slots=True)
class Computation:
    """One recomputation of one incident's duties, and what it moved.

    `waiting` maps duties to what an earlier movement, not accepted yet, would make of them. `pack_before` are the rules that
    the clocks were counted with so far, where those are known and differ.
    """

    work: Work
    incident: Incident
    reason: str
    cause: str
    decisions: Mapping[int, DutyDecision]
    filings: Mapping[int, Filing]
    waiting: Mapping[int, dict[str, Any]]
    is_accepted: bool = False
    rules_changed: bool = False
    pack_before: Pack | None = None
    moved: list[tuple[Duty, dict[str, Any]]] = field(default_factory=list)

    def bring_in_line(self, duty: Duty | None, found: law.Duty) -> None:
        """Write what the law says now into the stored duty, made if there is none."""
        if duty is None:
            self._begin(found)
            return
        before = _snapshot(duty)
        filing, decision = self.filings.get(duty.id), self.decisions.get(duty.id)
        state = _state(found, self.work.now, decision, filing)
        foreseen = _foreseen(found, state)
        if filing is None and decision is None and self._must_wait(duty, Position(state, _deadline_of(found))):
            self._hold_back(duty, before, foreseen, found)
            return
        self._write_law(duty, found)
        _set_state(self.work, duty, state)
        self._note(duty, before, _snapshot(duty), self._why(found))

    def no_longer_asked(self, duty: Duty) -> None:
        """A recipient or an obligation that the law no longer names: the duty stays in the record, with its proof."""
        if duty.id in self.filings or not duty.is_open:
            return
        before = _snapshot(duty)
        if duty.id not in self.decisions and self._must_wait(duty, Position(DutyState.DOES_NOT_APPLY, None)):
            self._hold_back(duty, before, before | {"state": str(DutyState.DOES_NOT_APPLY)}, None)
            return
        _set_state(self.work, duty, DutyState.DOES_NOT_APPLY)
        duty.because = [{"text": f"The law no longer asks for this: {self.reason}.", "fact": None, "truth": "false"}]
        self._note(duty, before, _snapshot(duty), "the law no longer asks for this")

    def as_movement(self) -> Movement | None:
        """What moved, to be accepted by a person; None where nothing did. Call it after a flush: new duties have their ids then."""
        if not self.moved:
            return None
        moved = [entry | {"duty": duty.id, "title": duty.title, "recipient": duty.recipient_name} for duty, entry in self.moved]
        return Movement(
            incident_id=self.incident.id, at=self.work.now, by_id=self.work.actor.id, kind=self.cause, reason=self.reason,
            pack_before=self.incident.pack or "", pack_after=library.shelf().law.pack.name, moved=moved,
        )

    def said(self) -> str:
        """What moved, in words for the record."""
        return "; ".join(_in_words(duty, entry) for duty, entry in self.moved) or "nothing moved"

    def _begin(self, found: law.Duty) -> None:
        duty = Duty(incident_id=self.incident.id, obligation_id=found.obligation.id, recipient_key=found.recipient.key, version=1)
        self._write_law(duty, found)
        _set_state(self.work, duty, _state(found, self.work.now, None, None))
        # written with all the others in one go: a flush for each of hundreds would take seconds
        duty.changes.append(DutyChange(at=self.work.now, by_id=self.work.actor.id, reason=self.reason, before={}, after=_snapshot(duty)))
        self.work.session.add(duty)
        self.moved.append((duty, {"before": {}, "after": _snapshot(duty), "why": self._why(found), "held": False}))

    def _must_wait(self, duty: Duty, after: Position) -> bool:
        """Facts that a person records count at once; a change of rules or of the profile moves open incidents that nobody is looking at."""
        if self.is_accepted or not (self.cause in (PROFILE, LAW) or self.rules_changed or duty.id in self.waiting):
            return False
        return is_looser(Position(str(duty.state), duty.conservative_at), after)

    def _hold_back(self, duty: Duty, before: dict[str, Any], after: dict[str, Any], found: law.Duty | None) -> None:
        if self.waiting.get(duty.id) != after:
            why = self._why(found) if found else "the law no longer asks for this"
            self.moved.append((duty, {"before": before, "after": after, "why": why, "held": True}))

    def _note(self, duty: Duty, before: dict[str, Any], after: dict[str, Any], why: str) -> None:
        if before == after:
            if duty.id in self.waiting:
                self.moved.append((duty, {"before": before, "after": after, "why": "what was to be accepted no longer differs", "held": False}))
            return
        self.work.session.add(DutyChange(duty_id=duty.id, at=self.work.now, by_id=self.work.actor.id, reason=self.reason, before=before, after=after))
        self.moved.append((duty, {"before": before, "after": after, "why": why, "held": False}))

    def _why(self, found: law.Duty) -> str:
        if self.cause == LAW or self.rules_changed:
            return why_moved(found.obligation.regime.file, self.pack_before, library.shelf().law.pack)
        return self.reason

    def _write_law(self, duty: Duty, found: law.Duty) -> None:
        due = found.due
        duty.title, duty.citation = found.obligation.title, found.obligation.citation
        duty.jurisdiction, duty.recipient_name = found.obligation.regime.jurisdiction, found.recipient.name
        duty.missing = list(found.missing)
        # a regime and its obligation may ask the same: it is said once
        duty.because = [{"text": one.text, "fact": one.fact, "truth": str(one.truth)} for one in dict.fromkeys(found.because)]
        duty.law_version = library.shelf().law.version
        duty.zone = found.recipient.zone
        _write_clock(duty, due)
        # the time of the last computation that came out differently: writing each one would touch every row for nothing
        if duty.computed_at is None or self.work.session.is_modified(duty):
            duty.computed_at = self.work.now


def carry_over(stored: dict[tuple[str, str], Duty], found: Sequence[law.Duty]) -> None:
    """A recipient that was open ("the lead authority, not known yet") has got its name: the duty goes on with it, owner and all."""
    asked = {(one.obligation.id, one.recipient.key) for one in found}
    for key in [key for key in stored if key not in asked and key[1].endswith(OPEN_RECIPIENTS)]:
        named = next((one for one in sorted(asked) if one[0] == key[0] and one not in stored), None)
        if named is not None:
            duty = stored[named] = stored.pop(key)
            duty.recipient_key = named[1]


def _write_clock(duty: Duty, due: Due | None) -> None:
    duty.steps = [{"text": step.text, "cites": step.cites} for step in due.steps] if due else []
    duty.warnings = list(due.warnings) if due else []
    duty.standard = due.standard if due else None
    duty.versions = dict(due.versions) if due else {}
    duty.trigger_at = due.trigger.at if due and due.trigger else None
    duty.trigger_precision = due.trigger.precision if due and due.trigger else None
    conservative, statutory, not_before = (due.conservative, due.statutory, due.not_before) if due else (None, None, None)
    duty.conservative_at = conservative.at if conservative else None
    duty.conservative_value = conservative.value.isoformat() if conservative else None
    duty.statutory_at = statutory.at if statutory else None
    duty.statutory_value = statutory.value.isoformat() if statutory else None
    duty.not_before_at = not_before.at if not_before else None
    if conservative:
        duty.zone = conservative.zone


def _state(found: law.Duty, now: datetime, decision: DutyDecision | None, filing: Filing | None) -> DutyState:
    """What was filed comes first, then what was decided, then what the law says."""
    if filing is not None:
        judged = timeliness(found.due.trigger if found.due else None, found.due, filed(filing)) if found.due else None
        return DutyState.MET_LATE if judged is not None and judged.outcome == "late" else DutyState.MET
    if decision is not None:
        return DutyState(decision.kind)
    if found.state == "does_not_apply":
        return DutyState.DOES_NOT_APPLY
    if found.state == "unknown":
        return DutyState.UNDECIDED
    if found.is_held_at(now):
        return DutyState.HELD
    return DutyState.RUNNING if found.due is not None and found.due.trigger is not None else DutyState.NOT_STARTED


def _set_state(work: Work, duty: Duty, state: DutyState) -> None:
    duty.state = state
    if state in OPEN_STATES:
        duty.done_at = None
    elif duty.done_at is None:
        duty.done_at = work.now


def _snapshot(duty: Duty) -> dict[str, Any]:
    """What must not move without a record."""
    return {
        "state": str(duty.state),
        "deadline": duty.conservative_value,
        "statutory": duty.statutory_value,
        "trigger": duty.trigger_at.astimezone(UTC).isoformat() if duty.trigger_at else None,
    }


def _foreseen(found: law.Duty, state: DutyState) -> dict[str, Any]:
    """What `_snapshot` will say once it is written."""
    due = found.due
    return {
        "state": str(state),
        "deadline": due.conservative.value.isoformat() if due and due.conservative else None,
        "statutory": due.statutory.value.isoformat() if due and due.statutory else None,
        "trigger": due.trigger.at.astimezone(UTC).isoformat() if due and due.trigger else None,
    }


def _deadline_of(found: law.Duty) -> datetime | None:
    return found.due.conservative.at if found.due and found.due.conservative else None


def filed(filing: Filing) -> Moment:
    """The moment of a filing as the law reads it."""
    return Moment(filing.filed_at, filing.zone, filing.precision)


def _in_words(duty: Duty, entry: Mapping[str, Any]) -> str:
    before, after = entry["before"], entry["after"]
    name = f"{duty.title} ({duty.recipient_name})"
    if not before:
        return f"{name}: {after['state']}"
    changed = ", ".join(f"{what} {before[what]} → {after[what]}" for what in after if before[what] != after[what])
    return f"{name}: {changed or 'as before'}{' (waits to be accepted)' if entry['held'] else ''}"
