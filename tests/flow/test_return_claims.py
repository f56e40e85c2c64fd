"""A parcel pays for the goods that were in it, once: whoever names its number later is looked at by a person."""

from collections.abc import Iterator
from typing import Any

import pytest

from aftersale.cases.returns import record
from aftersale.cases.returns.record import Found
from aftersale.cases.returns.tell import tell
from aftersale.core.records import Inbound, Order, OrderLine
from tests.conftest import Database
from tests.flow.desk import Desk, application, order
from tests.flow.test_return_scan import number, scan, work

LINES = (OrderLine("1", "P1", "明前龙井", "LJ250", 1, 8_000), OrderLine("2", "P2", "坚果", "JG30", 1, 2_000))
MONEY = "SELECT case_id, state, amount_fen FROM intent WHERE money ORDER BY case_id"
HANDLED = "SELECT rule, action, queue FROM handling WHERE case_id = %s"
CLAIMED = ("return_parcel_claimed", "manual_review", "return_refund")
WHOSE = "SELECT return_parcel_of FROM case_facts WHERE case_id = %s"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database, platform="pdd")
    yield made
    made.close()


def ordered(order_id: str = "T1", **told: Any) -> Order:
    return order(order_id, paid_fen=10_000, shipped=True, lines=LINES, **told)


def returning(desk: Desk, case_id: str, order_id: str = "T1", line_id: str = "1", version: int = 1) -> None:
    fen = 8_000 if line_id == "1" else 2_000
    desk.tell(application(case_id, version, order_id=order_id, aftersale_type="return_refund", state="return_shipped",
                          line_id=line_id, amount_fen=fen, return_tracking_no="YT1"))  # fmt: skip


def unit(case_id: str | None, line_id: str = "1", condition: str = "intact", order_id: str = "T1") -> Found:
    return Found(case_id, order_id, line_id, "明前龙井", "LJ250", condition)


def paid_first(desk: Desk) -> None:
    """R1 came back whole and is being paid."""
    desk.tell(ordered())
    returning(desk, "R1")
    scan(desk, unit("R1"))
    work(desk)
    assert desk.all(MONEY) == [("R1", "approved", 8_000)]


@pytest.mark.parametrize("order_id", ["T1", "T2"])
@pytest.mark.parametrize("line_id", ["1", "2"])
def test_a_later_case_is_not_paid_for_an_earlier_ones_parcel(desk: Desk, order_id: str, line_id: str) -> None:
    paid_first(desk)
    desk.tell(ordered("T2"))
    returning(desk, "R2", order_id, line_id)
    assert desk.one(HANDLED, "R2") == CLAIMED
    assert desk.one(WHOSE, "R2") == "R1"
    assert desk.one("SELECT queue FROM queue_item WHERE case_id = 'R2'") == "return_refund"
    assert desk.all(MONEY) == [("R1", "approved", 8_000)]
    assert desk.one("SELECT held_fen FROM order_money WHERE order_id = 'T1'") == 8_000
    assert desk.one(HANDLED, "R1")[0] == "return_received"
    work(desk)
    assert desk.all(MONEY) == [("R1", "approved", 8_000)]


def test_nor_for_one_that_was_paid_and_closed_long_ago(desk: Desk) -> None:
    paid_first(desk)
    desk.tell(application("R1", 2, aftersale_type="return_refund", state="refunded", line_id="1", amount_fen=8_000,
                          return_tracking_no="YT1"))  # fmt: skip
    desk.wait(days=30)
    returning(desk, "R2", line_id="2")
    assert desk.one(HANDLED, "R2") == CLAIMED
    assert desk.all("SELECT case_id FROM intent WHERE money AND case_id = 'R2'") == []


def test_an_older_case_that_takes_the_number_later_is_no_better(desk: Desk) -> None:
    desk.tell(ordered(), application("R0", aftersale_type="return_refund", state="return_agreed", line_id="2",
                                     amount_fen=2_000))  # fmt: skip
    paid_first(desk)
    returning(desk, "R0", line_id="2", version=2)
    assert desk.one(HANDLED, "R0") == CLAIMED
    assert desk.all(MONEY) == [("R1", "approved", 8_000)]


def test_two_cases_in_one_parcel_are_paid_when_both_were_scanned(desk: Desk) -> None:
    desk.tell(ordered())
    returning(desk, "R1")
    returning(desk, "R2", line_id="2")
    assert desk.one(HANDLED, "R2") == ("wait_inbound", "wait_inbound", None)
    scan(desk, unit("R1"), unit("R2", "2"))
    work(desk)
    assert desk.all(MONEY) == [("R1", "approved", 8_000), ("R2", "approved", 2_000)]


def test_the_goods_that_come_after_all_are_paid(desk: Desk) -> None:
    paid_first(desk)
    returning(desk, "R2", line_id="2")
    own = scan(desk, waybill="YT2", key=2)
    assert record.link(desk.conn, 1, number(own), 1, "R2", (unit("R2", "2"),), "仓库小何", desk.now) is None
    assert desk.one(HANDLED, "R2") == CLAIMED
    work(desk)
    assert desk.one(HANDLED, "R2")[0] == "return_received"
    assert desk.all(MONEY) == [("R1", "approved", 8_000), ("R2", "approved", 2_000)]
    record.undo(desk.conn, 1, number(own), "仓库小何", "不是这一单的", desk.now)
    work(desk)
    assert desk.one(HANDLED, "R2") == CLAIMED
    assert desk.all("SELECT case_id, state FROM intent WHERE money AND case_id = 'R2'") == [
        ("R2", "cancelled")
    ]
    assert desk.one("SELECT held_fen FROM order_money WHERE order_id = 'T1'") <= 8_000


def test_a_receipt_that_does_not_count_yet_frees_nobody(desk: Desk) -> None:
    paid_first(desk)
    returning(desk, "R2", line_id="2")
    own = scan(desk, waybill="YT2", key=2)
    damaged = (unit("R2", "2", "damaged"),)
    record.link(desk.conn, 1, number(own), 1, "R2", damaged, "仓库小何", desk.now)
    desk.wait(seconds=31)
    tell(desk.conn, desk.now)
    assert desk.look() == 1
    assert desk.one(HANDLED, "R2") == CLAIMED
    work(desk)
    assert desk.one(HANDLED, "R2") == ("inbound_damaged", "manual_review", "return_refund")
    assert desk.all("SELECT case_id FROM intent WHERE money AND case_id = 'R2'") == []


def test_a_parcel_scanned_for_a_mistyped_number_is_its_cases(desk: Desk) -> None:
    desk.tell(ordered(), application("R1", aftersale_type="return_refund", state="return_shipped", line_id="1",
                                     amount_fen=8_000, return_tracking_no="YT10"))  # fmt: skip
    own = scan(desk)
    record.link(desk.conn, 1, number(own), 1, "R1", (unit("R1"),), "仓库小何", desk.now)
    work(desk)
    returning(desk, "R2", line_id="2")
    assert (desk.one(HANDLED, "R2"), desk.one(WHOSE, "R2")) == (CLAIMED, "R1")
    assert desk.all(MONEY) == [("R1", "approved", 8_000)]


def test_the_parcel_of_another_order_that_came_back_unopened_is_not_this_ones(desk: Desk) -> None:
    desk.tell(ordered(), ordered("T2", tracking_no="YT1"))
    desk.tell(Inbound(1, tracking_no="YT1", inbound_success=True, inbound_condition="intact"))
    returning(desk, "R1")
    assert (desk.one(HANDLED, "R1"), desk.one(WHOSE, "R1")) == (CLAIMED, "T2")
    assert desk.all(MONEY) == []


def test_another_warehouses_receipt_pays_one_case_and_asks_about_two(desk: Desk) -> None:
    desk.tell(ordered())
    returning(desk, "R1")
    desk.tell(Inbound(1, tracking_no="YT1", inbound_success=True, inbound_condition="intact"))
    assert (desk.one(HANDLED, "R1")[0], desk.one(WHOSE, "R1")) == ("return_received", None)
    returning(desk, "R2", line_id="2")
    assert (desk.one(HANDLED, "R2"), desk.one(WHOSE, "R2")) == (CLAIMED, "R1")
    assert desk.all(MONEY) == [("R1", "approved", 8_000)]
