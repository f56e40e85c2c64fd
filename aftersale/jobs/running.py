"""A job while it runs: what was asked, and how it tells how far it is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from aftersale.jobs.queue import SQL

EVERY_S = 0.5
FILE_BYTES_MAX = 128 * 2**20


class Interrupted(Exception):
    """This worker is to end: the job is left at a safe point and waits for the next worker."""


class Unfit(Exception):
    """The job cannot be done with what was asked; `str()` is one sentence for the person, `told` the same as a sentence
    and its values, for readers of other languages."""

    def __init__(self, said: str, told: Mapping[str, Any] | None = None) -> None:
        super().__init__(said)
        self.told = told or {}


@dataclass(slots=True)
class Running:
    """`progress` and `stopped` are safe points: they raise `Interrupted` when the worker is to end.

    They write on a connection of their own, so that a job's own transaction hides nothing.
    """

    job_id: int
    by: str
    shop_id: int | None
    asked: Mapping[str, Any]
    tries: int
    conn: Connection[Any] = field(repr=False)
    ending: Callable[[], bool] = field(repr=False)
    ended: str = ""
    _stop: bool = False
    _asked_at: float = float("-inf")

    def progress(self, done: int, total: int | None) -> None:
        """`done` of `total` (None: not known yet); written at most twice a second, and at the end."""
        self._safe()
        if time.monotonic() - self._asked_at < EVERY_S and done != total:
            return
        row = self.conn.execute(SQL["move"], {"id": self.job_id, "done": done, "total": total}).fetchone()
        self._stop, self._asked_at = bool(row and row[0]), time.monotonic()

    def stopped(self) -> bool:
        """Whether the person wants it to stop."""
        self._safe()
        if time.monotonic() - self._asked_at > EVERY_S:
            row = self.conn.execute(SQL["stop_asked"], {"id": self.job_id}).fetchone()
            self._stop, self._asked_at = bool(row and row[0]), time.monotonic()
        return self._stop

    def finish(self, result: Mapping[str, Any], said: str) -> None:
        """It ended as asked, or was stopped on the way; `said` in one sentence what came of it."""
        self._end("stopped" if self._stop else "done", result, said)

    def fail(self, said: str, told: Mapping[str, Any] | None = None) -> None:
        """It ended badly; `said` why and what to do, `told` the same as a sentence and its values."""
        self._end("failed", told or {}, said)

    def attach(self, name: str, mime: str, body: bytes) -> None:
        """A file to be downloaded from the job's page."""
        if len(body) > FILE_BYTES_MAX:
            raise Unfit("结果文件太大，存不下；请缩小范围再试。")
        self.conn.execute(SQL["attach"], {"id": self.job_id, "name": name, "mime": mime, "body": body})

    def _safe(self) -> None:
        if self.ending():
            raise Interrupted

    def _end(self, state: str, result: Mapping[str, Any], said: str) -> None:
        self.ended = state
        self.conn.execute(
            SQL["finish"],
            {"id": self.job_id, "state": state, "result": Jsonb(dict(result)), "said": said},
        )
