"""The page of who is told: on-call hours, absences, and the ladders in force."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from incident_tracker import clock, library
from incident_tracker.models.base import db
from incident_tracker.models.rotas import Absence, Shift
from tests.stories import person


def test_a_manager_puts_somebody_on_call_and_takes_them_off(browse: Any) -> None:
    mona = browse("mona")
    values = {"person": person("otto").id, "weekdays": ["4", "5"], "starts": "22:00", "ends": "06:00"}
    page = mona.post("/rota/hours", data=values, follow_redirects=True).text
    assert "Otto Brandt" in page and "Fri, Sat" in page and "22:00 to 06:00" in page
    mona.post(f"/rota/hours/{db.session.query(Shift).one().id}/remove")
    assert "Nobody is on call" in mona.get("/rota").text


def test_hours_that_cannot_be_are_refused_beside_the_field_and_kept(browse: Any) -> None:
    answer = browse("mona").post("/rota/hours", data={"person": person("otto").id, "weekdays": ["4"], "starts": "half ten"[:5], "ends": "06:00"})
    assert answer.status_code == 422
    assert "Write a time such as 22:00." in answer.text
    assert 'value="half "' in answer.text
    assert db.session.query(Shift).count() == 0


def test_everybody_may_say_that_they_are_away_and_nobody_for_others(browse: Any) -> None:
    ravi = browse("ravi")
    until = (clock.now() + timedelta(days=10)).date().isoformat()
    values = {"person": person("ravi").id, "stand_in": person("ines").id, "from_at-date": clock.now().date().isoformat(), "from_at-zone": "UTC",
              "until-date": until, "until-zone": "UTC"}
    assert "stands in" in ravi.post("/rota/absences", data=values, follow_redirects=True).text
    assert ravi.post("/rota/absences", data=values | {"person": person("otto").id}).status_code == 422
    absence = db.session.query(Absence).one()
    assert browse("otto").post(f"/rota/absences/{absence.id}/remove").status_code == 403
    ravi.post(f"/rota/absences/{absence.id}/remove")
    assert db.session.query(Absence).count() == 0


def test_an_absence_needs_both_ends(browse: Any) -> None:
    values = {"person": person("ravi").id, "stand_in": person("ines").id, "from_at-date": "2026-12-01", "from_at-zone": "UTC", "until-zone": "UTC"}
    answer = browse("ravi").post("/rota/absences", data=values)
    assert answer.status_code == 422
    assert "Give the day; the time too if it matters." in answer.text


def test_the_ladders_in_force_are_shown(browse: Any) -> None:
    page = browse("olga").get("/rota").text
    assert "unanswered for 2 h" in page
    assert "15 min before" in page


def test_the_organisations_own_ladders_take_the_place_of_ours(tmp_path: Path, browse: Any) -> None:
    ours = Path(library.__file__).with_name("ladders.yaml").read_text(encoding="utf-8")
    (tmp_path / "ladders.yaml").write_text(ours.replace("{after: 2 h,", "{after: 3 h,"), encoding="utf-8")
    try:
        library.fill(tmp_path)
        assert "unanswered for 3 h" in browse("olga").get("/rota").text
    finally:
        library.fill()
