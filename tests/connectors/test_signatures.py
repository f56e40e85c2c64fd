"""Who is let in at the doors: of thousands of posts exactly the genuine ones (reliability 3.4)."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aftersale.connectors.kuaidi100.verify import form as fields
from aftersale.connectors.kuaidi100.verify import verify as verify_form
from aftersale.connectors.standard_webhooks import verify

NOW = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)
SECRET, OTHER, OLD = "tao-secret", "another-shops-secret", "last-years-secret"
BODY = '{"id":1,"topic":"taobao_refund_RefundCreated","content":"{\\"refund\\":1} 退款"}'.encode()
STAMP = str(int(NOW.timestamp()))
Headers = dict[str, str]


def mac(body: bytes = BODY, secret: str = SECRET, message_id: str = "m1", stamp: str = STAMP) -> str:
    """Written from the specification, not with the code under test."""
    signed = f"{message_id}.{stamp}.".encode() + body
    return base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()


def headers(signature: str | None = None, message_id: str = "m1", stamp: str = STAMP) -> Headers:
    signature = signature or "v1," + mac(message_id=message_id, stamp=stamp)
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature}


GOOD = headers()
LET_IN: list[Headers] = [
    GOOD,
    headers(f"v1,{mac(secret=OLD)} v1,{mac()}"),
    headers(f"v1,{mac()} v1,{mac(secret=OLD)}"),
    headers(f"v1a,{mac(secret=OLD)} v1,{mac()}"),
    headers(f"v2,x v1,{mac()} v1,"),
    headers(message_id="消息"),
]
SHUT_OUT: list[tuple[Headers, str]] = [
    ({}, "unsigned"),
    *[({k: v for k, v in GOOD.items() if k != name}, "unsigned") for name in GOOD],
    *[(GOOD | {name: ""}, "unsigned") for name in GOOD],
    *[(headers(text), "bad_signature") for text in (
        mac(), f"v1a,{mac()}", f"V1,{mac()}", f"v1:{mac()}", f"v2,{mac()}", f"v11,{mac()}", f" v1, {mac()}",
        f"v1,{mac()},v1,{mac()}", f"v1,{mac()}=", f"v1,{mac()[:-1]}", f"v1,{mac().lower()}", f"v1,{mac().strip('=')}",
        f"v1,{mac(secret=OTHER)}", f"v1,{mac(secret='')}", f"v1,{mac(BODY + b' ')}", f"v1,{mac(b'')}",
        f"v1,{mac(message_id='m2')}", f"v1,{mac(stamp=str(int(STAMP) + 1))}", "v1,", "v1", ",", "v1,\x00", "v1,ＡＢ",
        f"v1,{mac()}\n", f"v1,{mac().replace('/', '_').replace('+', '-')}x",
    )],
    *[(GOOD | {"webhook-timestamp": stamp}, "bad_timestamp") for stamp in (
        "abc", "-1", "+" + STAMP, STAMP + ".0", STAMP + " ", "１７９", "1e9", "0x10", "9" * 13, "٣", "\x00",
    )],
    (GOOD | {"webhook-timestamp": "0" + STAMP}, "bad_signature"),
    (GOOD | {"webhook-id": "m1 "}, "bad_signature"),
    (GOOD | {"webhook-id": "m1." + STAMP}, "bad_signature"),
]  # fmt: skip


@pytest.mark.parametrize("given", LET_IN)
def test_a_genuine_post_is_let_in(given: Headers) -> None:
    assert verify(given, BODY, SECRET, NOW) is None


def test_everything_else_is_shut_out_with_its_reason() -> None:
    for told, code in SHUT_OUT:
        refused = verify(told, BODY, SECRET, NOW)
        assert refused is not None, told
        assert refused.code == code, told


def flips(raw: bytes) -> Iterator[bytes]:
    """Each single bit turned over."""
    for at in range(len(raw)):
        for bit in range(8):
            yield raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]


def test_one_bit_turned_over_anywhere_is_noticed() -> None:
    tried = 0
    for body in flips(BODY):
        assert verify(GOOD, body, SECRET, NOW) is not None, body
        tried += 1
    for name, value in GOOD.items():
        for turned in flips(value.encode()):
            assert verify(GOOD | {name: turned.decode("latin-1")}, BODY, SECRET, NOW) is not None, (
                name,
                turned,
            )
            tried += 1
    for cut in range(1, len(BODY)):
        for body in (BODY[:cut], BODY + BODY[:cut]):
            assert verify(GOOD, body, SECRET, NOW) is not None, body
            tried += 1
    assert tried > 1_200


@pytest.mark.parametrize("seconds", [-301, -300.001, -300, -299, 0, 299, 300, 300.001, 301])
def test_the_window_is_five_minutes_to_the_second(seconds: float) -> None:
    refused = verify(GOOD, BODY, SECRET, NOW + timedelta(seconds=seconds))
    assert (refused.code if refused else None) == ("stale" if abs(seconds) > 300 else None)


def test_a_secret_written_as_base64_is_decoded_and_nothing_else() -> None:
    raw = bytes(range(24))
    told = "whsec_" + base64.b64encode(raw).decode()
    signed = base64.b64encode(hmac.digest(raw, f"m1.{STAMP}.".encode() + BODY, hashlib.sha256)).decode()
    assert verify(headers(f"v1,{signed}"), BODY, told, NOW) is None
    assert verify(headers(f"v1,{mac(secret=told)}"), BODY, told, NOW) is not None


# Kuaidi100: a form signed by MD5 of param and salt. Neither other fields nor the writing of param are signed.
PARAM = '{"status":"polling","lastResult":{"nu":"YT1","state":"0","data":[{"ftime":"2026-11-11 10:00:00","context":"揽收"}]}}'


def form(param: str = PARAM, salt: str = "salt") -> bytes:
    sign = hashlib.md5((param + salt).encode()).hexdigest().upper()
    return f"sign={sign}&param={quote_plus(param)}".encode()


def accepted(body: bytes) -> bool:
    return verify_form({}, body, "salt", NOW) is None


def test_a_couriers_form_is_let_in_only_as_it_was_signed() -> None:
    assert accepted(form())
    assert accepted(form() + b"&more=1")
    for body in (
        b"", b"param=", form(salt="other"), form(salt=""), form().lower(), form()[:-1], form() + b"x", form()[5:],
        b"&".join([b"a=1"] * 21) + b"&" + form(), b"\xff" + form(), b"&sign=&" + form()[37:],
    ):  # fmt: skip
        assert not accepted(body), body


def test_one_bit_turned_over_in_a_couriers_form_changes_nothing_or_is_noticed() -> None:
    """Only another spelling of the same text may pass: `%e6` for `%E6`."""
    passed = tried = 0
    for body in flips(form()):
        tried += 1
        if accepted(body):
            passed += 1
            assert fields(body)["param"] == PARAM
    assert tried > 1_800
    assert passed < 100


PIECES = st.sampled_from(
    ["param", "=", "&", "%", "%E4%B8%AD", "%e4", "%zz", "+", "中", "é", " ", "{", "%2", "25", ";", "\x00"]
)


@given(st.lists(PIECES, max_size=40).map("".join))
@example("a=%E4中&b=%B8%AD&=c&d=&&e")
@example("&".join(["a=1"] * 20))
@example("&".join(["a=1"] * 21))
def test_a_form_is_read_as_the_library_reads_it(text: str) -> None:
    try:
        wanted = dict(parse_qsl(text, max_num_fields=20))
    except ValueError:
        wanted = {}
    assert fields(text.encode()) == wanted
