"""How long a claim takes beside a long transaction, after a million items were finished while it was open (P30)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import Connection

from aftersale.act.claim import Claims, Limits
from aftersale.act.work_item import Item
from aftersale.bench.figures import Figure
from aftersale.bench.online import percentile
from aftersale.bench.place import Place
from aftersale.bench.world import START
from aftersale.cases import stage
from aftersale.decide.run import Decider
from aftersale.intake.waiting import Waiting
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

_SQL = queries("aftersale.bench.claims", "claims.sql")
Tell = Callable[[str], None]
OPEN = 10
STEP = timedelta(milliseconds=20)  # 500 items a second


@dataclass(frozen=True, slots=True)
class Kind:
    """One queue: what puts OPEN items into it, and a claim that says how many it took."""

    name: str
    put: Callable[[], None]
    claim: Callable[[], int]


def claims(place: Place, finished: int, count: int, tell: Tell) -> list[Figure]:
    """Every figure `claims.*`: `count` claims of each kind."""
    with place.connect() as conn, _snapshot(place):
        stage.prepare(conn)
        began = time.monotonic()
        _finish(conn, finished)
        tell(f"claims: {finished:,} items of each kind finished in {time.monotonic() - began:.0f} s")
        return [figure for kind in _kinds(conn) for figure in _measure(conn, kind, count, tell)]


def _kinds(conn: Connection[Any]) -> tuple[Kind, ...]:
    waiting, looks, intents = Waiting(conn), Looks(conn), Intents(conn)
    return (
        Kind("news", lambda: _run(conn, "put_news"), lambda: _in_one(conn, lambda: len(waiting.claim()))),
        Kind("looks", looks.put, looks.claim),
        Kind("intents", intents.put, intents.claim),
    )


class Looks:
    """Cases come due, and are claimed as a decider does."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn, self._now = conn, START
        self._decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())

    def put(self) -> None:
        self._now += STEP
        _run(self._conn, "put_looks", at=self._now)

    def claim(self) -> int:
        return _in_one(self._conn, lambda: self._decider.claim_due(self._now, 1000))


class Intents:
    """Approved intents come, are claimed as a sender does, and are done."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn, self._now = conn, START
        self._claims = Claims(conn, Limits())
        self._claimed: list[Item] = []

    def put(self) -> None:
        keys = {
            "cases": [one.case_id for one in self._claimed],
            "versions": [one.platform_version for one in self._claimed],
        }
        with self._conn.transaction():
            self._conn.execute(_SQL["intents_settled"], keys)
        self._now += STEP
        _run(self._conn, "put_intents", at=self._now)

    def claim(self) -> int:
        self._claimed = self._claims.take(self._now)
        return len(self._claimed)


def _run(conn: Connection[Any], name: str, **values: object) -> None:
    """One statement in its own transaction, with those of the values that it names."""
    values = {"open": OPEN, "at": START, **values}
    with conn.transaction():
        conn.execute("SET LOCAL statement_timeout = 0")
        conn.execute(_SQL[name], {key: one for key, one in values.items() if f"%({key})s" in _SQL[name]})


def _in_one(conn: Connection[Any], claim: Callable[[], int]) -> int:
    with conn.transaction():
        return claim()


@contextmanager
def _snapshot(place: Place) -> Iterator[None]:
    """A report that reads for an hour: nothing that is deleted meanwhile can be removed."""
    with place.connect() as report:
        report.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        report.execute("SET idle_in_transaction_session_timeout = 0")
        report.commit()
        report.execute("SELECT count(*) FROM shop")
        yield


def _finish(conn: Connection[Any], count: int) -> None:
    """So many items of each queue came and went."""
    for name in ("shop", "cases", "news", "news_done", "looks", "looks_done", "intents", "intents_done"):
        _run(conn, name, count=count)


def _measure(conn: Connection[Any], kind: Kind, count: int, tell: Tell) -> Iterator[Figure]:
    times = []
    for _ in range(count):
        kind.put()
        began = time.perf_counter()
        took = kind.claim()
        times.append((time.perf_counter() - began) * 1000)
        assert took == OPEN, f"{took} of {OPEN} {kind.name} were claimed"
    p50, p99 = percentile(times, 50), percentile(times, 99)
    tell(f"claims of {kind.name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {max(times):.0f} ms")
    yield Figure(f"claims.{kind.name}_p50", (p50,))
    yield Figure(f"claims.{kind.name}_p99", (p99,))
