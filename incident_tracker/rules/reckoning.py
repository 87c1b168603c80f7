"""Works out when an obligation is due, out of what has happened, for one recipient."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from incident_tracker.rules.chronicles import Chronicle, Start
from incident_tracker.rules.conditions import Truth
from incident_tracker.rules.counting import count
from incident_tracker.rules.deadlines import Deadline, Due, Step, day_words, moment_words
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.laws import Law, Obligation
from incident_tracker.rules.readings import Reading
from incident_tracker.rules.spans import Setting, Span
from incident_tracker.rules.terms import COMBINATIONS, END_OF_YEAR, RELATIONS, Roll, Term

_RELATION_WORDS = {"before": "before", "with": "at the same time as", "not_later_than": "not later than"}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a notice goes: the recipient's key, zone and holiday calendar, as far as known."""

    key: str = ""
    zone: str | None = None
    calendar: str | None = None


@dataclass(slots=True)
class Reckoner:
    """Computes dues of one incident. `zone` overrides every obligation's; `options` are on_hour and art_3_5."""

    law: Law
    chronicle: Chronicle
    reading: Reading
    zone: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    _busy: list[str] = field(default_factory=list)

    def due(self, one: Obligation, where: Whereabouts, trigger: Moment | None = None) -> Due:
        """The due of an obligation; `trigger` overrides what is recorded."""
        start = Start(trigger, self.law.triggers[one.trigger].label) if trigger else self._start(one, where)
        setting = self.setting(one, where, start)
        if not one.stands_alone:
            return self._due(one, where, start, setting)
        key = (one.id, start, setting.zone, setting.place_calendar, setting.on_hour, setting.art_3_5)
        found: Due | None = self.law.cache.get(key)
        if found is None:
            found = self._due(one, where, start, setting)
            self.law.remember(key, found)
        return found

    def _due(self, one: Obligation, where: Whereabouts, start: Start | None, setting: Setting) -> Due:
        spans = {
            name: self._span(term, one, where, start, setting) if term else Span()
            for name, term in (("within", one.period.within), ("not_before", one.period.not_before))
        }
        within, before = self._extended(spans["within"], one, where, setting), spans["not_before"]
        moment = start.moment if start else self._borrowed_trigger(one, where, within)
        warnings = (*_start_warnings(start), *within.warnings, *before.warnings, *_status_warnings(one))
        return Due(
            obligation=one.id,
            citation=one.citation,
            conservative=within.conservative,
            statutory=within.statutory,
            not_before=before.conservative,
            standard=one.standard,
            steps=(*_first_step(start, setting), *within.steps, *before.steps, *_standard_step(one)),
            warnings=tuple(dict.fromkeys(warnings)),
            trigger=moment,
            versions=self.law.versions,
            missing=tuple(dict.fromkeys((*within.missing, *before.missing))),
            has_number=one.period.within is not None,
        )

    def _start(self, one: Obligation, where: Whereabouts) -> Start | None:
        if one.trigger_after:
            done = self.chronicle.first_completion(one.trigger_after, where.key)
            if done:
                return Start(done, self.law.triggers[one.trigger].label)
        return self.chronicle.start(one.trigger, self._labels())

    def _labels(self) -> dict[str, str]:
        if not self.labels:
            for name in self.chronicle.moments:
                spec = self.law.facts.find(f"moments.{name}")
                self.labels[name] = spec.label if spec else name
        return self.labels

    def setting(self, one: Obligation, where: Whereabouts, start: Start | None = None) -> Setting:
        """The zone, calendar and readings by which an obligation is counted for a recipient."""
        start = start or self._start(one, where)
        zone = self.zone or (one.zone if "/" in one.zone else None)
        if zone is None and one.zone == "notifier":
            zone = self.reading.facts.values.get("organisation.zone")
        fallback = start.moment.zone if start else "UTC"
        named = one.calendar if one.calendar not in (None, "authority", "place") else None
        return Setting(
            zone=zone or where.zone or fallback,
            calendars=self.law.calendars,
            place_calendar=named or where.calendar,
            cites=one.citation,
            on_hour=self.options.get("on_hour", "strict"),
            art_3_5=self.options.get("art_3_5", "off"),
            may_roll=self._may_roll,
        )

    def _may_roll(self, roll: Roll) -> bool | None:
        if roll.when is None:
            return True
        truth = self.law.roll_checks[roll.when].judge(self.reading).truth
        return None if truth is Truth.UNKNOWN else truth is Truth.TRUE

    def _span(self, term: Term, one: Obligation, where: Whereabouts, start: Start | None, setting: Setting) -> Span:
        if term.kind in COMBINATIONS:
            parts = [self._span(part, one, where, start, setting) for part in term.parts]
            return _combined(term, parts, setting)
        if term.kind in RELATIONS:
            return self._related(term, one, setting)
        number = term.number
        if number is None:
            number = self.reading.value(term.number_fact or "")
        if number is None:
            label = self.reading.label(term.number_fact or "")
            return Span(warnings=(f"Not known yet: {label}.",), missing=(term.number_fact or "",))
        begin, steps = self._begin(term, where, start, setting)
        if begin is None:
            return Span()
        span = count(term, number, begin, setting)
        return replace(span, steps=(*steps, *span.steps))

    def _begin(
        self, term: Term, where: Whereabouts, start: Start | None, setting: Setting
    ) -> tuple[Moment | None, tuple[Step, ...]]:
        if term.after:
            done = self.chronicle.completion(term.after, where.key)
            title = self.law.obligations[term.after].title
            return done, (_begin_step(f'Done: "{title}"', done, setting),) if done else ()
        if term.start == END_OF_YEAR:
            if start is None:
                return None, ()
            last = date(setting.day_of(start.moment).year, 12, 31)
            step = Step(f"Counting starts at the end of that year, {day_words(last)}.", setting.cites)
            return Moment.on(last, setting.zone), (step,)
        if term.start:
            other = self.chronicle.start(term.start, self._labels())
            return (other.moment, (_begin_step(other.label, other.moment, setting),)) if other else (None, ())
        return (start.moment if start else None), ()

    def _related(self, term: Term, one: Obligation, setting: Setting) -> Span:
        other = self.law.obligations[term.other or ""]
        words = f'Due {_RELATION_WORDS[term.kind]} "{other.title}"'
        done = self.chronicle.completion(other.id)
        if done:
            at = Deadline.instant(done.at, setting.zone)
            # What was done on a day without a known hour can be judged by the day only; so can "at the same time".
            by_day = Deadline.on(setting.day_of(done), setting.zone)
            first = by_day if done.precision == "day" and term.kind != "before" else at
            latest = by_day if done.precision == "day" or term.kind == "with" else at
            return Span(first, latest, (Step(f"{words}, which was done {_when(done, setting)}.", setting.cites),))
        if other.id in self._busy or other.id == one.id:
            return Span()
        self._busy.append(one.id)
        theirs = self.due(other, Whereabouts())
        self._busy.pop()
        if theirs.conservative is None:
            return Span(steps=(Step(f"{words}, which has no fixed date.", setting.cites),))
        step = Step(f"{words}, which is itself due by {theirs.conservative.words}.", setting.cites)
        return Span(theirs.conservative, theirs.statutory, (step,), theirs.warnings)

    def _borrowed_trigger(self, one: Obligation, where: Whereabouts, within: Span) -> Moment | None:
        """Where a duty hangs on another one's limit, its clock runs from that one's trigger."""
        if within.is_open or one.period.within is None:
            return None
        for term in one.period.within.walk():
            if term.kind in RELATIONS:
                start = self._start(self.law.obligations[term.other or ""], where)
                return start.moment if start else self.chronicle.completion(term.other or "")
            if term.start or term.after:
                begin, _ = self._begin(term, where, None, Setting("UTC", self.law.calendars, None, ""))
                if begin:
                    return begin
        return None

    def _extended(self, span: Span, one: Obligation, where: Whereabouts, setting: Setting) -> Span:
        for modifier in one.modifiers:
            adds = modifier.adds
            if adds is None or not (modifier.filing and self.chronicle.completion(modifier.filing, where.key)):
                continue
            number = self.reading.value(adds.number_fact) if adds.number_fact else adds.number
            if number is None:
                span = replace(span, missing=(*span.missing, adds.number_fact or ""))
            if number is None or span.conservative is None:
                continue
            ends = [
                count(adds, number, Moment.on(old.day, old.zone), setting).statutory
                for old in (span.conservative, span.statutory or span.conservative)
            ]
            step = Step(f"Extended by a filing to {ends[0].words if ends[0] else ''}.", modifier.cites)
            span = replace(span, conservative=ends[0], statutory=ends[1] if span.statutory else None, steps=(*span.steps, step))
        return span


def _first_step(start: Start | None, setting: Setting) -> tuple[Step, ...]:
    return (_begin_step(start.label, start.moment, setting),) if start else ()


def _begin_step(label: str, moment: Moment, setting: Setting) -> Step:
    return Step(f"{label}: {_when(moment, setting)}.", setting.cites)


def _when(moment: Moment, setting: Setting) -> str:
    return day_words(moment.day) if moment.precision == "day" else moment_words(moment.at, setting.zone)


def _standard_step(one: Obligation) -> tuple[Step, ...]:
    if not one.standard:
        return ()
    if one.period.within is None:
        return (Step(f"The law asks for it {one.standard}. It names no number, so there is no date.", one.citation),)
    return (Step(f"The law asks for it {one.standard}; the number is the outer limit, not a safe harbour.", one.citation),)


def _start_warnings(start: Start | None) -> tuple[str, ...]:
    if start is None:
        return ()
    found = []
    if start.stands_in_for:
        found.append(f'"{start.stands_in_for}" is not recorded: the clock runs from "{start.label}".')
    if start.moment.precision == "day":
        found.append("Only the day is known: the clock runs from the start of that day.")
    return tuple(found)


def _status_warnings(one: Obligation) -> tuple[str, ...]:
    if one.status == "future":
        return ("Recorded as law that was still to start when last checked: see whether it has.",)
    return ()


def _combined(term: Term, parts: list[Span], setting: Setting) -> Span:
    counted = [part for part in parts if part.conservative is not None]
    warnings = tuple(note for part in parts for note in part.warnings)
    missing = tuple(name for part in parts for name in part.missing)
    if not counted:
        return Span(warnings=warnings, missing=missing)
    earlier = term.kind == "earlier_of"
    pick = min if earlier else max
    conservative = pick((part.conservative for part in counted if part.conservative), key=lambda one: one.at)
    latest = [part.statutory for part in counted if part.statutory]
    # The later of two is not known while one of them is not; the earlier of two is at most the one that is known.
    complete = len(latest) == len(counted) and (earlier or len(counted) == len(parts))
    statutory = pick(latest, key=lambda one: one.at) if complete else None
    steps = tuple(step for part in counted for step in part.steps)
    if len(counted) > 1:
        words = "earlier" if earlier else "later"
        steps += (Step(f"The {words} one counts: {conservative.words}.", term.cites or setting.cites),)
    return Span(conservative, statutory, steps, warnings, missing)
