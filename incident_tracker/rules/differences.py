"""What changed between two texts of a notice: section by section, word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from incident_tracker.rules.contents import folded
from incident_tracker.rules.notices import Section, parse

__all__ = ["Run", "SectionDifference", "difference"]

#: comparisons that one difference may cost; what is beyond is shown as replaced whole
BUDGET = 4_000_000

#: a placeholder changes as a whole
_TOKENS = re.compile(r"\[[^\[\]\n]*\]|\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text that is `same`, `added` or `removed`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class SectionDifference:
    """One section in both texts. `state` is same, changed, added, removed or moved; `heading` is empty for the opening."""

    heading: str
    state: str
    runs: tuple[Run, ...]


def difference(before: str, after: str) -> tuple[SectionDifference, ...]:
    """Compare two texts. Empty where they are the same, to the letter; else every section of both, in the newer order."""
    if before == after:
        return ()
    old, new = _sections(before), _sections(after)
    moved = _moved(list(old), list(new))
    budget = _Budget(BUDGET)
    found: list[SectionDifference] = []
    for key, section in new.items():
        if key not in old:
            found.append(SectionDifference(section.heading, "added", _whole("added", section.text)))
        else:
            state = "moved" if key in moved else "same"
            runs = _runs(old[key].text, section.text, budget)
            is_same = all(run.kind == "same" for run in runs)
            found.append(SectionDifference(section.heading, state if is_same else "changed", runs))
        found += _gone_after(key, old, new)
    found = _gone_after(None, old, new) + found
    if all(one.state == "same" for one in found):
        return (SectionDifference("", "changed", (Run("same", "Only spaces or blank lines changed."),)),)
    return tuple(one for one in found if one.heading or one.runs)


class _Budget:
    """What is left to spend on comparing; each comparison of n with m parts costs n × m."""

    def __init__(self, left: int) -> None:
        self._left = left

    def allows(self, cost: int) -> bool:
        if cost > self._left:
            return False
        self._left -= cost
        return True


def _sections(body: str) -> dict[tuple[str, int], Section]:
    """The sections by heading, the opening first; the number keeps headings apart that come twice."""
    draft = parse(body)
    found: dict[tuple[str, int], Section] = {("", 0): Section("", draft.opening)}
    for section in draft.sections:
        times = sum(name == folded(section.heading) for name, _ in found)
        found[(folded(section.heading), times + 1)] = section
    return found


def _gone_after(
    key: tuple[str, int] | None, old: dict[tuple[str, int], Section], new: dict[tuple[str, int], Section]
) -> list[SectionDifference]:
    """The sections taken out that stood right behind one that stayed; with None, those before all that stayed."""
    keys = list(old)
    if key is not None and key not in old:
        return []
    start = 0 if key is None else keys.index(key) + 1
    gone = []
    for name in keys[start:]:
        if name in new:
            break
        gone.append(SectionDifference(old[name].heading, "removed", _whole("removed", old[name].text)))
    return gone


def _moved(old: list[tuple[str, int]], new: list[tuple[str, int]]) -> set[tuple[str, int]]:
    both_old, both_new = [key for key in old if key in new], [key for key in new if key in old]
    stayed = {
        key
        for block in SequenceMatcher(None, both_old, both_new, autojunk=False).get_matching_blocks()
        for key in both_old[block.a : block.a + block.size]
    }
    return set(both_new) - stayed


def _whole(kind: str, text: str) -> tuple[Run, ...]:
    return (Run(kind, text),) if text else ()


def _runs(before: str, after: str, budget: _Budget) -> tuple[Run, ...]:
    """First by lines, so that long texts stay quick; then by words inside what is not the same."""
    found: list[Run] = []
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for tag, old_part, new_part in _steps(old, new, budget):
        removed, added = "".join(old_part), "".join(new_part)
        if tag == "equal":
            found.append(Run("same", removed))
        else:
            found += _words(removed, added, budget)
    return tuple(_merged([run for run in found if run.text]))


def _words(before: str, after: str, budget: _Budget) -> list[Run]:
    found: list[Run] = []
    for tag, old_part, new_part in _steps(_TOKENS.findall(before), _TOKENS.findall(after), budget):
        if tag == "equal":
            found.append(Run("same", "".join(old_part)))
            continue
        found += [*_whole("removed", "".join(old_part)), *_whole("added", "".join(new_part))]
    return found


def _steps(old: Sequence[str], new: Sequence[str], budget: _Budget) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    if start:
        yield "equal", old[:start], new[:start]
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    if not budget.allows(len(middle_old) * len(middle_new)):
        yield "replace", middle_old, middle_new
    else:
        for tag, a, b, c, d in SequenceMatcher(None, middle_old, middle_new, autojunk=False).get_opcodes():
            yield tag, middle_old[a:b], middle_new[c:d]
    if end:
        yield "equal", old[len(old) - end :], new[len(new) - end :]


def _merged(runs: Sequence[Run]) -> list[Run]:
    """Neighbours of one kind as one. A space between two changes goes with both, so that a phrase reads as one change."""
    found: list[Run] = []
    removed = added = ""
    for place, run in enumerate(runs):
        if run.kind == "removed":
            removed += run.text
        elif run.kind == "added":
            added += run.text
        elif (removed or added) and run.text == " " and place + 1 < len(runs) and runs[place + 1].kind != "same":
            removed, added = removed + " ", added + " "
        else:
            found += [*_whole("removed", removed), *_whole("added", added)]
            removed = added = ""
            if found and found[-1].kind == "same":
                found[-1] = Run("same", found[-1].text + run.text)
            else:
                found.append(run)
    return [*found, *_whole("removed", removed), *_whole("added", added)]
