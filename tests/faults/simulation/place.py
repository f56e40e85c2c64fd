"""Where schedules run: one server without the cost of durability, one migrated database, empty for each schedule."""

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import Connection

from aftersale.cases import stage
from aftersale.decide.run import Decider
from aftersale.pg.connect import SETTINGS, parsed, session_options
from aftersale.pg.server import Server, start
from aftersale.rulebooks import books
from tests.faults.simulation.cores import stay
from tests.faults.simulation.wire import Wired

# Rows come in the order of an index, so that a seed is the same schedule wherever its rows happen to lie.
ORDERED = {"enable_seqscan": "off", "enable_bitmapscan": "off"}
# A schedule that meets a lock of somebody who is halted will not get it by waiting.
IMPATIENT = {
    **SETTINGS,
    "lock_timeout": "5ms",
    "synchronous_commit": "off",
    "idle_in_transaction_session_timeout": "0",
    **ORDERED,
}
# Nothing need survive this machine; most of the time goes into short statements, so they travel by socket file.
LAX = """shared_buffers = '128MB'
fsync = off
full_page_writes = off
autovacuum = off
track_counts = off
track_activities = off
update_process_title = off
unix_socket_directories = '.'
"""
EMPTIED_MAX = 40
# What the judge has of its own: how a schedule's tables are emptied, and what people may, as the sound product says it.
PREPARED = """
CREATE SCHEMA IF NOT EXISTS judge;
CREATE OR REPLACE VIEW judge.emptied_tables AS
  SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'
    AND tablename !~ '^(django_|auth_|book_version|setting_default|books_published)' ORDER BY 1;
CREATE OR REPLACE FUNCTION judge.truncated() RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(name, ', ') || ' RESTART IDENTITY' FROM judge.emptied_tables); END $$;
DO $make$ BEGIN
  EXECUTE 'CREATE OR REPLACE FUNCTION judge.emptied() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ' ||
    (SELECT string_agg(format('IF EXISTS (SELECT FROM public.%1$s) THEN DELETE FROM public.%1$s; END IF;', name), ' ')
     FROM judge.emptied_tables) ||
    (SELECT string_agg(format('PERFORM setval(%L, %s, false);', 'public.' || sequencename, start_value), ' ')
     FROM pg_sequences WHERE schemaname = 'public' AND sequencename !~ '^(django_|auth_)' AND cache_size = 1) || ' END $$';
  EXECUTE (SELECT string_agg(replace(replace(pg_get_functiondef(oid), 'public.', 'judge.'), '$function$', '$f$'), ';')
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ('permitted', 'person_permitted', 'person_permitted_each'));
  EXECUTE (SELECT string_agg(format('ALTER FUNCTION %s SET search_path = judge, public', oid::regprocedure), ';')
    FROM pg_proc WHERE pronamespace = 'judge'::regnamespace AND proname IN ('permitted', 'person_permitted', 'person_permitted_each'));
END $make$;
"""


for name in ("psycopg", "aftersale"):  # broken connections and turns are what this is about
    logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def server() -> Iterator[Server]:
    """A server of our own with a migrated database `aftersale`."""
    with tempfile.TemporaryDirectory(prefix="aftersale-simulation-") as folder:
        with start(Path(folder)) as one:
            (one.home.data / "local.conf").write_text(LAX)
        with start(Path(folder)) as one:
            _migrate(one)
            yield one


def urls(one: Server) -> tuple[str, str]:
    """The superuser's and the application's, by the socket file."""
    told = [urlsplit(one.url(role)) for role in ("admin", "app")]
    admin, app = (
        urlunsplit(
            url._replace(
                netloc=url.netloc.rpartition("@")[0] + "@", query=f"host={one.home.data}&port={url.port}"
            )
        )
        for url in told
    )
    return admin, app


def _migrate(one: Server) -> None:
    urls = {"DATABASE_URL": one.url("app"), "DATABASE_OWNER_URL": one.url("owner")}
    subprocess.run([sys.executable, "-m", "aftersale", "migrate"], env={**os.environ, **urls},
                   check=True, capture_output=True)  # fmt: skip


@dataclass
class Place:
    """One database of one process: a superuser who empties, plants and judges, and the workers' connections."""

    admin_url: str
    app_url: str
    core: int | None = None
    admin: Connection[Any] = field(init=False)
    deciders: dict[str, Decider] = field(default_factory=dict)
    wired: dict[str, Wired] = field(default_factory=dict)
    _lowered: dict[bool, str] = field(default_factory=dict)
    _emptied: int = 0

    def __post_init__(self) -> None:
        self.admin = psycopg.connect(self.admin_url, autocommit=True, prepare_threshold=1)
        for statement in ("session_replication_role = replica", "lock_timeout = '2s'", "jit = off",
                          "plan_cache_mode = force_generic_plan", "search_path = judge, public",
                          *(f"{name} = {value}" for name, value in ORDERED.items())):  # fmt: skip
            self.admin.execute(f"SET {statement}".encode())
        self.admin.execute(PREPARED)
        stay(self.core, self.admin.info.backend_pid)

    def connection(self, name: str) -> Wired:
        """The connection of the worker called so, at rest."""
        if name in self.wired:
            self.wired[name].calm()
        if name not in self.wired or self.wired[name].closed:
            self.deciders.pop(name, None)
            self.wired[name] = self._heir(name) or self._new(name)
        return self.wired[name]

    def _heir(self, name: str) -> Wired | None:
        return self.wired[name].heir if name in self.wired else None

    def _new(self, name: str) -> Wired:
        parts = {**parsed(self.app_url), "application_name": name, "options": session_options(IMPATIENT)}
        made = Wired.connect(**parts, prepare_threshold=1)
        stay(self.core, made.info.backend_pid)
        return made

    def decider(self, name: str) -> Decider:
        """The book on that worker's connection."""
        conn = self.connection(name)
        if name not in self.deciders:
            if not conn.staged:
                stage.prepare(conn)
            self.deciders[name] = Decider(
                conn, books.book("refund"), books.text("refund.yaml"), books.actions()
            )
            conn.commit()
            conn.staged = True
            self.deciders[name]._statements = self._lowered
        return self.deciders[name]

    def empty(self) -> None:
        """As freshly migrated: what a migration filled stays, all else goes, and numbers begin anew.

        Rows are deleted: truncating tables would have every prepared statement planned anew.
        """
        if self._emptied % EMPTIED_MAX == 0:
            self.admin.execute("SELECT judge.truncated()")
        self._emptied += 1
        self.admin.execute("SELECT judge.emptied()")

    def gone(self, conn: Wired) -> None:
        """A closed connection's locks are free once its server process is gone."""
        while (
            not conn.heir
            and self.admin.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (conn.pid,)).rowcount
        ):
            time.sleep(0.0005)

    def forget(self) -> None:
        """Nobody is connected any more, whatever they were doing."""
        for conn in self.wired.values():
            conn.close()
            self.gone(conn)

    def close(self) -> None:
        for conn in self.wired.values():
            conn.close()
        self.admin.close()


def copied(admin_url: str, app_url: str, name: str, core: int | None = None) -> Place:
    """A place in a copy of the migrated database, called `name`; its connections stay on that core."""
    with psycopg.connect(_at(admin_url, "postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE aftersale OWNER aftersale_owner")
        admin.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO aftersale_app")
    return Place(_at(admin_url, name), _at(app_url, name), core)


def _at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextmanager
def place(one: Server, name: str) -> Iterator[Place]:
    """A copy for as long as it is needed."""
    made = copied(*urls(one), name)
    try:
        yield made
    finally:
        made.close()
