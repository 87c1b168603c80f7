"""The shapes of the answers."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from incident_tracker.api.shapes import Shape, day, instant, many, words


class Answer(Shape):
    """Everything that is named is there, be it null."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.required = True


class Step(Answer):
    """One step of the counting."""

    text = words("The step in words.")
    cites = words("What it rests on.")
    reading = words("both, conservative or statutory")


class Trigger(Shape):
    """What started the clock."""

    at = words("The instant with its offset, or the day.")
    on = words("The day, where no more is known.")
    zone = words("The zone in which it was given.")
    precision = words("instant or day")


class Due(Answer):
    """A clock. A date is a day that ends with that day; an instant has its offset."""

    obligation = words("The id of the obligation.")
    citation = words("Where the law says so.")
    conservative = words("The earlier reading: it drives every warning.", none=True)
    statutory = words("The reading by the letter of the law.", none=True)
    not_before = words("The earliest date at which it may be done.", none=True)
    standard = words("The period in the law's words.", none=True)
    steps = fields.List(fields.Nested(Step))
    warnings = many("What to mind.")
    trigger = fields.Nested(Trigger, allow_none=True)
    versions = fields.Dict(keys=fields.String(), values=fields.String())
    missing = many("The facts that a number is taken from and that are not known.")
    has_number = fields.Boolean(metadata={"description": "Whether the law gives a number at all."})


class Because(Answer):
    """One reason."""

    text = words("The reason in words.")
    fact = words("The fact that it comes from.", none=True)
    truth = words("true, false or unknown")


class AssessedDuty(Answer):
    """What a law demands for these facts."""

    obligation = words("The id of the obligation.")
    jurisdiction = words("Whose law it is.")
    recipient = words("Who is told.")
    state = words("applies, does_not_apply or unknown")
    missing = many("The facts that would settle it.")
    conservative = words("The earlier reading of the deadline.", none=True)
    statutory = words("The reading by the letter of the law.", none=True)
    standard = words("The period in the law's words.", none=True)
    citation = words("Where the law says so.")
    because = fields.List(fields.Nested(Because))


class Question(Answer):
    """What to find out next."""

    fact = words("The fact that is missing.")
    settles = many("The duties that it would settle.")


class Assessment(Answer):
    """All duties, and the next questions."""

    duties = fields.List(fields.Nested(AssessedDuty))
    questions = fields.List(fields.Nested(Question))


class RegimeLine(Answer):
    """The law that an obligation stands in."""

    id = words("Its id.")
    title = words("Its name.")
    jurisdiction = words("Whose law it is.")


class Regime(RegimeLine):
    """A law, a regulation or a contract."""

    citation = words("How it is cited.")
    status = words("How it stands.")
    effective_from = day("The first day of its force.")
    effective_to = day("The last day of its force.")
    source = words("Where it was read.")
    confidence = words("text_read, secondary or memory")
    last_checked = day("When it was last read.")
    notes = words("What to know beside it.", none=True)
    obligations = many("The ids of its obligations.")


class Recipient(Answer):
    """Who is told."""

    type = words("authority, people …")
    name = words("In words.")
    fan_out = words("one, lead, each_place, each_establishment or each_listed")
    group = words("The group of places that is meant.", none=True)
    more_than = fields.Integer(metadata={"description": "Only places with more affected people than this."})


class Period(Answer):
    """Within what time."""

    standard = words("In the law's words.", none=True)
    nature = words("How hard the number is.", none=True)
    number = fields.Integer(allow_none=True, metadata={"description": "The number of the outer limit, where it is one plain number."})
    unit = words("Its unit; empty where there is no number.")


class Example(Answer):
    """A worked example."""

    name = words("What it shows.")
    source = words("Where it is from.")
    events = fields.Dict(keys=fields.String(), values=fields.String())
    zone = words("The zone of the authority.", none=True)
    country = words("The country of the authority.", none=True)
    options = fields.Dict(keys=fields.String(), values=fields.String())
    conservative = words("The earlier reading.", none=True)
    statutory = words("The reading by the letter of the law.", none=True)
    not_before = words("The earliest date.", none=True)


class ObligationLine(Answer):
    """An obligation in a list."""

    id = words("Its id.")
    title = words("What is to be done.")
    jurisdiction = words("Whose law it is.")
    citation = words("Where the law says so.")
    recipient = words("The type of whoever is told.")
    standard = words("The period in the law's words.", none=True)
    status = words("How it stands.")
    confidence = words("text_read, secondary or memory")
    last_checked = day("When it was last read.")


class Obligation(Answer):
    """Everything known of an obligation."""

    id = words("Its id.")
    regime = fields.Nested(RegimeLine)
    title = words("What is to be done.")
    citation = words("Where the law says so.")
    kind = words("notify, record …")
    phase = words("initial, intermediate, final …")
    duty_holder = words("Whose duty it is.")
    recipient = fields.Nested(Recipient)
    trigger = words("What starts the clock.")
    trigger_definition = words("The same in the law's words.", none=True)
    trigger_after = many("Obligations whose completion starts it.")
    depends_on = many("The facts that decide whether it applies.")
    period = fields.Nested(Period)
    content = many("What the notice must say.")
    exemptions = many("When it need not be done.")
    late = words("What a late notice must add.", none=True)
    channel = words("How it is sent.", none=True)
    same_filing_as = words("The obligation that the same filing meets.", none=True)
    zone = words("The zone in which it is counted, or whose.")
    status = words("How it stands.")
    effective_from = day("The first day of its force.")
    effective_to = day("The last day of its force.")
    source = words("Where it was read.")
    confidence = words("text_read, secondary or memory")
    last_checked = day("When it was last read.")
    notes = words("What to know beside it.", none=True)
    examples = fields.List(fields.Nested(Example))


class Page(Answer):
    """A part of a list."""

    total = fields.Integer(metadata={"description": "How many there are in all."})
    next = words("The address of the next part; null at the end.", none=True)


class ObligationPage(Page):
    """A part of the obligations."""

    items = fields.List(fields.Nested(ObligationLine))


class RegimePage(Page):
    """A part of the regimes."""

    items = fields.List(fields.Nested(Regime))


class Law(Answer):
    """The law that is in use."""

    version = words("The fingerprint of all its files.")
    tzdata = words("The version of the time zones.")
    holidays = words("The version of the holidays.")
    regimes = fields.Integer()
    obligations = fields.Integer()


class Choice(Answer):
    """One answer that can be chosen."""

    value = words("As it is written.")
    label = words("In words.")


class Fact(Answer):
    """A fact that the law asks for."""

    name = words("Its name in a facts document.")
    kind = words("flag, choice, set, count, moment, text or number")
    label = words("In a few words.")
    question = words("As one would ask a person.")
    group = words("Where it belongs.")
    choices = fields.List(fields.Nested(Choice))
    per = words("place or regime, where each may have its own answer.", none=True)


class FactPage(Page):
    """A part of the facts."""

    items = fields.List(fields.Nested(Fact))


class Deadline(Answer):
    """The end of a clock."""

    value = words("As the law gives it: a day that ends with that day, or an instant with its offset.")
    at = instant("The same as an instant in UTC; of a day its end.")


class Named(Answer):
    """Somebody or something by name."""

    key = words("By which the tracker knows it.")
    name = words("In words.")


class Duty(Answer):
    """A duty of an incident. Nothing of what happened stands in it."""

    id = fields.Integer()
    incident = words("The reference of the incident.")
    obligation = words("The id of the obligation.")
    title = words("What is to be done.")
    recipient = fields.Nested(Named)
    jurisdiction = words("Whose law it is.")
    citation = words("Where the law says so.")
    state = words("running, overdue, undecided, not_started, held, met, met_late, not_required, withdrawn or does_not_apply")
    missing = many("The facts that would settle it.")
    standard = words("The period in the law's words.", none=True)
    zone = words("The zone in which it is counted.")
    conservative = fields.Nested(Deadline, allow_none=True, metadata={"description": "The earlier reading: it drives every warning."})
    statutory = fields.Nested(Deadline, allow_none=True, metadata={"description": "The reading by the letter of the law."})
    target_at = instant("The organisation's own target.", none=True)
    trigger_at = instant("What started the clock.", none=True)
    done_at = instant("When it was met, withdrawn or found not required.", none=True)
    owner = words("Who has it.", none=True)
    url = fields.URL(metadata={"description": "Its page in the tracker."})


class DutyPage(Page):
    """A part of the duties."""

    items = fields.List(fields.Nested(Duty))


class IncidentDuties(Answer):
    """The duties of one incident, the most urgent first."""

    items = fields.List(fields.Nested(Duty))


class Acknowledgement(Answer):
    """Somebody took a duty's warnings."""

    duty = fields.Integer()
    at = instant("When.")
    deadline_at = instant("For the deadline that stands.")
    person = words("Who.")


class Me(Answer):
    """Whose token it is, and what it may be used for."""

    person = words("Whose it is.")
    roles = many("What they may do.")
    token = words("What it is for.")
    hint = words("Its last four signs.")
    scopes = many("What it may be used for.")
    created_at = instant("When it was made.")
    expires_at = instant("When it stops working.")


class Description(ma.Schema):
    """OpenAPI."""

    class Meta:
        unknown = ma.INCLUDE
