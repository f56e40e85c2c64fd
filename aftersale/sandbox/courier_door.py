"""Kuaidi100's label/order as far as stopping a parcel goes (method interceptOrder)."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from aftersale.sandbox.world import courier
from aftersale.sandbox.world.market import Market
from aftersale.sandbox.world.model import Parcel, Trade

if TYPE_CHECKING:
    from aftersale.sandbox.run import Sandbox

KEY, SECRET = "courier-key", "courier-secret"


class Wish(msgspec.Struct):
    """`param` of the call, as far as it is read."""

    kuaidinum: str
    kuaidicom: str = ""
    interceptType: str = "RETURN"


def intercept(sandbox: "Sandbox", fields: Mapping[str, str]) -> dict[str, Any]:
    """Take a wish to stop a parcel; the result is pushed by the warehouse later."""
    answer = _intercept(sandbox, fields)
    sandbox.calls[f"interceptOrder {answer['returnCode']}"] += 1
    return answer


def _intercept(sandbox: "Sandbox", fields: Mapping[str, str]) -> dict[str, Any]:
    param, stamp = fields.get("param", ""), fields.get("t", "")
    sign = hashlib.md5(f"{param}{stamp}{KEY}{SECRET}".encode()).hexdigest().upper()
    if fields.get("key") != KEY or not hmac.compare_digest(sign.encode(), fields.get("sign", "").encode()):
        return _refused("503", "bad signature")
    if fields.get("method") != "interceptOrder":
        return _refused("400", "only interceptOrder is known here")
    try:
        wish = msgspec.json.decode(param, type=Wish)
    except msgspec.MsgspecError as error:
        return _refused("400", str(error))
    found = _parcel(sandbox.market, wish.kuaidinum)
    if found is None:
        return _refused("500", "no such waybill")
    parcel, trade = found
    if parcel is not trade.parcel or not courier.intercept(
        sandbox.market, trade, parcel, sandbox.clock.now_ms()
    ):
        return _refused("501", "the parcel can no longer be stopped")
    return {"result": True, "returnCode": "200", "message": "accepted", "data": {"taskId": parcel.number}}


def _parcel(market: Market, number: str) -> tuple[Parcel, Trade] | None:
    for shop in market.shops.values():
        if number in shop.parcels:
            return shop.parcels[number]
    return None


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"result": False, "returnCode": code, "message": message}
