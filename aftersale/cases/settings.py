"""A shop's own values of the settings that rulebooks name."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases", "settings.sql")


def set_settings(
    conn: Connection[Any], shop: str, values: Mapping[str, Any], by: str, now: datetime
) -> int | Refusal:
    """Keep these values (checked by the caller against the books; None: back to the default), with who and when.

    The shop's open cases are decided again by the next worker that looks; how many those are. Commits.
    """
    with conn.transaction():
        row = conn.execute(_SQL["hold"], {"code": shop}).fetchone()
        if row is None:
            return Refusal("no_shop", f"没有代码为 {shop} 的店铺")
        shop_id, before = row[0], json.loads(row[1])
        given = {name: value for name, value in values.items() if before.get(name) != _json(value)}
        if not given:
            return 0
        after = {name: value for name, value in {**before, **given}.items() if value is not None}
        conn.execute(_SQL["keep"], {"shop": shop_id, "settings": _text(after)})
        for name, value in given.items():
            told = {"name": name, "before": _text(before.get(name)), "after": _text(value)}
            conn.execute(_SQL["log"], {**told, "shop": shop_id, "by": by, "now": now})
        return decide_again(conn, shop_id, now)


def decide_again(conn: Connection[Any], shop_id: int, now: datetime) -> int:
    """Have the next worker that looks decide every open case of the shop; how many. The caller commits."""
    return conn.execute(_SQL["look_again"], {"shop": shop_id, "now": now}).rowcount


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _json(value: Any) -> Any:
    return json.loads(_text(value))
