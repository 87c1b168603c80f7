"""The pages of playbooks and checklists: choosing, working through the steps, two people at once, and what it costs."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from incident_tracker import clock, library
from incident_tracker.actions import incidents, playbooks
from incident_tracker.models.base import db
from incident_tracker.models.incidents import Incident
from incident_tracker.models.playbooks import Checklist, Step, checklists_of
from incident_tracker.rules.playbooks import Playbook, PlaybookStep
from incident_tracker.work import unit_of_work
from tests.stories import AWARE, again, person, record, report, set_profile

Browse = Callable[..., FlaskClient]


@pytest.fixture
def incident(app: Flask) -> Incident:
    set_profile()
    return report()


@pytest.fixture
def followed(incident: Incident) -> Incident:
    follow(incident, library.shelf().playbooks["general"])
    return incident


def follow(incident: Incident, playbook: Playbook) -> None:
    with unit_of_work(person("ines"), clock.now()) as work:
        playbooks.start_checklist(work, again(incident.reference), playbook)


def step(incident: Incident, key: str) -> Step:
    db.session.expire_all()
    return db.session.scalars(select(Step).join(Checklist).where(Checklist.incident_id == incident.id, Step.key == key)).one()


def page(client: FlaskClient, incident: Incident, **query: str) -> str:
    answer = client.get(f"/incidents/{incident.reference}/checklist", query_string=query)
    assert answer.status_code == 200
    return answer.text


def press(client: FlaskClient, incident: Incident, key: str, button: str, *, version: int | None = None, **fields: Any) -> TestResponse:
    """Fill in the small form of one step and use one of its buttons."""
    found = step(incident, key)
    prefix = f"step-{found.id}-"
    values = {"version": version or found.version, "do": button, "assignee": str(found.assignee_id or ""), **fields}
    data = {prefix + name: value for name, value in values.items()}
    return client.post(f"/incidents/{incident.reference}/checklist/steps/{found.id}", data=data, content_type="multipart/form-data")


def part(text: str, incident: Incident, key: str) -> str:
    """The piece of the page that shows one step."""
    found = step(incident, key)
    return text.partition(f'id="step-{found.id}"')[2].partition("</details>")[0]


# -- the library


def test_it_lists_every_playbook_and_shows_one(browse: Browse) -> None:
    client = browse("olga")
    listed = client.get("/playbooks").text
    for playbook in library.shelf().playbooks.values():
        assert f'href="/playbooks/{playbook.id}"' in listed
    shown = client.get("/playbooks/ransomware").text
    assert "Take the backups out of reach" in shown
    assert "12 h before the first regulator deadline" in shown
    assert "24 h after “Became aware”" in shown
    assert 'href="/playbooks/general">Any breach of personal data' in shown


def test_an_unknown_playbook_is_not_found(browse: Browse) -> None:
    assert browse("ines").get("/playbooks/flood").status_code == 404


# -- choosing


def test_it_proposes_the_playbook_of_the_incidents_kind_first(incident: Incident, browse: Browse) -> None:
    with unit_of_work(person("ines")) as work:
        found = again(incident.reference)
        incidents.edit_incident(work, found, found.text_version, title=found.title, summary="", kind="ransomware")
    text = page(browse("ines"), incident)
    ransomware, others, general = (text.index(words) for words in ("<h2>Ransomware, or an intruder", "<h2>Others", "Any breach of personal data</h3>"))
    assert ransomware < others < general
    assert "See its 25 steps in 5 phases" in text


def test_it_starts_the_chosen_playbook_and_offers_it_no_more(incident: Incident, browse: Browse) -> None:
    client = browse("ines")
    answer = client.post(f"/incidents/{incident.reference}/checklist", data={"playbook": "general"}, follow_redirects=True)
    assert "<b>0 of 22</b> steps are done" in answer.text
    assert "Any breach of personal data</h" not in client.get(f"/incidents/{incident.reference}/checklist/choose").text


def test_it_says_so_when_somebody_else_was_quicker(followed: Incident, browse: Browse) -> None:
    answer = browse("ravi").post(f"/incidents/{followed.reference}/checklist", data={"playbook": "general"})
    assert answer.status_code == 409
    assert "already started" in answer.text


def test_a_playbook_that_does_not_exist_is_not_started(incident: Incident, browse: Browse) -> None:
    assert browse("ines").post(f"/incidents/{incident.reference}/checklist", data={"playbook": "flood"}).status_code == 404


# -- reading


def test_it_shows_the_phases_with_progress_in_words_and_a_bar(followed: Incident, browse: Browse) -> None:
    client = browse("ines")
    press(client, followed, "take-the-lead", "tick")
    text = page(client, followed)
    assert re.findall(r'<h2 id="phase-\w+">([^<]+)', text) == ["Scope", "Contain", "Notify regulators", "Notify customers", "Remediate"]
    assert '<progress max="6" value="1" aria-labelledby="phase-scope">' in text
    assert "1 of 6 done" in text


def test_it_keeps_the_next_step_in_sight_and_unfolds_it(followed: Incident, browse: Browse) -> None:
    text = page(browse("ravi"), followed)
    first = step(followed, "take-the-lead")
    assert f'step={first.id}#step-{first.id}">1. Take the lead' in text
    assert re.search(rf'id="step-{first.id}" open', text)
    assert not re.search(rf'id="step-{step(followed, "record-times").id}" open', text)


def test_it_says_what_a_step_waits_for_and_which_fact_its_due_time_lacks(followed: Incident, browse: Browse) -> None:
    waiting = part(page(browse("ines"), followed), followed, "judge-risk")
    assert "Waits for" in waiting
    assert "5. Record how many people" in waiting
    assert "24 h after “Became aware”" in waiting
    assert f'href="/incidents/{followed.reference}/facts/moments?only=moments.aware">record became aware' in waiting
    record(followed, {"moments.aware": AWARE})
    assert "Sat 28 Nov 2026, 17:30 (UTC+01:00)" in part(page(browse("ines"), followed), followed, "judge-risk")


def test_it_links_a_step_to_the_facts_it_settles(followed: Incident, browse: Browse) -> None:
    record(followed, {"affected.by_place.DE": {"value": 1200, "certainty": "about"}})
    shown = " ".join(part(page(browse("ines"), followed), followed, "how-many").split())
    assert re.search(rf'href="/incidents/{followed.reference}/places">[^<]+</a> <span class="soft">\(recorded\)', shown)
    assert re.search(r'facts/people\?only=affected.total">[^<]+</a> <span class="soft">\(not known yet\)', shown)


def test_it_shows_mine_and_nobodys(followed: Incident, browse: Browse) -> None:
    with unit_of_work(person("ines")) as work:
        found = step(followed, "how-many")
        playbooks.assign_step(work, found, found.version, person("laura"))
    mine = page(browse("laura"), followed, show="mine")
    assert re.findall(r"<h3>([^<]+)</h3>", mine) == ["5. Record how many people, per country and US state"]
    assert "Record how many people, per country and US state</h3>" not in page(browse("laura"), followed, show="nobody")
    # Ines leads, so what nobody took and the lead usually does is hers
    assert "1. Take the lead and call the people you need</h3>" in page(browse("ines"), followed, show="mine")
    assert "No step in this view" in page(browse("mona"), followed, show="mine")


def test_it_unfolds_all_for_paper(followed: Incident, browse: Browse) -> None:
    assert len(re.findall(r'<details class="step [^>]* open>', page(browse("olga"), followed, full="yes"))) == 22


def test_a_reader_sees_no_form(followed: Incident, browse: Browse) -> None:
    text = page(browse("olga"), followed)
    assert "Take the lead and call" in text
    assert "multipart/form-data" not in text
    assert "Start another checklist" not in text


# -- doing


def test_it_ticks_with_one_button_and_comes_back_to_the_step(followed: Incident, browse: Browse) -> None:
    answer = press(browse("ravi"), followed, "take-the-lead", "tick")
    done = step(followed, "take-the-lead")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/incidents/{followed.reference}/checklist#step-{done.id}")
    assert (done.state, done.ended_by.name) == ("done", "Ravi Menon")


def test_a_file_is_proof(followed: Incident, browse: Browse) -> None:
    client = browse("ines")
    answer = press(client, followed, "stop-the-loss", "tick", file=(io.BytesIO(b"rule blocked"), "firewall.txt"))
    assert answer.status_code == 302
    done = step(followed, "stop-the-loss")
    assert (done.state, [one.filename for one in done.evidence]) == ("done", ["firewall.txt"])
    shown = part(page(client, followed), followed, "stop-the-loss")
    assert f'href="/incidents/{followed.reference}/evidence/{done.evidence[0].id}">firewall.txt</a>' in shown


def test_a_tick_without_proof_comes_back_with_what_was_chosen(followed: Incident, browse: Browse) -> None:
    answer = press(browse("ines"), followed, "stop-the-loss", "tick")
    assert answer.status_code == 422
    assert "Proof is asked for: What was done, and when it took effect." in answer.text
    found = step(followed, "stop-the-loss")
    assert f'href="#step-{found.id}"' in answer.text
    assert re.search(rf'id="step-{found.id}" open', answer.text)
    assert re.search(rf'id="step-{found.id}-note"[^>]*aria-invalid|aria-invalid="true"[^>]*id="step-{found.id}-note"', answer.text)


def test_a_refused_file_is_not_kept(followed: Incident, browse: Browse) -> None:
    answer = press(browse("ines"), followed, "judge-risk", "tick", file=(io.BytesIO(b"x"), "score.pdf"), note="Scored 2.5")
    assert answer.status_code == 422
    assert "Scored 2.5" in answer.text
    assert "A file has to be chosen again" in answer.text
    assert step(followed, "judge-risk").evidence == []


def test_it_saves_a_note_a_file_and_an_owner_together(followed: Incident, browse: Browse) -> None:
    press(browse("ines"), followed, "how-many", "save", note="Ask HR first.", assignee=str(person("laura").id), file=(io.BytesIO(b"1180"), "count.csv"))
    found = step(followed, "how-many")
    assert (found.assignee.name, found.entries[-1].text, found.evidence[0].filename, found.state) == ("Laura Beck", "Ask HR first.", "count.csv", "open")


def test_saving_nothing_says_what_to_do(followed: Incident, browse: Browse) -> None:
    answer = press(browse("ines"), followed, "how-many", "save")
    assert answer.status_code == 422
    assert "Write a note, choose a file or give the step to somebody" in answer.text


def test_it_is_taken_skipped_and_opened_again(followed: Incident, browse: Browse) -> None:
    client = browse("mona")
    press(client, followed, "ready-helpline", "take")
    assert step(followed, "ready-helpline").assignee.name == "Mona Haddad"
    assert press(client, followed, "ready-helpline", "skip").status_code == 422
    press(client, followed, "ready-helpline", "skip", note="Three people, phoned by Laura.")
    assert "Three people, phoned by Laura." in part(page(client, followed), followed, "ready-helpline")
    press(client, followed, "ready-helpline", "untick", note="There are thirty.")
    assert step(followed, "ready-helpline").state == "open"


def test_a_manager_ticks_but_is_offered_no_file(followed: Incident, browse: Browse) -> None:
    text = page(browse("mona"), followed)
    assert "Who does it" in text and "File as proof" not in text
    assert press(browse("mona"), followed, "take-the-lead", "tick", file=(io.BytesIO(b"x"), "x.txt")).status_code == 403
    assert step(followed, "take-the-lead").state == "open"


def test_a_person_who_cannot_do_it_is_not_on_the_list(followed: Incident, browse: Browse) -> None:
    answer = press(browse("ines"), followed, "how-many", "save", assignee=str(person("adam").id))
    assert answer.status_code == 422
    assert step(followed, "how-many").assignee is None


def test_two_people_at_once_both_see_both_texts(followed: Incident, browse: Browse) -> None:
    seen = step(followed, "stop-the-loss").version
    press(browse("ravi"), followed, "stop-the-loss", "tick", note="Cut off at 17:52.")
    answer = press(browse("ines"), followed, "stop-the-loss", "skip", note="Nothing to stop.", version=seen)
    assert answer.status_code == 409
    for words in ("Cut off at 17:52.", "Nothing to stop.", "done by Ravi Menon"):
        assert words in answer.text


def test_a_step_of_another_incident_is_not_found(followed: Incident, browse: Browse) -> None:
    other = report()
    foreign = step(followed, "take-the-lead")
    prefix = f"step-{foreign.id}-"
    answer = browse("ines").post(f"/incidents/{other.reference}/checklist/steps/{foreign.id}", data={prefix + "version": 1, prefix + "do": "tick", prefix + "assignee": ""})
    assert answer.status_code == 404
    assert step(followed, "take-the-lead").state == "open"


def test_a_link_to_a_step_leads_to_its_place(followed: Incident, browse: Browse) -> None:
    found, other = step(followed, "judge-risk"), report()
    answer = browse("olga").get(f"/incidents/{followed.reference}/checklist/steps/{found.id}")
    assert answer.headers["Location"] == f"/incidents/{followed.reference}/checklist?list=general&step={found.id}#step-{found.id}"
    assert re.search(rf'id="step-{found.id}" open', page(browse("olga"), followed, list="general", step=str(found.id)))
    assert browse("olga").get(f"/incidents/{other.reference}/checklist/steps/{found.id}").status_code == 404


def test_an_unknown_button_does_nothing(followed: Incident, browse: Browse) -> None:
    assert press(browse("ines"), followed, "take-the-lead", "explode").status_code == 422
    assert step(followed, "take-the-lead").state == "open"


def test_two_checklists_stand_side_by_side(followed: Incident, browse: Browse) -> None:
    follow(followed, library.shelf().playbooks["vendor_breach"])
    client = browse("ines")
    assert "<h1>A breach at a vendor</h1>" in page(client, followed)
    assert "<h1>Any breach of personal data</h1>" in page(client, followed, list="general")
    assert "<h1>A breach at a vendor</h1>" in page(client, followed, list="nothing")


# -- what it costs


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_its_queries_do_not_grow_with_the_steps(incident: Incident, browse: Browse) -> None:
    def costs(steps: int) -> int:
        other = report()
        follow(other, Playbook("own", "Ours", "", (), None, tuple(PlaybookStep(f"s{number}", "scope", f"Do {number}", "So.", "lead") for number in range(steps))))
        with unit_of_work(person("ines")) as work:
            for one in checklists_of(other.id)[0].steps:
                playbooks.write_note(work, one, "Seen.")
                playbooks.assign_step(work, one, one.version, person("ravi" if one.position % 2 else "laura"))
        client = browse("ines")
        page(client, other)
        with counted() as sent:
            page(client, other)
        return len(sent)

    assert costs(3) == costs(25)
