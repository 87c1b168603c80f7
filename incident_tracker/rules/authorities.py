"""The authorities that receive notices, as data: where they are, what they speak, on which clock they live."""

from dataclasses import dataclass
from pathlib import Path

from incident_tracker.rules.places import Places
from incident_tracker.rules.sources import read_yaml

KINDS = ("data_protection", "attorney_general", "csirt", "agency")


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority. `place` is a country or a state; `calendar` names its public holidays; `portal` where it is told."""

    key: str
    place: str
    kind: str
    name: str
    language: str
    zone: str
    calendar: str
    portal: str | None
    confidence: str


def read_authorities(places: Places, *folders: Path) -> dict[str, Authority]:
    """Read authorities.yaml of every folder that has one; a later one corrects. Raises RegimeError."""
    found: dict[str, Authority] = {}
    for folder in folders:
        path = folder / "authorities.yaml"
        if not path.exists():
            continue
        for key, node in read_yaml(path, path.name).mapping().items():
            keys = node.mapping("place kind name language", "zone calendar portal confidence notes")
            place = keys["place"].text()
            known = places.find(place)
            if known is None:
                keys["place"].refuse(f"the place {place!r} is not in places.yaml")
            found[key] = Authority(
                key=key,
                place=place,
                kind=keys["kind"].one_of(*KINDS),
                name=keys["name"].text(),
                language=keys["language"].text(),
                zone=keys["zone"].text() if "zone" in keys else known.zone,
                calendar=keys["calendar"].text() if "calendar" in keys else known.calendar or place,
                portal=keys["portal"].text_or_none() if "portal" in keys else None,
                confidence=keys["confidence"].text() if "confidence" in keys else "memory",
            )
    return found
