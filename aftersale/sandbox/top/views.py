"""The sandbox's things as TOP's JSON objects (field names and units of the 2026-04 metadata)."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zlib import crc32

import msgspec

from aftersale.core.money import yuan
from aftersale.sandbox.world.model import Parcel, Refund, Trade

SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that TOP wraps in an inner name unless the caller asks for simplify."""

    inner: str
    rows: list[Any]


def text(at_ms: int | None) -> str | None:
    """'yyyy-MM-dd HH:mm:ss' in Shanghai."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // 1000, SHANGHAI).isoformat(" ")[:19]


def iso(at_ms: int | None) -> str | None:
    """ISO 8601 with offset, to the millisecond."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).isoformat(timespec="milliseconds")


def refund_view(refund: Refund) -> dict[str, Any]:
    """refund.get's object with every field that the sandbox knows."""
    trade, line, back = refund.trade, refund.line, refund.back
    view: dict[str, Any] = {
        "refund_id": str(refund.refund_id),
        "tid": trade.tid,
        "oid": line.oid,
        "num_iid": line.num_iid,
        "num": line.quantity,
        "title": line.title,
        "sku": line.sku,
        "price": yuan(line.price_fen),
        "total_fee": yuan(trade.paid_fen),
        "payment": yuan(max(0, trade.paid_fen - refund.amount_fen)),
        "refund_fee": yuan(refund.amount_fen),
        "seller_nick": trade.shop,
        "buyer_nick": "买**家",
        "buyer_open_uid": trade.buyer,
        "created": text(refund.created_ms),
        "modified": text(refund.modified_ms),
        "order_status": trade.status,
        "status": refund.status,
        "good_status": refund.good_status,
        "has_good_return": refund.has_good_return,
        "reason": refund.reason,
        "desc": refund.desc,
        "refund_phase": refund.phase,
        "refund_version": refund.version,
        "dispute_type": refund.dispute_type,
        "cs_status": refund.cs_status,
        "advance_status": 0,
        "operation_contraint": "cannot_refuse" if refund.platform_opened else "",
        "attribute": _attribute(refund),
        "refund_remind_timeout": _remind(refund),
    }
    if back:
        view |= {"sid": back.number, "company_name": back.company}
        view["good_return_time"] = text(refund.good_return_ms)
    return view


def trade_view(trade: Trade) -> dict[str, Any]:
    """trade.fullinfo.get's object."""
    return {
        "tid": trade.tid,
        "status": trade.status,
        "type": "fixed",
        "seller_nick": trade.shop,
        "buyer_open_uid": trade.buyer,
        "created": text(trade.created_ms),
        "pay_time": text(trade.paid_ms),
        "modified": text(trade.modified_ms),
        "consign_time": text(trade.consigned_ms),
        "payment": yuan(trade.paid_fen),
        "post_fee": yuan(trade.post_fee_fen),
        "total_fee": yuan(sum(line.price_fen * line.quantity for line in trade.lines)),
        "discount_fee": yuan(sum(cut for line in trade.lines for _, cut in line.shares)),
        "receiver_state": trade.region,
        "receiver_address": "***",
        "receiver_mobile": _mobile(trade),
        "seller_memo": trade.memo,
        "seller_flag": trade.flag,
        "step_trade_status": "FRONT_PAID_FINAL_PAID" if trade.presale else None,
        "trade_attr": _trade_attr(trade),
        "promotion_details": Listing("promotion_detail", _promotions(trade)),
        "orders": Listing("order", _orders(trade)),
    }


def trace_view(parcel: Parcel) -> dict[str, Any]:
    """Kuaidi100's lastResult: what has happened so far, newest first."""
    told = parcel.steps[: parcel.told]
    return {
        "message": "ok",
        "nu": parcel.number,
        "com": parcel.company,
        "status": "200",
        "ischeck": "1" if told and told[-1].state == "3" else "0",
        "state": told[-1].state if told else "0",
        "data": [
            {
                "time": text(step.at_ms),
                "ftime": text(step.at_ms),
                "context": step.text,
                "statusCode": step.code,
            }
            for step in reversed(told)
        ],
    }


def plain(value: Any, simplify: bool) -> Any:
    """Resolve every Listing in an answer."""
    if isinstance(value, Listing):
        rows = [plain(row, simplify) for row in value.rows]
        return rows if simplify else {value.inner: rows}
    if isinstance(value, dict):
        return {key: plain(item, simplify) for key, item in value.items() if item is not None}
    return value


def _mobile(trade: Trade) -> str:
    """As sellers get it: masked but for its tail; every tenth buyer's is encrypted."""
    drawn = crc32(trade.buyer.encode())
    return f"*******{drawn % 10_000:04d}" if drawn % 10 else f"~{drawn:08x}==~1~"


def _attribute(refund: Refund) -> str:
    facts: dict[str, int | str] = {
        "zero_second": int(refund.zero_second),
        "freight_ins": int(refund.freight_insurance),
        "platform_opened": int(refund.platform_opened),
        "modify_count": refund.modifications,
        "refuse_count": refund.refusals,
    }
    if refund.refusals:
        facts |= {"refuse_reason": refund.refuse_reason, "refuse_proof": refund.refuse_proof}
    return ";" + "".join(f"{key}:{value};" for key, value in facts.items())


def _remind(refund: Refund) -> dict[str, Any]:
    if refund.due_ms is None:
        return {"exist_timeout": False}
    return {"remind_type": 1, "exist_timeout": True, "timeout": text(refund.due_ms)}


def _trade_attr(trade: Trade) -> str:
    facts = {
        "promo": trade.promo,
        "promo_ended_at": iso(trade.promo_ended_ms),
        "locked_until": iso(trade.locked_until_ms),
        "perishable": trade.perishable,
        "return_prohibited": False,
        "return_freight_fen": 1000,
    }
    return msgspec.json.encode({key: value for key, value in facts.items() if value is not None}).decode()


def _promotions(trade: Trade) -> list[dict[str, Any]]:
    return [
        {"id": line.oid, "promotion_id": f"{funder}-{line.num_iid}", "discount_fee": yuan(cut)}
        for line in trade.lines
        for funder, cut in line.shares
    ]


def _orders(trade: Trade) -> list[dict[str, Any]]:
    parcel = trade.parcel if trade.shipped else None
    open_refunds = {refund.line.oid: refund for refund in trade.refunds}
    rows: list[dict[str, Any]] = []
    for line in trade.lines:
        refund = open_refunds.get(line.oid)
        rows.append(
            {
                "oid": line.oid,
                "oid_str": str(line.oid),
                "num_iid": line.num_iid,
                "title": line.title,
                "outer_sku_id": line.sku,
                "num": line.quantity,
                "price": yuan(line.price_fen),
                "payment": yuan(line.paid_fen),
                "divide_order_fee": yuan(line.paid_fen),
                "part_mjz_discount": yuan(sum(cut for _, cut in line.shares)),
                "status": trade.status,
                "refund_status": refund.status if refund else "NO_REFUND",
                "refund_id": str(refund.refund_id) if refund else None,
                "logistics_company": parcel.company if parcel else None,
                "invoice_no": parcel.number if parcel else None,
            }
        )
    return rows
