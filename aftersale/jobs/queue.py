"""How a job begins and is stopped. Who asks needs no worker: the job waits for one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

SQL = queries("aftersale.jobs")
QUEUE, TASK = "aftersale", "aftersale.job"


def start(
    conn: Connection[Any], kind: str, by: str, shop_id: int | None, asked: Mapping[str, Any], now: datetime
) -> int:
    """A new job in the caller's transaction: it runs once that is committed, and never if it is not. Its number."""
    row = conn.execute(
        SQL["add"],
        {"kind": kind, "shop_id": shop_id, "by": by, "asked": Jsonb(dict(asked)), "now": now},
    ).fetchone()
    assert row is not None
    defer(conn, int(row[0]))
    return int(row[0])


def defer(conn: Connection[Any], job_id: int) -> None:
    """Put a job that is noted into the queue."""
    conn.execute(SQL["defer"], {"queue": QUEUE, "task": TASK, "id": job_id})


def stop(conn: Connection[Any], job_id: int, by: str) -> Refusal | None:
    """Ask a job of this person to stop; it ends at its next safe point."""
    if conn.execute(SQL["stop"], {"id": job_id, "by": by}).fetchone() is None:
        return Refusal("ended", "这项任务已经结束，不能再停止。")
    return None
