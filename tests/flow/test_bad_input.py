"""Whatever comes in ends in the record or is parked with its reason; nothing is lost and nothing else is spoiled."""

from collections.abc import Iterator
from typing import Any

import pytest

from aftersale.core.records import Application, Inbound, Order
from tests.conftest import Database
from tests.flow.desk import Desk, application, order
from tests.flow.posts import applied, deliver, encoded, open_to_pushes, refund, signed, tmc, trace, trade

PAPER: dict[str, Any] = {"kind": "order", "order_id": "1", "version": 1, "at": "2026-11-11T12:00:00+08:00"}
LINE: dict[str, Any] = {"oid": "1", "title": "保温杯", "num": 1}


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


def parked(desk: Desk) -> list[tuple[str, str, str]]:
    return desk.all("SELECT source, place, why FROM parked ORDER BY id")


PARKED: list[tuple[str, object, str]] = [
        ("taobao", b"", "Input data was truncated"),
        ("taobao", b"{]", "JSON is malformed"),
        ("taobao", b"\xff\xfe{}", "JSON is malformed"),
        ("taobao", b"[" * 100_000, "maximum recursion depth"),
        ("taobao", [applied()] * 1001, "1001 messages in one body"),
        ("taobao", {"id": 1, "topic": "taobao_item_Add", "content": "{}"}, "topic 'taobao_item_Add' is unknown"),
        ("taobao", applied(status="WAIT_FOR_GODOT"), "status 'WAIT_FOR_GODOT' is unknown"),
        ("taobao", applied(good_status="BUYER_ATE_IT"), "good_status 'BUYER_ATE_IT' is unknown"),
        ("taobao", applied(refund_fee="-1.00"), "refund_fee '-1.00' is no amount"),
        ("taobao", applied(refund_fee="NaN"), "refund_fee 'NaN' is no amount"),
        ("taobao", applied(refund_fee="1e9"), "refund_fee '1e9' is no amount"),
        ("taobao", applied(refund_fee="999999999999.00"), "is no amount"),
        ("taobao", applied(refund_id="x" * 65), "is no id"),
        ("taobao", applied(created="2999-01-01 00:00:00"), "outside the years"),
        ("taobao", applied(version=2**70), "Expected `int` <= "),
        ("kuaidi100", b"param=%7B%5D", "JSON is malformed"),
        ("kuaidi100", b"nothing", "no param"),
        ("warehouse", PAPER | {"state": "burnt"}, "state 'burnt' is unknown"),
        ("warehouse", PAPER | {"version": 1.5}, "got `float`"),
        ("warehouse", {"kind": "inbound", "version": 1, "at": PAPER["at"]}, "needs tracking_no or case_id"),
    ]  # fmt: skip


def test_what_cannot_be_understood_is_parked_once(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    for number, (source, body, why) in enumerate(PARKED, 1):
        for _ in range(2):
            deliver(desk, source, body)
            worker.turn()
        rows = parked(desk)
        assert len(rows) == number, (body, rows)
        assert rows[-1][0] == source
        assert why in rows[-1][2]
    assert desk.one("SELECT count(*) FROM arrival_todo") == 0
    assert desk.one("SELECT count(*) FROM cases") == 0


def test_a_bad_one_in_a_hundred_spoils_no_other(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    many = [applied(case_id=str(10**17 + n)) for n in range(100)]
    many[50] = applied(case_id=str(10**17 + 50), status="WAIT_FOR_GODOT")
    deliver(desk, "taobao", many)
    worker.turn()
    assert desk.one("SELECT count(*) FROM handling") == 99
    assert desk.one("SELECT why FROM parked") == "status 'WAIT_FOR_GODOT' is unknown"


@pytest.mark.parametrize(
    "line",
    [LINE | {"num": 0}, LINE | {"oid": "2", "divide_order_fee": "-3.00"}],
    ids=["no units", "below zero"],
)
def test_what_only_the_record_refuses_spoils_no_other(desk: Desk, line: dict[str, Any]) -> None:
    """Understood by the connector, refused by a constraint: the body is taken apart, its neighbours go in."""
    worker = open_to_pushes(desk)
    many = [applied(case_id=str(10**17 + n)) for n in range(99)]
    many.insert(50, tmc("trade_TradePaid", {"trade": trade("77", orders={"order": [line]})}))
    deliver(desk, "taobao", many)
    deliver(desk, "taobao", applied(case_id="5"))
    worker.turn()
    assert desk.one("SELECT count(*) FROM handling") == 100
    assert desk.all("SELECT order_id FROM orders WHERE order_version > 0") == []
    (row,) = parked(desk)
    assert row[0] == "taobao"
    assert desk.one("SELECT count(*) FROM arrival_todo") == 0
    before = desk.one("SELECT count(*) FROM decision")
    worker.turn()
    assert desk.one("SELECT count(*) FROM decision") == before


def test_a_body_that_was_fetched_and_is_no_refund_is_parked(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao.refund", refund(status="?"), b"{]", refund(refund_id="6"))
    worker.turn()
    assert desk.all("SELECT case_id FROM cases") == ["6"]
    assert desk.one("SELECT count(*) FROM parked") == 2
    assert desk.one("SELECT count(*) FROM arrival_todo") == 0


def test_a_line_of_a_trace_as_long_as_a_novel_is_kept_short(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    novel = trace("YT5")
    novel["lastResult"]["data"][0]["context"] = "".join(
        chr(0x4E00 + n * 7919 % 20_000) for n in range(20_000)
    )
    deliver(desk, "kuaidi100", signed("kuaidi100", encoded(novel))[1])
    worker.turn()
    assert desk.one(
        "SELECT tracking_events, length(text) FROM parcel JOIN tracking_event USING (tracking_no)"
    ) == (1, 500)
    assert parked(desk) == []


def test_goods_that_came_back_for_nobody_are_parked(desk: Desk) -> None:
    desk.tell(order(), application(), Inbound(1, case_id="R1", inbound_success=True))
    desk.tell(Inbound(1, case_id="R404", inbound_success=True))
    assert desk.one("SELECT count(*) FROM parcel") == 0
    assert [row[:2] for row in parked(desk)] == [("warehouse", "R1"), ("warehouse", "R404")]
    assert desk.one("SELECT rule FROM handling") == "unshipped_auto"


def test_goods_that_came_back_for_an_unknown_waybill_wait_for_their_case(desk: Desk) -> None:
    desk.tell(
        Inbound(
            1, tracking_no="SF9", inbound_success=True, inbound_condition="intact", warehouse_kind="cainiao"
        )
    )
    assert desk.one("SELECT count(*) FROM cases") == 0
    back: dict[str, Any] = {
        "aftersale_type": "return_refund",
        "state": "return_shipped",
        "return_tracking_no": "SF9",
    }
    desk.tell(order(shipped=True), application(**back))
    assert desk.one("SELECT rule FROM handling") == "return_received_cainiao"
    assert desk.one("SELECT amount_fen FROM intent WHERE money") == 5_000


@pytest.mark.parametrize("amount_fen", [10_001, 9_000_000_000])
def test_more_than_was_paid_is_looked_at_by_people(desk: Desk, amount_fen: int) -> None:
    desk.tell(order(), application(amount_fen=amount_fen, zero_second_covered=True))
    assert desk.one("SELECT queue FROM queue_item") == "amount_check"
    assert desk.all("SELECT kind FROM intent WHERE money") == []


def test_nothing_known_pays_nothing(desk: Desk) -> None:
    desk.tell(Order("T1", 1), Application("R1", "T1", 1))
    assert desk.one("SELECT queue FROM queue_item") == "data_missing"
    assert desk.all("SELECT kind FROM intent") == []


def test_a_trace_and_a_paper_for_orders_never_seen_are_kept(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "warehouse", PAPER | {"state": "packing"})
    deliver(desk, "kuaidi100", b"param=" + encoded(trace("YT404")))
    worker.turn()
    assert desk.one("SELECT order_id, warehouse_state, paid_fen FROM orders") == ("1", "packing", None)
    assert desk.one("SELECT tracking_no FROM parcel") == "YT404"
    assert parked(desk) == []
