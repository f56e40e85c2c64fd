"""What decides a shop's cases now: its own release, else the book that came with the software."""

import json
from typing import Any

from psycopg import Connection

from aftersale.core.rulebook import Book
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.publishing", "publishing.sql")
BOOK = "refund"


def live_text(conn: Connection[Any], shop_id: int) -> str:
    row = _live(conn, shop_id)
    return books.text(f"{BOOK}.yaml") if row is None else row[1]


def text_deciding(conn: Connection[Any], code: str) -> str:
    """By the shop's code, also of one that does not exist."""
    with conn.transaction():
        row = conn.execute(SQL["live_of"], {"code": code, "book": BOOK}).fetchone()
    return books.text(f"{BOOK}.yaml") if row is None else str(row[0])


def live_release(conn: Connection[Any], shop_id: int) -> int | None:
    """None: the book that came with the software."""
    row = _live(conn, shop_id)
    return None if row is None else row[0]


def _live(conn: Connection[Any], shop_id: int) -> tuple[int, str] | None:
    with conn.transaction():
        return conn.execute(SQL["live"], {"shop": shop_id, "book": BOOK}).fetchone()


def own_values(conn: Connection[Any], shop_id: int, book: Book) -> dict[str, Any]:
    """The shop's own values of the book's settings."""
    with conn.transaction():
        row = conn.execute(SQL["shop"], {"shop": shop_id}).fetchone()
    assert row is not None
    return {name: value for name, value in json.loads(row[0]).items() if name in book.settings}
