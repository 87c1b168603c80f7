"""A worked example says a day, an instant or "none", and each is compared as what it is."""

from dataclasses import replace

import pytest

from incident_tracker.rules.examples import failures_of
from incident_tracker.rules.laws import Example
from incident_tracker.rules.regimes import default_law

LAW = default_law()
IN_HOURS = Example("x", "us", "x:1", "eu-gdpr-33-1", {"aware": "2026-11-27T17:30:00+01:00"}, country="DE")
IN_DAYS = Example("x", "us", "x:1", "us-ny.breach.individual", {"discovery": "2026-11-06"}, country="US-NY")
NOT_BEGUN = replace(IN_HOURS, events={})


@pytest.mark.parametrize(
    ("example", "expected", "fails"),
    [
        (IN_HOURS, "2026-11-30T17:30:00+01:00", None),
        (IN_HOURS, "2026-11-30T16:30:00+00:00", None),
        (IN_HOURS, "2026-11-30", "conservative: expected 2026-11-30 but got 2026-11-30T17:30:00+01:00"),
        (IN_HOURS, "none", "conservative: expected none but got 2026-11-30T17:30:00+01:00"),
        (IN_DAYS, "2026-12-06", None),
        (IN_DAYS, "2026-12-07", "conservative: expected 2026-12-07 but got 2026-12-06"),
        (NOT_BEGUN, "none", None),
        (NOT_BEGUN, "2026-11-30", "conservative: expected 2026-11-30 but got none"),
    ],
)
def test_a_date_is_compared_as_what_it_is(example: Example, expected: str, fails: str | None) -> None:
    assert failures_of(replace(example, conservative=expected), LAW) == ((fails,) if fails else ())
