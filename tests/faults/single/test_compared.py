"""The comparison with the platform's ledger leaves no day out (P3, F9, F51)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from aftersale.act.reconcile import Pace, Reconciler
from aftersale.cases import actions
from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.market import MarketDesk, fen, market_desk
from tests.flow.test_reconcile import OPEN, SHOP, in_the_back_office, settle, tampered
from tests.sandbox.running import START, Running, running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "60", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        actions.set_switch(desk.conn, 0, "", True, "只看不动", "主管阿兰", desk.now)
        settle(desk)
        yield desk


def test_after_days_of_silence_the_days_before_are_compared_as_well(market: MarketDesk) -> None:
    """Compared in the morning; in the afternoon a row is lost and everything stands still for four days."""
    conn = opened(market.database.app, application="reconcile")
    reconciler = Reconciler(conn, market.sandbox.http, lambda: market.now, Pace(calls_per_s=5000.0))
    while reconciler.turn():
        pass
    row = in_the_back_office(market)
    settle(market, hours=1)
    tampered(market, "DELETE FROM ledger WHERE case_id = %s", row["refund_id"])
    settle(market, days=4)
    while reconciler.turn():
        pass
    conn.close()
    found = market.all(OPEN.replace("WHERE", f"WHERE shop_id = {market.shops[SHOP]} AND"))
    assert found == [(row["refund_id"], "only_theirs", 0, fen(row))]
