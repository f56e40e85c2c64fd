"""The warehouse's papers, as it tells them to the shop."""

from aftersale.sandbox.world.chance import pick, stream
from aftersale.sandbox.world.market import Market
from aftersale.sandbox.world.model import Parcel, Trade

CONDITIONS = {"intact": 92, "damaged": 3, "missing_item": 2, "wrong_item": 2, "swapped": 1}
WAREHOUSES = {"own": 70, "third_party": 20, "cainiao": 10}


def parcel_is_back(market: Market, shop: str, parcel: Parcel, case_id: str | None, at_ms: int) -> None:
    """A parcel that came back is opened and looked at."""
    chance = stream(market.seed, "inbound", parcel.number)
    document: dict[str, object] = {
        "kind": "inbound",
        "version": at_ms,
        "at_ms": at_ms,
        "tracking_no": parcel.number,
        "success": True,
        "condition": pick(chance, CONDITIONS),
        "warehouse": pick(chance, WAREHOUSES),
    }
    market.tell.document(shop, document | ({"case_id": case_id} if case_id else {}))


def intercept_told(market: Market, trade: Trade, parcel: Parcel, at_ms: int) -> None:
    """What became of an attempt to stop a parcel."""
    market.tell.document(
        trade.shop,
        {
            "kind": "interception",
            "version": at_ms,
            "at_ms": at_ms,
            "tracking_no": parcel.number,
            "result": parcel.interception,
            "requested_at_ms": parcel.intercept_requested_ms,
        },
    )


def order_told(market: Market, trade: Trade, at_ms: int) -> None:
    """Where an order stands."""
    trade.warehouse_version = max(at_ms, trade.warehouse_version + 1)
    market.tell.document(
        trade.shop,
        {
            "kind": "order",
            "order_id": str(trade.tid),
            "version": trade.warehouse_version,
            "at_ms": at_ms,
            "state": trade.warehouse_state,
            "cancel_confirmed": trade.cancel_confirmed,
            "intercept_result": trade.intercept_result,
            "handed_over_at_ms": trade.consigned_ms,
        },
    )
