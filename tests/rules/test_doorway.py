"""The law can be used from outside: two names, no web framework, plain JSON."""

import json
import subprocess
import sys

from incident_tracker.rules import assess, due

BERLIN = {
    "personal_data_breach": True,
    "role": ["controller"],
    "organisation.establishments": ["DE"],
    "organisation.lead_authority": "DE-BE",
    "moments": {"aware": "2026-11-27T17:30:00+01:00"},
}


def test_it_needs_no_web_framework() -> None:
    script = "import sys, incident_tracker.rules; print(sorted({'flask', 'sqlalchemy', 'werkzeug'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_counts_a_clock_by_the_name_of_the_obligation() -> None:
    found = due("eu-gdpr-33-1", {"aware": "2026-11-27T17:30:00+01:00"}, country="DE")
    assert found.conservative
    assert found.conservative.value.isoformat() == "2026-11-30T17:30:00+01:00"


def test_an_assessment_goes_out_as_json() -> None:
    answer = json.loads(json.dumps(assess(BERLIN).to_json()))
    duty = next(one for one in answer["duties"] if one["obligation"] == "eu-gdpr-33-1")
    assert (duty["jurisdiction"], duty["recipient"], duty["state"]) == ("EU/EEA", "authority:DE-BE", "unknown")
    assert (duty["missing"], duty["conservative"]) == (["risk_level"], "2026-11-30T17:30:00+01:00")
    assert duty["statutory"] == "2026-11-30T18:00:00+01:00"
    assert "GDPR art. 33(1)" in duty["citation"]
    assert {"text", "fact", "truth"} == set(duty["because"][0])
    question = next(one for one in answer["questions"] if one["fact"] == "risk_level")
    assert "eu-gdpr-33-1@authority:DE-BE" in question["settles"]
