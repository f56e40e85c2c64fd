"""Connections: which server, which role, with which limits; and the line for each way they fail."""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict

from aftersale.pg import Refused
from aftersale.pg.check import check

if TYPE_CHECKING:
    from aftersale.pg.server import Server

__all__ = ["admin_url", "check", "connect", "database_url", "django_database", "home_folder", "opened"]

Person = Literal["app", "owner"]

# Every session has limits (reliability rule 11). A generic plan suits statements that are run all day.
SETTINGS: Mapping[str, str] = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
# A migration may take long, but must not wait long with others queueing behind it.
OWNER_SETTINGS: Mapping[str, str] = {
    "statement_timeout": "0",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "300s",
    "jit": "off",
}
NETWORK: Mapping[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
NEVER_BY_ITSELF = 10**9
# PostgreSQL sends no SQLSTATE to a client whose connection it refuses, only these words.
FAILURES = (
    ("wrong_password", r"password authentication failed|no password supplied|authentication failed",
     "{user} or its password is wrong for {server}: correct the URL"),
    ("no_role", r'role ".*" does not exist|is not permitted to log in',
     "the role {user} cannot log in at {server}: see docs/postgresql.md"),
    ("no_database", r'database ".*" does not exist',
     "the database {database} does not exist at {server}: see docs/postgresql.md"),
    ("not_allowed", r"pg_hba\.conf|permission denied for database",
     "{server} does not let {user} into {database}: see docs/postgresql.md"),
    ("too_many", r"too many clients|remaining connection slots",
     "{server} has no connection left: raise max_connections or run fewer processes"),
    ("starting", r"starting up|recovery mode|shutting down|not yet accepting",
     "{server} is starting or stopping: try again in a moment"),
    ("disk_full", r"No space left on device", "the disk of {server} is full: free some space"),
    ("unreachable", r"Connection refused|timeout expired|could not translate|No route|Network is unreachable"
     r"|resolve host|closed the connection",
     "no PostgreSQL answers at {server}: is it running, is the URL right?"),
)  # fmt: skip


def database_url(role: Person) -> str:
    """The URL for a role: DATABASE_URL and DATABASE_OWNER_URL, else the embedded server, started if need be.

    Raises `Refused`; `no_owner_url` when an own server is used and its owner was not named.
    """
    app, owner = os.environ.get("DATABASE_URL"), os.environ.get("DATABASE_OWNER_URL")
    if not app and not owner:
        return _embedded(home_folder(), _fixed_port()).url(role)
    if not app:
        raise Refused("no_app_url", "DATABASE_OWNER_URL is set but DATABASE_URL is not: set both, or neither")
    if role == "app":
        return app
    if not owner:
        raise Refused(
            "no_owner_url",
            "migrations need the role that owns the tables: set DATABASE_OWNER_URL, see docs/postgresql.md",
        )
    return owner


def admin_url() -> str | None:
    """The embedded server's superuser; None where the server is somebody else's."""
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_OWNER_URL"):
        return None
    return _embedded(home_folder(), _fixed_port()).url("admin")


def connect(
    role: Person = "app",
    *,
    application: str = "aftersale",
    settings: Mapping[str, str] | None = None,
    **more: Any,
) -> psycopg.Connection:
    """A connection with every limit set, not in autocommit; raises `Refused`.

    `settings`: session settings that replace ours. `more`: whatever else psycopg.connect takes.
    """
    base = SETTINGS if role == "app" else OWNER_SETTINGS
    return opened(database_url(role), application=application, settings={**base, **(settings or {})}, **more)


def opened(
    url: str, *, application: str = "aftersale", settings: Mapping[str, str] = OWNER_SETTINGS, **more: Any
) -> psycopg.Connection:
    """A connection to this very URL; raises `Refused`."""
    parts = limited(url, application, settings)
    try:
        return psycopg.connect(**{"prepare_threshold": 1, **parts, **more})
    except psycopg.OperationalError as error:
        raise refusal(error, parts) from None


def limited(url: str, application: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """What psycopg.connect takes for this URL, every limit of session and network set."""
    parts = {**NETWORK, **parsed(url), "application_name": application}
    return {**parts, "options": session_options(settings, str(parts.get("options", "")))}


def parsed(url: str) -> dict[str, Any]:
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise Refused(
            "bad_url",
            "the database URL cannot be read: it looks like postgresql://user:password@host:5432/aftersale",
        ) from None


def session_options(settings: Mapping[str, str], own: str = "") -> str:
    """libpq's `options`; those of the URL come last and win."""
    return " ".join([*(f"-c {name}={value}" for name, value in settings.items()), own]).strip()


def django_database(role: Person = "app") -> dict[str, Any]:
    """An entry of Django's DATABASES for this role, with the same limits. Screens plan per value."""
    parts = {**NETWORK, **parsed(database_url(role)), "application_name": "aftersale web"}
    settings = {**(SETTINGS if role == "app" else OWNER_SETTINGS), "plan_cache_mode": "auto"}
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    entry: dict[str, Any] = {key: str(parts.pop(name, "")) for key, name in names.items()}
    options = {**parts, "options": session_options(settings, str(parts.get("options", "")))}
    options["prepare_threshold"] = NEVER_BY_ITSELF  # None would prepare not even what asks for it
    return {"ENGINE": "django.db.backends.postgresql", **entry, "OPTIONS": options}


def refusal(error: psycopg.OperationalError, parts: Mapping[str, Any]) -> Refused:
    """The one line for a connection that failed; never with its password."""
    said = " ".join(str(error).split())
    places = {
        "user": parts.get("user", "the user"),
        "database": parts.get("dbname", parts.get("user", "the database")),
        "server": f"{parts.get('host', 'the local socket')}:{parts.get('port', 5432)}",
    }
    for code, pattern, line in FAILURES:
        if re.search(pattern, said):
            return Refused(code, line.format(**places))
    return Refused("unreachable", f"no connection to {places['server']}: {said}")


def home_folder() -> Path:
    """AFTERSALE_HOME, or `var` in the working folder."""
    return Path(os.environ.get("AFTERSALE_HOME") or "var").expanduser().absolute()


def _fixed_port() -> int | None:
    port = os.environ.get("AFTERSALE_PG_PORT")
    if not port:
        return None
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise Refused("bad_port", f"AFTERSALE_PG_PORT is {port!r}: it must be a number from 1 to 65535")
    return int(port)


@cache
def _embedded(home: Path, port: int | None) -> "Server":
    """Held until this process ends."""
    from aftersale.pg.server import start

    return start(home, port)
