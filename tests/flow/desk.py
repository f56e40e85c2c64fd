"""A shop, a worker and snapshots for the tests of the flow. Times are fixed; nothing is drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from aftersale.cases import actions, stage
from aftersale.core.records import Application, Arrival, Order, Record
from aftersale.decide.run import Decider
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from tests.conftest import Database

NOON = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
STAFF = {"客服小明": "agent", "主管阿兰": "lead", "店主": "owner"}


class Desk:
    """One shop in one database, with a worker's connection."""

    def __init__(self, database: Database, *, platform: str = "tmall") -> None:
        self.database = database
        self.conn = opened(database.app, settings=SETTINGS)
        self.conn.execute(
            "INSERT INTO shop (code, name, platform) VALUES ('ming', '小明的店', %s)", (platform,)
        )
        staff(self.conn, 1)
        self.conn.commit()
        stage.prepare(self.conn)
        self.decider = Decider(self.conn, books.book("refund"), books.text("refund.yaml"), books.actions())
        self.now = NOON

    def tell(self, *records: Record) -> None:
        """These things happen, in one batch."""
        arrivals = [Arrival(r, f"{n}:{r}", self.now) for n, r in enumerate(records)]
        with self.conn.transaction():
            actions.merge(self.conn, actions.staged((1, one) for one in arrivals), self.now)
            self.decider.decide(self.now)

    def look(self) -> int:
        """What is due is decided."""
        with self.conn.transaction():
            count = self.decider.claim_due(self.now, 1000)
            if count:
                self.decider.decide(self.now)
        return count

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def one(self, query: str, *values: object) -> Any:
        """The only row of a query; its value when it has one column."""
        rows = self.all(query, *values)
        assert len(rows) == 1, rows
        return rows[0]

    def all(self, query: str, *values: object) -> list[Any]:
        with self.conn.transaction():
            rows = self.conn.execute(query, values).fetchall()  # type: ignore[arg-type]
        return [row[0] if len(row) == 1 else row for row in rows]

    def close(self) -> None:
        self.conn.close()


def staff(conn: psycopg.Connection[Any], shop_id: int, roles: Mapping[str, str] = STAFF) -> None:
    """These people work for the shop; an account is made where there is none. The caller commits."""
    for name, role in roles.items():
        conn.execute(
            "WITH made AS (INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email,"
            " is_staff, is_active, date_joined) VALUES (%s, '!', false, '', '', '', false, true, now())"
            " ON CONFLICT (username) DO UPDATE SET is_active = true RETURNING id)"
            " INSERT INTO membership (user_id, shop_id, role) SELECT id, %s, %s FROM made"
            " ON CONFLICT (user_id, shop_id) DO UPDATE SET role = excluded.role",
            (name, shop_id, role),
        )


def order(order_id: str = "T1", version: int = 1, **told: Any) -> Order:
    base = Order(order_id, version, order_state="paid", order_kind="spot", paid_fen=10_000, shipped=False, promo="none",
                 paid_at=NOON - timedelta(hours=2), presale_deposit=False)  # fmt: skip
    return replace(base, **told)


def application(case_id: str = "R1", version: int = 1, **told: Any) -> Application:
    base = Application(case_id, "T1", version, aftersale_type="unshipped_refund_only", state="applied", phase="onsale",
                       reason="no_longer_want", amount_fen=5_000, applied_at=NOON, applied_minute=720, received=False,
                       due_at=NOON + timedelta(hours=48), intervened=False, zero_second_covered=False,
                       platform_initiated=False, freight_insurance=False, operation_limit="none",
                       modification_count=0, refusal_count=0)  # fmt: skip
    return replace(base, **told)


def cases_of(rows: Iterable[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in rows}


__all__ = ["NOON", "STAFF", "Desk", "application", "cases_of", "order", "psycopg", "staff"]
