"""The desk of a shop whose platform is a sandbox in a process of its own, both at the sandbox's time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx2

from aftersale.act.run import Actor, Limits
from aftersale.core.money import fen_from_yuan
from aftersale.demo import sandbox_shop
from aftersale.intake.pull import Puller, PullLimits
from aftersale.pg.connect import opened
from aftersale.rulebooks import books
from aftersale.work import Desk as Worker
from tests.conftest import Database
from tests.flow.desk import Desk, staff
from tests.sandbox.running import START, Running

AT_ONCE = Limits(calls_per_s=2000.0, ask_after_s=0.0)
Row = dict[str, Any]


class MarketDesk(Desk):
    """Shops demo1 (Tmall) and demo2 (Taobao) of a sandbox; nothing is pushed, the test tells or pulls."""

    def __init__(self, database: Database, sandbox: Running, since: datetime = START) -> None:
        super().__init__(database)
        self.sandbox = sandbox
        self.now = sandbox.control.state().now
        self.shops = {
            one.code: sandbox_shop(self.conn, sandbox.url, one.code, one.platform, one.session, since)
            for one in sandbox.control.state().shops
        }
        for shop_id in self.shops.values():
            staff(self.conn, shop_id)
        self.conn.commit()
        self.worker = Worker(self.conn, self.decider, lambda: self.now)
        self._more: list[Any] = []

    def actor(self, limits: Limits = AT_ONCE, now: Callable[[], datetime] | None = None) -> Actor:
        """A sender with its own connection, as another process would have it."""
        conn = opened(self.database.app, application="actor")
        self._more.append(conn)
        texts = {code: action.message for code, action in books.actions().items() if action.message}
        return Actor(conn, self.sandbox.http, now or (lambda: self.now), texts, limits)

    def puller(self, limits: PullLimits | None = None, http: httpx2.Client | None = None) -> Puller:
        conn = opened(self.database.app, application="puller")
        self._more.append(conn)
        limits = limits or PullLimits(pause_s=0.0, calls_per_s=2000.0)
        return Puller(conn, http or self.sandbox.http, lambda: self.now, limits)

    def close(self) -> None:
        for conn in self._more:
            conn.close()
        super().close()

    def fetch(self, *case_ids: str) -> None:
        """Applications and their orders come in by the pull's own way, and are decided."""
        query = """INSERT INTO to_fetch (shop_id, kind, external_id, due_at)
          SELECT s.id, t.kind, t.id, now() FROM unnest(%s::text[], %s::text[], %s::text[]) AS t(code, kind, id)
          JOIN shop s ON s.code = t.code"""
        rows = [row for row in self.sandbox.control.applications() if row["refund_id"] in case_ids]
        wanted = [(row["shop"], "order", str(row["tid"])) for row in rows]
        wanted += [(row["shop"], "application", row["refund_id"]) for row in rows]
        self.conn.execute(query, tuple(list(column) for column in zip(*wanted, strict=True)))
        self.conn.commit()
        puller = self.puller()
        while puller._fetch():
            pass
        while self.worker.turn():
            pass

    def states(self, kind: str = "agree_refund") -> dict[str, str]:
        """case id → state of its newest intent of the kind."""
        query = "SELECT case_id, state FROM intent WHERE kind = %s ORDER BY platform_version, created_at"
        return dict(self.all(query, kind))

    def paid_there(self) -> list[tuple[str, int]]:
        return sorted((one.refund_id, one.amount_fen) for one in self.sandbox.control.ledger())

    def paid_here(self) -> list[tuple[str, int]]:
        return sorted(self.all("SELECT case_id, amount_fen FROM ledger"))


@contextmanager
def market_desk(database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    desk = MarketDesk(database, sandbox)
    try:
        yield desk
    finally:
        sandbox.control.faults({})
        desk.close()


def fen(row: Row) -> int:
    amount = fen_from_yuan(row["refund_fee"])
    assert amount is not None
    return amount
