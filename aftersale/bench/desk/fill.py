"""A record with millions of cases of which every tenth waits, as fast as the database takes it."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from psycopg import Connection, sql

from aftersale.bench.place import Place
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
WHOLE = ("decisions", "parcels", "events", "money", "queue", "titles", "titled")
TABLES = ["orders", "cases", "handling", "queue_item"]


def fill(place: Place, cases: int, at: datetime, tell: Callable[[str], None]) -> None:
    """Fills an empty, migrated database; nothing but the primary keys is kept up meanwhile."""
    began = time.monotonic()
    with opened(place.server.url("owner", "bench"), autocommit=True) as conn:
        told = _told(cases, at)
        indexes = conn.execute(SQL["indexes"], {"tables": TABLES}).fetchall()
        conn.execute("SET synchronous_commit = off")
        conn.execute("SET maintenance_work_mem = '512MB'")
        conn.execute("SET work_mem = '256MB'")
        for name, _made in indexes:
            conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        conn.execute(SQL["shops"], told)
        for first in range(1, cases + 1, PART):
            for name in PARTS:
                conn.execute(SQL[name], {**told, "first": first, "last": min(first + PART - 1, cases)})
            tell(f"desk: {min(first + PART - 1, cases):,} cases after {time.monotonic() - began:.0f} s")
        for name in WHOLE:
            conn.execute(SQL[name], told if "%(" in SQL[name] else None)
        for _name, made in indexes:
            conn.execute(made)
    place.tidy()
    tell(f"desk: filled in {time.monotonic() - began:.0f} s")


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
