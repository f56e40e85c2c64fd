"""What a worker does for the queue page from time to time: fold the counters, title the new cases for the search."""

from datetime import timedelta
from typing import Any

from psycopg import Connection

from aftersale.cases.waiting.queue import SQL
from aftersale.cases.waiting.search import SQL as SEARCH

LINES_MAX = 2000
BACK = timedelta(minutes=1)  # a transaction that began earlier may commit later


def fold(conn: Connection[Any]) -> int:
    """Differences of the counters become one line a kind, when there are many; how many lines went."""
    with conn.transaction():
        row = conn.execute(SQL["lines"]).fetchone()
        assert row is not None
        lines, kinds = row
        if lines < kinds + LINES_MAX or conn.execute(SQL["fold_alone"]).fetchone() != (True,):
            return 0
        conn.execute(SQL["fold"])
        conn.execute(SQL["fold_totals"])
    return int(lines - kinds)


def title(conn: Connection[Any]) -> int:
    """Cases first seen since the last time become findable by words; how many steps were taken."""
    with conn.transaction():
        if conn.execute(SEARCH["alone"]).fetchone() != (True,):
            return 0
        row = conn.execute(SEARCH["until"]).fetchone()
        assert row is not None
        since = row[0]
        span = conn.execute(SEARCH["span"], {"since": since}).fetchone()
        assert span is not None
        first, until = span
        if first is None:
            return 0
        asked = {"since": since - BACK, "until": until}
        conn.execute(SEARCH["title_new"], asked)
        conn.execute(SEARCH["case_new"], asked)
        conn.execute(SEARCH["note_until"], {"until": until})
    return 1


def forget(conn: Connection[Any]) -> int:
    """Notes that are too old to be looked for; how many of their words went."""
    return conn.execute(SEARCH["forget_notes"]).rowcount


def turn(conn: Connection[Any]) -> int:
    """One round of all three."""
    return title(conn) + min(fold(conn), 1) + min(forget(conn), 1)
