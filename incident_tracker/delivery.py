"""The door by which messages leave: take, render, send outside of any transaction, mark."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment
from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload
from sqlalchemy.sql.base import ExecutableOption

from incident_tracker import clock, library, logs
from incident_tracker.actions import deliveries
from incident_tracker.actions.alerts import WARNED_OF
from incident_tracker.actions.deliveries import Failure
from incident_tracker.channels import CHANNELS, Channel, ChannelError, Letter, Way, open_channels
from incident_tracker.config import Config
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, count_warned_with
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message, carried_by
from incident_tracker.models.people import Person
from incident_tracker.rules.permissions import may_see
from incident_tracker.work import CLOCKWORK, unit_of_work

#: after so many seconds no more letters of a batch are begun: what is left is taken again when its lease ends
BATCH_SECONDS = 60.0

__all__ = ["Door", "Tally", "open_channels"]

log = logs.logger("delivery")


class NotToBeSent(Exception):
    """A message that must not go out; the text is the sentence kept with it."""


@dataclass(slots=True)
class Tally:
    """How many letters were sent, failed and were withdrawn."""

    sent: int = 0
    failed: int = 0
    withdrawn: int = 0


class Door:
    """Everything that sending needs: the settings, the templates, and the name under which letters are taken."""

    def __init__(self, settings: Config, templates: Environment, worker: str, now: datetime | None = None) -> None:
        """`now` (UTC) stands for the present in tests; else each step reads the clock."""
        self.settings, self.templates, self.worker, self.now = settings, templates, worker, now
        self.tally = Tally()

    def deliver_due(self) -> Tally:
        """Send what is due by every channel, until nothing is or a channel is down."""
        for channel in CHANNELS.values():
            if not channel.is_immediate:
                self._deliver_by(channel)
        return self.tally

    def _deliver_by(self, channel: Channel) -> None:
        if not channel.is_on(self.settings):
            with unit_of_work(CLOCKWORK, self.now) as work:
                self.tally.withdrawn += deliveries.withdraw_all(work, channel.name, "E-mail is not set up.")
            return
        with channel.open(self.settings) as way:
            while batch := self._take(channel):
                if not self._send_batch(way, batch):
                    return

    def _take(self, channel: Channel) -> list[int]:
        with unit_of_work(CLOCKWORK, self.now) as work:
            return deliveries.take(work, self.worker, channel.name)

    def _send_batch(self, way: Way, batch: list[int]) -> bool:
        """Send each letter; False if the channel is down. One that breaks the talk off does not stop the others, a second one does."""
        began, down = clock.elapsed(), 0
        last: ChannelError | None = None
        for number in batch:
            if clock.elapsed() - began > BATCH_SECONDS:
                return False
            if last is not None and down > 1:
                self._fail(number, ChannelError(str(last), is_down=True))
                continue
            error = self._send(way, number)
            last, down = (error, down + 1) if error is not None and error.is_down else (None, 0)
        return down == 0

    def _send(self, way: Way, number: int) -> ChannelError | None:
        """Send one letter and mark what came of it; returns why it failed."""
        try:
            letter = self._render(number)
            way.send(letter)
        except NotToBeSent as reason:
            with unit_of_work(CLOCKWORK, self.now) as work:
                deliveries.mark_withdrawn(work, _message(number, _NAMES), str(reason))
            self.tally.withdrawn += 1
            return None
        except ChannelError as error:
            self._fail(number, error)
            return error
        except Exception as error:  # one letter that cannot be made must not keep the others from going
            log.error("a letter cannot be made", message=number, problem=type(error).__name__)
            self._fail(number, ChannelError(f"the letter could not be made: {type(error).__name__}"))
            return None
        with unit_of_work(CLOCKWORK, self.now) as work:
            deliveries.mark_sent(work, _message(number, _NAMES))
        self.tally.sent += 1
        return None

    def _fail(self, number: int, error: ChannelError) -> None:
        failure = Failure(str(error), is_permanent=error.is_permanent, is_unclear=error.is_unclear, jitter=secrets.randbelow(1000) / 1000)
        with unit_of_work(CLOCKWORK, self.now) as work:
            deliveries.mark_failed(work, _message(number, _NAMES), self.worker, failure)
        self.tally.failed += 1

    def _render(self, number: int) -> Letter:
        """The letter as it reads now. Raises NotToBeSent. The read ends before anything is sent."""
        try:
            message = _message(number, _WHOLE)
            _check_person(message)
            # to the minute, so that a warning three hours before says "3 h", not "2 h 59 min"
            values = Reading(self.settings, (self.now or clock.now()).replace(second=0, microsecond=0)).values(message)
            subject, _, text = self.templates.get_template(f"messages/{message.kind}.txt").render(values).lstrip().partition("\n")
            return Letter(
                to_name=message.person.name if message.person else "",
                to_address=message.person.email if message.person else message.address or "",
                subject=subject.strip(), text=text.strip() + "\n",
                html=self.templates.get_template(f"messages/{message.kind}.html").render(values | {"subject": subject.strip()}),
                message_id=message.message_id or "", thread=message.incident.reference.lower() if message.incident else "",
                is_urgent=values.get("loudness") == "loud", at=self.now or clock.now(),
            )
        finally:
            db.session.rollback()


class Reading:
    """What a message's template may show. Of a restricted incident that is its reference, its deadlines and where to look."""

    def __init__(self, settings: Config, now: datetime) -> None:
        self.settings, self.now = settings, now

    def values(self, message: Message) -> dict[str, Any]:
        """The values by name. Raises NotToBeSent for warnings that are no longer needed."""
        incident = message.incident
        values: dict[str, Any] = {
            "organisation": self.settings.organisation, "base_url": self.settings.base_url.rstrip("/"), "now": self.now,
            "zone": message.person.zone if message.person else "UTC", "name": message.person.name if message.person else "",
            "content": message.content, "reference": incident.reference if incident else "", "restricted": bool(incident and incident.restricted),
            "title": incident.title if incident and not incident.restricted else "",
        }
        if "until" in message.content:
            values["until"] = datetime.fromisoformat(message.content["until"])
        values["link"] = f"{values['base_url']}/incidents/{incident.reference}" if incident else values["base_url"]
        return values | self._warnings(message) if message.kind == "warning" else values

    def _warnings(self, message: Message) -> dict[str, Any]:
        warnings = [self._warning(one) for one in carried_by(message) if _still_matters(one)]
        if not warnings:
            raise NotToBeSent("The duty was settled, or its deadline moved, before this could be sent.")
        warnings.sort(key=lambda one: (one["deadline"], one["title"]))
        loudest = "loud" if any(one["loudness"] == "loud" for one in warnings) else "normal"
        return {"warnings": warnings, "first": warnings[0], "loudness": loudest, "overtaken": sum(one["overtaken"] for one in warnings)}

    def _warning(self, message: Message) -> dict[str, Any]:
        duty, rung, incident = message.duty, message.rung, message.incident
        assert duty is not None and rung is not None and incident is not None
        shown = not incident.restricted
        facts = library.shelf().law.facts
        return {
            "deadline": rung.deadline_at, "day": _day_of(duty), "zone": duty.zone, "is_target": duty.conservative_at is None,
            "is_over": rung.deadline_at <= self.now,
            "loudness": rung.loudness, "overtaken": rung.overtaken_count, "is_undecided": duty.state == "undecided",
            "title": duty.title if shown else "", "recipient": duty.recipient_name if shown else "", "citation": duty.citation if shown else "",
            "others": count_warned_with(duty.id) if duty.state == "undecided" else 0,
            "owner": duty.owner.name if shown and duty.owner else "",
            "missing": [spec.label if (spec := facts.find(name)) else name for name in duty.missing] if shown else [],
            "link": f"{self.settings.base_url.rstrip('/')}/incidents/{incident.reference}/duties/{duty.id}",
        }


#: what a letter is made of, and what its entry in the record names: asked for piece by piece they cost ten queries a letter
_WHOLE = (
    joinedload(Message.person), joinedload(Message.rung),
    joinedload(Message.incident).options(defer(Incident.summary), defer(Incident.search_text), defer(Incident.questions)),
    joinedload(Message.duty).options(
        defer(Duty.because), defer(Duty.steps), defer(Duty.warnings), defer(Duty.versions), joinedload(Duty.owner).load_only(Person.name).lazyload("*"),
    ),
)
_NAMES = (joinedload(Message.person).load_only(Person.name).lazyload("*"), joinedload(Message.incident).load_only(Incident.reference))


def _message(number: int, loads: Sequence[ExecutableOption]) -> Message:
    found = db.session.scalar(select(Message).where(Message.id == number).options(*loads))
    if found is None:
        raise LookupError(f"message {number} is gone")
    return found


def _check_person(message: Message) -> None:
    """Who left, or may no longer know of the incident, is not written to."""
    if message.person is None:
        return
    if not message.person.active:
        raise NotToBeSent("The person can no longer sign in.")
    if message.incident is not None and not may_see(message.person, message.incident):
        raise NotToBeSent("The person may no longer know of the incident.")


def _still_matters(message: Message) -> bool:
    duty, rung = message.duty, message.rung
    if duty is None or rung is None:
        return False
    return duty.state in WARNED_OF and (duty.conservative_at or duty.target_at) == rung.deadline_at


def _day_of(duty: Duty) -> str:
    """The deadline's day, where the law counts in whole days; empty where it is an instant."""
    value = duty.conservative_value or ""
    return value if len(value) == len("2026-11-30") else ""
