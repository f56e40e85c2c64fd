"""Each platform application has one call budget, shared by all processes through one row."""

import time
from typing import Any

from psycopg import Connection

# A turn begins where the one before it ends; nothing is booked that would begin after our patience.
_BOOK = """
INSERT INTO call_pace AS p (app_key, next_at)
VALUES (%(key)s, clock_timestamp() + make_interval(secs => %(gap_s)s))
ON CONFLICT (app_key) DO UPDATE SET next_at = make_interval(secs => %(gap_s)s)
  + greatest(p.next_at, clock_timestamp(), coalesce(p.blocked_until, '-infinity'))
WHERE greatest(p.next_at, coalesce(p.blocked_until, '-infinity'))
  <= clock_timestamp() + make_interval(secs => %(patience_s)s)
RETURNING extract(epoch FROM next_at - make_interval(secs => %(gap_s)s) - clock_timestamp())::float8
"""


def wait_turn(conn: Connection[Any], app_key: str, calls_per_s: float, *, patience_s: float = 5.0) -> bool:
    """Book the next turn of this application and wait for it; False when it would not come within `patience_s`.

    `conn` must not be inside a transaction: the booking commits at once.
    """
    values = {"key": app_key, "gap_s": 1.0 / calls_per_s, "patience_s": patience_s}
    row = conn.execute(_BOOK, values).fetchone()
    conn.commit()
    if row is None:
        return False
    time.sleep(max(0.0, float(row[0])))
    return True


def blocked(conn: Connection[Any], app_key: str, seconds: float) -> None:
    """The platform asked this application to pause."""
    conn.execute(
        "UPDATE call_pace SET blocked_until = clock_timestamp() + make_interval(secs => %s) WHERE app_key = %s",
        (seconds, app_key),
    )
    conn.commit()
