"""What time it is for the shops: real, or the sandbox's where the record's table `clock` says so."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

READ_AGAIN_S = 1.0


class Clock:
    """Asks the database once a second and counts on in between, so a batch costs no extra question.

    Shared by a worker's threads. A connection that broke is made anew.
    """

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._conn: Connection[Any] | None = None
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._moment = datetime.min.replace(tzinfo=UTC)
        self._speed = 1.0

    def now(self) -> datetime:
        """The shops' present moment, aware."""
        with self._lock:
            if time.monotonic() - self._read_at > READ_AGAIN_S:
                self._read()
            return self._moment + timedelta(seconds=(time.monotonic() - self._read_at) * self._speed)

    def _read(self) -> None:
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
            self._conn.autocommit = True
        row = self._conn.execute("SELECT moment(), coalesce((SELECT speed FROM clock), 1.0)").fetchone()
        assert row is not None
        self._read_at, self._moment, self._speed = time.monotonic(), row[0], float(row[1])


def follow(conn: Connection[Any], virtual_at: datetime, speed: float) -> None:
    """Let the record live at a sandbox's time from now on."""
    conn.execute(
        "INSERT INTO clock (single, real_at, virtual_at, speed) VALUES (true, clock_timestamp(), %s, %s)"
        " ON CONFLICT (single) DO UPDATE SET real_at = excluded.real_at, virtual_at = excluded.virtual_at,"
        " speed = excluded.speed",
        (virtual_at, speed),
    )
    conn.commit()
