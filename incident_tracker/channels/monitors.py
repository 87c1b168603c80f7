"""The sign of life to an outside monitor, which raises the alarm when it hears none."""

from typing import Any

from incident_tracker.channels.outgoing import Line

#: seconds for everything together: the next sign is due soon anyway
SECONDS = 5.0


def ping(settings: Any) -> None:
    """Ask for the address of the monitor once. Raises ChannelError, whose words hold nothing of the address, unless it answers with a 2xx."""
    address = settings.dead_man_url
    with Line(settings.allow_private_targets, (address, address.rpartition("/")[2])) as line:
        line.send("GET", address, b"", seconds=SECONDS)
