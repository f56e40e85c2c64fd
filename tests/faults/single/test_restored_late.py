"""The effect of a send that the restored record does not know shows only after it was asked about (F23 with F52)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import Database
from tests.flow.market import MarketDesk, fen, market_desk
from tests.flow.paying import approved, held, paid
from tests.flow.test_act_late import pay_there
from tests.sandbox.running import START, running


@pytest.fixture
def market(embedded_database: Database) -> Iterator[MarketDesk]:
    with running("--applications", "200", "--shops", "2", "--qps", "10000") as sandbox:
        sandbox.control.jump(START + timedelta(hours=10))
        with market_desk(embedded_database, sandbox) as desk:
            yield desk


def test_the_platforms_version_is_the_last_fence(market: MarketDesk) -> None:
    """Asked, nothing there yet; then the old send shows, and ours is refused. Both ledgers end with one payment."""
    (row,) = approved(market, 1)
    market.conn.execute("INSERT INTO instance (fingerprint, reconcile_since) VALUES ('x', clock_timestamp())")
    market.conn.commit()
    actor = market.actor()
    actor._ask(actor._unknown(market.now, market.now - timedelta(days=1)))
    assert market.one(
        "SELECT asked_at IS NOT NULL FROM intent WHERE money AND case_id = %s", row["refund_id"]
    )
    assert paid(market, row) == []
    pay_there(market, row)
    actor.turn()
    assert market.states()[row["refund_id"]] == "refused"
    market.fetch(row["refund_id"])
    assert (paid(market, row), market.paid_here()) == ([fen(row)], [(row["refund_id"], fen(row))])
    assert held(market, row) == fen(row)
    assert row["refund_id"] not in market.all("SELECT case_id FROM queue_item")
    while actor.turn():
        pass
    assert paid(market, row) == [fen(row)]
