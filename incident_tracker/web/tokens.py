"""One's own API tokens: what there is, a new one, and taking one back."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, validators

from incident_tracker import clock
from incident_tracker.actions import tokens as acts
from incident_tracker.errors import NotFound
from incident_tracker.models.base import db
from incident_tracker.models.tokens import SCOPE_MEANINGS, ApiToken, tokens_of
from incident_tracker.web import choosing, guard
from incident_tracker.web.fact_fields import CheckboxList
from incident_tracker.work import unit_of_work

pages = Blueprint("tokens", __name__)

SCOPE_CHOICES = [(scope.value, meaning) for scope, meaning in SCOPE_MEANINGS.items()]
LIVES = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year")]


class TokenForm(FlaskForm):
    """What a token is for."""

    name = StringField(
        "What it is for", [validators.InputRequired("Say what it is for."), validators.Length(max=60)], description="Such as “monitoring”."
    )
    scopes = CheckboxList("It may be used to", [validators.DataRequired("Choose what it may be used for.")], choices=SCOPE_CHOICES)
    days = SelectField("It works for", choices=LIVES, default="90")


@pages.get("/me/tokens")
def index() -> ResponseReturnValue:
    """One's own tokens, the dead ones last."""
    now = clock.now()
    found = sorted(tokens_of(current_user.id), key=lambda token: not token.is_live(now))
    return render_template("accounts/tokens.html", tokens=found)


@pages.route("/me/tokens/new", methods=["GET", "POST"])
@guard.fresh
def make() -> ResponseReturnValue:
    """A new token, shown once."""
    form = TokenForm()
    made: list[str] = []
    if form.validate_on_submit() and not choosing.refused(form, _make, form, made):
        return render_template("accounts/token.html", name=form.name.data, text=made[0])
    return render_template("accounts/token_new.html", form=form), 422 if form.errors else 200


@pages.post("/me/tokens/<int:token_id>/revoke")
def revoke(token_id: int) -> ResponseReturnValue:
    """Take one's own token back."""
    token = db.session.get(ApiToken, token_id)
    if token is None or token.person_id != current_user.id:
        raise NotFound("token")
    with unit_of_work(current_user) as work:
        acts.revoke_token(work, token)
    flash("Revoked: it opens nothing any more.", "good")
    return redirect(url_for(".index"))


def _make(form: TokenForm, made: list[str]) -> None:
    with unit_of_work(current_user) as work:
        made.append(acts.make_token(work, form.name.data or "", form.scopes.data or [], int(form.days.data))[1])
