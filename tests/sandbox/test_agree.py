"""Our client against the sandbox: paying, partial results, limits, and never twice."""

from datetime import timedelta

import pytest

from aftersale.connectors.outcome import Ok, Rejected
from aftersale.connectors.taobao import refunds
from aftersale.connectors.taobao.refunds import AGREE_LIMITS, Agreement
from tests.sandbox.cases import agreement, fen, paid, waiting
from tests.sandbox.running import START, Running


def _rejected(sub_code: str, outcome: object) -> bool:
    return isinstance(outcome, Rejected) and outcome.sub_code == sub_code


def test_a_batch_with_partial_results(morning: Running) -> None:
    top = morning.top("demo2")
    good, stale, greedy, *_ = waiting(morning, "demo2", lambda row: fen(row) < 50_000)
    unknown = Agreement("1799999999999999999", 100, 1)
    outcomes = refunds.agree(
        top,
        [
            agreement(good),
            agreement(stale)._replace(version=stale["refund_version"] - 1),
            agreement(greedy, fen(greedy) + 1),
            unknown,
        ],
    )
    assert isinstance(outcomes[good["refund_id"]], Ok)
    assert _rejected("isv.refund-version-invalid", outcomes[stale["refund_id"]])
    assert _rejected("isv.refund-amount-invalid", outcomes[greedy["refund_id"]])
    assert _rejected("isv.refund-not-exist", outcomes[unknown.refund_id])
    assert [paid(morning, row) for row in (good, stale, greedy)] == [[fen(good)], [], []]


def test_a_second_agree_is_refused_and_pays_nothing(morning: Running) -> None:
    top = morning.top("demo2")
    row = waiting(morning, "demo2", lambda row: fen(row) < 50_000)[0]
    assert isinstance(refunds.agree(top, [agreement(row)])[row["refund_id"]], Ok)
    now = refunds.detail(top, row["refund_id"])
    assert isinstance(now, Ok)
    again = agreement(row)._replace(version=now.body["refund_version"])
    assert _rejected("isv.refund-status-invalid", refunds.agree(top, [again])[row["refund_id"]])
    assert paid(morning, row) == [fen(row)]


def test_the_same_refund_twice_in_one_batch_is_paid_once(morning: Running) -> None:
    row = waiting(morning, "demo2", lambda row: fen(row) < 50_000)[0]
    refunds.agree(morning.top("demo2"), [agreement(row), agreement(row)])
    assert paid(morning, row) == [fen(row)]


def test_tmall_asks_for_a_review_and_the_phase(morning: Running) -> None:
    top = morning.top("demo1", method="md5")
    row = waiting(morning, "demo1", lambda row: fen(row) < 50_000)[0]
    wish = agreement(row)
    assert _rejected("isv.refund-not-reviewed", refunds.agree(top, [wish])[row["refund_id"]])
    assert _rejected(
        "isv.refund-phase-invalid", refunds.agree(top, [wish._replace(phase="")])[row["refund_id"]]
    )
    told = refunds.review(
        top, row["refund_id"], version=wish.version, phase=wish.phase, operator="客服小明", message="核对无误"
    )
    assert isinstance(told, Ok)
    assert paid(morning, row) == []
    assert isinstance(refunds.agree(top, [wish])[row["refund_id"]], Ok)
    assert paid(morning, row) == [fen(row)]


def test_limits_of_one_call(morning: Running) -> None:
    top = morning.top("demo2")
    rows = waiting(morning, "demo2")
    many = [agreement(row) for row in rows[: AGREE_LIMITS["taobao"].refunds_max + 1]]
    assert all(_rejected("isv.refund-batch-too-large", one) for one in refunds.agree(top, many).values())
    dear = sorted(rows, key=fen)[-10:]
    assert sum(map(fen, dear)) > AGREE_LIMITS["taobao"].amount_fen_max
    before = len(morning.control.ledger())
    outcomes = refunds.agree(top, [agreement(row) for row in dear])
    assert {one.code for one in outcomes.values() if isinstance(one, Rejected)} == {"sms_code"}
    assert len(morning.control.ledger()) == before
    outcomes = refunds.agree(top, [agreement(row) for row in dear], sms_code="246810")
    assert all(isinstance(one, Ok) for one in outcomes.values())


def test_a_return_is_agreed_refused_and_read(morning: Running) -> None:
    top = morning.top("demo1")
    rows = [
        row
        for row in morning.control.applications()
        if row["shop"] == "demo1"
        and row["dispute_type"] == "REFUND_AND_RETURN"
        and row["status"] == "WAIT_SELLER_AGREE"
    ]
    row = next(row for row in rows if "无理由" in row["reason"])
    at = {"version": row["refund_version"], "phase": row["refund_phase"]}
    refused = refunds.refuse(top, row["refund_id"], message="不同意退货", reason_id=2, proof=b"jpg", **at)
    assert _rejected("isv.refund-cannot-refuse", refused)
    early = refunds.agree(top, [agreement(row)])[row["refund_id"]]
    assert _rejected("isv.refund-status-invalid", early)
    assert isinstance(refunds.agree_return(top, row["refund_id"], address_id=1, remark="请寄回", **at), Ok)
    now = refunds.detail(top, row["refund_id"])
    assert isinstance(now, Ok)
    assert now.body["status"] == "WAIT_BUYER_RETURN_GOODS"
    assert now.body["refund_remind_timeout"]["exist_timeout"] is True
    assert paid(morning, row) == []
    other = next(one for one in rows if "无理由" not in one["reason"])
    at = {"version": other["refund_version"], "phase": other["refund_phase"]}
    refused = refunds.refuse(
        top, other["refund_id"], message="商品影响二次销售", reason_id=2, proof=b"jpg", **at
    )
    assert isinstance(refused, Ok)
    told = refunds.messages(top, other["refund_id"], other["refund_phase"])
    assert isinstance(told, Ok)
    assert told.body["refund_messages"]["refund_message"][-1]["content"] == "商品影响二次销售"


def test_messages_memo_trace_and_cancelled_shipment(morning: Running) -> None:
    top = morning.top("demo2")
    unshipped = waiting(morning, "demo2", lambda row: row["order_status"] == "WAIT_SELLER_SEND_GOODS")[0]
    shipped = waiting(morning, "demo2", lambda row: row["order_status"] == "WAIT_BUYER_CONFIRM_GOODS")[0]
    assert isinstance(refunds.message(top, unshipped["refund_id"], "已为您处理", b"\xff\xd8\xff"), Ok)
    assert isinstance(refunds.memo(top, str(unshipped["tid"]), "小明：已核实", 3), Ok)
    trade = refunds.trade(top, str(unshipped["tid"]))
    assert isinstance(trade, Ok)
    long = refunds.message(top, unshipped["refund_id"], "好" * 134, b"")
    assert _rejected("isv.invalid-parameter:content", long)
    results = []
    for row in (unshipped, shipped):
        wish = {"order_id": str(row["tid"]), "line_id": str(row["oid"]), "amount_fen": fen(row), "at": START}
        results.append(refunds.cancel_shipment(top, row["refund_id"], **wish))
    assert isinstance(results[0], Ok)
    assert _rejected("isv.goods-shipped", results[1])
    assert _rejected("isv.logistics-not-exist", refunds.trace(top, str(unshipped["tid"])))
    trace = refunds.trace(top, str(shipped["tid"]))
    assert isinstance(trace, Ok)
    assert trace.body["out_sid"]


def test_changed_pages_hold_everything_once(morning: Running) -> None:
    top = morning.top("demo2")
    seen: list[str] = []
    page_no, more = 1, True
    while more:
        page = refunds.changed(top, START, START + timedelta(days=1), page_no)
        assert isinstance(page, refunds.Page)
        seen += [row["refund_id"] for row in page.refunds]
        page_no, more = page_no + 1, page.has_next
    everything = [row["refund_id"] for row in morning.control.applications() if row["shop"] == "demo2"]
    assert sorted(seen) == sorted(everything)
    assert page_no > 2 or len(everything) <= 100


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
def test_every_signature_method_is_accepted_and_a_wrong_secret_is_not(morning: Running, method: str) -> None:
    refund_id = waiting(morning, "demo1")[0]["refund_id"]
    assert isinstance(refunds.detail(morning.top(method=method), refund_id), Ok)
    told = refunds.detail(morning.top(method=method, secret="wrong"), refund_id)
    assert isinstance(told, Rejected)
    assert told.code == "25"
