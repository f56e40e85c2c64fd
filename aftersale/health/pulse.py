"""Signs of life of a worker's stages, and the watchdog that ends a worker which is alive but does nothing (P10)."""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from aftersale.pg.sql import queries

SQL = queries(__package__, "pulse.sql")
PATIENCE_S: Mapping[str, float] = {"reconcile": 3600.0, "pull": 900.0, "jobs": 86400.0}
"""Stages with turns that are long by nature, or when a platform answers every call at the last moment."""


class Sign:
    """What one stage does just now. Written by its thread, read by others. Times are real."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.started = self.did_last = time.monotonic()
        self.since: float | None = None
        self.did = self.turn_ms = 0

    def run(self, turn: Callable[[], int]) -> int:
        """One turn, noted; how much was done."""
        self.since = begun = time.monotonic()
        try:
            count = turn()
        finally:
            self.since, self.turn_ms = None, round((time.monotonic() - begun) * 1000)
        if count:
            self.did, self.did_last = self.did + count, time.monotonic()
        return count

    @property
    def name(self) -> str:
        return f"{socket.gethostname()}:{os.getpid()}:{self.stage}"


def beat(conn: Connection[Any], signs: Sequence[Sign]) -> None:
    """Write the signs; rows of workers that were not seen for a day go."""
    now = time.monotonic()
    values: Mapping[str, list[object]] = {
        "name": [sign.name for sign in signs],
        "stage": [sign.stage for sign in signs],
        "age_s": [now - sign.started for sign in signs],
        "turn_s": [None if (since := sign.since) is None else now - since for sign in signs],
        "turn_ms": [sign.turn_ms for sign in signs],
        "did": [sign.did for sign in signs],
        "did_s": [now - sign.did_last if sign.did else None for sign in signs],
    }
    with conn.transaction():
        conn.execute(SQL["beat"], values)
        conn.execute(SQL["forget"])


def leave(conn: Connection[Any], signs: Sequence[Sign]) -> None:
    """They ended as they were asked to: nobody misses them."""
    with conn.transaction():
        conn.execute(SQL["leave"], {"names": [sign.name for sign in signs]})


def trouble(running: Mapping[str, tuple[Sign, threading.Thread]], stuck_s: float) -> str | None:
    """Why this process should end, so that its supervisor starts a fresh one; None: all is well."""
    for stage, (sign, thread) in running.items():
        if not thread.is_alive():
            return f"stage {stage} has ended"
        since = sign.since
        most_s = max(stuck_s, PATIENCE_S.get(stage, 0.0))
        if since is not None and time.monotonic() - since > most_s:
            return f"stage {stage} has been in one turn for more than {most_s:.0f} s"
    return None
