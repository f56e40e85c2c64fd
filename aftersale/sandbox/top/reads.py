"""TOP's read methods over the sandbox's market."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from aftersale.sandbox.top.protocol import TopError, isv, moment_ms, number, required
from aftersale.sandbox.top.views import Listing, refund_view, text, trade_view
from aftersale.sandbox.world.chance import DAY
from aftersale.sandbox.world.market import Market, Shop
from aftersale.sandbox.world.model import Refund, Trade

PAGE_SIZE_MAX = 100
FOREVER_MS = 1 << 52
REFUSE_REASONS = (
    (1, "已经发货"),
    (2, "商品影响二次销售"),
    (3, "收到的商品不是本店发出的"),
    (4, "与买家协商一致"),
)

T = TypeVar("T")
Read = Callable[[Market, Shop, Mapping[str, str]], dict[str, Any]]


def refund_of(shop: Shop, fields: Mapping[str, str], name: str = "refund_id") -> Refund:
    """The refund that a call is about. Raises TopError."""
    refund = shop.refunds.get(number(fields, name))
    if refund is None:
        raise isv("refund-not-exist", "the refund does not exist")
    return refund


def trade_of(shop: Shop, fields: Mapping[str, str]) -> Trade:
    """The order that a call is about. Raises TopError."""
    trade = shop.trades.get(number(fields, "tid"))
    if trade is None:
        raise isv("trade-not-exist", "the trade does not exist")
    return trade


def _refund_list(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    since_ms, until_ms = _window(fields, required_window=False)
    status = fields.get("status")
    found = (
        refund
        for refund in market.changed_refunds(shop, since_ms, until_ms)
        if status in (None, "", refund.status)
    )
    page, more = _page(found, fields)
    wanted = _wanted(fields) - {"refund_remind_timeout"}
    return {"refunds": Listing("refund", [_only(refund_view(row), wanted) for row in page])} | more


def _refund(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    return {"refund": _only(refund_view(refund_of(shop, fields)), _wanted(fields))}


def _refund_detail(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    refund = refund_of(shop, fields)
    waiting = refund.status in ("WAIT_SELLER_AGREE", "WAIT_SELLER_CONFIRM_GOODS")
    operations = Listing("operation", [{"operation_code": "agree"}, {"operation_code": "refuse"}])
    side = "allowed_operations" if waiting else "not_allowed_operations"
    return {"detail": {"refund_version": refund.version, side: operations}}


def _messages(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    refund = refund_of(shop, fields)
    rows = [
        {
            "id": place,
            "refund_id": str(refund.refund_id),
            "content": content,
            "created": text(at_ms),
            "owner_role": role,
            "message_type": "NORMAL",
            "refund_phase": refund.phase,
        }
        for place, (at_ms, role, content) in enumerate(refund.messages, start=1)
    ]
    page, _ = _page(rows, fields)
    return {"refund_messages": Listing("refund_message", page), "total_results": len(rows)}


def _refuse_reasons(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    refund_of(shop, fields)
    rows = [{"reason_id": reason_id, "reason_text": words} for reason_id, words in REFUSE_REASONS]
    return {"reasons": Listing("reason", rows), "total_results": len(rows), "has_next": False}


def _trade(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    return {"trade": _only(trade_view(trade_of(shop, fields)), _wanted(fields))}


def _trade_list(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    """Newest change first, as on the platform: callers page from the last page backwards."""
    since_ms, until_ms = _window(fields, required_window=True)
    found = list(market.changed_trades(shop, since_ms, until_ms))[::-1]
    status = fields.get("status")
    page, more = _page([row for row in found if status in (None, "", row.status)], fields)
    return {"trades": Listing("trade", [_only(trade_view(row), _wanted(fields)) for row in page])} | more


def _trace(market: Market, shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    trade = trade_of(shop, fields)
    if not trade.shipped or trade.parcel is None:
        raise isv("logistics-not-exist", "the order has no parcel yet")
    told = trade.parcel.steps[: trade.parcel.told]
    rows = [{"status_time": text(step.at_ms), "status_desc": step.text, "action": step.code} for step in told]
    return {
        "tid": trade.tid,
        "out_sid": trade.parcel.number,
        "company_name": trade.parcel.company,
        "status": "已签收" if told and told[-1].state == "3" else "运输中",
        "trace_list": Listing("transit_step_info", rows),
    }


def _window(fields: Mapping[str, str], required_window: bool) -> tuple[int, int]:
    bounds = []
    for name, default in (("start_modified", 0), ("end_modified", FOREVER_MS)):
        value = fields.get(name, "")
        at_ms = moment_ms(value) if value else default
        if at_ms is None or (required_window and not value):
            raise TopError(41, "Invalid Arguments", f"isv.invalid-parameter:{name}", f"{name} is no moment")
        bounds.append(at_ms)
    since_ms, until_ms = bounds[0], bounds[1] + 999
    if since_ms > until_ms:
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter:end_modified", "end before start")
    if required_window and until_ms - since_ms > DAY + 999:
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter:end_modified", "at most one day")
    return since_ms, until_ms


def _page(rows: Iterable[T], fields: Mapping[str, str]) -> tuple[list[T], dict[str, Any]]:
    page_no, size = number(fields, "page_no", 1), number(fields, "page_size", 40)
    if page_no < 1 or not 1 <= size <= PAGE_SIZE_MAX:
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter:page_size", "page_size is 1 to 100")
    first = (page_no - 1) * size
    if fields.get("use_has_next") == "true":
        page = list(islice(rows, first, first + size + 1))
        return page[:size], {"has_next": len(page) > size}
    everything = list(rows)
    return everything[first : first + size], {"total_results": len(everything)}


def _wanted(fields: Mapping[str, str]) -> set[str]:
    return {name.strip().partition(".")[0] for name in required(fields, "fields").split(",")}


def _only(view: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name in wanted}


READS: dict[str, Read] = {
    "taobao.refunds.receive.get": _refund_list,
    "taobao.refund.get": _refund,
    "taobao.refund.detail.get": _refund_detail,
    "taobao.refund.messages.get": _messages,
    "taobao.refund.refusereason.get": _refuse_reasons,
    "taobao.trade.fullinfo.get": _trade,
    "taobao.trades.sold.increment.get": _trade_list,
    "taobao.logistics.trace.search": _trace,
}
