"""Approved refunds of a sandbox's shops, faults of its calls, and what it and we hold to be paid."""

from datetime import timedelta
from typing import Any

from aftersale.cases import actions
from tests.flow.market import MarketDesk, Row, fen

AGREE, REVIEW, GET, CANCEL = (
    "taobao.rp.refunds.agree",
    "taobao.rp.refund.review",
    "taobao.refund.get",
    "taobao.rdc.aligenius.sendgoods.cancel",
)


def unshipped(market: MarketDesk, count: int, shop: str = "demo2") -> list[Row]:
    """Applications that the book refunds by itself."""
    rows = [
        row
        for row in market.sandbox.control.applications()
        if (row["shop"], row["status"], row["dispute_type"]) == (shop, "WAIT_SELLER_AGREE", "REFUND")
        and row["order_status"] == "WAIT_SELLER_SEND_GOODS"
        and fen(row) <= 20_000
        and row["cs_status"] == 1
    ]
    return rows[:count]


def approved(market: MarketDesk, count: int, shop: str = "demo2") -> list[Row]:
    """Of these the money is approved and their shipments are stopped; nothing is paid yet."""
    rows = unshipped(market, count * 2, shop)
    market.fetch(*(row["refund_id"] for row in rows))
    actor = market.actor()
    before = len(market.paid_there())
    actions.set_switch(market.conn, 0, "agree_refund", True, "先停发货", "主管阿兰", market.now)
    while actor.turn():
        pass
    actions.set_switch(market.conn, 0, "agree_refund", False, "可以退了", "主管阿兰", market.now)
    assert len(market.paid_there()) == before
    states = market.states()
    ready = [row for row in rows if states.get(row["refund_id"]) == "approved"]
    assert len(ready) >= count, states
    for row in ready[count:]:
        _put_off(market, row)
    return ready[:count]


def _put_off(market: MarketDesk, row: Row) -> None:
    market.conn.execute(
        "UPDATE intent SET due_at = %s WHERE case_id = %s", (market.now + timedelta(days=9), row["refund_id"])
    )
    market.conn.commit()


def fault(
    market: MarketDesk, method: str, do: dict[str, Any], row: Row | None = None, nth: int | None = None
) -> None:
    match = {"method": method, "nth": nth, "refund_id": row["refund_id"] if row else None}
    market.sandbox.control.faults({"rules": [{"match": match, "do": do}]})


def calls(market: MarketDesk, method: str) -> int:
    return sum(count for name, count in market.sandbox.control.calls().items() if name.split()[0] == method)


def paid(market: MarketDesk, row: Row) -> list[int]:
    return [amount for case_id, amount in market.paid_there() if case_id == row["refund_id"]]


def held(market: MarketDesk, row: Row) -> int:
    return int(market.one("SELECT held_fen FROM order_money WHERE order_id = %s", str(row["tid"])))
