"""Who did what of consequence outside the record of a case: written once, never changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.audit", "audit.sql")
WHY_MAX, TARGET_MAX = 500, 200


def note(
    conn: Connection[Any],
    who: str,
    what: str,
    target: str,
    now: datetime,
    *,
    shop_id: int | None = None,
    why: str = "",
    more: Mapping[str, Any] | None = None,
) -> None:
    """One row, in the caller's transaction. `what`: a code such as export, unmask, rule_publish, rights, setting, switch;
    `shop_id` None: concerns no single shop."""
    values = {"at": now, "who": who, "shop_id": shop_id, "what": what}
    told = {"target": target[:TARGET_MAX], "why": why[:WHY_MAX], "more": Jsonb(dict(more or {}))}
    conn.execute(SQL["note"], {**values, **told})


def unmask(
    conn: Connection[Any], who: str, shop_id: int, target: str, why: str, now: datetime
) -> Refusal | None:
    """Writes down that this person is shown personal data; None: they may see it. Commits.

    At most the shop's `unmask_per_day` looks in 24 hours, over all shops of the person.
    """
    if not why.strip():
        return Refusal("no_reason", "请写明为什么要看，没有显示。")
    with conn.transaction():
        conn.execute(SQL["alone"], {"who": who})
        asked = {"who": who, "shop_id": shop_id, "since": now - timedelta(days=1)}
        row = conn.execute(SQL["unmasked"], asked).fetchone()
        assert row is not None
        most, seen = row[0] or 0, row[1]
        if seen >= most:
            return Refusal("unmask_cap", "24 小时内查看的次数已经用完，需要时请找主管查看。")
        note(conn, who, "unmask", target, now, shop_id=shop_id, why=why.strip())
    return None
