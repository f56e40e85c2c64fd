"""Stopping a parcel and an order: what the courier answers, and what the warehouse tells later."""

from datetime import timedelta

from aftersale.connectors.kuaidi100.intercept import intercept
from aftersale.connectors.outcome import Answer, Ok, Rejected
from aftersale.connectors.taobao import refunds
from aftersale.core.records import Inbound, Interception, Parcel, WarehouseOrder
from tests.sandbox.cases import fen, waiting
from tests.sandbox.running import START, Running, running
from tests.sandbox.test_push import Door, opened


def _stop(one: Running, number: str, secret: str = "courier-secret") -> Answer:
    url = f"{one.url}/kuaidi100/label/order"
    return intercept(
        one.http,
        url,
        "courier-key",
        secret,
        courier="yuantong",
        tracking_no=number,
        case_id="1",
        now=START,
    )


def test_parcels_are_stopped_and_come_back_or_are_not() -> None:
    with opened(Door()) as door, running("--applications", "300", "--push-url", door.url) as one:
        one.control.jump(START + timedelta(hours=14))
        top = one.top()
        shipped = waiting(one, "demo1", lambda row: row["order_status"] == "WAIT_BUYER_CONFIRM_GOODS")[:12]
        traces = [refunds.trace(top, str(row["tid"])) for row in shipped]
        numbers = [trace.body["out_sid"] for trace in traces if isinstance(trace, Ok)]
        answers = [_stop(one, number) for number in numbers]
        taken = [number for number, answer in zip(numbers, answers, strict=True) if isinstance(answer, Ok)]
        assert len(taken) >= 8
        again = _stop(one, taken[0])
        assert isinstance(again, Rejected)
        assert again.code == "501"
        unknown, wrong = _stop(one, "XX0"), _stop(one, taken[0], secret="wrong")
        assert isinstance(unknown, Rejected)
        assert isinstance(wrong, Rejected)
        assert (unknown.code, wrong.code) == ("500", "503")
        one.control.jump(START + timedelta(days=8))
        one.control.settled()
    assert door.problems == []
    told = [arrival.record for arrival in door.arrivals]
    ends = {}
    for record in told:
        if isinstance(record, Interception):
            ends[record.tracking_no] = record.interception
    assert set(ends) == set(taken)
    assert set(ends.values()) == {"succeeded", "failed"}
    returned = {r.tracking_no for r in told if isinstance(r, Parcel) and r.tracking_state == "returned"}
    inbound = {r.tracking_no for r in told if isinstance(r, Inbound)}
    stopped = {number for number, end in ends.items() if end == "succeeded"}
    assert stopped <= returned
    assert stopped <= inbound


def test_a_cancelled_order_never_leaves() -> None:
    with opened(Door()) as door, running("--applications", "100", "--push-url", door.url) as one:
        one.control.jump(START + timedelta(hours=12))
        rows = waiting(one, "demo1", lambda row: row["order_status"] == "WAIT_SELLER_SEND_GOODS")[:10]
        for row in rows:
            tid, oid = str(row["tid"]), str(row["oid"])
            told = refunds.cancel_shipment(
                one.top(), row["refund_id"], order_id=tid, line_id=oid, amount_fen=fen(row), at=START
            )
            assert isinstance(told, Ok)
        one.control.jump(START + timedelta(days=10))
        one.control.settled()
    cancelled = {str(row["tid"]) for row in rows}
    papers = [
        arrival.record
        for arrival in door.arrivals
        if isinstance(arrival.record, WarehouseOrder) and arrival.record.order_id in cancelled
    ]
    assert {paper.order_id for paper in papers if paper.erp_cancel_confirmed} == cancelled
    assert not [paper for paper in papers if paper.warehouse_state == "shipped"]
