"""Numbers for Prometheus: how warnings and messages do, in totals that tell nothing of any incident."""

import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from incident_tracker import clock
from incident_tracker.models.vitals import Vitals, vitals
from incident_tracker.rules import lateness
from incident_tracker.web.pulse import is_stale

pages = Blueprint("metrics", __name__)

#: what each worker counts, by the name under which it is shown
COUNTERS = {
    "fired": ("tracker_rungs_fired", "Warnings that this worker fired."),
    "unheard": ("tracker_rungs_unheard", "Warnings that reached nobody, for no active person may know of their incident."),
    "sent": ("tracker_messages_sent", "Messages that a channel took from this worker."),
    "failed": ("tracker_messages_failed", "Tries that failed."),
    "dead": ("tracker_messages_dead", "Messages that were given up."),
    "withdrawn": ("tracker_messages_withdrawn", "Messages that were not sent on purpose."),
    "jumps": ("tracker_clock_jumps", "Jumps of the wall clock that this worker saw."),
    "pings": ("tracker_dead_man_pings", "Signs of life that the outside monitor took."),
    "pings_failed": ("tracker_dead_man_pings_failed", "Signs of life that the outside monitor did not take."),
}


@pages.get("/metrics")
def show() -> Response:
    """The numbers as text. Says 404 to other machines unless a token is set, and then 401 to whoever does not bring it."""
    config = current_app.extensions["tracker"]
    if not config.metrics_token and not _is_this_machine(config.proxies):
        abort(404)
    if config.metrics_token and not _brings(config.metrics_token):
        return Response("A bearer token is needed.\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Numbers(config))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class Numbers:
    """Reads the database when it is asked. What workers count is theirs; the rest is the same whichever process answers."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def collect(self) -> Iterator[Metric]:
        """Every number, each as one family."""
        now = clock.now()
        found = vitals(now)
        yield from _gauges(found, now, self.config)
        yield from _counters(found)
        yield _lateness(found)


def _gauges(found: Vitals, now: datetime, config: Any) -> Iterator[Metric]:
    stale = config.stale_seconds
    beats = [one.beat_at for one in found.workers if one.beat_at is not None]
    alive = [one for one in beats if not is_stale(one, now, stale)]
    yield GaugeMetricFamily("tracker_rungs_due", "Warnings that are due and did not fire yet.", value=found.rungs_due)
    yield GaugeMetricFamily("tracker_rung_oldest_due_seconds", "For how long the first of them has been due.", value=_age(found.oldest_due_at, now))
    yield GaugeMetricFamily("tracker_messages_waiting", "Messages on their way.", value=found.unsent)
    yield GaugeMetricFamily("tracker_message_oldest_unsent_seconds", "Age of the oldest message on its way.", value=_age(found.oldest_unsent_at, now))
    yield GaugeMetricFamily("tracker_messages_undelivered", "Messages that were given up and that nobody sent again.", value=found.dead)
    yield GaugeMetricFamily("tracker_workers_alive", "Workers that fire what is due.", value=len(alive))
    if beats:
        yield GaugeMetricFamily("tracker_heartbeat_age_seconds", "Seconds since a worker last fired what was due, all through.", value=_age(max(beats), now))
    # where no mail server is set there is nothing to be up or down
    if config.mail_is_on:
        yield GaugeMetricFamily("tracker_mail_up", "1 while mail reaches people, 0 in an outage.", value=0 if found.is_mail_out else 1)


def _counters(found: Vitals) -> Iterator[Metric]:
    for name, (title, meaning) in COUNTERS.items():
        family = CounterMetricFamily(title, meaning, labels=["worker"])
        for worker in found.workers:
            family.add_metric([worker.worker], (worker.counts or {}).get(name, 0), created=worker.started_at.timestamp())
        yield family


def _lateness(found: Vitals) -> Metric:
    family = HistogramMetricFamily("tracker_rung_lateness_seconds", "Seconds from a warning's moment to its firing.", labels=["worker"])
    for worker in found.workers:
        counts = worker.counts or {}
        family.add_metric([worker.worker], lateness.cumulated(counts.get("late") or lateness.nothing()), counts.get("late_seconds", 0.0))
    return family


def _age(at: datetime | None, now: datetime) -> float:
    return max((now - at) / timedelta(seconds=1), 0.0) if at is not None else 0.0


def _is_this_machine(proxies: int) -> bool:
    """Whether a program on this machine asks. With a proxy that nobody told us of, everybody would seem to."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via"))
    try:
        return ip_address(request.remote_addr or "").is_loopback and (proxies > 0 or not forwarded)
    except ValueError:
        return False


def _brings(token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
