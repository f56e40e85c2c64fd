"""Readings for whoever asks often: one connection, kept, and the last reading for a second."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from aftersale.health.findings import AWAY, Finding, findings
from aftersale.health.state import Reading, read
from aftersale.pg import Refused

FRESH_S = 1.0
SETTINGS = {
    "statement_timeout": "2s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
}

Report = tuple[Reading | None, list[Finding]]
"""The reading, None when the database is away, and what is wrong."""


class Reader:
    """Safe to be called by many threads; one of them asks the database, and only once a second."""

    def __init__(self, connect: Callable[[], Connection[Any]], home: Path) -> None:
        self._connect, self._home = connect, home
        self._lock = threading.Lock()
        self._conn: Connection[Any] | None = None
        self._at = float("-inf")
        self._last: Report = (None, [AWAY])

    def report(self) -> Report:
        with self._lock:
            if time.monotonic() - self._at > FRESH_S:
                self._last, self._at = self._read(), time.monotonic()
            return self._last

    def _read(self) -> Report:
        try:
            if self._conn is None or self._conn.closed:
                self._conn = self._connect()
            reading = read(self._conn, self._home)
            return reading, findings(reading)
        except (psycopg.Error, Refused):
            if self._conn is not None:
                self._conn.close()
            self._conn = None
            return None, [AWAY]
