"""The text of a notice: composed from what is demanded and known, read section by section, and what it still lacks."""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from incident_tracker.rules.contents import GAP, Demand, Demands, folded

__all__ = [
    "LONGEST",
    "Draft",
    "Lack",
    "Refill",
    "Section",
    "clean",
    "compose",
    "digest",
    "fill",
    "gaps",
    "is_independent",
    "lacks",
    "marked",
    "parse",
    "refill",
]

#: a notice's longest text, in characters
LONGEST = 100_000

_HEADING = re.compile(r"(?m)^##[ \t]+(.*)$")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ufeff]")

Fillings = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a text: the line after `## ` and what stands under it."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A text as it is read: what stands before the first heading, and its sections in order."""

    opening: str
    sections: tuple[Section, ...]

    def find(self, heading: str) -> Section | None:
        """The first section under a heading, whatever its capitals and spaces."""
        return next((one for one in self.sections if folded(one.heading) == folded(heading)), None)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a text still lacks. `kind` is missing, empty or open; `gaps` names the placeholders left open."""

    heading: str
    kind: str
    gaps: tuple[str, ...] = ()
    by_law: bool = True
    meaning: str = ""

    @property
    def words(self) -> str:
        """What is wrong, in words."""
        if self.kind == "missing":
            return f"the section “{self.heading}” is missing"
        if self.kind == "empty":
            return f"the section “{self.heading}” is empty"
        where = f"“{self.heading}”" if self.heading else "the opening"
        return f"{where} is still open: " + ", ".join(f"[{name}]" for name in self.gaps)


@dataclass(frozen=True, slots=True)
class Refill:
    """A text brought up to date with the facts. `by_hand` names placeholders whose fact changed where the text was
    rewritten by hand, so that it was left alone."""

    body: str
    by_hand: tuple[str, ...]


def clean(text: str) -> str:
    """A text as it is kept: line ends as `\\n`, no unseen control characters, no blank lines around it."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", unified).strip("\n \t")


def digest(body: str) -> str:
    """The SHA-256 of a text's UTF-8 bytes, in small hexadecimal letters: what an approval is bound to."""
    return hashlib.sha256(body.encode("utf-8")).hexdigest()


def parse(body: str) -> Draft:
    """Read a text by its `## ` lines. Every text can be read; one without such a line is all opening."""
    marks = list(_HEADING.finditer(body))
    ends = [*(mark.start() for mark in marks), len(body)]
    sections = tuple(Section(mark[1].rstrip("# \t"), body[mark.end() : end].strip("\n")) for mark, end in zip(marks, ends[1:], strict=True))
    return Draft(body[: ends[0]].strip("\n"), sections)


def fill(text: str, fillings: Fillings) -> str:
    """Put the known words in the place of their placeholders, in one pass: what is put in is not looked at again."""
    return GAP.sub(lambda gap: fillings.get(folded(gap[1])) or gap[0], text)


def gaps(text: str) -> tuple[str, ...]:
    """The names in square brackets that stand in a text, each once, in order; a bracketed note of somebody's own counts."""
    return tuple(dict.fromkeys(" ".join(name.split()) for name in GAP.findall(text)))


def marked(text: str) -> tuple[tuple[str, bool], ...]:
    """A text cut into stretches, each with whether it is a gap; put together again they are the text."""
    found: list[tuple[str, bool]] = []
    at = 0
    for gap in GAP.finditer(text):
        found += [(text[at : gap.start()], False), (gap[0], True)]
        at = gap.end()
    return tuple(one for one in [*found, (text[at:], False)] if one[0])


def compose(demands: Demands, fillings: Fillings) -> str:
    """The first text of a notice: its opening, then one section for each thing that is demanded, filled from the facts."""
    parts = [fill(demands.opening, fillings)]
    parts += [f"## {one.heading}\n\n{fill(one.start, fillings)}" for one in demands.sections]
    return clean("\n\n".join(part for part in parts if part))


def lacks(body: str, demands: Demands) -> tuple[Lack, ...]:
    """What is demanded and the text lacks, in the order of the law; then what is open in its other parts."""
    draft = parse(body)
    found = [lack for one in demands.sections if (lack := _lack_of(draft, one)) is not None]
    demanded = {folded(one.heading) for one in demands.sections}
    others = [Section("", draft.opening), *(one for one in draft.sections if folded(one.heading) not in demanded)]
    found += [Lack(one.heading, "open", open_here, by_law=False) for one in others if (open_here := gaps(f"{one.heading}\n{one.text}"))]
    return tuple(found)


def _lack_of(draft: Draft, demand: Demand) -> Lack | None:
    sections = [one for one in draft.sections if folded(one.heading) == folded(demand.heading)]
    if not sections:
        return Lack(demand.heading, "missing", meaning=demand.meaning) if demand.by_law else None
    text = "\n".join(one.text for one in sections)
    if open_here := gaps(text):
        return Lack(demand.heading, "open", open_here, demand.by_law, demand.meaning)
    return None if text.strip() else Lack(demand.heading, "empty", (), demand.by_law, demand.meaning)


def refill(body: str, demands: Demands, before: Fillings, after: Fillings) -> Refill:
    """Bring a text up to date: lines that still read as the facts did when it was filled, and placeholders left open.

    `before` are the fillings it was last filled with. A line that somebody rewrote is never touched.
    """
    by_hand: dict[str, None] = {}
    pieces = _pieces(body)
    for heading, start in [("", demands.opening), *((one.heading, one.start) for one in demands.sections)]:
        place = folded(heading)
        for line in (line for line in start.split("\n") if gaps(line)):
            old, new = fill(line, before), fill(line, after)
            if old == new:
                continue
            text = pieces.get(place)
            swapped = _swap(text, old, new) if text is not None else None
            if swapped is not None:
                pieces[place] = swapped
            elif text is not None and not _has_lines(text, new):
                by_hand |= {name: None for name in map(folded, gaps(line)) if before.get(name) != after.get(name)}
    fresh = clean(fill("".join(pieces.values()), after))
    still_open = {folded(name) for name in gaps(body)}
    return Refill(fresh, tuple(name for name in by_hand if name not in still_open))


def _pieces(body: str) -> dict[str, str]:
    """A text cut before each heading, by heading; the pieces put together again are the text."""
    starts = [0, *(mark.start() for mark in _HEADING.finditer(body)), len(body)]
    found: dict[str, str] = {}
    for begin, end in pairwise(starts):
        piece = body[begin:end]
        mark = _HEADING.match(piece)
        name = folded(mark[1].rstrip("# \t")) if mark else ""
        # a heading that comes twice is kept apart from the first by a name that no heading can have
        found[name if name not in found else f"\n{begin}"] = piece
    return found


def _swap(text: str, old: str, new: str) -> str | None:
    """The text with the first whole lines that read `old` reading `new`; None where there are none."""
    at = _find_lines(text, old)
    return None if at is None else text[:at] + new + text[at + len(old) :]


def _has_lines(text: str, lines: str) -> bool:
    return _find_lines(text, lines) is not None


def _find_lines(text: str, lines: str) -> int | None:
    found = re.search(rf"(?m)^{re.escape(lines)}$", text)
    return found.start() if found else None


def is_independent(reviewer_id: int | None, authors_since_approval: Collection[int], submitter_id: int | None) -> bool:
    """Whether somebody may judge a text: neither wrote any part of it since it was last approved, nor handed it in."""
    return reviewer_id is not None and reviewer_id not in authors_since_approval and reviewer_id != submitter_id
