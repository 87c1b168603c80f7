"""The names the law files may use: facts with their questions, and triggers with the moments that stand for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from incident_tracker.rules.sources import Node, RegimeError, read_yaml

PACKAGE_FOLDER = Path(__file__).resolve().parent.parent / "regimes"
KINDS = ("flag", "choice", "set", "count", "moment", "text", "number")
DERIVATIONS = ("any_in_group", "personal_information", "highest_by_place", "hours_between", "concerned_in")


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One fact the law asks for: its kind, its question in plain words, and how it is answered or derived.

    `per` is "place" for a family such as harm.exempt.US-NY, "regime" where a law may have its own answer. `derive`
    holds (rule, argument, …) for facts that are worked out from others and never asked. `each` is the question for one
    member of a family. `assumed` is how it counts until somebody answers.
    """

    name: str
    kind: str
    label: str
    question: str
    help: str = ""
    group: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    ordered: bool = False
    per: str | None = None
    of: str | None = None
    implies: tuple[tuple[str, tuple[str, ...]], ...] = ()
    derive: tuple[str, ...] = ()
    assumed: str | None = None
    unit: str | None = None
    each: str = ""

    @property
    def choice_values(self) -> tuple[str, ...]:
        """The values of the choices, in their order."""
        return tuple(value for value, _ in self.choices)

    def label_of(self, value: str) -> str:
        """The words for one choice; the value itself where it has none."""
        return dict(self.choices).get(value, value)


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    """What can start a clock: its words, and the moments that stand for it, the best one first."""

    name: str
    label: str
    moments: tuple[str, ...]


class Catalogue(Mapping[str, FactSpec]):
    """All facts by name; a member of a family (harm.exempt.US-NY) is found through its family."""

    def __init__(self, specs: Mapping[str, FactSpec], triggers: Mapping[str, TriggerSpec]) -> None:
        self._specs = dict(specs)
        self._members: dict[str, FactSpec | None] = {}
        self.triggers = dict(triggers)

    def __getitem__(self, name: str) -> FactSpec:
        spec = self.find(name)
        if spec is None:
            raise KeyError(name)
        return spec

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def find(self, name: str) -> FactSpec | None:
        """The fact of this name, made out of its family where it is a member of one."""
        if name in self._specs:
            return self._specs[name]
        if name not in self._members:
            self._members[name] = self._member(name)
        return self._members[name]

    def family(self, name: str) -> tuple[str, str] | None:
        """Split a member's name into its family and the place or regime it is for."""
        stem, dot, last = name.rpartition(".")
        if dot and stem in self._specs and self._specs[stem].per:
            return stem, last
        return None

    def _member(self, name: str) -> FactSpec | None:
        found = self.family(name)
        if found is None:
            return None
        stem, last = found
        spec = self._specs[stem]
        return replace(
            spec, name=name, label=f"{spec.label} ({last})", question=(spec.each or spec.question).replace("{place}", last), per=None
        )

    def merged(self, other: "Catalogue") -> "Catalogue":
        """This catalogue with the names of another added; the other wins where both have one."""
        return Catalogue({**self._specs, **other._specs}, {**self.triggers, **other.triggers})


def read_catalogue(folder: Path) -> Catalogue:
    """Read facts.yaml and triggers.yaml of a folder, where they exist. Raises RegimeError."""
    specs: dict[str, FactSpec] = {}
    triggers: dict[str, TriggerSpec] = {}
    if (path := folder / "facts.yaml").exists():
        for name, node in read_yaml(path, path.name).mapping().items():
            specs[name] = _fact(name, node)
    if (path := folder / "triggers.yaml").exists():
        for name, node in read_yaml(path, path.name).mapping().items():
            keys = node.mapping("label moments")
            triggers[name] = TriggerSpec(name, keys["label"].text(), keys["moments"].texts())
    return Catalogue(specs, triggers)


@lru_cache(maxsize=1)
def default_catalogue() -> Catalogue:
    """The catalogue of the laws that come with the tracker."""
    return read_catalogue(PACKAGE_FOLDER)


def _fact(name: str, node: Node) -> FactSpec:
    keys = node.mapping("kind label", "question help group choices ordered per of implies derive assumed unit each")
    text = {key: keys[key].text() for key in ("label", "question", "help", "group", "of", "unit", "each") if key in keys}
    derive = keys["derive"].texts() if "derive" in keys else ()
    if derive and derive[0] not in DERIVATIONS:
        keys["derive"].refuse(f"{derive[0]!r} is not one of {', '.join(DERIVATIONS)}")
    if not derive and "question" not in keys:
        node.refuse("a fact that is not derived needs a question")
    spec = FactSpec(
        name=name,
        kind=keys["kind"].one_of(*KINDS),
        label=text["label"],
        question=text.get("question", ""),
        help=text.get("help", ""),
        group=text.get("group", ""),
        choices=_choices(keys["choices"]) if "choices" in keys else (),
        ordered=keys["ordered"].flag() if "ordered" in keys else False,
        per=keys["per"].one_of("place", "regime") if "per" in keys else None,
        of=text.get("of"),
        implies=_implications(keys["implies"]) if "implies" in keys else (),
        derive=derive,
        assumed=keys["assumed"].text() if "assumed" in keys else None,
        unit=text.get("unit"),
        each=text.get("each", ""),
    )
    if spec.kind == "choice" and not spec.choices:
        node.refuse("a choice needs its choices")
    return spec


def _choices(node: Node) -> tuple[tuple[str, str], ...]:
    return tuple((value, words.text()) for value, words in node.mapping().items())


def _implications(node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((value, implied.texts()) for value, implied in node.mapping().items())


__all__ = [
    "PACKAGE_FOLDER",
    "Catalogue",
    "FactSpec",
    "RegimeError",
    "TriggerSpec",
    "default_catalogue",
    "read_catalogue",
]
