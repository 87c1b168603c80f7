"""What has happened so far: recorded moments and completed duties, and what they mean for a trigger."""

from collections.abc import Mapping
from dataclasses import dataclass

from incident_tracker.rules.catalogues import TriggerSpec
from incident_tracker.rules.facts import Moment


@dataclass(frozen=True, slots=True)
class Start:
    """The moment a clock runs from, in words, and whether it stands in for one that is not recorded."""

    moment: Moment
    label: str
    stands_in_for: str | None = None


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Moments by name, and completions by "obligation" or "obligation@recipient"."""

    moments: Mapping[str, Moment]
    completed: Mapping[str, Moment]
    triggers: Mapping[str, TriggerSpec]

    def start(self, trigger: str, labels: Mapping[str, str]) -> Start | None:
        """The first recorded moment that stands for a trigger; `labels` are the words for moments."""
        spec = self.triggers[trigger]
        for rank, name in enumerate((trigger, *spec.moments)):
            if (moment := self.moments.get(name)) is not None:
                if rank <= 1 or name == spec.moments[0]:
                    return Start(moment, spec.label)
                return Start(moment, labels.get(name, name), stands_in_for=spec.label)
        return None

    def completion(self, obligation: str, recipient: str = "") -> Moment | None:
        """When a duty was done: for this recipient, else for all, else the earliest for any recipient."""
        for key in (f"{obligation}@{recipient}", obligation):
            if key in self.completed:
                return self.completed[key]
        prefix = f"{obligation}@"
        found = [moment for key, moment in self.completed.items() if key.startswith(prefix)]
        return min(found, key=lambda moment: moment.at, default=None)

    def first_completion(self, obligations: tuple[str, ...], recipient: str = "") -> Moment | None:
        """The earliest completion among several obligations."""
        found = [moment for one in obligations if (moment := self.completion(one, recipient))]
        return min(found, key=lambda moment: moment.at, default=None)
