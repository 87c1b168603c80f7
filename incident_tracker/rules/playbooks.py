"""What a playbook file says: the steps of a response, in phases. Reads the files, checks them, and lets one extend another."""

import hashlib
import json
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, Self

from incident_tracker.rules.sources import Node, RegimeError, read_yaml

#: what an incident is; the kind proposes the playbook
KINDS = {
    "misdirected_email": "Sent to the wrong person",
    "lost_device": "Lost or stolen device or papers",
    "ransomware": "Ransomware or destructive attack",
    "intrusion": "Break-in or stolen log-ins",
    "exposure": "Data openly reachable by mistake",
    "insider": "Misuse by somebody inside",
    "vendor_breach": "At a vendor or processor of ours",
    "other": "Something else, or not known yet",
}

#: the five phases, in their order
PHASES = {
    "scope": "Scope",
    "contain": "Contain",
    "notify_regulators": "Notify regulators",
    "notify_customers": "Notify customers",
    "remediate": "Remediate",
}

#: whose work a step usually is; anybody who may follow the checklist can do it
ROLES = {
    "lead": "incident lead",
    "security": "security",
    "privacy": "privacy officer",
    "legal": "legal counsel",
    "communications": "communications",
    "manager": "management",
}

#: categories of the NIST Cybersecurity Framework 2.0 that a step may be tagged with, alone or with a number (RS.MA-02)
CSF_CATEGORIES = {
    "GV.OC": "Organizational context", "GV.SC": "Supply chain risk management", "ID.AM": "Asset management", "ID.RA": "Risk assessment",
    "ID.IM": "Improvement", "PR.AA": "Identity management and access control", "PR.AT": "Awareness and training", "PR.DS": "Data security",
    "PR.PS": "Platform security", "DE.AE": "Adverse event analysis", "RS.MA": "Incident management", "RS.AN": "Incident analysis",
    "RS.CO": "Incident response reporting and communication", "RS.MI": "Incident mitigation", "RC.RP": "Incident recovery plan execution",
    "RC.CO": "Incident recovery communication",
}

#: deadlines a step may be due before or after, with the kinds of recipient whose earliest open duty is meant
CLOCKS: dict[str, tuple[str, frozenset[str]]] = {
    "clock.regulators": ("the first regulator deadline", frozenset({"authority", "agency", "csirt"})),
    "clock.people": ("the first deadline to tell the people concerned", frozenset({"people", "media", "public", "clients", "users", "service_recipients"})),
}
START = "start"
_UNITS = {"min": 1, "h": 60, "days": 1440}
_DUE = re.compile(r"(\d{1,4}) (min|h|days) (after|before) ([a-z][a-z0-9_.]*)")
_ID = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_STEP_TEXTS = "title detail role"
_STEP_OPTIONS = "due evidence waits_for facts csf"


class PlaybookError(ValueError):
    """A playbook file that breaks a rule; reads "file:line: what is wrong"."""


@dataclass(frozen=True, slots=True)
class DueRule:
    """When a step is due: some elapsed minutes after or before an anchor.

    The anchor is `start` (of the checklist), a moment among the facts (`moments.aware`), or one of CLOCKS. A day is 24 hours.
    """

    minutes: int
    side: str
    anchor: str

    def at(self, anchors: Mapping[str, datetime]) -> datetime | None:
        """The due instant, in the zone of the anchor's; None while the anchor is not among `anchors`."""
        known = anchors.get(self.anchor)
        span = timedelta(minutes=self.minutes)
        return None if known is None else known + span if self.side == "after" else known - span

    def words(self, anchor_label: str) -> str:
        """`48 h after Became aware`, `14 days before the first regulator deadline`: days from three on, where they come out even."""
        sizes = [(unit, size) for unit, size in _UNITS.items() if self.minutes % size == 0 and (unit != "days" or self.minutes >= 3 * size)]
        unit, size = sizes[-1]
        return f"{self.minutes // size} {unit} {self.side} {anchor_label}"

    def to_json(self) -> dict[str, Any]:
        """Return the form that from_json reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what to_json wrote."""
        return cls(int(document["minutes"]), str(document["side"]), str(document["anchor"]))


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """One thing to do. `evidence` says what proof is asked for, empty for none; `facts` names the facts it settles."""

    id: str
    phase: str
    title: str
    detail: str
    role: str
    due: DueRule | None = None
    evidence: str = ""
    waits_for: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    csf: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Playbook:
    """A recipe. `kinds` are the incidents it is proposed for; `steps` stand in the order of the phases."""

    id: str
    title: str
    summary: str
    kinds: tuple[str, ...]
    extends: str | None
    steps: tuple[PlaybookStep, ...]

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of all it says: two playbooks with the same text have the same version."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def phases(self) -> list[tuple[str, list[PlaybookStep]]]:
        """The phases that have steps, in order, with their steps."""
        grouped = [(phase, [step for step in self.steps if step.phase == phase]) for phase in PHASES]
        return [(phase, steps) for phase, steps in grouped if steps]


def load_playbooks(*folders: Path, facts: Container[str] | None = None) -> dict[str, Playbook]:
    """Read every `*.yaml` of the folders; the file's name is the playbook's id, and a later folder replaces an id.

    `facts`, where given, holds the names that steps may speak of. Raises PlaybookError with file, line and rule.
    """
    files: dict[str, Node] = {}
    try:
        for folder in folders:
            for path in sorted(folder.glob("*.yaml")):
                files[path.stem] = read_yaml(path, f"{folder.name}/{path.name}")
        reader = _Reader(files, facts)
        return {id: reader.playbook(id) for id in files}
    except RegimeError as error:
        raise PlaybookError(str(error)) from error


def proposed_for(kind: str, playbooks: Iterable[Playbook]) -> tuple[list[Playbook], list[Playbook]]:
    """The playbooks proposed for an incident of this kind, and the others, each by title."""
    ordered = sorted(playbooks, key=lambda one: one.title)
    return [one for one in ordered if kind in one.kinds], [one for one in ordered if kind not in one.kinds]


class _Reader:
    """Turns the nodes of all files into playbooks, a base before what extends it."""

    def __init__(self, files: Mapping[str, Node], facts: Container[str] | None) -> None:
        self._files = files
        self._facts = facts
        self._done: dict[str, Playbook] = {}

    def playbook(self, id: str, extending: tuple[str, ...] = ()) -> Playbook:
        if id in self._done:
            return self._done[id]
        file = self._files[id]
        if not _ID.fullmatch(id) or len(id) > 80:
            file.refuse("the file's name is the playbook's id: small letters, digits, - and _, at most 80")
        keys = file.mapping("title summary kinds steps", "extends leave_out")
        base: Playbook | None = None
        if "extends" in keys:
            name = keys["extends"].text()
            if name not in self._files:
                keys["extends"].refuse(f"there is no playbook {name!r} to extend; known: {', '.join(self._files)}")
            if name in (id, *extending):
                keys["extends"].refuse(f"the playbooks extend each other in a circle: {' → '.join((*extending, id, name))}")
            base = self.playbook(name, (*extending, id))
        elif "leave_out" in keys:
            keys["leave_out"].refuse("only a playbook that extends another can leave out its steps")
        steps = _Steps(base.steps if base else (), self._facts)
        for node in keys["leave_out"].items() if "leave_out" in keys else ():
            steps.leave_out(node)
        for node in keys["steps"].items():
            steps.take(node)
        found = Playbook(
            id, _short(keys["title"], 200), keys["summary"].text(), tuple(node.one_of(*KINDS) for node in keys["kinds"].items()),
            base.id if base else None, steps.in_order(keys["steps"]),
        )
        self._done[id] = found
        return found


class _Steps:
    """The steps of one playbook while its file is read: those of the base, then changed, added to and left out."""

    def __init__(self, base: tuple[PlaybookStep, ...], facts: Container[str] | None) -> None:
        self._steps = list(base)
        self._base = {step.id for step in base}
        self._left_out: dict[str, Node] = {}
        self._written: dict[str, Node] = {}
        self._waits: dict[str, Node] = {}
        self._facts = facts

    def leave_out(self, node: Node) -> None:
        if node.text() not in self._base:
            node.refuse(f"the playbook it extends has no step {node.text()!r}")
        self._left_out[node.text()] = node
        self._steps = [step for step in self._steps if step.id != node.text()]

    def take(self, node: Node) -> None:
        """Add one step, or change the base's step of the same id by the keys that are written."""
        written = node.mapping()
        id = written["id"].text() if "id" in written else ""
        if not _ID.fullmatch(id) or len(id) > 80:
            node.refuse("a step needs an id: small letters, digits and -, at most 80")
        if id in self._written:
            node.refuse(f"the step {id!r} is written twice")
        self._written[id] = node
        at = self._index(id)
        if at is not None:
            keys = node.mapping("id", f"{_STEP_TEXTS} {_STEP_OPTIONS}")
            self._steps[at] = replace(self._steps[at], **self._read(keys))
        else:
            keys = node.mapping(f"id phase {_STEP_TEXTS}", f"{_STEP_OPTIONS} place")
            step = PlaybookStep(id=id, phase=keys["phase"].one_of(*PHASES), **self._read(keys))
            self._steps.insert(self._place(step, keys.get("place")), step)
        if "waits_for" in keys:
            self._waits[id] = keys["waits_for"]

    def in_order(self, whole: Node) -> tuple[PlaybookStep, ...]:
        """All steps by phase; refuse unknown names in waits_for, and circles."""
        known = {step.id: step for step in self._steps}
        for step in self._steps:
            for name in step.waits_for:
                if name in self._left_out and name not in known:
                    self._left_out[name].refuse(f"{name!r} cannot be left out while the step {step.id!r} waits for it")
                if name not in known:
                    self._refuse(step.id, whole, f"the step {step.id!r} waits for {name!r}, which is not a step here")
        for step in self._steps:
            circle = _circle_from(step.id, known)
            if circle:
                self._refuse(step.id, whole, f"the steps wait for each other in a circle: {' → '.join(circle)}")
        order = list(PHASES)
        return tuple(sorted(self._steps, key=lambda step: order.index(step.phase)))

    def _refuse(self, id: str, whole: Node, rule: str) -> NoReturn:
        self._waits.get(id, self._written.get(id, whole)).refuse(rule)

    def _index(self, id: str) -> int | None:
        return next((at for at, step in enumerate(self._steps) if step.id == id), None)

    def _place(self, step: PlaybookStep, node: Node | None) -> int:
        if node is None:
            return len(self._steps)
        keys = node.mapping("", "before after")
        if len(keys) != 1:
            node.refuse("a place is {before: step} or {after: step}")
        side, name = next(iter(keys.items()))
        at = self._index(name.text())
        if at is None:
            name.refuse(f"there is no step {name.text()!r} to stand {side}")
        if self._steps[at].phase != step.phase:
            name.refuse(f"the step {name.text()!r} is of another phase, {self._steps[at].phase}")
        return at + (side == "after")

    def _read(self, keys: Mapping[str, Node]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "title" in keys:
            found["title"] = _short(keys["title"], 300)
        if "detail" in keys:
            found["detail"] = keys["detail"].text().strip()
        if "role" in keys:
            found["role"] = keys["role"].one_of(*ROLES)
        if "due" in keys:
            found["due"] = self._due(keys["due"])
        if "evidence" in keys:
            found["evidence"] = (keys["evidence"].text_or_none() or "").strip()
        if "waits_for" in keys:
            found["waits_for"] = keys["waits_for"].texts()
        if "facts" in keys:
            found["facts"] = tuple(self._fact(node) for node in keys["facts"].items())
        if "csf" in keys:
            found["csf"] = tuple(_csf(node) for node in keys["csf"].items())
        return found

    def _due(self, node: Node) -> DueRule | None:
        if node.value is None:
            return None
        match = _DUE.fullmatch(node.text())
        if match is None:
            node.refuse(f"a due time reads like '2 h after moments.aware': number, {'|'.join(_UNITS)}, after|before, anchor; found {node.text()!r}")
        number, unit, side, anchor = match.groups()
        if anchor != START and anchor not in CLOCKS and not anchor.startswith("moments."):
            node.refuse(f"{anchor!r} is no anchor: {START}, a fact moments.…, {', '.join(CLOCKS)}")
        if anchor.startswith("moments."):
            self._known(node, anchor)
        return DueRule(int(number) * _UNITS[unit], side, anchor)

    def _fact(self, node: Node) -> str:
        self._known(node, node.text())
        return node.text()

    def _known(self, node: Node, name: str) -> None:
        if self._facts is not None and name not in self._facts:
            node.refuse(f"the fact {name!r} is not in the catalogue (facts.yaml)")


def _circle_from(start: str, known: Mapping[str, PlaybookStep]) -> list[str]:
    """The way from `start` back to itself along waits_for; empty where there is none."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop()
        for name in known[way[-1]].waits_for:
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _short(node: Node, most: int) -> str:
    text = node.text().strip()
    if not text or len(text) > most:
        node.refuse(f"expected 1 to {most} characters, found {len(text)}")
    return text


def _csf(node: Node) -> str:
    category, _, number = node.text().partition("-")
    if category not in CSF_CATEGORIES or (number and not re.fullmatch(r"\d\d", number)):
        node.refuse(f"{node.text()!r} is no tag such as RS.MA or RS.MA-02; known: {', '.join(CSF_CATEGORIES)}")
    return node.text()
