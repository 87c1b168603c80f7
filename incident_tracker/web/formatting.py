"""How moments, durations and counts read on a page."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import nh3
from flask import Flask
from markdown_it import MarkdownIt
from markupsafe import Markup

from incident_tracker.web.sections import sectioned

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_TAGS = {
    "p",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "code",
    "pre",
    "blockquote",
    "h3",
    "h4",
    "a",
    "br",
    "hr",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


def register(app: Flask) -> None:
    """Make the functions of this module filters of the templates."""
    app.add_template_filter(sectioned)
    for name in (
        "absolute",
        "exact",
        "day",
        "clock_time",
        "left",
        "countdown",
        "deadline_words",
        "state_words",
        "ago",
        "iso",
        "count_words",
        "prose",
        "filesize",
        "plural",
        "day_of",
        "moved",
        "moment_words",
        "capitalize_first",
        "span_words",
        "flatten_errors",
    ):
        app.add_template_filter(globals()[name], name)


def absolute(at: datetime, zone: str = "UTC") -> str:
    """`Mon 30 Nov 2026, 17:30 (UTC+01:00)`: an instant as a clock on the wall of `zone` shows it; seconds are left off, never rounded up."""
    return _absolute(at, zone, seconds=False)


def exact(at: datetime, zone: str = "UTC") -> str:
    """The same to the second, for the record."""
    return _absolute(at, zone, seconds=True)


def _absolute(at: datetime, zone: str, *, seconds: bool) -> str:
    local = at.astimezone(ZoneInfo(zone))
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    offset = local.strftime("%z")
    return f"{local:%a} {local.day} {local:%b %Y}, {clock} ({f'UTC{offset[:3]}:{offset[3:5]}' if local.utcoffset() else 'UTC'})"


def day(value: date | datetime, zone: str = "UTC") -> str:
    """`Mon 30 Nov 2026`."""
    value = value.astimezone(ZoneInfo(zone)) if isinstance(value, datetime) else value
    return f"{value:%a} {value.day} {value:%b %Y}"


def day_of(text: str) -> str:
    """`Mon 30 Nov 2026` from `2026-11-30`."""
    return day(date.fromisoformat(text))


def flatten_errors(errors: Any) -> str:
    """What a form says of one field, whatever it is made of, as one sentence after another."""
    if isinstance(errors, str):
        return errors
    parts = errors.values() if isinstance(errors, dict) else errors
    return " ".join(dict.fromkeys(text for part in parts if part and (text := flatten_errors(part))))


def moved(value: str | None, zone: str = "UTC") -> str:
    """One side of what a recomputation moved: a day or an instant as it reads elsewhere, a state with spaces, `none` for nothing."""
    if not value:
        return "none"
    try:
        return day_of(value) if len(value) == len("2026-11-30") else absolute(datetime.fromisoformat(value), zone)
    except ValueError:
        return value.replace("_", " ")


def moment_words(value: Mapping[str, str]) -> str:
    """A moment of the ledger in words: the day alone where the time is not known."""
    return f"{day_of(value['on'])}, time not known" if value.get("on") else absolute(datetime.fromisoformat(value["at"]), value["zone"])


def span_words(span: timedelta) -> str:
    """`2 h`, `3 d`, `15 min`: a time as the ladders write it."""
    minutes = int(span.total_seconds() // 60)
    for size, name in ((1440, "d"), (60, "h")):
        if minutes and minutes % size == 0:
            return f"{minutes // size} {name}"
    return f"{minutes} min"


def capitalize_first(text: str) -> str:
    """The text with a capital at its start; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def clock_time(at: datetime, zone: str = "UTC") -> str:
    """`17:30`."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def left(at: datetime, now: datetime) -> str:
    """`41 h left`, `3 days left`, `25 min left`, `2 h overdue`: rounded down while time is left, so that nobody counts on more."""
    span = at - now
    return f"{_span(span)} left" if span > timedelta(0) else f"{_span(-span)} overdue"


def countdown(at: datetime, now: datetime, more_classes: str = "") -> Markup:
    """The time left, which the page counts down; without JavaScript it says what was true at `now`. A long list has one on every line."""
    hours = (at - now).total_seconds() / 3600
    heat = "left-over" if hours <= 0 else "left-hot" if hours <= 24 else "left-warm" if hours <= 72 else ""
    # nothing in it was typed by anybody
    return Markup(f'<span class="left {heat} {more_classes}" data-countdown="{iso(at)}">{left(at, now)}</span>')  # noqa: S704


def deadline_words(at: datetime, value: str | None, zone: str) -> str:
    """A deadline as the law gives it: `value` is a day or an instant in ISO 8601, `at` the instant that it ends at."""
    return f"end of {day_of(value)}" if value and len(value) == 10 else absolute(at, zone)


_STATE_WORDS = {
    "undecided": "cannot decide yet", "not_started": "not started", "met_late": "met late", "not_required": "not required",
    "does_not_apply": "does not apply", "in_review": "in review", "sent_back": "sent back", "waiting": "waits",
}


def state_words(name: str) -> str:
    """The state of a duty, a notice, a step or an incident in plain words."""
    return _STATE_WORDS.get(name, name)


def ago(at: datetime, now: datetime) -> str:
    """`2 h ago`; `just now` within a minute."""
    span = now - at
    return "just now" if span < timedelta(minutes=1) else f"{_span(span)} ago"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return f"{int(span.total_seconds())} s"
    if minutes < 180:
        return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
    if minutes < 96 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // 1440} days"


def iso(at: datetime) -> str:
    """For machines: ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def count_words(value: Any) -> str:
    """A count of people with how sure it is: `about 1,200`, `at least 500`, `not known yet`."""
    if value is None:
        return "not known yet"
    if isinstance(value, int):
        return f"{value:,}"
    number, certainty = value.get("value"), value.get("certainty", "exact")
    if number is None or certainty == "not_known":
        return "not known yet"
    return {"exact": "", "about": "about ", "at_least": "at least "}[certainty] + f"{number:,}"


def prose(text: str) -> Markup:
    """Markdown that a person typed, as safe HTML: no raw HTML, no images, links without referrer."""
    clean = nh3.clean(_MARKDOWN.render(text), tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"})
    return Markup(clean)  # noqa: S704 - cleaned one line above


def filesize(size: int) -> str:
    """`3.4 MB` from bytes."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 duty`, `3 duties`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
