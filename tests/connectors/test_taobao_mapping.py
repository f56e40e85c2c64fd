"""TOP objects in our words: a table of types, every enum word, and what is not understood."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from aftersale.connectors.taobao.mapping import application, order
from aftersale.connectors.taobao.push import push
from aftersale.connectors.taobao.words import REASONS
from aftersale.core.records import Application, Arrival, BadInput, Notice, Order

REFUND: dict[str, Any] = {
    "refund_id": "1700000000000000001",
    "tid": 3100000000000000001,
    "oid": 3100000000000000002,
    "status": "WAIT_SELLER_AGREE",
    "order_status": "WAIT_SELLER_SEND_GOODS",
    "good_status": "BUYER_NOT_RECEIVED",
    "has_good_return": False,
    "refund_fee": "12.30",
    "reason": "拍错了",
    "refund_phase": "onsale",
    "refund_version": 1794758408349,
    "dispute_type": "REFUND",
    "cs_status": 1,
    "attribute": ";zero_second:1;freight_ins:0;modify_count:2;",
    "refund_remind_timeout": {"exist_timeout": True, "timeout": "2026-11-12 00:00:08"},
    "created": "2026-11-11 00:01:08",
    "modified": "2026-11-11 00:02:00",
}
TRADE: dict[str, Any] = {
    "tid": 3100000000000000001,
    "status": "WAIT_BUYER_CONFIRM_GOODS",
    "created": "2026-11-10 23:59:00",
    "modified": "2026-11-11 00:00:00",
    "payment": "30.00",
    "post_fee": "6.00",
    "total_fee": "40.00",
    "consign_time": "2026-11-11 00:00:00",
    "trade_attr": '{"promo":"double11","perishable":true}',
    "promotion_details": {
        "promotion_detail": [
            {"id": 3100000000000000002, "promotion_id": "shop-1", "discount_fee": "9.00"},
            {"id": 3100000000000000002, "promotion_id": "platform-2", "discount_fee": "7.00"},
        ]
    },
    "orders": {
        "order": [
            {
                "oid": 3100000000000000002,
                "num_iid": 9,
                "title": "保温杯",
                "num": 2,
                "divide_order_fee": "24.00",
            }
        ]
    },
}

TYPES = """
dispute_type      order_status              goods_back  reason      type                  state_of_SUCCESS
REFUND            WAIT_SELLER_SEND_GOODS    false            拍错了      unshipped_refund_only refunded
REFUND            SELLER_CONSIGNED_PART     false            拍错了      shipped_refund_only   refunded
REFUND            WAIT_BUYER_CONFIRM_GOODS  false            未收到货    shipped_refund_only   refunded
REFUND            TRADE_CLOSED              false            拍错了      None                  refunded
REFUND            TRADE_FINISHED            false            退运费      freight_refund        refunded
REFUND            TRADE_FINISHED            false            退差价      price_diff_refund     refunded
REFUND            WAIT_SELLER_SEND_GOODS    false            退定金      deposit_refund        refunded
REFUND_AND_RETURN TRADE_BUYER_SIGNED        true             不喜欢      return_refund         refunded
TMALL_EXCHANGE    TRADE_FINISHED            true             发错货      exchange              closed
TAOBAO_EXCHANGE   TRADE_FINISHED            true             发错货      exchange              closed
REPAIR            TRADE_FINISHED            true             质量问题    repair                closed
RESHIPPING        TRADE_FINISHED            false            少件        resend                closed
OTHERS            TRADE_FINISHED            true             其他        return_refund         refunded
OTHERS            TRADE_FINISHED            false            其他        None                  refunded
"""


@pytest.mark.parametrize("row", TYPES.strip().splitlines()[1:])
def test_aftersale_type(row: str) -> None:
    dispute, status, goods, reason, expected, end = row.split()
    told = {
        "dispute_type": dispute,
        "order_status": status,
        "has_good_return": goods == "true",
        "reason": reason,
    }
    record = application(REFUND | told | {"status": "SUCCESS"})
    assert isinstance(record, Application)
    assert (str(record.aftersale_type), record.state) == (expected, end)


def test_an_application_with_all_its_facts() -> None:
    assert application(REFUND) == Application(
        case_id="1700000000000000001",
        order_id="3100000000000000001",
        version=1794758408349,
        aftersale_type="unshipped_refund_only",
        state="applied",
        phase="onsale",
        reason="wrong_purchase",
        reason_text="拍错了",
        amount_fen=1230,
        applied_at=datetime(2026, 11, 10, 16, 1, 8, tzinfo=UTC),
        applied_minute=1,
        received=False,
        due_at=datetime(2026, 11, 11, 16, 0, 8, tzinfo=UTC),
        intervened=False,
        zero_second_covered=True,
        freight_insurance=False,
        operation_limit="none",
        modification_count=2,
        line_id="3100000000000000002",
    )


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("status", "WAIT_FOR_GODOT"),
        ("good_status", "BUYER_ATE_IT"),
        ("dispute_type", "DUEL"),
        ("order_status", "ON_THE_MOON"),
        ("refund_phase", "moon"),
        ("cs_status", 77),
        ("operation_contraint", "never"),
        ("refund_fee", "12.345"),
        ("refund_fee", "-1.00"),
        ("created", "yesterday"),
        ("refund_id", "x" * 65),
        ("refund_id", 1.5),
    ],
)
def test_an_unknown_word_is_named(field: str, word: object) -> None:
    record = application(REFUND | {field: word})
    assert isinstance(record, BadInput)
    assert field in record.why or str(word)[:60] in record.why


def test_without_a_version_the_moment_of_change_counts() -> None:
    record = application({key: value for key, value in REFUND.items() if key != "refund_version"})
    assert isinstance(record, Application)
    assert record.version == 1794326520000


def test_an_unknown_reason_is_other_and_its_text_is_kept() -> None:
    record = application(REFUND | {"reason": "星座不合"})
    assert isinstance(record, Application)
    assert (record.reason, record.reason_text) == ("other", "星座不合")
    assert len(set(REASONS.values()) - {"deposit"}) == 26


def test_an_order_with_its_shares() -> None:
    record = order(TRADE)
    assert isinstance(record, Order)
    assert (record.order_state, record.order_kind, record.shipped) == ("shipped", "spot", True)
    assert (record.paid_fen, record.freight_fen, record.item_value_fen) == (3000, 600, 4000)
    assert (record.promo, record.perishable, record.locked_until) == ("double11", True, None)
    assert record.lines[0].shares == (("platform", 700), ("shop", 900))
    assert (record.lines[0].line_id, record.lines[0].paid_fen) == ("3100000000000000002", 2400)


def _message(topic: str, content: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(content, ensure_ascii=False)
    return {"id": 1, "topic": topic, "content": text, "pub_time": "2026-11-11 00:02:01"}


def test_a_body_of_many_messages_keeps_good_and_bad_apart() -> None:
    messages = [
        _message("taobao_refund_RefundCreated", {"refund": REFUND}),
        _message("taobao_trade_TradeBuyerPay", {"trade": TRADE}),
        _message("taobao_refund_RefundCreated", {"refund_id": 42, "modified": "2026-11-11 00:02:00"}),
        _message("taobao_item_ItemAdd", {}),
        {"topic": 3},
    ]
    thick, trade, thin, strange, broken = push(json.dumps(messages, ensure_ascii=False).encode())
    assert isinstance(thick, Arrival)
    assert thick.key == "taobao_refund_RefundCreated:1700000000000000001:1794758408349"
    assert thick.occurred_at == datetime(2026, 11, 10, 16, 2, tzinfo=UTC)
    assert json.loads(thick.raw) == messages[0]
    assert isinstance(trade, Arrival)
    assert isinstance(trade.record, Order)
    assert isinstance(thin, Arrival)
    assert thin.record == Notice("application", "42")
    assert isinstance(strange, BadInput)
    assert "taobao_item_ItemAdd" in strange.why
    assert isinstance(broken, BadInput)


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[1,2", b"\xff\xfe", b"{}", b"null", b"[" + b"{}," * 1000 + b"{}]"]
)
def test_a_body_that_is_no_message_is_parked_whole(body: bytes) -> None:
    (only,) = push(body)
    assert isinstance(only, BadInput)
    assert only.raw == body


def test_what_is_given_on_the_whole_trade_is_spread_over_its_lines() -> None:
    """By what the lines cost, to the fen; two gifts of one funder are one share."""
    trade = deepcopy(TRADE)
    trade["promotion_details"]["promotion_detail"] += [
        {"id": trade["tid"], "promotion_id": "platform-9", "discount_fee": "0.03"},
        {"id": 3100000000000000002, "promotion_id": "shop-7", "discount_fee": "1.00"},
    ]
    record = order(trade)
    assert isinstance(record, Order)
    given = [share for line in record.lines for share in line.shares]
    assert dict(record.lines[0].shares)["shop"] == 900 + 100
    assert sum(fen for funder, fen in given if funder == "platform") == 700 + 3
