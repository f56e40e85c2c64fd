"""The waiting cases of somebody who leaves go back to everybody."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases.leave", "leave.sql")


def hand_back(conn: Connection[Any], shop_id: int, owner: str, by: str, now: datetime) -> int:
    """No case of the shop stays with `owner`; each says so on its timeline. How many there were."""
    values = {"shop_id": shop_id, "owner": owner, "by": by, "now": now}
    with conn.transaction():
        return conn.execute(_SQL["hand_back"], values).rowcount
