"""The form in which one says how one's digests come."""

from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, validators
from wtforms.fields.choices import SelectChoice

from incident_tracker.actions import digests as acts
from incident_tracker.models.digests import choice_of
from incident_tracker.work import unit_of_work


class DigestForm(FlaskForm):
    """Whether, at which hour, and when not."""

    daily = BooleanField("A daily mail of my deadlines")
    weekly = BooleanField("A weekly mail, on Mondays, of all open incidents")
    hour = SelectField("At", coerce=int, choices=[SelectChoice(hour, f"{hour:02}:00") for hour in range(24)])
    quiet_from = StringField("Quiet from", [validators.Length(max=5, message="Write a time such as 22:00.")])
    quiet_to = StringField("Quiet until", [validators.Length(max=5, message="Write a time such as 07:00.")])


def form_of_mine() -> DigestForm:
    """The form as one chose before."""
    chosen = choice_of(current_user.id)
    return DigestForm(formdata=None, data={
        "daily": chosen.daily, "weekly": chosen.weekly, "hour": chosen.hour, "quiet_from": chosen.quiet_from or "", "quiet_to": chosen.quiet_to or "",
    })


def save(form: DigestForm, *, manages: bool) -> None:
    """Keep what was chosen. Who does not manage is not asked about the weekly one, and keeps what stands. Raises Invalid."""
    weekly = bool(form.weekly.data) if manages else choice_of(current_user.id).weekly
    wanted = acts.Wanted(bool(form.daily.data), weekly, form.hour.data, form.quiet_from.data or "", form.quiet_to.data or "")
    with unit_of_work(current_user) as work:
        acts.choose(work, wanted)
