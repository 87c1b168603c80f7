"""Writing into the fact ledger. A line is never changed: a later one takes its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incident_tracker import library
from incident_tracker.actions import clocks
from incident_tracker.errors import Invalid
from incident_tracker.models.facts import Fact, current_facts
from incident_tracker.models.incidents import Incident
from incident_tracker.rules.facts import Certainty, FactError, read_facts
from incident_tracker.rules.permissions import Permission
from incident_tracker.work import Work

#: parts of other actions: they check no permission of their own and are never called from a door
PARTS = ("write",)


@dataclass(frozen=True)
class Entry:
    """One line to write: `name` and `value` as in the facts document of `rules.facts`, None for "not known yet"."""

    name: str
    value: Any
    certainty: str = Certainty.EXACT
    source: str = ""


def record_facts(work: Work, incident: Incident, entries: Sequence[Entry], seen: dict[str, int | None] | None = None) -> list[Fact]:
    """Write lines into the ledger and recompute the duties.

    `seen` gives, for each name, the id of the line that the person saw (None for none): where another stands by now
    the line is still written, after it, so neither is lost; the ledger shows both. Raises Invalid for what no fact can be.
    """
    work.require(Permission.RECORD_FACTS, incident)
    written = write(work, incident, entries)
    names = ", ".join(_label(fact.name) for fact in written)
    work.record(
        "fact.record",
        f"recorded {names}" if names else "recorded nothing new",
        incident=incident,
        before={fact.name: seen.get(fact.name) for fact in written} if seen else {},
        after={fact.name: fact.value for fact in written},
    )
    if written:
        clocks.recompute(work, incident, f"recorded {names}"[:300], clocks.FACTS)
    return written


def _label(name: str) -> str:
    """A fact in words, with its place where it has one."""
    spec = library.shelf().law.facts.find(name)
    words = spec.label if spec else name
    return f"{words} ({name.rsplit('.', 1)[1]})" if name.startswith("affected.by_place.") else words


def write(work: Work, incident: Incident, entries: Sequence[Entry]) -> list[Fact]:
    """Add the lines that say something new; the lines they correct stay, marked with when they were superseded."""
    current = current_facts(incident.id)
    _check(entries, incident)
    written = []
    for entry in entries:
        before = current.get(entry.name)
        if before is not None and (before.value, before.certainty, before.source) == (entry.value, entry.certainty, entry.source):
            continue
        if before is None and entry.value is None:
            continue
        if before is not None:
            before.superseded_at = work.now
            work.session.flush()
        fact = Fact(
            incident_id=incident.id,
            name=entry.name,
            value=entry.value,
            certainty=entry.certainty,
            source=entry.source.strip(),
            author_id=work.actor.id,
            recorded_at=work.now,
            corrects_id=before.id if before else None,
        )
        work.session.add(fact)
        work.session.flush()
        current[entry.name] = fact
        written.append(fact)
    return written


def _check(entries: Sequence[Entry], incident: Incident) -> None:
    for entry in entries:
        if entry.certainty not in set(Certainty):
            raise Invalid(f"{entry.certainty} is no certainty.")
        document = clocks.document_of({entry.name: entry.value}) if entry.value is not None else {}
        try:
            read_facts({"organisation.zone": incident.zone, **document}, catalogue=library.shelf().law.facts)
        except FactError as error:
            raise Invalid(f"{entry.name}: expected {error.expected}") from error
