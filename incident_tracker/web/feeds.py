"""One's calendar feed: the page that makes and stops it, and the address that calendar programs read."""

from contextlib import suppress

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy.exc import OperationalError

from incident_tracker import clock
from incident_tracker.actions import feeds as acts
from incident_tracker.errors import Conflict, NotFound
from incident_tracker.models.feeds import NOTED_EVERY, live_feed, note_reading
from incident_tracker.web import guard
from incident_tracker.work import unit_of_work

pages = Blueprint("feeds", __name__)

KINDS = {"event": False, "todo": True}


@pages.get("/me/calendar")
def index() -> ResponseReturnValue:
    """Whether there is a feed, and what it is good for."""
    return render_template("accounts/calendar.html", feed=live_feed(current_user.id), address=None)


@pages.post("/me/calendar")
@guard.fresh
def make() -> ResponseReturnValue:
    """A feed, or a new address for it; shown once."""
    with unit_of_work(current_user) as work:
        _feed, secret = acts.make_feed(work)
    address = current_app.extensions["tracker"].base_url.rstrip("/") + url_for(".read", feed_key=secret)
    return render_template("accounts/calendar.html", feed=live_feed(current_user.id), address=address)


@pages.post("/me/calendar/stop")
def stop() -> ResponseReturnValue:
    """No feed any more."""
    with unit_of_work(current_user) as work:
        acts.revoke_feed(work)
    flash("Stopped: the address shows nothing any more. What calendars have read already stays in them.", "good")
    return redirect(url_for(".index"))


@pages.get("/calendar/<feed_key>.ics")
def read(feed_key: str) -> ResponseReturnValue:
    """The deadlines of whoever made this address, for a calendar program. Whatever is wrong, there is nothing here."""
    feed, kind = acts.feed_of(feed_key), request.args.get("kind", "event")
    if feed is None or kind not in KINDS:
        raise NotFound("calendar")
    g.read_feed = feed.id, feed.last_read_at
    found = acts.read_feed(feed.person, clock.now(), current_app.extensions["tracker"].base_url, as_todos=KINDS[kind])
    content = b"" if request.if_none_match.contains_weak(found.mark) else found.content()
    response = Response(content, content_type="text/calendar; charset=utf-8", headers={"Cache-Control": "private, no-cache"})
    response.headers["Content-Disposition"] = "inline; filename=deadlines.ics"
    response.set_etag(found.mark)
    return response.make_conditional(request)


@pages.after_request
def _note(response: Response) -> Response:
    """Once a minute it is written down that the feed was read, so that its owner sees whether anything reads it."""
    feed_id, noted_at = g.get("read_feed", (None, None))
    if feed_id is None or (noted_at is not None and clock.now() - noted_at < NOTED_EVERY):
        return response
    # somebody else's note of the same minute says as much, and nobody's reading fails for want of a note
    with suppress(Conflict, OperationalError), unit_of_work(acts.READER) as work:
        note_reading(work.session, feed_id, work.now)
    return response
