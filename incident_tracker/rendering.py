"""Letters as they read at the moment of sending: what a message may say by now, to whom it goes, or why it must not go."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment
from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload
from sqlalchemy.sql.base import ExecutableOption

from incident_tracker import library
from incident_tracker.actions import digests
from incident_tracker.channels.letters import Item, Letter
from incident_tracker.config import Config, load_secrets
from incident_tracker.models.base import db
from incident_tracker.models.duties import Duty, count_warned_with
from incident_tracker.models.incidents import Incident
from incident_tracker.models.messages import Message, letters_of, was_warned
from incident_tracker.models.people import Person
from incident_tracker.models.receipts import sign
from incident_tracker.rules.permissions import Permission, may, may_see

#: kinds of message that are of no incident and go to destinations all the same
NOTES = ("mail_failing", "mail_working")


class NotToBeSent(Exception):
    """A message that must not go out; the text is the sentence kept with it."""


def letters(numbers: Sequence[int], settings: Config, templates: Environment, now: datetime) -> dict[int, Letter | Exception]:
    """The letters of several messages as they read at `now` (UTC), or why there is none. The read ends before anything is sent."""
    try:
        found, key = letters_of(numbers, WHOLE), load_secrets(settings.instance).secret_key
        return {number: _made(number, found.get(number, []), settings, key, templates, now) for number in numbers}
    finally:
        db.session.rollback()


def letter(number: int, settings: Config, templates: Environment, now: datetime) -> Letter:
    """The letter of one message. Raises NotToBeSent, and LookupError for one that is gone."""
    made = letters([number], settings, templates, now)[number]
    if isinstance(made, Exception):
        raise made
    return made


def _made(number: int, parts: Sequence[Message], settings: Config, key: str, templates: Environment, now: datetime) -> Letter | Exception:
    try:
        if not parts:
            raise LookupError(f"message {number} is gone")
        found, *beside = parts
        _check_person(found)
        # to the minute, so that a warning three hours before says "3 h", not "2 h 59 min"
        reading = Reading(settings, key, now.replace(second=0, microsecond=0), beside)
        return _posted(found, reading, templates, now) if found.destination_id is not None else _mailed(found, reading, templates, now)
    except Exception as error:  # one letter that cannot be made must not keep the others from going
        return error


def _mailed(found: Message, reading: "Reading", templates: Environment, now: datetime) -> Letter:
    values = reading.values(found)
    form = "catch_up" if values.get("incidents", 1) > 1 else found.kind
    subject, _, text = templates.get_template(f"messages/{form}.txt").render(values).lstrip().partition("\n")
    return Letter(
        to_name=found.person.name if found.person else "",
        to_address=found.person.email if found.person else found.address or "",
        subject=subject.strip(), text=text.strip() + "\n",
        html=templates.get_template(f"messages/{form}.html").render(values | {"subject": subject.strip()}),
        message_id=found.message_id or "", thread=values["reference"].lower() if form == found.kind else "",
        is_urgent=values.get("loudness") == "loud", at=now,
    )


def _posted(found: Message, reading: "Reading", templates: Environment, now: datetime) -> Letter:
    """What goes to a destination: the subject that a mail has, and of each duty its title and deadline. A room hears of no restricted incident."""
    is_warning = found.kind == "warning"
    if found.kind in NOTES:
        return _noted(found, reading, templates, now)
    if found.incident is None:
        raise NotToBeSent("It is of no incident.")
    if not is_warning and not was_warned(found):
        raise NotToBeSent("The warning that this follows was never sent.")
    values = reading.values(found) if is_warning else reading.followed(found)
    is_summary = values.get("incidents", 1) > 1
    reference = "" if is_summary else values["reference"]
    subject = templates.get_template(f"messages/{'catch_up' if is_summary else 'warning'}.txt").render(values).lstrip().partition("\n")[0].strip()
    due = templates.get_template("destinations/due.txt")
    items = tuple(
        Item(
            " ".join(filter(None, (one["reference"], one["title"]))) if is_summary else one["title"], due.render(values, one=one).strip(),
            one["deadline"].astimezone(ZoneInfo(one["zone"])), one["is_over"], one["is_target"], one["link"], one["key"],
        )
        for one in values["warnings"]
    )
    return Letter(
        to_name="", to_address="", subject=subject, text=" ".join(templates.get_template("destinations/room.txt").render(values).split()), html="",
        message_id=found.message_id or "", thread=reference.lower(), is_urgent=values["loudness"] == "loud", at=now,
        kind=found.kind, reference=reference, link=values["base_url"] if is_summary else values["link"], items=items,
    )


def _noted(found: Message, reading: "Reading", templates: Environment, now: datetime) -> Letter:
    """A word about the tracker itself, to a destination."""
    values = reading.values(found)
    subject, _, text = templates.get_template(f"destinations/{found.kind}.txt").render(values).partition("\n")
    return Letter(
        to_name="", to_address="", subject=subject, text=" ".join(text.split()), html="", message_id=found.message_id or "", thread="",
        is_urgent=found.kind == "mail_failing", at=now, kind="note", link=f"{values['base_url']}/health",
    )


class Reading:
    """What a message's template may show. Of a restricted incident that is its reference, its deadlines and where to look."""

    def __init__(self, settings: Config, key: str, now: datetime, beside: Sequence[Message] = ()) -> None:
        """`key` signs its links; `beside` are the messages that go with it in one letter."""
        self.settings, self.key, self.now, self.beside = settings, key, now, beside

    def values(self, message: Message) -> dict[str, Any]:
        """The values by name. Raises NotToBeSent for warnings that are no longer needed."""
        told = self._told(message) if message.kind == "warning" else [message]
        # the letter's own incident may have been closed to its reader since: then it is about another that it carries
        incident = (message if message in told else told[0]).incident
        values: dict[str, Any] = {
            "organisation": self.settings.organisation, "base_url": self.settings.base_url.rstrip("/"), "now": self.now,
            "zone": message.person.zone if message.person else "UTC", "name": message.person.name if message.person else "",
            "content": message.content, "reference": incident.reference if incident else "", "restricted": bool(incident and incident.restricted),
            "title": incident.title if incident and not incident.restricted else "",
        }
        values |= {name: datetime.fromisoformat(message.content[name]) for name in ("since", "until") if name in message.content}
        values["link"] = f"{values['base_url']}/incidents/{incident.reference}" if incident else values["base_url"]
        if message.kind in digests.KINDS:
            return values | self._digest(message, values["base_url"])
        if message.kind != "warning":
            return values
        return values | self._warnings(told) | {"ack_link": self._ack_link(message)}

    def _digest(self, message: Message, base_url: str) -> dict[str, Any]:
        """What a digest says by now. Raises NotToBeSent where its day is over, or there is nothing left to say."""
        person, day = message.person, date.fromisoformat(message.content["day"])
        assert person is not None
        if digests.is_over(person, day, self.now):
            raise NotToBeSent("Its day was over before it could be sent; the next digest says more.")
        found = (digests.daily_values if message.kind == digests.DAILY else digests.weekly_values)(person, day, self.now)
        if not found:
            raise NotToBeSent("Nothing of it is due any more.")
        parts = [(title, [digests.line(duty, base_url) for duty in lines.duties], lines.count) for title, lines in found["parts"] if lines.count]
        return found | {"day": day, "parts": parts}

    def _ack_link(self, message: Message) -> str:
        """Where the person a mail goes to can acknowledge it without signing in; empty if they may not, and for what goes elsewhere."""
        if message.destination_id is not None or message.person is None or not may(message.person, Permission.ACKNOWLEDGE, message.incident):
            return ""
        signed = sign(self.key, message)
        return f"{self.settings.base_url.rstrip('/')}/acknowledge/{signed}"

    def followed(self, message: Message) -> dict[str, Any]:
        """The same for what follows a warning: of which duty and deadline it was, whether or not that still stands."""
        one = self._warning(message)
        return self.values(message) | {"first": one, "warnings": [one], "loudness": "normal", "overtaken": 0}

    def _told(self, message: Message) -> list[Message]:
        """The warnings that the letter still has to give. Raises NotToBeSent where there are none."""
        mattering = [one for one in (message, *self.beside) if _still_matters(one)]
        if not mattering:
            raise NotToBeSent("The duty was settled, or its deadline moved, before this could be sent.")
        told = [one for one in mattering if _may_be_told(one)]
        if not told and message.person is None:
            raise NotToBeSent("The incident is restricted by now: no room is told of it.")
        if not told:
            raise NotToBeSent("The person may no longer know of the incident.")
        return told

    def _warnings(self, told: Sequence[Message]) -> dict[str, Any]:
        warnings = sorted((self._warning(one) for one in told), key=lambda one: (one["deadline"], one["title"]))
        loudest = "loud" if any(one["loudness"] == "loud" for one in warnings) else "normal"
        return {
            "warnings": warnings, "first": warnings[0], "loudness": loudest, "overtaken": sum(one["overtaken"] for one in warnings),
            "incidents": len({one["reference"] for one in warnings}),
        }

    def _warning(self, message: Message) -> dict[str, Any]:
        duty, rung, incident = message.duty, message.rung, message.incident
        assert duty is not None and rung is not None and incident is not None
        shown = not incident.restricted
        facts = library.shelf().law.facts
        return {
            "reference": incident.reference, "incident_title": incident.title if shown else "",
            "deadline": rung.deadline_at, "day": duty.deadline_day, "zone": duty.zone, "is_target": duty.conservative_at is None,
            "is_over": rung.deadline_at <= self.now,
            "loudness": rung.loudness, "overtaken": rung.overtaken_count, "is_undecided": duty.state == "undecided",
            "title": duty.title if shown else "", "recipient": duty.recipient_name if shown else "", "citation": duty.citation if shown else "",
            "others": count_warned_with(duty.id) if duty.state == "undecided" else 0,
            "owner": duty.owner.name if shown and duty.owner else "",
            "missing": [spec.label if (spec := facts.find(name)) else name for name in duty.missing] if shown else [],
            "link": f"{self.settings.base_url.rstrip('/')}/incidents/{incident.reference}/duties/{duty.id}",
            "key": f"{incident.reference}:{duty.id}:{rung.deadline_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        }


#: what a letter is made of, and what its entry in the record names: asked for piece by piece they cost ten queries a letter
WHOLE = (
    joinedload(Message.person).joinedload(Person.roles), joinedload(Message.rung),
    joinedload(Message.incident).options(defer(Incident.summary), defer(Incident.search_text), defer(Incident.questions)),
    joinedload(Message.duty).options(
        defer(Duty.because), defer(Duty.steps), defer(Duty.warnings), defer(Duty.versions), joinedload(Duty.owner).load_only(Person.name).lazyload("*"),
    ),
)
NAMES = (joinedload(Message.person).load_only(Person.name).lazyload("*"), joinedload(Message.incident).load_only(Incident.reference))


def message(number: int, loads: Sequence[ExecutableOption] = ()) -> Message:
    """A message by its id, with the names that its entry in the record needs. Raises LookupError."""
    found = db.session.scalar(select(Message).where(Message.id == number).options(*(loads or NAMES)))
    if found is None:
        raise LookupError(f"message {number} is gone")
    return found


def _check_person(message: Message) -> None:
    """Who left, or may no longer know of the incident, is not written to."""
    if message.person is None:
        return
    if not message.person.active:
        raise NotToBeSent("The person can no longer sign in.")
    # of each warning it is asked by itself: one letter may carry those of several incidents
    if message.kind != "warning" and message.incident is not None and not may_see(message.person, message.incident):
        raise NotToBeSent("The person may no longer know of the incident.")


def _may_be_told(message: Message) -> bool:
    """Whether who it goes to may know of its incident; a room, in which anybody may sit, only while that is open to all."""
    if message.incident is None:
        return False
    return may_see(message.person, message.incident) if message.person is not None else not message.incident.restricted


def _still_matters(message: Message) -> bool:
    duty, rung = message.duty, message.rung
    if duty is None or rung is None:
        return False
    return duty.is_warned_of and duty.deadline_at == rung.deadline_at
