"""Settings: from the environment, with the secrets that `instance/` keeps. Unsafe ones are refused at start, with a hint."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, dataclass, field, fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

PREFIX = "INCIDENT_TRACKER_"
SHORTEST_TOKEN = 16
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ConfigError(Exception):
    """A setting that cannot be used; the text says which, why, and what to write instead."""


def _setting(default: Any, meaning: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"meaning": meaning, "secret": secret}, repr=not secret)


@dataclass(frozen=True)
class Config:
    """Every setting. The environment variable is the field's name in capitals behind `INCIDENT_TRACKER_`.

    A variable with `_FILE` behind its name gives the path of a file whose first line is the value.
    """

    instance: Path = _setting(
        Path("instance"), "Folder of the SQLite file, the secrets, the evidence, and your own regimes/ and playbooks/."
    )
    database_url: str = _setting(
        "",
        "Where the data is kept; empty: SQLite in the instance folder. PostgreSQL: postgresql+psycopg://user:password@host/name",
        secret=True,
    )
    base_url: str = _setting(
        "http://127.0.0.1:8000",
        "The address people use, as it stands in links and as passkeys are bound to it. https unless it is this machine.",
    )
    organisation: str = _setting("Our organisation", "The organisation's name, as shown at the top of every page.")
    smtp_host: str = _setting("", "Mail server for warnings and invitations; empty: no mail, warnings only ring the bell in the pages.")
    smtp_port: int = _setting(587, "Port of the mail server.")
    smtp_security: str = _setting("starttls", "starttls, tls, or none (only for a mail server on this machine).")
    smtp_user: str = _setting("", "Log-in name at the mail server, if it wants one.")
    smtp_password: str = _setting("", "Password at the mail server.", secret=True)
    mail_from: str = _setting("tracker@localhost", "Sender of our mails.")
    allow_private_targets: str = _setting(
        "", "Host names or networks (10.1.2.0/24), with commas between, to which channels may post although they are private or local."
    )
    session_idle_minutes: int = _setting(30, "A session ends when nothing was done for so many minutes.")
    session_hours: int = _setting(12, "A session ends so many hours after signing in, whatever was done.")
    upload_megabytes: int = _setting(25, "Largest file that can be put away, in megabytes.")
    sweep_seconds: int = _setting(15, "How often the worker looks for what is due, in seconds; due moments it knows of do not wait for it.")
    stale_seconds: int = _setting(60, "After so many seconds without a beat the worker counts as stopped and every page says so.")
    mail_alarm_minutes: int = _setting(5, "When mail has reached nobody for so many minutes, administrators are told by every other way.")
    metrics_token: str = _setting("", "Bearer token with which a monitor reads /metrics; empty: only this machine may.", secret=True)
    dead_man_url: str = _setting(
        "", "Address of an outside monitor that expects a request every minute while warnings fire, and raises the alarm when none comes.", secret=True
    )
    proxies: int = _setting(0, "How many trusted proxies stand in front and set X-Forwarded-For and -Proto.")
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")
    debug: bool = _setting(False, "Shows the page of all components. Not for real data.")
    testing: bool = field(default=False, metadata={"meaning": "", "hidden": True})

    @property
    def evidence_folder(self) -> Path:
        return self.instance / "evidence"

    @property
    def url(self) -> str:
        """The database's address, SQLite in `instance/` where none is given."""
        return self.database_url or f"sqlite:///{self.instance.resolve() / 'tracker.sqlite3'}"

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def mail_is_on(self) -> bool:
        return bool(self.smtp_host)


def settings() -> list[Field[Any]]:
    """The settings that the help page lists, in order."""
    return [one for one in fields(Config) if not one.metadata.get("hidden")]


def from_environment(environ: Mapping[str, str] | None = None, **overrides: Any) -> Config:
    """Read the settings; `overrides` win. Raises ConfigError with the setting's name and a hint."""
    environ = os.environ if environ is None else environ
    found: dict[str, Any] = {}
    for one in settings():
        text = _text_of(environ, PREFIX + one.name.upper())
        if text is not None:
            found[one.name] = _convert(one, text)
    known = {one.name for one in settings()}
    for name in environ:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower().removesuffix("_file") not in known:
            raise ConfigError(f"{name} is no setting of the tracker. `incident-tracker settings` lists them.")
    return checked(replace(Config(), **{**found, **overrides}))


def _text_of(environ: Mapping[str, str], name: str) -> str | None:
    path = environ.get(f"{name}_FILE")
    if path is None:
        return environ.get(name)
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError) as error:
        raise ConfigError(f"{name}_FILE: {path} cannot be read or is empty") from error


def _convert(one: Field[Any], text: str) -> Any:
    wanted: Any = type(one.default)
    if wanted is bool:
        if text.lower() not in ("1", "0", "true", "false", "yes", "no"):
            raise ConfigError(f"{PREFIX}{one.name.upper()}={text!r}: write yes or no")
        return text.lower() in ("1", "true", "yes")
    try:
        return wanted(text)
    except ValueError as error:
        raise ConfigError(f"{PREFIX}{one.name.upper()}={text!r}: a whole number is needed") from error


def checked(config: Config) -> Config:
    """The same settings if they are safe; else ConfigError."""
    address = urlsplit(config.base_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigError(f"{PREFIX}BASE_URL={config.base_url!r}: write the whole address, e.g. https://breaches.example.org")
    if address.scheme == "http" and address.hostname not in LOCAL_HOSTS:
        raise ConfigError(f"{PREFIX}BASE_URL={config.base_url!r}: passwords would cross the network unprotected; use https")
    if config.smtp_security not in ("starttls", "tls", "none"):
        raise ConfigError(f"{PREFIX}SMTP_SECURITY={config.smtp_security!r}: starttls, tls or none")
    if config.smtp_security == "none" and config.smtp_host and config.smtp_host not in LOCAL_HOSTS:
        raise ConfigError(f"{PREFIX}SMTP_SECURITY=none: only for a mail server on this machine; {config.smtp_host} needs starttls or tls")
    for name in ("session_idle_minutes", "session_hours", "upload_megabytes", "sweep_seconds", "stale_seconds", "mail_alarm_minutes"):
        if getattr(config, name) < 1:
            raise ConfigError(f"{PREFIX}{name.upper()}: must be at least 1")
    if config.stale_seconds <= config.sweep_seconds:
        raise ConfigError(
            f"{PREFIX}STALE_SECONDS must be larger than SWEEP_SECONDS ({config.sweep_seconds}), or a healthy worker counts as stopped"
        )
    if config.metrics_token and len(config.metrics_token) < SHORTEST_TOKEN:
        raise ConfigError(f"{PREFIX}METRICS_TOKEN: too easy to guess; make one with: openssl rand -hex 32")
    if config.dead_man_url and urlsplit(config.dead_man_url).scheme not in ("http", "https"):
        raise ConfigError(f"{PREFIX}DEAD_MAN_URL: write the whole address, beginning with https://")
    for part in filter(None, (one.strip() for one in config.allow_private_targets.split(","))):
        if "/" in part and not _is_network(part):
            raise ConfigError(f"{PREFIX}ALLOW_PRIVATE_TARGETS: {part} is no network; write e.g. 10.1.2.0/24, or a host name")
    if not config.is_sqlite and not config.url.startswith("postgresql"):
        raise ConfigError(f"{PREFIX}DATABASE_URL: SQLite or PostgreSQL (postgresql+psycopg://…)")
    return config


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Secrets:
    """Keys made on first start and kept in `instance/secrets.json`, readable by the owner alone."""

    secret_key: str = field(repr=False)
    password_salt: str = field(repr=False)
    totp_secret: str = field(repr=False)
    recovery_codes_key: str = field(repr=False)
    parked_forms_key: str = field(repr=False)
    #: seals the addresses and secrets of channels; several with commas between, the first one seals, all of them open
    destination_keys: str = field(repr=False)


def load_secrets(instance: Path) -> Secrets:
    """The secrets of this instance, made if there are none yet; one that came with a newer version is added. What is there is never changed.

    Two processes starting at once agree on one set. Raises ConfigError for a file that is damaged or cannot be written.
    """
    path = instance / "secrets.json"
    instance.mkdir(parents=True, exist_ok=True)
    try:
        found = _read_secrets(path)
        if not found.keys() >= _NAMES:
            with _alone_in(instance):
                found = _read_secrets(path)
                if missing := {name: make() for name, make in _MADE_BY.items() if name not in found and (name in _ADDED_LATER or not found)}:
                    found |= missing
                    _write_secrets(path, found)
        return Secrets(**found)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} is damaged: restore it from a back-up. Without it nobody can sign in with a second factor.") from error
    except PermissionError as error:
        raise ConfigError(f"{path} cannot be read or written: give the account of the tracker the folder and the file") from error


def _key() -> str:
    return Fernet.generate_key().decode()


_MADE_BY: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_hex(32),
    "password_salt": lambda: secrets.token_hex(32),
    "totp_secret": lambda: secrets.token_urlsafe(32),
    "recovery_codes_key": _key,
    "parked_forms_key": _key,
    "destination_keys": _key,
}
_NAMES = frozenset(_MADE_BY)
#: an older instance does without these; any other that is missing was lost
_ADDED_LATER = frozenset({"destination_keys"})


def _read_secrets(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict):
        raise TypeError("no table of names and secrets")
    return found


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time; the lock ends with its holder, however that ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write_secrets(path: Path, found: Mapping[str, str]) -> None:
    """Put the whole file in place at once: whoever reads meanwhile sees the old one or the new one."""
    draft = path.with_name(f".secrets-{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(found, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
