"""The two wires on which a worker can be hit: its statements and its outward calls.

A worker runs in a greenlet. At each point it may die (its transaction is gone, its answer unheard) or be halted: the
schedule goes on with the others and later lets it go on from there, as SIGSTOP and SIGCONT do.
"""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import greenlet  # type: ignore[import-untyped]
import psycopg
from psycopg.pq import PGconn, TransactionStatus

T = TypeVar("T")


class Died(BaseException):
    """kill -9: nothing of the worker's own code may catch this."""


class Cut(psycopg.OperationalError):
    """The connection to the database is gone; the worker lives."""


class Fate:
    """What befalls one turn at its n-th point: `deed` die, cut (its connection breaks) or halt; None: nothing.

    With `each_once`, after one statement and before the next is one point, not two. Points are counted over statements and calls; each has a `before` and an `after`.
    """

    def __init__(
        self, strikes_at: int | None = None, deed: str = "die", told: Callable[[str], None] | None = None
    ) -> None:
        self.strikes_at, self.deed, self._told = strikes_at, deed, told
        self.each_once = False
        self.points = 0
        self.struck = False
        self.over = False

    def point(self, what: str) -> None:
        """The worker passes a point."""
        if self.over or (self.each_once and what == "after a statement"):
            return
        self.points += 1
        if self.points != self.strikes_at:
            return
        self.struck = True
        if self._told:
            self._told(f"{self.deed} {what}")
        if self.deed == "halt":
            self._halt()
            return
        self.over = True
        if self.deed == "cut" and what.endswith("statement"):
            raise Cut(what)
        raise Died(what)

    @staticmethod
    def _halt() -> None:
        parent = greenlet.getcurrent().parent
        assert parent is not None, "only what runs in a greenlet can be halted"
        parent.switch("halted")


class Wired(psycopg.Connection[Any]):
    """A connection whose every round trip is a point of its worker's fate."""

    fate: Fate | None = None
    pid = 0
    staged = False
    heir: "Wired | None" = None

    def wait(self, gen: Generator[Any, Any, T], *more: Any, **most: Any) -> T:
        fate = self.fate
        if fate is None:
            return super().wait(gen, *more, **most)
        try:
            fate.point("before a statement")
            result = super().wait(gen, *more, **most)
            fate.point("after a statement")
        except Cut:
            self.drop()
            raise
        return result

    def close(self) -> None:
        if not self.closed:
            self.pid = self.info.backend_pid
        super().close()

    def drop(self) -> None:
        """The worker's end is gone: its transaction is rolled back, its locks are free.

        The session itself goes on as `heir`, since making a new one costs more than all the rest of a schedule; where
        an answer is still under way the connection really ends. Real processes always make new ones.
        """
        if self.closed or self._pipeline or self.pgconn.transaction_status not in RESTING:
            return self.close()
        wire, self.pgconn = self.pgconn, _ENDED
        wire.exec_(b"ROLLBACK; SELECT pg_advisory_unlock_all()")
        self.heir = Wired(wire)
        self.heir.prepare_threshold, self.heir.staged = self.prepare_threshold, self.staged
        self.heir._prepared = self._prepared
        return None

    def calm(self) -> None:
        """The end of a turn, however it ended: what hangs in a transaction is over, as a process's end would have it."""
        self.fate = None
        if self.info.transaction_status != TransactionStatus.IDLE or self._num_transactions or self._pipeline:
            self.drop()


RESTING = (TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR)
_ENDED = PGconn.connect_start(b"host=/nowhere")
_ENDED.finish()
