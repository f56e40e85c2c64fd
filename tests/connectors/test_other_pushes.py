"""Kuaidi100 and the warehouse: signatures, states and what is not understood."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from aftersale.connectors import standard_webhooks
from aftersale.connectors.kuaidi100 import push as kuaidi100
from aftersale.connectors.kuaidi100.verify import verify as verify_kuaidi100
from aftersale.connectors.warehouse.push import push as warehouse
from aftersale.core.records import Arrival, BadInput, Inbound, Interception, Parcel, WarehouseOrder

NOW = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
AT = "2026-11-11T10:00:00+08:00"

STATES = """
state code  ours              signed_by
1     103   picked_up         None
0     1002  in_transit        None
5     5     out_for_delivery  None
5     501   waiting_pickup    None
3     301   signed            self
3     303   signed            other
3     304   signed            station
2     206   delivery_failed   None
2     207   out_of_area       None
2     208   held              None
2     209   damaged           None
2     203   refused           None
14    14    refused           None
6     6     returning         None
4     4     returned          None
7     7     forwarded         None
8     10    customs           None
"""


def _form(param: dict[str, Any] | list[dict[str, Any]]) -> bytes:
    return urlencode({"param": json.dumps(param, ensure_ascii=False)}).encode()


def _trace(state: str, code: str) -> dict[str, Any]:
    newest = {"ftime": "2026-11-11 10:00:00", "context": "最新", "statusCode": code}
    first = {"ftime": "2026-11-10 10:00:00", "context": "揽收", "statusCode": "103"}
    return {
        "status": "polling",
        "lastResult": {"nu": "YT1", "com": "yuantong", "state": state, "data": [newest, first]},
    }


@pytest.mark.parametrize("row", STATES.strip().splitlines()[1:])
def test_kuaidi100_states(row: str) -> None:
    state, code, ours, signed_by = row.split()
    (arrival,) = kuaidi100.push(_form(_trace(state, code)))
    assert isinstance(arrival, Arrival)
    assert isinstance(arrival.record, Parcel)
    assert (arrival.record.tracking_state, str(arrival.record.signed_by)) == (ours, signed_by)
    assert arrival.record.version == 1794362400_000_000
    assert [event.text for event in arrival.record.events] == ["揽收", "最新"]


def test_kuaidi100_array_and_rubbish() -> None:
    good, bad = kuaidi100.push(_form([_trace("3", "301"), _trace("99", "99")]))
    assert isinstance(good, Arrival)
    assert isinstance(bad, BadInput)
    assert "99" in bad.why
    assert isinstance(kuaidi100.push(b"nothing")[0], BadInput)


def test_kuaidi100_signature_vector() -> None:
    param = '{"status":"polling","lastResult":{"nu":"YT0000000000001","state":"3"}}'
    body = urlencode({"param": param, "sign": "36C684C447BDA138A02B183F7D889F0D"}).encode()
    assert verify_kuaidi100({}, body, "mysalt", NOW) is None
    refused = verify_kuaidi100({}, body, "othersalt", NOW)
    assert refused is not None
    assert refused.code == "bad_signature"
    unsigned = verify_kuaidi100({}, b"param=1", "mysalt", NOW)
    assert unsigned is not None
    assert unsigned.code == "unsigned"


def test_warehouse_documents() -> None:
    body = json.dumps(
        [
            {"kind": "order", "order_id": "1", "version": 3, "at": AT, "state": "packing"},
            {"kind": "inbound", "version": 4, "at": AT, "tracking_no": "TH1", "success": True,
             "condition": "damaged", "warehouse": "cainiao"},
            {"kind": "interception", "version": 5, "at": AT, "tracking_no": "YT1",
             "result": "failed", "requested_at": "2026-11-10T10:00:00+08:00"},
            {"kind": "order", "order_id": "1", "version": 3, "at": AT, "state": "flying"},
            {"kind": "inbound", "version": 4, "at": "2026-11-11T10:00:00"},
        ]
    ).encode()  # fmt: skip
    order, inbound, interception, unknown, no_zone = warehouse(body)
    assert isinstance(order, Arrival)
    assert order.record == WarehouseOrder("1", 3, "packing")
    assert isinstance(inbound, Arrival)
    assert isinstance(inbound.record, Inbound)
    assert (inbound.record.inbound_at, inbound.record.warehouse_kind) == (NOW, "cainiao")
    assert isinstance(interception, Arrival)
    assert interception.record == Interception("YT1", 5, "failed", NOW - timedelta(days=1))
    assert isinstance(unknown, BadInput)
    assert "flying" in unknown.why
    assert isinstance(no_zone, BadInput)


def test_standard_webhooks() -> None:
    body, stamp = b'{"a":1}', str(int(NOW.timestamp()))
    good = standard_webhooks.signature("m1", stamp, body, "secret")
    headers = {"webhook-id": "m1", "webhook-timestamp": stamp, "webhook-signature": f"v1,xx v1,{good}"}
    check = standard_webhooks.verify
    codes = [
        check(headers, body, "secret", NOW),
        check(headers, body, "secret", NOW + timedelta(minutes=6)),
        check(headers, body + b" ", "secret", NOW),
        check(headers, body, "other", NOW),
        check({**headers, "webhook-timestamp": "soon"}, body, "secret", NOW),
        check({}, body, "secret", NOW),
    ]
    told = [code and code.code for code in codes]
    assert told == [None, "stale", "bad_signature", "bad_signature", "bad_timestamp", "unsigned"]


def test_standard_webhooks_published_vector() -> None:
    """The example of the Standard Webhooks specification."""
    body = b'{"test": 2432232314}'
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    mac = standard_webhooks.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, secret)
    assert mac == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
