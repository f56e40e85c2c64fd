"""One reading of the installation's state, in a few milliseconds; findings.py judges it."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row, tuple_row

from aftersale import instance
from aftersale.pg.sql import queries

SQL = queries(__package__, "state.sql")
BACKUP_NOTE = "backup.json"


@dataclass(frozen=True, slots=True)
class Seen:
    """A stage of a worker. `turn_s`: how long its present turn has taken, None between turns."""

    stage: str
    alive: bool
    seen_s: float
    turn_s: float | None
    replaced: bool


@dataclass(frozen=True, slots=True)
class Open:
    """A switch that was thrown by the system: `reason` why in one word, `why` in a sentence; `shop` its code."""

    shop: str
    reason: str
    since_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Times in seconds before the reading. `ages_s`: how long the oldest thing of each stage has been due, None: nothing is."""

    ages_s: Mapping[str, float | None]
    counts: Mapping[str, int]
    workers: tuple[Seen, ...] = ()
    breakers: tuple[Open, ...] = ()
    reconcile_s: float | None = None
    accepted: bool = True
    server: Mapping[str, float | None] = field(default_factory=dict)
    disk_free_bytes: int | None = None
    disk_free_share: float | None = None
    backup_s: float | None = None


def read(conn: Connection[Any], home: Path, now: datetime | None = None) -> Reading:
    """The state now, or as if it were `now` (real, aware). Raises psycopg.Error when the database is away."""
    with conn.transaction():
        row = conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        values = {"now": now or row[0]}
        ages, counts, server = (_one(conn, name, values) for name in ("ages", "counts", "server"))
        with conn.cursor(row_factory=tuple_row) as cursor:
            workers = tuple(Seen(*one) for one in cursor.execute(SQL["workers"], values))
            breakers = tuple(
                Open(shop, by.removeprefix("breaker:"), since_s, why)
                for shop, by, since_s, why in cursor.execute(SQL["opened"], values)
            )
            known = cursor.execute(SQL["instance"], values).fetchone()
        copied = instance.is_copy(conn, home)
    free = shutil.disk_usage(home) if (home / "postgres").exists() else None
    return Reading(
        ages_s=ages,
        counts={name: int(count or 0) for name, count in counts.items()},
        workers=workers,
        breakers=breakers,
        reconcile_s=known[0] if known else None,
        accepted=not copied,
        server=server,
        disk_free_bytes=free.free if free else None,
        disk_free_share=free.free / free.total if free else None,
        backup_s=_backup_s(home, values["now"], server["archived_s"]),
    )


def _one(conn: Connection[Any], name: str, values: Mapping[str, object]) -> dict[str, float | None]:
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(SQL[name], values).fetchone()
    assert row is not None
    return row


def _backup_s(home: Path, now: datetime, archived_s: float | None) -> float | None:
    """Seconds since the last moment that a backup reaches: ours, or the server's own archive of its WAL."""
    try:
        until = datetime.fromisoformat(json.loads((home / BACKUP_NOTE).read_text("utf-8"))["until"])
    except (OSError, ValueError, KeyError, TypeError):
        return archived_s
    return (now - until.astimezone(UTC)).total_seconds()
