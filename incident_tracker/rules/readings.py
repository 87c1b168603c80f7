"""The facts as the law reads them: values, derived values, and what is missing for them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from incident_tracker.rules.catalogues import Catalogue
from incident_tracker.rules.facts import Count, Facts, Known
from incident_tracker.rules.places import Places


@dataclass(slots=True)
class Reading:
    """One incident's facts under one law. `day` decides who belonged to the EU; `cache` holds verdicts already given."""

    facts: Facts
    catalogue: Catalogue
    places: Places
    profiles: dict[str, Any]
    day: date | None = None
    cache: dict[Any, Any] = field(default_factory=dict)
