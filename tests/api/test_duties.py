"""Duties over the API: what their deadlines are, and taking their warnings; only of incidents that the token's person may know of."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from incident_tracker import clock
from incident_tracker.actions import incidents
from incident_tracker.models.alerts import Acknowledgement
from incident_tracker.models.base import db
from incident_tracker.models.duties import OPEN_STATES, Duty
from incident_tracker.models.incidents import Incident
from incident_tracker.work import unit_of_work
from tests import stories
from tests.api.conftest import Program, problem
from tests.bench.statements import listening
from tests.doors import trail
from tests.stories import person

Caller = Callable[..., Program]


@pytest.fixture
def incident(app: Flask) -> Incident:
    """Ines has reported a breach: Article 33(1) runs since half past five."""
    stories.set_profile()
    return stories.report(stories.CERTAIN)


@pytest.fixture
def unclear(app: Flask) -> Incident:
    """Hardly anything is known, not even where: dozens of laws may be open."""
    return stories.report({"personal_data_breach": True, "moments.aware": stories.AWARE, "affected.by_place.US-NY": {"value": 900, "certainty": "about"}})


def restrict(reference: str) -> None:
    with unit_of_work(person("ines"), stories.FRIDAY + timedelta(hours=1)) as work:
        incidents.restrict(work, stories.again(reference), True)


def of(answer: Any, obligation: str = "eu-gdpr-33-1") -> dict[str, Any]:
    (found,) = [one for one in answer.get_json()["items"] if one["obligation"] == obligation]
    return dict(found)


def test_it_tells_the_duties_of_an_incident_with_their_deadlines(program: Caller, incident: Incident) -> None:
    answer = program("ines", "incidents:read").get(f"/incidents/{incident.reference}/duties")
    said, duty = of(answer), stories.duty_of(incident, "eu-gdpr-33-1")
    assert (said["id"], said["incident"], said["state"], said["citation"]) == (duty.id, incident.reference, "running", "GDPR art. 33(1)")
    assert said["conservative"] == {"value": "2026-11-30T17:30:00+01:00", "at": "2026-11-30T16:30:00+00:00"}
    assert said["statutory"] == {"value": "2026-11-30T18:00:00+01:00", "at": "2026-11-30T17:00:00+00:00"}
    assert said["trigger_at"] == "2026-11-27T16:30:00+00:00"
    assert said["url"] == f"http://127.0.0.1:8000/incidents/{incident.reference}/duties/{duty.id}"


def test_it_tells_nothing_of_what_happened(program: Caller, incident: Incident) -> None:
    one = program("ines", "incidents:read")
    for path in ("/duties", f"/incidents/{incident.reference}/duties"):
        assert "Mailbox" not in one.get(path).text and "Seen in the log" not in one.get(path).text


def test_the_most_urgent_comes_first_and_those_without_a_date_last(program: Caller, unclear: Incident) -> None:
    one = program("ines", "incidents:read")
    for path in ("/duties", f"/incidents/{unclear.reference}/duties"):
        ends = [duty["conservative"]["at"] if duty["conservative"] else "9999" for duty in one.get(path, **({"limit": 200} if path == "/duties" else {})).get_json()["items"]]
        assert ends == sorted(ends)
        assert len(set(ends)) > 3


def test_it_finds_what_is_due_before_a_moment(program: Caller, incident: Incident) -> None:
    one = program("ines", "incidents:read")
    assert of(one.get("/duties", due_before="2026-11-30T16:30:01Z", state="running"))["citation"] == "GDPR art. 33(1)"
    assert of(one.get("/duties", due_before="2026-11-30T17:30:01+01:00", state="running"))["citation"] == "GDPR art. 33(1)"
    assert "eu-gdpr-33-1" not in [duty["obligation"] for duty in one.get("/duties", due_before="2026-11-30T16:30:00Z").get_json()["items"]]
    assert all(duty["conservative"] for duty in one.get("/duties", due_before="2030-01-01T00:00:00Z").get_json()["items"])


@pytest.mark.parametrize("moment", ["2026-11-30", "2026-11-30T17:30:00", "tomorrow", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2026-11-30T17:30:00 01:00"])
def test_a_moment_without_offset_or_sense_is_refused(program: Caller, incident: Incident, moment: str) -> None:
    said = problem(program("ines", "incidents:read").get("/duties", due_before=moment), 422)
    assert said["errors"][0]["field"] == "due_before"


def test_it_filters_by_state(program: Caller, incident: Incident) -> None:
    one = program("ines", "incidents:read")
    total = db.session.query(Duty).filter(Duty.state.in_(OPEN_STATES)).count()
    assert one.get("/duties").get_json()["total"] == total
    assert {duty["state"] for duty in one.get("/duties", state="undecided").get_json()["items"]} == {"undecided"}
    problem(one.get("/duties", state="late"), 422)


def test_what_is_overdue_is_named_so(program: Caller, app: Flask) -> None:
    stories.set_profile()
    aware = {"at": (clock.now() - timedelta(days=5)).isoformat(timespec="seconds"), "zone": "Europe/Berlin", "precision": "instant"}
    stories.report(stories.CERTAIN | {"moments.aware": aware}, now=clock.now())
    one = program("ines", "incidents:read")
    assert of(one.get("/duties", state="overdue"))["state"] == "overdue"
    assert of(one.get("/duties", state="running"))["state"] == "overdue"


def test_it_leads_through_the_duties_part_by_part(program: Caller, unclear: Incident) -> None:
    one, found, query = program("ines", "incidents:read"), [], {"limit": "40"}
    while True:
        said = one.get("/duties", **query).get_json()
        found += [duty["id"] for duty in said["items"]]
        assert len(said["items"]) <= 40
        if said["next"] is None:
            break
        query = dict(parse_qsl(urlsplit(said["next"]).query))
    in_one_go = one.get(f"/incidents/{unclear.reference}/duties").get_json()["items"]
    assert found == [duty["id"] for duty in in_one_go if duty["state"] in OPEN_STATES]
    assert len(found) == len(set(found)) == said["total"] > 14


def test_an_incident_that_is_nobodys_business_is_not_there(program: Caller, incident: Incident) -> None:
    duty = stories.duty_of(incident, "eu-gdpr-33-1").id
    restrict(incident.reference)
    for name in ("otto", "adam", "laura", "mona", "olga"):
        one = program(name)
        never = problem(one.get("/incidents/INC-2026-9999/duties"), 404)
        assert problem(one.get(f"/incidents/{incident.reference}/duties"), 404) == never
        assert problem(one.post(f"/incidents/{incident.reference}/duties/{duty}/acknowledgement"), 404) == never
        assert one.get("/duties").get_json() == {"items": [], "total": 0, "next": None}
        assert problem(one.get("/duties", after=duty), 422)["errors"] == problem(one.get("/duties", after=99_999), 422)["errors"]
    assert of(program("ines").get(f"/incidents/{incident.reference}/duties"))["id"] == duty


def test_an_administrator_sees_what_they_are_on_and_no_more(program: Caller, incident: Incident) -> None:
    one = program("adam")
    problem(one.get(f"/incidents/{incident.reference}/duties"), 404)
    with unit_of_work(person("ines")) as work:
        incidents.add_member(work, stories.again(incident.reference), person("adam"))
    assert of(one.get(f"/incidents/{incident.reference}/duties"))["state"] == "running"


def test_it_takes_the_warnings_of_a_duty_as_the_bell_does(program: Caller, incident: Incident) -> None:
    duty = stories.duty_of(incident, "eu-gdpr-33-1").id
    path = f"/incidents/{incident.reference}/duties/{duty}/acknowledgement"
    one = program("ravi", "alerts:acknowledge")
    answer = one.post(path)
    assert answer.status_code == 200
    assert {**answer.get_json(), "at": ""} == {"duty": duty, "at": "", "deadline_at": "2026-11-30T16:30:00+00:00", "person": "Ravi Menon"}
    db.session.rollback()
    given = db.session.query(Acknowledgement).one()
    assert (given.duty_id, given.person_id) == (duty, person("ravi").id)
    entry = trail("alert.acknowledge")[-1]
    assert (entry.actor_id, entry.actor_name) == (person("ravi").id, "Ravi Menon, by the token “monitoring”")
    assert one.post(path).get_json() == answer.get_json()
    assert len(trail("alert.acknowledge")) == 1


def test_it_takes_no_warnings_that_there_are_not(program: Caller, incident: Incident) -> None:
    one = program("ravi")
    for number in (0, 99_999, 2**31, 10**30):
        problem(one.post(f"/incidents/{incident.reference}/duties/{number}/acknowledgement"), 404)
    later = stories.report({name: value for name, value in stories.CERTAIN.items() if name != "moments.aware"})
    duty = stories.duty_of(later, "eu-gdpr-33-1")
    assert duty.state == "not_started"
    problem(one.post(f"/incidents/{later.reference}/duties/{duty.id}/acknowledgement"), 409)


def test_a_reader_takes_no_warnings(program: Caller, incident: Incident) -> None:
    duty = stories.duty_of(incident, "eu-gdpr-33-1").id
    problem(program("olga").post(f"/incidents/{incident.reference}/duties/{duty}/acknowledgement"), 403)
    assert not trail("alert.acknowledge")


def test_the_duty_of_another_incident_is_not_there(program: Caller, incident: Incident) -> None:
    other = stories.report(stories.CERTAIN)
    duty = stories.duty_of(other, "eu-gdpr-33-1").id
    problem(program("ravi").post(f"/incidents/{incident.reference}/duties/{duty}/acknowledgement"), 404)


def test_it_asks_as_few_questions_of_many_duties_as_of_few(program: Caller, incident: Incident) -> None:
    one = program("ines", "incidents:read")
    one.get("/duties")
    counted = []
    for _ in range(2):
        for path in ("/duties?limit=200", f"/incidents/{incident.reference}/duties"):
            with listening(db.engine) as heard:
                assert one.call("GET", path).status_code == 200
            counted.append(len(heard))
        stories.report(stories.CERTAIN)
    assert counted[:2] == counted[2:]
    assert max(counted) <= 4
