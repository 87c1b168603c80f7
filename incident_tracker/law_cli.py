"""Commands about the law: list, show, check, count a clock, assess facts. They need no database."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from incident_tracker import library
from incident_tracker.config import from_environment
from incident_tracker.rules import duties, periods
from incident_tracker.rules.regimes import Obligation, RegimeError


class Unusable(click.ClickException):
    """What was given cannot be used: one line says what was expected, and the command ends with 2."""

    exit_code = 2


@click.group()
def law() -> None:
    """The law that the tracker knows."""


def _law() -> Any:
    return library.fill(from_environment().instance).law


@law.command("list")
@click.option("--jurisdiction", default="", help="Only jurisdictions that begin with this.")
def list_law(jurisdiction: str) -> None:
    """One line an obligation."""
    for one in _law().obligations.values():
        if one.regime.jurisdiction.startswith(jurisdiction):
            click.echo(f"{one.id}  {one.title}  [{one.citation}]  {one.status}, {one.confidence}")


@law.command()
@click.argument("obligation")
def show(obligation: str) -> None:
    """Everything about one obligation."""
    found: Obligation | None = _law().obligations.get(obligation)
    if found is None:
        raise Unusable(f"no obligation is called {obligation}; `incident-tracker law list` lists them")
    for label, value in (
        ("Obligation", found.id),
        ("Title", found.title),
        ("Jurisdiction", found.regime.jurisdiction),
        ("Citation", found.citation),
        ("Trigger", found.trigger_definition or found.trigger),
        ("Standard", found.standard),
        ("Status", found.status),
        ("Confidence", found.confidence),
        ("Source", found.source),
        ("Notes", found.notes),
    ):
        if value:
            click.echo(f"{label}: {value}")


@law.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, path_type=Path))
def check(folders: tuple[Path, ...]) -> None:
    """Read every regime file, and those in FOLDERS; says file, line and rule of the first that is wrong."""
    try:
        found = library.fill(None).law if not folders else library.law_with(*folders)
    except RegimeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"{len(found.regimes)} regimes, {len(found.obligations)} obligations: all can be used.")


@law.command()
@click.argument("obligation")
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="NAME=INSTANT",
    help="e.g. aware=2026-11-27T17:30:00+01:00; trigger= stands for its own trigger.",
)
@click.option("--zone", help="Time zone of the authority, e.g. Europe/Dublin.")
@click.option("--country", help="Country or state of the authority.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="e.g. on_hour=lenient, art_3_5=B.")
@click.option("--json", "as_json", is_flag=True)
def due(obligation: str, events: tuple[str, ...], zone: str | None, country: str | None, options: tuple[str, ...], as_json: bool) -> None:
    """Count one clock, with its steps."""
    try:
        found = periods.due(
            obligation, _pairs(events, "--event"), zone=zone, country=country, options=_pairs(options, "--option") or None, law=_law()
        )
    except ValueError as error:
        raise Unusable(str(error)) from error
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    answer = found.to_json()
    for label in ("conservative", "statutory", "not_before", "standard"):
        if answer.get(label):
            click.echo(f"{label.replace('_', ' ').capitalize()}: {answer[label]}")
    for number, step in enumerate(answer["steps"], 1):
        click.echo(f"  {number}. {step['text']} [{step['cites']}]")
    for warning in answer["warnings"]:
        click.echo(f"  Note: {warning}")


@law.command()
@click.argument("facts", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def assess(facts: Path, as_json: bool) -> None:
    """Ask every regime what it demands for the facts in a JSON file; `law facts` lists the keys, regimes/FACTS.md has an example of every kind."""
    try:
        answer = duties.assess(json.loads(facts.read_text(encoding="utf-8")), law=_law()).to_json()
    except (OSError, ValueError) as error:
        raise Unusable(f"{facts}: {error}") from error
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    for duty in answer["duties"]:
        if duty["state"] != "does_not_apply":
            click.echo(
                f"{duty['state']:8} {duty['obligation']} → {duty['recipient']}: {duty['conservative'] or duty['standard'] or 'not started'}"
            )
    for question in answer["questions"]:
        click.echo(f"? {question['fact']} (settles {len(question['settles'])})")


@law.command()
@click.option("--json", "as_json", is_flag=True)
def facts(as_json: bool) -> None:
    """Every key of a facts document, with its kind, its question and its values."""
    asked = [one for one in _law().facts.values() if not one.derive]
    if as_json:
        listed = [
            {"fact": one.name, "kind": one.kind, "per": one.per, "question": one.question, "values": [value for value, _ in one.choices]} for one in asked
        ]
        click.echo(json.dumps({"facts": listed}, ensure_ascii=False))
        return
    for one in asked:
        values = f"  [{', '.join(value for value, _ in one.choices)}]" if one.choices else ""
        click.echo(f"{one.name}  ({one.kind}{', for each ' + one.per if one.per else ''})  {one.question}{values}")


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise Unusable(f"{option} {text!r}: expected NAME=VALUE")
        found[name] = value
    return found
