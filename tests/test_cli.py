"""The commands, run as a person would run them: each in a process of its own."""

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from alembic import command as alembic

from incident_tracker.config import ConfigError, from_environment, load_secrets
from incident_tracker.factory import create_app, migrate
from incident_tracker.models.base import db
from tests.conftest import test_config
from tests.guards.sources import ROOT
from tests.stories import AWARE


def run(instance: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command with this instance folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("INCIDENT_TRACKER_")}
    env |= {"INCIDENT_TRACKER_INSTANCE": str(instance), **environment}
    return subprocess.run([sys.executable, "-m", "incident_tracker.cli", *words], capture_output=True, text=True, env=env, timeout=120, check=False)


def test_it_makes_the_database_once_and_keeps_a_copy_before_changing_it(tmp_path: Path) -> None:
    assert "The database is made." in run(tmp_path, "migrate").stdout
    assert run(tmp_path, "migrate").stdout == ""
    with create_app(test_config(tmp_path, f"sqlite:///{tmp_path / 'tracker.sqlite3'}")).app_context():
        # as an older version left it
        alembic.downgrade(migrate.get_config(str(ROOT / "incident_tracker" / "migrations")), "0006")
        db.engine.dispose()
    again = run(tmp_path, "migrate")
    assert "Copied to" in again.stdout, again.stderr
    assert "at this version now" in again.stdout


def test_it_refuses_a_database_that_is_behind_with_the_command_to_run(tmp_path: Path) -> None:
    refused = run(tmp_path, "serve", "--port", "1")
    assert refused.returncode == 1
    assert "incident-tracker migrate" in refused.stderr


def test_it_refuses_a_database_that_is_ahead(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    with sqlite3.connect(tmp_path / "tracker.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in ("serve", "migrate", "setup-link"):
        refused = run(tmp_path, command)
        assert refused.returncode == 1, command
        assert "newer version" in refused.stderr


def test_it_refuses_an_unsafe_setting_with_a_hint(tmp_path: Path) -> None:
    refused = run(tmp_path, "migrate", INCIDENT_TRACKER_BASE_URL="http://tracker.example.org")
    assert refused.returncode == 1
    assert "use https" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "no setting of the tracker" in run(tmp_path, "migrate", INCIDENT_TRACKER_SMPT_HOST="mail").stderr


def test_the_set_up_link_is_made_while_nobody_administers(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    first, second = run(tmp_path, "setup-link").stdout.strip(), run(tmp_path, "setup-link").stdout.strip()
    assert first.startswith("http://127.0.0.1:8000/set-up/")
    assert first != second


def test_secrets_are_the_owners_alone_and_differ_between_instances(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(tmp_path / name, "migrate")
    one, two = (tmp_path / name / "secrets.json" for name in ("one", "two"))
    assert one.stat().st_mode & 0o777 == 0o600
    assert json.loads(one.read_text())["secret_key"] != json.loads(two.read_text())["secret_key"]


def test_a_back_up_can_be_started_from(tmp_path: Path) -> None:
    run(tmp_path / "old", "migrate")
    done = run(tmp_path / "old", "backup", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    assert "The trail holds" in run(tmp_path / "kept", "audit", "verify").stdout
    assert run(tmp_path / "old", "backup", str(tmp_path / "kept")).returncode == 1


def test_a_changed_audit_entry_is_named(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    for _ in range(3):
        run(tmp_path, "setup-link")
    assert run(tmp_path, "audit", "verify").returncode == 0
    with sqlite3.connect(tmp_path / "tracker.sqlite3") as database:
        database.execute("UPDATE audit_entry SET summary = 'nothing happened' WHERE id = 2")
    broken = run(tmp_path, "audit", "verify")
    assert broken.returncode == 1
    assert "entry 2 was changed" in broken.stderr


def test_a_trail_cut_short_is_noticed(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    for _ in range(3):
        run(tmp_path, "setup-link")
    with sqlite3.connect(tmp_path / "tracker.sqlite3") as database:
        database.execute("DELETE FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry)")
    assert "were written" in run(tmp_path, "audit", "verify").stderr


def test_law_due_prints_both_readings(tmp_path: Path) -> None:
    answer = json.loads(run(tmp_path, "law", "due", "eu-gdpr-33-1", "--event", "aware=2026-11-27T17:30:00+01:00", "--country", "DE", "--json").stdout)
    assert answer["obligation"] == "eu-gdpr-33-1"
    assert answer["conservative"] == "2026-11-30T17:30:00+01:00"
    assert answer["statutory"] == "2026-11-30T18:00:00+01:00"
    assert all(step["text"] and step["cites"] for step in answer["steps"])
    same = json.loads(run(tmp_path, "law", "due", "eu-gdpr-33-1", "--event", "trigger=2026-11-27T17:30:00+01:00", "--json").stdout)
    assert same["conservative"] == answer["conservative"]


@pytest.mark.parametrize("words", [
    ("eu-gdpr-99", "--event", "aware=2026-11-27T17:30:00+01:00"),
    ("eu-gdpr-33-1", "--event", "aware=yesterday"),
    ("eu-gdpr-33-1", "--event", "aware=2026-11-27T17:30:00"),
    ("eu-gdpr-33-1", "--event", "nonsense=2026-11-27T17:30:00+01:00"),
    ("eu-gdpr-33-1", "--event", "aware"),
])
def test_law_due_says_in_one_line_what_was_expected(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = run(tmp_path, "law", "due", *words, "--json")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "expected" in refused.stderr


def test_law_assess_prints_every_duty(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({
        "personal_data_breach": True, "role": ["controller"], "risk_level": "high", "organisation.establishments": ["DE"], "organisation.lead_authority": "DE-BE",
        "moments": {"aware": AWARE}, "affected.by_place": {"DE": 10}, "affected.places_complete": True,
    }))
    answer = json.loads(run(tmp_path, "law", "assess", str(facts), "--json").stdout)
    states = {duty["obligation"]: duty["state"] for duty in answer["duties"]}
    assert states["eu-gdpr-33-1"] == "applies"
    assert states["eu-gdpr-33-2"] == "does_not_apply"
    facts.write_text('{"no_such_fact": true}')
    assert run(tmp_path, "law", "assess", str(facts), "--json").returncode == 2


def test_law_check_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "bad.yaml").write_text("regime: mine\ntitle: Mine\ncolour: blue\n")
    wrong = run(tmp_path, "law", "check", str(tmp_path / "mine"))
    assert wrong.returncode == 1
    assert "bad.yaml:" in wrong.stderr
    assert run(tmp_path, "law", "check").returncode == 0


def test_lists_are_printed(tmp_path: Path) -> None:
    assert "eu-gdpr-33-1" in run(tmp_path, "law", "list", "--jurisdiction", "EU").stdout
    assert "GDPR art. 33(1)" in run(tmp_path, "law", "show", "eu-gdpr-33-1").stdout
    assert "general:" in run(tmp_path, "playbooks").stdout
    assert "INCIDENT_TRACKER_SMTP_HOST" in run(tmp_path, "settings").stdout


def test_secrets_that_a_newer_version_needs_are_added_and_the_others_stay(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    path = tmp_path / "secrets.json"
    before = json.loads(path.read_text())
    older = {name: value for name, value in before.items() if name != "destination_keys"}
    path.write_text(json.dumps(older))
    found = [load_secrets(tmp_path) for _ in range(2)]
    assert found[0] == found[1] and found[0].destination_keys != before["destination_keys"]
    assert {name: value for name, value in json.loads(path.read_text()).items() if name in older} == older
    assert path.stat().st_mode & 0o777 == 0o600 and [one.name for one in tmp_path.glob(".secrets*")] == []


def test_a_secret_that_was_lost_is_not_made_anew_behind_ones_back(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    path = tmp_path / "secrets.json"
    kept = {name: value for name, value in json.loads(path.read_text()).items() if name != "totp_secret"}
    path.write_text(json.dumps(kept))
    with pytest.raises(ConfigError, match="damaged"):
        load_secrets(tmp_path)
    assert json.loads(path.read_text()) == kept


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        assert len(set(pool.map(load_secrets, [tmp_path] * 12))) == 1


def test_a_network_that_is_none_is_refused_at_start() -> None:
    for text in ("10.1.2/33", "10.0.0.1/8"):
        with pytest.raises(ConfigError, match="ALLOW_PRIVATE_TARGETS"):
            from_environment({"INCIDENT_TRACKER_ALLOW_PRIVATE_TARGETS": f"chat.example.org, {text}"})
