"""TOP's write methods over the sandbox's market."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from aftersale.core.refusal import Refusal
from aftersale.sandbox.top import seller
from aftersale.sandbox.top.protocol import TopError, isv, number, required
from aftersale.sandbox.top.reads import REFUSE_REASONS, refund_of, trade_of
from aftersale.sandbox.top.views import Listing, text
from aftersale.sandbox.world import warehouse
from aftersale.sandbox.world.market import Market, Shop

MESSAGE_BYTES_MAX, MEMO_BYTES_MAX = 400, 1000


@dataclass(frozen=True, slots=True)
class Call:
    """One write as it came in; `uploads` are the byte[] parameters."""

    shop: Shop
    fields: Mapping[str, str]
    uploads: Mapping[str, bytes]
    at_ms: int
    request_id: str


Write = Callable[[Market, Call], dict[str, Any]]


def _agree(market: Market, call: Call) -> dict[str, Any]:
    wishes = [_wish(entry) for entry in required(call.fields, "refund_infos").split(",")]
    refused = seller.batch_refused(call.shop, wishes, call.fields.get("code", ""))
    if refused:
        raise TopError(15, "Remote service error", refused.code, refused.why)
    results = []
    for wish in wishes:
        refusal = seller.agree(market, call.shop, wish, call.at_ms, call.request_id)
        message = f"{refusal.code}: {refusal.why}" if refusal else "OP_SUCC"
        results.append({"refund_id": str(wish.refund_id), "succ": refusal is None, "message": message})
    market.ledger.sync()
    good = sum(bool(row["succ"]) for row in results)
    msg_code = "OP_SUCC" if good == len(results) else "SOME_OP_SUCC" if good else "OP_FAIL"
    return {
        "succ": good == len(results),
        "msg_code": msg_code,
        "message": f"{good} of {len(results)} refunds paid",
        "results": Listing("refund_mapping_result", results),
    }


def _wish(entry: str) -> seller.Wish:
    parts = entry.strip().replace("¦", "|").split("|")
    if not 3 <= len(parts) <= 4 or not all(part.isascii() and part.isdigit() for part in parts[:3]):
        why = "refund_infos is refund_id|amount|version|phase"
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter:refund_infos", why)
    return seller.Wish(int(parts[0]), int(parts[1]), int(parts[2]), parts[3] if len(parts) == 4 else "")


def _review(market: Market, call: Call) -> dict[str, Any]:
    required(call.fields, "operator")
    required(call.fields, "message")
    refund = refund_of(call.shop, call.fields)
    version, phase = number(call.fields, "refund_version"), required(call.fields, "refund_phase")
    passed = required(call.fields, "result") == "true"
    _raise(seller.review(call.shop, refund, version, phase, passed))
    return {"is_success": True}


def _agree_return(market: Market, call: Call) -> dict[str, Any]:
    number(call.fields, "seller_address_id")
    _raise(
        seller.agree_return(
            market,
            refund_of(call.shop, call.fields),
            call.at_ms,
            version=number(call.fields, "refund_version", 0),
            phase=call.fields.get("refund_phase", ""),
            tmall=call.shop.tmall,
        )
    )
    return {"is_success": True}


def _refuse_return(market: Market, call: Call) -> dict[str, Any]:
    _need_upload(call, "refuse_proof", 5_000_000)
    refund = refund_of(call.shop, call.fields)
    if not refund.has_good_return:
        raise isv("refund-type-invalid", "the application asks for no return")
    _refused(market, call)
    return {"result": True}


def _refuse(market: Market, call: Call) -> dict[str, Any]:
    if not 2 <= len(required(call.fields, "refuse_message")) <= 200:
        raise isv("invalid-parameter:refuse_message", "refuse_message has 2 to 200 characters")
    if call.shop.tmall:
        _need_upload(call, "refuse_proof", 130_000)
    refund = refund_of(call.shop, call.fields)
    _refused(market, call)
    refund.refuse_reason = call.fields.get("refuse_reason_id", "")
    refund.refuse_proof = sha256(call.uploads.get("refuse_proof", b"")).hexdigest()[:12]
    refund.messages.append((call.at_ms, 2, call.fields["refuse_message"]))
    told = {"refund_id": str(refund.refund_id), "status": refund.status, "modified": text(refund.modified_ms)}
    return {"refund": told, "is_success": True}


def _refused(market: Market, call: Call) -> None:
    if call.fields.get("refuse_reason_id") not in (None, *(str(number) for number, _words in REFUSE_REASONS)):
        raise isv("invalid-parameter:refuse_reason_id", "refusereason.get lists no such reason")
    _raise(
        seller.refuse(
            market,
            refund_of(call.shop, call.fields),
            call.at_ms,
            version=number(call.fields, "refund_version", 0),
            phase=call.fields.get("refund_phase", ""),
            tmall=call.shop.tmall,
        )
    )


def _message(market: Market, call: Call) -> dict[str, Any]:
    content = required(call.fields, "content")
    if len(content.encode()) > MESSAGE_BYTES_MAX:
        raise isv("invalid-parameter:content", f"content has at most {MESSAGE_BYTES_MAX} bytes")
    refund = refund_of(call.shop, call.fields)
    refund.messages.append((call.at_ms, 2, content))
    return {"refund_message": {"id": len(refund.messages), "created": text(call.at_ms)}}


def _memo(market: Market, call: Call) -> dict[str, Any]:
    memo = call.fields.get("memo", "")
    if len(memo.encode()) > MEMO_BYTES_MAX:
        raise isv("invalid-parameter:memo", f"memo has at most {MEMO_BYTES_MAX} bytes")
    trade = trade_of(call.shop, call.fields)
    trade.flag = number(call.fields, "flag", trade.flag)
    if memo or call.fields.get("reset") == "true":
        trade.memo = memo
    market.change_trade(trade, call.at_ms, "taobao_trade_TradeMemoModified")
    return {"trade": {"tid": trade.tid, "modified": text(trade.modified_ms)}}


def _cancel_shipment(market: Market, call: Call) -> dict[str, Any]:
    try:
        param = msgspec.json.decode(required(call.fields, "param"), type=dict[str, int | str])
    except msgspec.MsgspecError:
        raise isv("invalid-parameter:param", "param is no JSON object") from None
    told = {name: str(value) for name, value in param.items()}
    refund, trade = refund_of(call.shop, told), trade_of(call.shop, told)
    if refund.trade is not trade:
        raise isv("invalid-parameter:tid", "the refund belongs to another trade")
    if told.get("status") != "SUCCESS" or warehouse.cancel(market, trade, call.at_ms):
        return {"result": {"success": True, "result_data": {"refund_id": refund.refund_id}}}
    why = "the order has left the warehouse"
    return {"result": {"success": False, "error_code": "isv.goods-shipped", "error_info": why}}


def _received_back(market: Market, call: Call) -> dict[str, Any]:
    refund = refund_of(call.shop, call.fields)
    if number(call.fields, "warehouse_status") != 1 or refund.back is None:
        return {"succeed": False, "err_code": "isv.no-return", "err_info": "no goods are on the way back"}
    return {"succeed": True, "result_data": "{}"}


def _need_upload(call: Call, name: str, bytes_max: int) -> None:
    content = call.uploads.get(name, b"")
    if not content:
        raise isv(f"missing-parameter:{name}", f"{name} is missing")
    if len(content) > bytes_max:
        raise isv(f"invalid-parameter:{name}", f"{name} has at most {bytes_max} bytes")


def _raise(refusal: Refusal | None) -> None:
    if refusal:
        raise TopError(15, "Remote service error", refusal.code, refusal.why)


WRITES: dict[str, Write] = {
    "taobao.rp.refunds.agree": _agree,
    "taobao.rp.refund.review": _review,
    "taobao.rp.returngoods.agree": _agree_return,
    "taobao.rp.returngoods.refuse": _refuse_return,
    "taobao.refund.refuse": _refuse,
    "taobao.refund.message.add": _message,
    "taobao.trade.memo.update": _memo,
    "taobao.rdc.aligenius.sendgoods.cancel": _cancel_shipment,
    "taobao.nextone.logistics.warehouse.update": _received_back,
}
