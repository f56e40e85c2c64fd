"""Where and by whom something is done to a case, and what every such act does alike."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.casework", "casework.sql")
NO_CASE = Refusal("no_case", "没有这张售后单")


@dataclass(frozen=True, slots=True)
class Place:
    """One person at one case at one moment."""

    shop_id: int
    case_id: str
    by: str
    now: datetime

    def values(self, **more: object) -> dict[str, Any]:
        return {"shop_id": self.shop_id, "case_id": self.case_id, "by": self.by, "now": self.now, **more}


@dataclass(frozen=True, slots=True)
class Locked:
    """The case, held still until the transaction ends."""

    version: int
    state: str | None
    buyer_ref: str | None

    @property
    def over(self) -> bool:
        return self.state in ("refunded", "closed")


def lock(conn: Connection[Any], place: Place) -> Locked | None:
    """None: there is no such case."""
    row = conn.execute(SQL["lock_case"], place.values()).fetchone()
    return Locked(*row) if row else None


def forbidden(conn: Connection[Any], place: Place, action: str, amount_fen: int = 0) -> Refusal | None:
    """Why this person may not do it, as the book `permissions` says."""
    row = conn.execute(SQL["may"], place.values(action=action, amount_fen=amount_fen)).fetchone()
    if row is not None and row[0]:
        return None
    return Refusal(row[1] if row else "not_in_role", "这不在您的权限之内，没有执行")


def tell(conn: Connection[Any], place: Place, kind: str, what: Mapping[str, object]) -> None:
    """Onto the timeline, in codes that the page puts into words."""
    conn.execute(SQL["tell"], place.values(kind=kind, what=json.dumps(what, ensure_ascii=False)))
