"""Each platform application has one call budget, shared by all processes through one row."""

import time
from typing import Any

from psycopg import Connection

_BOOK = """
INSERT INTO call_pace AS p (app_key, next_at) VALUES (%(key)s, clock_timestamp())
ON CONFLICT (app_key) DO UPDATE SET
  next_at = greatest(p.next_at, clock_timestamp(), coalesce(p.blocked_until, '-infinity')) + make_interval(secs => %(gap_s)s)
RETURNING extract(epoch FROM next_at - clock_timestamp())::float8
"""


def wait_turn(conn: Connection[Any], app_key: str, calls_per_s: float, *, patience_s: float = 5.0) -> bool:
    """Book the next call of this application and wait for it; False when the wait would pass `patience_s`.

    `conn` must not be inside a transaction: the booking commits at once.
    """
    row = conn.execute(_BOOK, {"key": app_key, "gap_s": 1.0 / calls_per_s}).fetchone()
    conn.commit()
    assert row is not None
    wait_s = float(row[0])
    if wait_s > patience_s:
        return False
    if wait_s > 0:
        time.sleep(wait_s)
    return True


def blocked(conn: Connection[Any], app_key: str, seconds: float) -> None:
    """The platform asked this application to pause."""
    conn.execute(
        "UPDATE call_pace SET blocked_until = clock_timestamp() + make_interval(secs => %s) WHERE app_key = %s",
        (seconds, app_key),
    )
    conn.commit()
