"""A warehouse's yard: returns that buyers have sent, and the worker that hears of what was scanned."""

from datetime import timedelta
from typing import Any

import psycopg

from aftersale.cases import actions, stage
from aftersale.cases.returns.tell import tell
from aftersale.core.records import Application, Arrival, Order, OrderLine, Record
from aftersale.decide.run import Decider
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from aftersale.work import Desk as Worker
from tests.conftest import Database
from tests.people.shops import NOON, stand_still

PACKER = "仓库小何"


class Yard:
    """The warehouse's yard of 阿团零食 (Pinduoduo): parcels arrive, workers turn."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOON
        self.conn = opened(database.app, settings=SETTINGS)
        stage.prepare(self.conn)
        self.decider = Decider(self.conn, books.book("refund"), books.text("refund.yaml"), books.actions())

    def announce(
        self, case_id: str, waybill: str | None, *, shop_id: int = 2, pieces: int = 1, **told: Any
    ) -> None:
        """A return that the buyer has sent."""
        order_id = f"T{case_id}"
        lines = (OrderLine("1", "P1", "坚果每日装 30 包", "JG30", pieces, 5_000),)
        order = Order(order_id, 1, order_state="shipped", order_kind="spot", paid_fen=5_000, shipped=True,
                      promo="none", presale_deposit=False, tracking_no=f"SF{case_id}", lines=lines)  # fmt: skip
        given = {"aftersale_type": "return_refund", "amount_fen": 5_000, "title": "坚果每日装 30 包"} | told
        case = Application(case_id, order_id, 1, state="return_shipped" if waybill else "return_agreed",
                           phase="onsale", reason="dislike", applied_at=self.now, applied_minute=720, line_id="1",
                           intervened=False, zero_second_covered=False, platform_initiated=False, operation_limit="none",
                           modification_count=0, refusal_count=0, freight_insurance=False,
                           return_tracking_no=waybill, **given)  # fmt: skip
        self.tell(shop_id, order, case)

    def tell(self, shop_id: int, *records: Record) -> None:
        arrivals = [Arrival(one, f"{n}:{one}", self.now) for n, one in enumerate(records)]
        with self.conn.transaction():
            actions.merge(self.conn, actions.staged((shop_id, one) for one in arrivals), self.now)
            self.decider.decide(self.now)

    def work(self) -> None:
        """Half a minute later the worker's turns."""
        self.now += timedelta(seconds=31)
        stand_still(self.conn, self.now)
        self.conn.commit()
        tell(self.conn, self.now)
        Worker(self.conn, self.decider, lambda: self.now).turn()

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.owner) as conn:
            return conn.execute(query, values).fetchall()  # type: ignore[arg-type]
