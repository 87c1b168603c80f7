"""The lists that people choose from: kinds, zones, places, people."""

from collections.abc import Callable
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask_security import current_user

from incident_tracker import library
from incident_tracker.errors import Invalid, NotAllowed
from incident_tracker.models.incidents import Incident
from incident_tracker.models.people import active_names, active_people
from incident_tracker.rules import playbooks
from incident_tracker.rules.permissions import Permission, may, may_see

KINDS = list(playbooks.KINDS.items())
KIND_WORDS = dict(KINDS)


def demand(permission: Permission, incident: Incident | None = None) -> None:
    """Refuse a page to those who could not use it. Raises NotAllowed."""
    if not may(current_user, permission, incident):
        raise NotAllowed(permission.value.replace(".", ": ").replace("_", " "))


@cache
def zones() -> list[str]:
    """Every time zone by its name, places only."""
    named = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "posix/", "right/")))
    return [*sorted(named), "UTC"]


@cache
def places() -> list[tuple[str, str]]:
    """Every country and US state that the rules know, as (code, name)."""
    return sorted(((place.code, place.name) for place in library.shelf().law.places.by_code.values()), key=lambda pair: pair[1])


@cache
def _place_names() -> dict[str, str]:
    return {word.lower(): code for code, name in places() for word in (code, name, f"{name} ({code})")}


def place_code(typed: str) -> str | None:
    """The code of a place typed by name or code, or None."""
    return _place_names().get(typed.lower().strip())


def people_choices(*role_names: str, incident: Any = None, nobody: str = "nobody yet") -> list[tuple[str, str]]:
    """People for a select, nobody first; on an incident only those who may see it."""
    if incident is None:
        names = active_names(*role_names)
    else:
        names = [(one.id, one.name) for one in active_people(*role_names) if may_see(one, incident)]
    return [("", nobody)] + [(str(number), name) for number, name in names]


def refused(form: Any, act: Callable[..., object], *args: Any, **kwargs: Any) -> bool:
    """Do `act`; where it says Invalid, put its words beside the fields of `form` and say True."""
    try:
        act(*args, **kwargs)
    except Invalid as error:
        for name, said in error.fields.items():
            if name in form:
                form[name].errors = [*form[name].errors, *said]
        if not any(name in form for name in error.fields):
            form.form_errors.append(str(error))
        return True
    return False
