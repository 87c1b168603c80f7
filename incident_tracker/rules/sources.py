"""YAML read as text only, with the file and line of every value kept for messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NoReturn

import yaml

# The C parser is about eight times faster; a build of PyYAML without it still works.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EMPTY = frozenset({"", "~", "null"})


class RegimeError(ValueError):
    """A file of law that breaks a rule of the schema; reads "file:line: what is wrong"."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a YAML file: text, None, a list of nodes or a mapping of nodes."""

    value: "str | list[Node] | dict[str, Node] | None"
    file: str
    line: int

    def refuse(self, rule: str) -> NoReturn:
        """Raise RegimeError with this node's place and the rule that was broken."""
        raise RegimeError(f"{self.file}:{self.line}: {rule}")

    def mapping(self, required: str = "", optional: str = "") -> "dict[str, Node]":
        """Return the mapping; refuse missing and unknown keys (names parted by spaces)."""
        if not isinstance(self.value, dict):
            self.refuse("expected a mapping of keys to values")
        needed = required.split()
        allowed = {*needed, *optional.split()}
        for key, node in self.value.items():
            if allowed and key not in allowed:
                node.refuse(f"unknown key {key!r}; known here: {', '.join(sorted(allowed))}")
        for key in needed:
            if key not in self.value:
                self.refuse(f"the key {key!r} is missing")
        return self.value

    def items(self) -> "Iterator[Node]":
        """Iterate over the nodes of a list; None counts as an empty list."""
        if self.value is None:
            return iter(())
        if not isinstance(self.value, list):
            self.refuse("expected a list")
        return iter(self.value)

    def text(self) -> str:
        """Return the text; refuse anything else, and nothing."""
        if not isinstance(self.value, str):
            self.refuse("expected text")
        return self.value

    def text_or_none(self) -> str | None:
        """Return the text, or None where the value is empty."""
        return None if self.value is None else self.text()

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts; a single text counts as a list of one."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(node.text() for node in self.items())

    def one_of(self, *allowed: str) -> str:
        """Return the text if it is one of the allowed words."""
        text = self.text()
        if text not in allowed:
            self.refuse(f"{text!r} is not one of {', '.join(allowed)}")
        return text

    def integer(self) -> int:
        """Return a whole number of zero or more."""
        text = self.text()
        if not text.isdigit():
            self.refuse(f"expected a whole number, found {text!r}")
        return int(text)

    def flag(self) -> bool:
        """Return true or false; no other spelling of yes and no is accepted."""
        return self.one_of("true", "false") == "true"

    def day(self) -> date | None:
        """Return a calendar day written YYYY-MM-DD, or None where the value is empty."""
        if self.value is None:
            return None
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            self.refuse(f"expected a day as YYYY-MM-DD, found {self.text()!r}")


def read_yaml(path: Path, shown_as: str) -> Node:
    """Read one YAML file; `shown_as` names it in messages.

    Raises RegimeError for broken YAML and for a key written twice.
    """
    return parse_yaml(path.read_text(encoding="utf-8"), shown_as)


def parse_yaml(text: str, shown_as: str) -> Node:
    """Read YAML from a text; see read_yaml."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        raise RegimeError(f"{shown_as}:{line}: not readable as YAML: {error.problem}") from error
    if root is None:
        return Node({}, shown_as, 1)
    return _convert(root, shown_as)


def _convert(node: yaml.Node, file: str) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        # Only a plain scalar can mean nothing: a quoted "null" is the word.
        empty = not node.style and node.value in _EMPTY
        return Node(None if empty else node.value, file, line)
    if isinstance(node, yaml.SequenceNode):
        return Node([_convert(child, file) for child in node.value], file, line)
    found: dict[str, Node] = {}
    for key, child in node.value:
        if key.value in found:
            raise RegimeError(f"{file}:{key.start_mark.line + 1}: the key {key.value!r} is written twice")
        found[key.value] = _convert(child, file)
    return Node(found, file, line)
