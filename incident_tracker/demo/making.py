"""Filling an empty database with the example organisation."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import yaml

from incident_tracker.demo import people, published, story
from incident_tracker.demo.people import LogIn


def make(base_url: str, now: datetime, say: Callable[[str], None] = lambda _line: None) -> list[LogIn]:
    """Hire the people, enter the published cases, then the incidents of today, counted back from `now` (UTC)."""
    log_ins = people.hire(_read("profile.yaml"), base_url, now - timedelta(days=5000))
    for case in sorted(_read("published.yaml"), key=lambda one: str(one["moments"]["aware"])):
        say(f"published case {case['controller']}")
        published.enter(case)
    for what in sorted(_read("story.yaml"), key=lambda one: -float(one["ago"])):
        say(what["title"])
        story.tell(what, now)
    return log_ins


def _read(name: str) -> Any:
    return yaml.load((story.folder() / name).read_text(encoding="utf-8"), Loader=_Plain)  # noqa: S506 - a safe loader without dates


class _Plain(yaml.SafeLoader):
    """Days stay text: 2019-01-13 is read where its zone is known."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
