"""The law, pure: values in, values out; no pages, no tables, no clock.

`due` counts one clock, `assess` asks every regime what it demands; both work wherever the tracker is installed, without Flask.
"""

from incident_tracker.rules.duties import assess
from incident_tracker.rules.periods import due

__all__ = ["assess", "due"]
