"""The tracker for personal-data breaches. `incident_tracker.factory` makes the application; `incident_tracker.rules` needs none of it."""
