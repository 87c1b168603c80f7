"""What laws demand of a notice, in plain words: elements, placeholders, and the texts a draft starts from (contents.yaml)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from incident_tracker.rules.catalogues import PACKAGE_FOLDER
from incident_tracker.rules.sources import Node, read_yaml

__all__ = ["Contents", "Demand", "Demands", "Element", "Placeholder", "default_contents", "folded", "read_contents"]

#: a name in square brackets; what is followed by "(" is a link and no placeholder
GAP = re.compile(r"\[([^\W\d_][^\[\]\n]{0,80})\](?!\()")

_PEOPLE = frozenset({"people", "clients", "service_recipients", "users", "public", "media"})
_USUAL_AS = {
    "clients": "people",
    "service_recipients": "people",
    "users": "people",
    "public": "media",
    "owner": "controller",
    "register": "internal",
}
_LATER = re.compile(r"partial|phases|incomplete|updates allowed|only if the rest", re.IGNORECASE)
_REASONS = "reasons_for_delay"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A named gap: what fills it, the best source first; without sources somebody writes it by hand."""

    name: str
    meaning: str
    sources: tuple[str, ...] = ()
    as_day: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that a law wants to be told, or a rule about the notice (`is_note`), which is no section of it."""

    id: str
    label: str
    meaning: str
    text: str
    people_label: str
    people_text: str
    is_note: bool = False
    later: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """One section that a notice should have. `by_law` is False where it is only usual to tell this."""

    id: str
    heading: str
    meaning: str
    start: str
    by_law: bool


@dataclass(frozen=True, slots=True)
class Demands:
    """All that one obligation asks of its notice. `phased` says that the law lets what is missing follow later."""

    opening: str
    sections: tuple[Demand, ...]
    notes: tuple[Element, ...]
    phased: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """The catalogue as contents.yaml writes it. `keys` holds, by audience, the elements a regime's content key stands for."""

    placeholders: Mapping[str, Placeholder]
    elements: Mapping[str, Element]
    keys: Mapping[str, Mapping[str, tuple[str, ...]]]
    usual: Mapping[str, tuple[str, ...]]
    openings: Mapping[str, str]

    def demands(self, keys: Iterable[str], recipient: str, phase: str = "", *, late: bool = False) -> Demands:
        """What a notice for a kind of recipient must contain, in the order of the law.

        `keys` are the content keys of an obligation, `phase` its phase; `late` adds the reasons for the delay.
        A key that is not in the catalogue still makes a section, named after the key, so that nothing demanded is lost.
        """
        found: dict[str, bool] = {}
        listed = list(keys)
        for key in listed:
            for name in self._stands_for(key, recipient):
                for one in self._usual(recipient) if name == "usual" else (name,):
                    found[one] = found.get(one, False) or name != "usual"
        if not any(not self._element(name).is_note for name in found):
            found |= {name: False for name in self._usual(recipient) if name not in found}
        if late:
            found[_REASONS] = True
        elements = [self._element(name) for name in found]
        is_phased = bool(_LATER.search(phase)) or any(one.later for one in elements)
        sections = self._sections([one for one in elements if not one.is_note], found, recipient)
        return Demands(self._opening(recipient), sections, tuple(one for one in elements if one.is_note), is_phased)

    def knows(self, key: str) -> bool:
        """Whether a content key of a regime file has its words here."""
        return key in self.elements or key in self.keys

    def _sections(self, elements: Iterable[Element], by_law: Mapping[str, bool], recipient: str) -> tuple[Demand, ...]:
        is_people = recipient in _PEOPLE
        found: dict[str, Demand] = {}
        for one in elements:
            heading = one.people_label if is_people else one.label
            if folded(heading) in found:
                continue
            found[folded(heading)] = Demand(one.id, heading, one.meaning, one.people_text if is_people else one.text, by_law[one.id])
        return tuple(found.values())

    def _stands_for(self, key: str, recipient: str) -> tuple[str, ...]:
        if key in self.keys:
            by_audience = self.keys[key]
            return by_audience.get(recipient) or by_audience.get("people" if recipient in _PEOPLE else "other") or by_audience["other"]
        return (key,)

    def _element(self, name: str) -> Element:
        if name in self.elements:
            return self.elements[name]
        label = name.replace("_", " ").capitalize()
        return Element(name, label, "The law asks for this; see its text.", f"[{label.lower()}]", label, f"[{label.lower()}]")

    def _usual(self, recipient: str) -> tuple[str, ...]:
        return self.usual.get(_USUAL_AS.get(recipient, recipient)) or self.usual["default"]

    def _opening(self, recipient: str) -> str:
        return self.openings.get(_USUAL_AS.get(recipient, recipient)) or self.openings["default"]


def folded(name: str) -> str:
    """A heading or a placeholder's name as it is compared: small letters, single spaces."""
    return " ".join(name.split()).casefold()


def read_contents(folder: Path) -> Contents:
    """Read contents.yaml of a folder. Raises RegimeError with file, line and the rule that was broken."""
    root = read_yaml(folder / "contents.yaml", "contents.yaml").mapping("placeholders elements keys usual openings")
    placeholders = {folded(name): _placeholder(name, node) for name, node in root["placeholders"].mapping().items()}
    elements = {name: _element(name, node) for name, node in root["elements"].mapping().items()}
    for name, element in elements.items():
        own = folded(element.label)
        if not element.is_note and element.text == f"[{own}]" and own not in placeholders:
            placeholders[own] = Placeholder(own, element.meaning)
        _check_gaps(root["elements"].mapping()[name], (element.text, element.people_text), placeholders)
    known = {*elements, "usual"}
    keys = {key: _targets(node, known) for key, node in root["keys"].mapping().items()}
    usual = {kind: _names(node, known) for kind, node in root["usual"].mapping().items()}
    openings = {kind: node.text().strip() for kind, node in root["openings"].mapping().items()}
    for kind, text in openings.items():
        _check_gaps(root["openings"].mapping()[kind], (text,), placeholders)
    return Contents(placeholders, elements, keys, usual, openings)


@lru_cache(maxsize=1)
def default_contents() -> Contents:
    """The catalogue that comes with the tracker."""
    return read_contents(PACKAGE_FOLDER)


def _placeholder(name: str, node: Node) -> Placeholder:
    if GAP.fullmatch(f"[{name}]") is None:
        node.refuse(f"{name!r} cannot be a placeholder: letters first, no brackets, at most 80 characters")
    keys = node.mapping("meaning", "from as")
    as_day = "as" in keys and keys["as"].one_of("day") == "day"
    return Placeholder(folded(name), keys["meaning"].text(), keys["from"].texts() if "from" in keys else (), as_day)


def _element(name: str, node: Node) -> Element:
    keys = node.mapping("label meaning", "text people_label people_text kind later")
    label = keys["label"].text()
    is_note = "kind" in keys and keys["kind"].one_of("note", "section") == "note"
    text = "" if is_note else keys["text"].text().strip() if "text" in keys else f"[{folded(label)}]"
    return Element(
        id=name,
        label=label,
        meaning=keys["meaning"].text(),
        text=text,
        people_label=keys["people_label"].text() if "people_label" in keys else label,
        people_text=keys["people_text"].text().strip() if "people_text" in keys else text,
        is_note=is_note,
        later="later" in keys and keys["later"].flag(),
    )


def _targets(node: Node, known: set[str]) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(node.value, dict):
        return {"other": _names(node, known)}
    if "other" not in node.value:
        node.refuse("a key that means different things to different recipients needs 'other' as well")
    return {audience: _names(one, known) for audience, one in node.mapping().items()}


def _names(node: Node, known: set[str]) -> tuple[str, ...]:
    names = node.texts()
    for name in names:
        if name not in known:
            node.refuse(f"there is no element {name!r}")
    return names


def _check_gaps(node: Node, texts: Iterable[str], placeholders: Mapping[str, Placeholder]) -> None:
    for text in texts:
        for name in GAP.findall(text):
            if folded(name) not in placeholders:
                node.refuse(f"[{name}] is not a placeholder of this file")
