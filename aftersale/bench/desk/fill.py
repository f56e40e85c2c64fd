"""A record with millions of cases of which every tenth waits, as fast as the database takes it."""

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from psycopg import Connection

from aftersale.bench.place import DATABASE, Place
from aftersale.pg.connect import opened
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.bench.desk", "desk.sql")
SHOPS = 20
PART = 500_000
PRICES = [1990, 2980, 3990, 4590, 6900, 8900, 9900, 11800, 15900, 19900, 22900, 32900]
SPAN_S = 30 * 86_400
QUEUES = 14
PARTS = ("orders", "cases", "handling")
CHAINS = (
    ("titles", "titled"),
    ("queue", "counts", "totals"),
    ("parcels", "events"),
    ("decisions",),
    ("money",),
)
TABLES = ["orders", "cases", "handling", "decision", "parcel", "tracking_event", "order_money", "queue_item", "titled_case"]  # fmt: skip
HANDS = 2


def fill(place: Place, cases: int, at: datetime, tell: Callable[[str], None]) -> None:
    """Fills an empty, migrated database: first the rows, then what leads to them."""
    began = time.monotonic()

    def told(done: str) -> None:
        tell(f"desk: {done} after {time.monotonic() - began:.0f} s")

    with _writing(place) as conn:
        asked = _told(cases, at)
        made = conn.execute(SQL["made"], {"tables": TABLES}).fetchall()
        for _of, drop, _made in made:
            conn.execute(drop)
        conn.execute(SQL["shops"], asked)
        parts = [
            partial(_run, place, SQL[name], {**asked, "first": first, "last": min(first + PART - 1, cases)})
            for first in range(1, cases + 1, PART)
            for name in PARTS
        ]
        _all(parts)
        told(f"{cases:,} cases")
        _all([partial(_chain, place, chain, asked) for chain in CHAINS])
        told("what belongs to them")
    _all([partial(_indexes, place, [again for of, _drop, again in made if of == table]) for table in TABLES])
    told("indexes")
    _all([partial(_run, place, f"VACUUM (FREEZE, ANALYZE) {table}", None) for table in TABLES])
    place.tidy()
    told("filled")


def _writing(place: Place) -> Connection[Any]:
    """A connection for which no trigger runs."""
    settings = {
        "session_replication_role": "replica", "synchronous_commit": "off", "jit": "off",
        "work_mem": "256MB", "maintenance_work_mem": "512MB", "statement_timeout": "0",
    }  # fmt: skip
    return opened(place.server.url("admin", DATABASE), settings=settings, autocommit=True)


def _run(place: Place, statement: str, asked: dict[str, Any] | None) -> None:
    with _writing(place) as conn:
        conn.execute(statement.encode(), asked)


def _chain(place: Place, names: Collection[str], asked: dict[str, Any]) -> None:
    """One after the other, each needs the one before."""
    for name in names:
        _run(place, SQL[name], asked if "%(" in SQL[name] else None)


def _indexes(place: Place, made: Collection[str]) -> None:
    """The indexes of one table; two at a time would wait for one another."""
    for statement in made:
        _run(place, statement, None)


def _all(works: Collection[Callable[[], None]]) -> None:
    """A few at a time."""
    with ThreadPoolExecutor(HANDS) as hands:
        for done in [hands.submit(work) for work in works]:
            done.result()


def _told(cases: int, at: datetime) -> dict[str, Any]:
    titles = books.titles()
    return {
        "shops": SHOPS,
        "cases": cases,
        "at": at,
        "prices": PRICES,
        "span_s": SPAN_S,
        "reasons": list(titles["reason"])[:25],
        "queues": list(books.queues())[:QUEUES],
        "actions": [code for code, action in books.actions().items() if action.offers][:6],
    }


def join(conn: Connection[Any], user_id: int) -> None:
    """This person leads all shops."""
    conn.execute(SQL["members"], {"user_id": user_id})
