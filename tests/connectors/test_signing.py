"""Signatures against values that independent code produced (TOP doc 101617, taobao-openapi)."""

import pytest

from aftersale.connectors.taobao.signing import sign

OFFICIAL = {
    "app_key": "12345678",
    "fields": "num_iid,title,nick,price,num",
    "format": "json",
    "method": "taobao.item.seller.get",
    "num_iid": "11223344",
    "session": "test",
    "timestamp": "2016-01-01 12:00:00",
    "v": "2.0",
}
CHINESE = {
    "method": "taobao.refund.refuse",
    "app_key": "12345678",
    "session": "sess",
    "timestamp": "2026-01-02 03:04:05",
    "format": "json",
    "v": "2.0",
    "refund_id": "111222333",
    "refuse_message": "商品影响二次销售",
}
VECTORS = [
    (OFFICIAL, "md5", "66987CB115214E59E6EC978214934FB8"),
    (OFFICIAL, "hmac", "D56D7858309C31B6251083A874D48273"),
    (OFFICIAL, "hmac-sha256", "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8"),
    (CHINESE, "md5", "1DBA1EDC4AD177B5DBD4BE4A0CC0615E"),
    (CHINESE, "hmac-sha256", "4A6F914520699451C8D689B82D6562EB683AF6806F7C2457DBD7F2AC93A8D45E"),
]


@pytest.mark.parametrize(("params", "method", "expected"), VECTORS)
def test_known_vectors(params: dict[str, str], method: str, expected: str) -> None:
    assert sign(params | {"sign_method": method}, "helloworld", method) == expected


def test_sign_and_empty_values_take_no_part() -> None:
    signed = OFFICIAL | {"sign_method": "md5", "sign": "X", "partner_id": ""}
    assert sign(signed, "helloworld", "md5") == "66987CB115214E59E6EC978214934FB8"


def test_unknown_method_is_an_error() -> None:
    with pytest.raises(ValueError, match="sha1"):
        sign(OFFICIAL, "helloworld", "sha1")
