"""What is remembered, one noun a module, and the questions asked of it."""

from incident_tracker.models import (
    alerts,
    audit,
    duties,
    evidence,
    facts,
    incidents,
    listings,
    notices,
    organisations,
    people,
    playbooks,
    sign_ins,
)

__all__ = [
    "alerts",
    "audit",
    "duties",
    "evidence",
    "facts",
    "incidents",
    "listings",
    "notices",
    "organisations",
    "people",
    "playbooks",
    "sign_ins",
]
