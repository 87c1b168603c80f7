"""The project speaks of itself alone: no path of somebody's machine, no registry's host, no tool that wrote a line of it."""

import re

from tests.guards.sources import texts

# written in pieces, or this file would be its own first find
WORDS = {
    "a path of somebody's machine": r"(?<![\w.~/-])/(?:tm" + r"p|wor" + r"k|roo" + r"t|hom" + r"e/[a-z]+)(?![\w-])",
    "a package registry": "|".join((r"pyp" + r"i\.org", "python" + r"hosted\.org", "npm" + r"js\.(?:org|com)", "tes" + r"t\.pypi", "anaconda" + r"\.org", "crates" + r"\.io")),
    "a tool's name": r"\b(?:" + "|".join(("cla" + "ude", "anthro" + "pic", "copi" + "lot", "chat" + "gpt", "open" + "ai", "gpt" + r"-?\d", "gemi" + "ni", "code" + "x", "ll" + "ms?", "deep" + "seek", "lla" + "ma")) + r")\b",
    "a writer who is no person": r"\b(?:generated|written|assisted) (?:by|with) (?:an? )?(?:AI|artificial|language model|assistant)\b",
    "unfinished work": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
}
#: words in which case matters
AS_WRITTEN = {"unfinished work"}


def forbidden(name: str, text: str) -> list[str]:
    return [
        f"{name}:{text[:match.start()].count(chr(10)) + 1} has {what}: {match[0]}"
        for what, pattern in WORDS.items() for match in re.finditer(pattern, text, 0 if what in AS_WRITTEN else re.IGNORECASE)
    ]


def test_it_speaks_of_itself_alone() -> None:
    assert [said for name, text in texts() for said in forbidden(name, text)] == []


def test_it_would_notice_a_stray_word() -> None:
    for text in (
        "kept in /tm" + "p/x", "see /wor" + "k/main", "cd /roo" + "t", "https://pyp" + "i.org/simple", "Written by Cla" + "ude", "asked an LL" + "M", "# TO" + "DO: later",
        "generated with A" + "I",
    ):
        assert forbidden("planted.md", text), text


def test_it_lets_plain_words_pass() -> None:
    assert forbidden("plain.md", "the root/work of it; /workers/ /roots; path/to/tmp/x; a to-do list; the registry of incidents; https://example.org/home/") == []
