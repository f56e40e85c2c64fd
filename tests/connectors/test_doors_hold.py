"""Whatever comes in, a door answers with values, and what it lets in can be stored."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.connectors.kuaidi100 import push as kuaidi100
from aftersale.connectors.kuaidi100.verify import verify as verify_form
from aftersale.connectors.standard_webhooks import verify
from aftersale.connectors.taobao import push as taobao
from aftersale.connectors.warehouse import push as warehouse
from aftersale.core.records import Arrival, BadInput
from tests.connectors.test_taobao_mapping import REFUND, TRADE

NOW = datetime(2026, 11, 11, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _must_be_storable(result: Arrival | BadInput) -> None:
    if isinstance(result, BadInput):
        assert result.why
        return
    assert result.occurred_at.tzinfo is not None
    told = repr(result.record)
    assert "\\x00" not in told
    assert len(result.key) < 250
    assert getattr(result.record, "version", 0) < 2**63


@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    for door in (taobao, kuaidi100, warehouse):
        for result in door.push(body):
            _must_be_storable(result)
    assert verify_form({}, body, "salt", NOW) is not None
    headers = {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": body.decode("latin-1")}
    assert verify(headers, body, "secret", NOW) is not None


def _encode(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return b"{}"


@given(st.sampled_from(sorted(REFUND)), JSON)
def test_any_value_in_a_refund(field: str, value: Any) -> None:
    content = _encode({"refund": REFUND | {field: value}}).decode()
    message = {"id": 1, "topic": "taobao_refund_RefundCreated", "content": content}
    for result in taobao.push(_encode(message)):
        _must_be_storable(result)


@given(st.sampled_from(sorted(TRADE)), JSON)
def test_any_value_in_a_trade(field: str, value: Any) -> None:
    content = _encode({"trade": TRADE | {field: value}}).decode()
    message = {"id": 1, "topic": "taobao_trade_TradeBuyerPay", "content": content}
    for result in taobao.push(_encode(message)):
        _must_be_storable(result)


@given(st.sampled_from(["order_id", "version", "at", "state", "handed_over_at", "kind", "x"]), JSON)
def test_any_value_in_a_paper(field: str, value: Any) -> None:
    paper = {"kind": "order", "order_id": "1", "version": 1, "at": "2026-11-11T00:00:00+08:00", field: value}
    for result in warehouse.push(_encode(paper)):
        _must_be_storable(result)


@given(st.sampled_from(["nu", "state", "com", "data"]), JSON)
def test_any_value_in_a_trace(field: str, value: Any) -> None:
    step = {"ftime": "2026-11-11 10:00:00", "context": "揽收", "statusCode": "103"}
    param = {"lastResult": {"nu": "YT1", "state": "1", "data": [step], field: value}}
    for result in kuaidi100.push(urlencode({"param": _encode(param)}).encode()):
        _must_be_storable(result)


@pytest.mark.parametrize("number", [2**62 + 1, -1, 2**70])
def test_a_version_that_no_column_holds_is_parked(number: int) -> None:
    content = _encode({"refund": REFUND}).decode().replace("1794758408349", str(number))
    body = _encode({"id": 1, "topic": "taobao_refund_RefundCreated", "content": content})
    (result,) = taobao.push(body)
    assert isinstance(result, BadInput)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("body", [DEEP, b'{"kind": "order", "x": ' + DEEP + b"}"])
@pytest.mark.parametrize("read", [taobao.push, warehouse.push])
def test_a_body_nested_too_deep_is_parked_with_its_reason(
    read: Callable[[bytes], list[Arrival | BadInput]], body: bytes
) -> None:
    (only,) = read(body)
    assert isinstance(only, BadInput)
    assert "recursion" in only.why
