"""What was scanned becomes a warehouse receipt like any other: a raw body that intake reads and the book decides on."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases.returns.record import SQL
from aftersale.core.returns.receipt import Line, Unit, condition_of, expected, worst

SCANS_MAX = 500


@dataclass(frozen=True, slots=True)
class _Case:
    case_id: str
    order_id: str
    line_id: str | None
    amount_fen: int | None
    title: str | None


def tell(conn: Connection[Any], now: datetime) -> int:
    """Tell the record of parcels whose time to be taken back is over, or that were taken back; how many, one transaction."""
    with conn.transaction():
        due = conn.execute(SQL["due"], {"now": now, "limit": SCANS_MAX}).fetchall()
        reached: dict[tuple[int, str], None] = {}
        for shop_id, scan_id, _waybill in due:
            place = {"shop_id": shop_id, "id": scan_id}
            conn.execute(SQL["told"], {**place, "now": now})
            conn.execute(SQL["look"], {**place, "now": now})
            reached |= {(shop_id, waybill): None for (waybill,) in conn.execute(SQL["reaches"], place)}
        for shop_id, waybill in sorted(reached):
            _tell(conn, shop_id, waybill, now)
    return len(due)


def _tell(conn: Connection[Any], shop_id: int, waybill: str, now: datetime) -> None:
    """One receipt: what all parcels together brought of what the cases behind this waybill expect."""
    where = {"shop_id": shop_id, "waybill": waybill}
    condition = _condition(conn, where)
    said = {**where, "success": condition is not None, "condition": condition, "now": now}
    said["now_ms"] = int(now.timestamp() * 1000)
    told = conn.execute(SQL["tell"], said).fetchone()
    if told is None:
        return
    kind = conn.execute(SQL["warehouse_kind"], where).fetchone()
    document = {
        "kind": "inbound",
        "version": told[0],
        "at": now.isoformat(),
        "tracking_no": waybill,
        "success": condition is not None,
        "condition": condition,
        "warehouse": (kind and kind[0]) or "own",
    }
    body = json.dumps(document, ensure_ascii=False).encode()
    conn.execute(SQL["arrive"], {"shop_id": shop_id, "body": body})


def _condition(conn: Connection[Any], where: dict[str, Any]) -> str | None:
    cases = [_Case(*row) for row in conn.execute(SQL["for_waybill"], where)]
    orders, ids = {case.order_id for case in cases}, [case.case_id for case in cases]
    lines: dict[str, list[Line]] = defaultdict(list)
    for order_id, *rest in conn.execute(SQL["lines"], {**where, "order_ids": list(orders)}):
        lines[order_id].append(Line(*rest))
    units: dict[str, list[Unit]] = defaultdict(list)
    for case_id, line_id, condition in conn.execute(SQL["units_told"], {**where, "case_ids": ids}):
        units[case_id].append(Unit(line_id, condition))
    told = [
        condition_of(
            expected(lines[one.order_id], one.line_id, one.amount_fen, one.title), units[one.case_id]
        )
        for one in cases
    ]
    unasked = [condition for (condition,) in conn.execute(SQL["units_unasked"], where)]
    return worst([*told, *unasked])
