"""Finding applications of a sandbox and acting on them."""

from collections.abc import Callable
from typing import Any

from aftersale.connectors.taobao.refunds import Agreement
from aftersale.core.money import fen_from_yuan
from tests.sandbox.running import Running

Row = dict[str, Any]


def waiting(running: Running, shop: str, fits: Callable[[Row], bool] = lambda row: True) -> list[Row]:
    """Refund-only applications of the shop that wait for the seller."""
    return [
        row
        for row in running.control.applications()
        if row["shop"] == shop
        and row["status"] == "WAIT_SELLER_AGREE"
        and row["dispute_type"] == "REFUND"
        and row["cs_status"] == 1
        and fits(row)
    ]


def fen(row: Row) -> int:
    """What the buyer asks for."""
    amount = fen_from_yuan(row["refund_fee"])
    assert amount is not None
    return amount


def agreement(row: Row, amount_fen: int | None = None) -> Agreement:
    """The wish to pay it."""
    phase = row["refund_phase"] if row["shop"] == "demo1" else ""
    return Agreement(row["refund_id"], amount_fen or fen(row), row["refund_version"], phase)


def paid(running: Running, row: Row) -> list[int]:
    """What the sandbox's ledger holds for it."""
    return [entry.amount_fen for entry in running.control.ledger() if entry.refund_id == row["refund_id"]]
