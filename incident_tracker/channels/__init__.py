"""The ways out for messages. To add one: its file, and its line in `CHANNELS`."""

from typing import Any

from incident_tracker.channels.bell import Bell
from incident_tracker.channels.email import Email
from incident_tracker.channels.letters import Channel, ChannelError, Letter, Target, Way
from incident_tracker.channels.matrix import Matrix
from incident_tracker.channels.mattermost import Mattermost
from incident_tracker.channels.ntfy import Ntfy
from incident_tracker.channels.pagerduty import PagerDuty
from incident_tracker.channels.slack import Slack
from incident_tracker.channels.teams import Teams
from incident_tracker.channels.webhook import Webhook

__all__ = ["CHANNELS", "Channel", "ChannelError", "Letter", "Target", "Way", "open_channels"]

#: by name, in the order in which an administrator chooses among them
CHANNELS: dict[str, Channel] = {
    channel.name: channel for channel in (Bell(), Email(), Slack(), Teams(), Mattermost(), Matrix(), Ntfy(), PagerDuty(), Webhook())
}


def open_channels(settings: Any) -> tuple[str, ...]:
    """The names of the channels that these settings turn on and that need no destination: what everybody is told by."""
    return tuple(name for name, channel in CHANNELS.items() if channel.setup is None and channel.is_on(settings))
