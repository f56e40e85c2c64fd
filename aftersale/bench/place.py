"""A database server for measuring alone, its anchors (pgbench, one row by itself) and its WAL."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from aftersale.bench.figures import Figure
from aftersale.pg.connect import SETTINGS, opened
from aftersale.pg.install import account, binaries, run_as
from aftersale.pg.server import Server, start

DATABASE, ANCHOR = "bench", "pgbench"
CLIENTS, THREADS = 8, 2


@dataclass(frozen=True)
class Place:
    """The server and its database."""

    server: Server

    @property
    def app(self) -> str:
        return self.server.url("app", DATABASE)

    def environment(self) -> dict[str, str]:
        """For processes that shall use the database."""
        return {
            **os.environ,
            "DATABASE_URL": self.app,
            "DATABASE_OWNER_URL": self.server.url("owner", DATABASE),
        }

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection:
        return opened(self.app, application="aftersale bench", settings=SETTINGS, autocommit=autocommit)

    def tidy(self) -> None:
        """Fresh statistics and a checkpoint, so that neither falls into what is measured next."""
        with opened(self.server.url("owner", DATABASE), autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
        with opened(self.server.url("admin", DATABASE), autocommit=True) as admin:
            admin.execute("CHECKPOINT")

    def wal_position(self) -> str:
        with opened(self.server.url("admin", DATABASE), autocommit=True) as admin:
            row = admin.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
        assert row is not None
        return str(row[0])

    def wal_bytes(self, since: str, until: str) -> tuple[int, int]:
        """Bytes of WAL records between two positions: without full-page images, and of these images."""
        home = self.server.home
        tool = str(binaries(account(home)) / "pg_waldump")
        asked = (tool, "--stats", "--path", "pg_wal", "--start", since, "--end", until)
        told = run_as(account(home), home.data, *asked)
        found = re.search(r"^Total\s+\d+\s+(\d+)\s+\[\S+\]\s+(\d+)", told.stdout, re.MULTILINE)
        assert found, told.stderr or told.stdout
        return int(found[1]), int(found[2])


def fresh(server: Server) -> Place:
    """An empty, migrated database in place of the last one. Raises `Refused`."""
    with opened(server.url("admin", "postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
    server.create_database(DATABASE)
    made = Place(server)
    _migrate(made)
    return made


def last(server: Server) -> Place:
    """The database as the last bench left it, migrated on."""
    made = Place(server)
    _migrate(made)
    return made


def _migrate(place: Place) -> None:
    migrated = subprocess.run(
        [sys.executable, "-m", "aftersale", "migrate"],
        env=place.environment(), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert migrated.returncode == 0, migrated.stderr


class Pgbench:
    """The anchor: pgbench's simple-update on a database of its own."""

    def __init__(self, server: Server, scale: int, seconds: int) -> None:
        self._tool = str(binaries(account(server.home)) / "pgbench")
        self._environment = {**_libpq(server.url("owner", ANCHOR)), "PATH": os.defpath}
        self._slice = str(seconds)
        server.create_database(ANCHOR)
        with opened(server.url("owner", ANCHOR)) as conn:
            if conn.execute("SELECT to_regclass('pgbench_branches')").fetchone() == (None,) or conn.execute(
                "SELECT count(*) FROM pgbench_branches"
            ).fetchone() != (scale,):
                conn.rollback()
                self._run("-i", "-q", "-s", str(scale))

    def tps(self) -> float:
        """Transactions a second of one slice."""
        clients = ("-c", str(CLIENTS), "-j", str(THREADS), "-T", self._slice)
        found = re.search(r"^tps = ([\d.]+)", self._run("-n", "-N", "-M", "prepared", *clients), re.MULTILINE)
        assert found
        return float(found[1])

    def _run(self, *asked: str) -> str:
        done = subprocess.run(
            [self._tool, *asked], env=self._environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _libpq(url: str) -> Mapping[str, str]:
    parts = urlsplit(url)
    return {
        "PGHOST": parts.hostname or "", "PGPORT": str(parts.port), "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "", "PGDATABASE": parts.path.removeprefix("/"),
    }  # fmt: skip


def insert_ms(conn: psycopg.Connection, count: int) -> float:
    """Median time of inserting and committing one row."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        with conn.transaction():
            conn.execute("INSERT INTO arrival (shop_id, source, body) VALUES (0, 'bench', %s)", (b"x" * 100,))
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def starts(home: Path, repetitions: int) -> list[Figure]:
    """How long the embedded server takes to serve, new and known."""
    cold, warm = [], []
    for _ in range(repetitions):
        shutil.rmtree(home, ignore_errors=True)
        cold.append(_start_s(home))
        warm.append(_start_s(home))
    shutil.rmtree(home, ignore_errors=True)
    return [Figure("start.cold", tuple(cold)), Figure("start.warm", tuple(warm))]


def _start_s(home: Path) -> float:
    began = time.perf_counter()
    with start(home) as server, opened(server.url("app"), settings=SETTINGS) as conn:
        conn.execute("SELECT 1")
        return time.perf_counter() - began
