"""Templates show and decide nothing: no inline script or style, nothing shown unescaped, no query."""

import re
from pathlib import Path

from tests.guards.sources import templates

REFUSED = {
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"""[\s"']style\s*=""", re.IGNORECASE),
    "an inline handler": re.compile(r"""<[^>]*[\s"']on[a-z]+\s*=""", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "|safe": re.compile(r"\|\s*safe\b"),
    "autoescape off": re.compile(r"{%-?\s*autoescape\s+false"),
    "an address of another host": re.compile(r"""(?:src|action)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE),
    "a query": re.compile(r"\b(?:session|query)\.(?:query|execute|scalars?|get)\("),
    "the time": re.compile(r"\b(?:utcnow|datetime\.now)\b"),
}


def refused(name: str, text: str) -> list[str]:
    """What stands in a template and may not; comments of the template language apart."""
    bare = re.sub(r"{#.*?#}", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    return [f"{name}:{bare[:found.start()].count(chr(10)) + 1} has {what}" for what, pattern in REFUSED.items() for found in pattern.finditer(bare)]


def posts_without_token(name: str, text: str) -> list[str]:
    """Forms that change something and do not carry the token which shows that they come from our pages."""
    forms = re.findall(r"<form\b[^>]*method=[\"']post[\"'][^>]*>(.*?)</form>", text, flags=re.DOTALL | re.IGNORECASE)
    return [f"{name}: a form without its token" for form in forms if "csrf" not in form and "hidden_tag" not in form]


def _all() -> list[tuple[str, str]]:
    root = Path(__file__).resolve().parents[2]
    return [(str(path.relative_to(root)), path.read_text(encoding="utf-8")) for path in templates()]


def test_it_has_templates_without_script_style_or_query() -> None:
    assert [said for name, text in _all() for said in refused(name, text)] == []


def test_it_puts_the_token_into_every_form_that_changes_something() -> None:
    assert [said for name, text in _all() if name.endswith("ml") for said in posts_without_token(name, text)] == []


def test_it_would_notice_a_bad_template() -> None:
    for text in (
        "<script>alert(1)</script>", "<style>p{}</style>", '<p style="color:red">', "<p style='x'>", '<a onclick="go()">', "<body\n  onload = go()>", "{{ text|safe }}",
        "{{ text | safe }}", '<a href="javascript:go()">', "{% autoescape false %}", '<script src="https://cdn.example/x.js"></script>', "{{ session.query(Incident) }}",
    ):
        assert refused("planted.html", text), text
    assert posts_without_token("planted.html", '<form class="x" method="post"><button>Go</button></form>')


def test_it_lets_a_plain_template_pass() -> None:
    text = """{# no |safe here #}<script type="module" src="{{ url }}"></script><p class="on" data-style="x">Once on = off, safe and sound</p>"""
    assert refused("plain.html", text) == []
    assert posts_without_token("plain.html", '<form method="post">{{ forms.csrf() }}</form><form method="get"></form>') == []
