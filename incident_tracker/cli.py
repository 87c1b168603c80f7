"""Commands for people and scripts. Each says in one line what went wrong, and exits with 2 when it was called wrongly."""

import os
import shutil
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.engine import make_url

from incident_tracker import clock, library, schema
from incident_tracker.actions import audit as audit_acts
from incident_tracker.actions import people as people_acts
from incident_tracker.config import PREFIX, Config, ConfigError, from_environment
from incident_tracker.config import settings as all_settings
from incident_tracker.demo import making
from incident_tracker.errors import TrackerError
from incident_tracker.factory import create_app
from incident_tracker.law_cli import law
from incident_tracker.models.base import db
from incident_tracker.models.people import active_people
from incident_tracker.rules.permissions import Role
from incident_tracker.server import Server
from incident_tracker.version import VERSION
from incident_tracker.work import OPERATOR, unit_of_work
from incident_tracker.worker import Worker


class Commands(click.Group):
    """Turns what the tracker refuses into one line on standard error."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (ConfigError, TrackerError, OSError) as error:
            raise click.ClickException(str(error)) from error
        except ValueError as error:
            if type(error) is ValueError:
                raise
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands)
@click.version_option(VERSION)
def main() -> None:
    """The tracker for personal-data breaches."""


main.add_command(law)


def _app(config: Config | None = None, *, check: bool = True) -> Flask:
    app = create_app(config or from_environment())
    if check:
        with app.app_context():
            schema.demand_fit()
    return app


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--processes", default=1, show_default=True, help="Web processes. With more than one, run `incident-tracker worker` beside them."
)
@click.option("--threads", default=8, show_default=True)
@click.option("--no-worker", is_flag=True, help="Pages only, even with one process.")
def serve(host: str, port: int, processes: int, threads: int, no_worker: bool) -> None:
    """Serve the pages, and with one process run the worker in it."""
    config = from_environment()
    if not _has(PREFIX + "BASE_URL"):
        config = from_environment(base_url=f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}")  # noqa: S104
    app = _app(config)
    _say_where(app, config)
    with app.app_context():
        # each process opens connections of its own: one that is open before the fork would be shared
        db.engine.dispose()
    Server(config, host=host, port=port, processes=processes, threads=threads, with_worker=processes == 1 and not no_worker).run()


def _has(variable: str) -> bool:
    return variable in os.environ


def _say_where(app: Flask, config: Config) -> None:
    click.echo(f"The tracker answers at {config.base_url}")
    if not config.mail_is_on:
        click.echo("E-mail is not set up: warnings only ring the bell in the pages. See: incident-tracker settings")
    with app.app_context():
        if not active_people(Role.ADMINISTRATOR):
            click.echo(
                f"Nobody can sign in yet. Open this link once, within 24 hours, to become the first administrator:\n  {_setup_link(config)}"
            )


def _setup_link(config: Config) -> str:
    with unit_of_work(OPERATOR) as work:
        return people_acts.make_setup_link(work, config.base_url)


@main.command()
@click.option("--port", default=8000, show_default=True)
def demo(port: int) -> None:
    """Serve an example organisation from a database of its own; the log-ins are printed once, when it is made."""
    config = from_environment(base_url=f"http://127.0.0.1:{port}", organisation="Harbour Health")
    app = _app(config, check=False)
    with app.app_context():
        if schema.fit() is schema.Fit.EMPTY:
            upgrade()
            click.echo("Making the example organisation …")
            for one in making.make(config.base_url, clock.now(), lambda line: click.echo(f"  {line}")):
                click.echo(f"{one.name:14} {', '.join(one.roles):14} {one.email:26} {one.password}")
            click.echo("Write these down: they are not shown again. Signing in for the first time sets up a second factor.")
        schema.demand_fit()
    Server(config, host="127.0.0.1", port=port, processes=1, threads=8, with_worker=True).run()


@main.command("setup-link")
def setup_link() -> None:
    """Print a new one-time link for the first administrator."""
    config = from_environment()
    with _app(config).app_context():
        click.echo(_setup_link(config))


@main.command()
def worker() -> None:
    """Run a worker by itself: warnings fire and leave, recomputations are done."""
    running = Worker(_app())
    running.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    click.echo("The worker beats.")
    stop.wait()
    running.stop()


@main.command()
def migrate() -> None:
    """Make the database, or bring it to this version; a SQLite file is copied first."""
    config = from_environment()
    app = _app(config, check=False)
    with app.app_context():
        before = schema.fit()
        if before is schema.Fit.AHEAD:
            schema.demand_fit()
        if before is schema.Fit.BEHIND and config.is_sqlite:
            click.echo(f"Copied to {_copy(config)}")
        if before is not schema.Fit.FITS:
            upgrade()
            click.echo("The database is made." if before is schema.Fit.EMPTY else "The database is at this version now.")


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy the SQLite database, the secrets and the evidence into the new folder TARGET, while the tracker runs."""
    config = from_environment()
    if not config.is_sqlite:
        raise click.ClickException("With PostgreSQL use pg_dump for the database, and copy the instance folder.")
    target.mkdir(parents=True, exist_ok=False)
    _copy(config, target / "tracker.sqlite3")
    shutil.copy2(config.instance / "secrets.json", target / "secrets.json")
    for name in ("evidence", "regimes", "playbooks"):
        if (config.instance / name).is_dir():
            shutil.copytree(config.instance / name, target / name)
    click.echo(f"Everything is in {target}. To restore it, stop the tracker and make it the instance folder.")


def _copy(config: Config, target: Path | None = None) -> Path:
    source = Path(make_url(config.url).database or "")
    target = target or source.with_name(f"{source.stem}-{clock.now():%Y%m%dT%H%M%SZ}.sqlite3")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        if new.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise click.ClickException(f"The copy {target} is damaged; is the disk full?")
    target.chmod(0o600)
    return target


@main.command()
def settings() -> None:
    """List every setting with its meaning and default."""
    for one in all_settings():
        click.echo(
            f"{PREFIX}{one.name.upper()}\n    {one.metadata['meaning']}\n    Default: {one.default if one.default != '' else 'empty'}"
        )


@main.command()
def playbooks() -> None:
    """List the playbooks, the organisation's own among them."""
    for playbook in library.fill(from_environment().instance).playbooks.values():
        click.echo(f"{playbook.id}: {playbook.title}, {len(playbook.steps)} steps")


@main.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
def verify() -> None:
    """Check the whole chain; exits with 1 and names the first entry that does not hold."""
    with _app().app_context(), unit_of_work(OPERATOR) as work:
        count, broken = audit_acts.verify(work)
    if broken is not None:
        click.echo(f"BROKEN: {broken.text}", err=True)
        sys.exit(1)
    click.echo(f"The trail holds: {count} entries, checked {datetime.isoformat(clock.now(), timespec='seconds')}.")


if __name__ == "__main__":
    main()
