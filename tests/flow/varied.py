"""Many different cases, made by walking through small tables at different paces; nothing is drawn."""

from datetime import timedelta
from typing import Any

from aftersale.cases import actions
from aftersale.core.expression import Value
from aftersale.core.record_text import facts_of
from aftersale.core.records import (
    Application,
    Arrival,
    Inbound,
    Interception,
    Order,
    Parcel,
    Record,
    WarehouseOrder,
)
from aftersale.rulebooks import books
from tests.flow.desk import NOON, Desk

HOURS = (0, 5, 23, 30, 71, 100, 200)
AMOUNTS = (500, 1_500, 4_000, 15_000, 40_000)
REASONS = ("no_longer_want", "not_received", "price_drop", "quality", "dislike", "missed_seckill")
TYPES = (
    {"aftersale_type": "unshipped_refund_only", "state": "applied"},
    {"aftersale_type": "shipped_refund_only", "state": "applied"},
    {"aftersale_type": "return_refund", "state": "applied"},
    {"aftersale_type": "return_refund", "state": "return_shipped", "return_tracking_no": "?"},
    {"aftersale_type": "price_diff_refund", "state": "applied"},
    {"aftersale_type": "shipped_refund_only", "state": "applied", "intervened": True},
    {"aftersale_type": "exchange", "state": "applied"},
    {"aftersale_type": "unshipped_refund_only", "state": "applied", "zero_second_covered": True},
)
PROMOS: tuple[dict[str, Any], ...] = (
    {"promo": "none"},
    {
        "promo": "double11",
        "locked_until": NOON + timedelta(hours=30),
        "promo_ended_at": NOON + timedelta(hours=60),
    },
    {"promo": "618", "promo_ended_at": NOON - timedelta(hours=100)},
    {"promo": "none", "perishable": True},
)
TRACKS = (None, "in_transit", "signed", "refused", "no_tracking", "lost", "in_transit", "delivery_failed")
INTERCEPTIONS = (None, None, "requested", "succeeded", "failed")
WAREHOUSES = (None, "unprinted", "packing", "hold", "shipped_no_number")


def at(table: tuple[Any, ...], n: int, pace: int) -> Any:
    return table[(n // pace) % len(table)]


def news(n: int) -> list[Record]:
    """Everything told of case number `n`."""
    applied_at = NOON - timedelta(hours=at(HOURS, n, 3), minutes=n % 50)
    kind = dict(at(TYPES, n, 1))
    back = f"SF{n}" if kind.pop("return_tracking_no", None) else None
    track, goes = at(TRACKS, n, 2), f"YT{n}"
    base: dict[str, Any] = {
        "intervened": False,
        "operation_limit": "none",
        "received": n % 3 == 0,
        "phase": "onsale",
    }
    applied = Application(
        f"R{n}", f"T{n}", 1, reason=at(REASONS, n, 5), amount_fen=at(AMOUNTS, n, 4), applied_at=applied_at,
        applied_minute=n % 1440, due_at=applied_at + timedelta(days=90), freight_insurance=n % 2 == 0,
        return_tracking_no=back, modification_count=0, refusal_count=0, **(base | kind),
    )  # fmt: skip
    bought = Order(f"T{n}", 1, paid_fen=(20_000, 50_000)[n % 2], shipped=track is not None, presale_deposit=False,
                   tracking_no=goes if track else None, **at(PROMOS, n, 7))  # fmt: skip
    told: list[Record] = [applied, bought]
    if track:
        signed_at = applied_at - timedelta(hours=20 + n % 300) if track == "signed" else None
        last = signed_at or NOON - timedelta(hours=at(HOURS, n, 11))
        by = ("self", "station")[n % 2] if signed_at else None
        told.append(Parcel(goes, 1, None, track, 0 if track == "no_tracking" else 3, last, signed_at, by))
        if at(INTERCEPTIONS, n, 13):
            told.append(
                Interception(goes, 1, at(INTERCEPTIONS, n, 13), NOON - timedelta(hours=at(HOURS, n, 17)))
            )
    elif at(WAREHOUSES, n, 3):
        told.append(WarehouseOrder(f"T{n}", 1, at(WAREHOUSES, n, 3), False, (None, True, False)[n % 3]))
    if back:
        told.append(Parcel(back, 1, None, "signed", 3, NOON, NOON - timedelta(hours=at(HOURS, n, 5))))
        if n % 4 == 3:
            told.append(
                Inbound(
                    1,
                    None,
                    back,
                    True,
                    NOON,
                    ("intact", "damaged")[n % 8 == 3],
                    ("cainiao", "own")[n % 3 > 0],
                )
            )
    return told


def tell_all(desk: Desk, count: int) -> None:
    """Two shops, Tmall and Pinduoduo, are told of `count` cases in one batch."""
    desk.conn.execute(
        "INSERT INTO shop (code, name, platform, settings) VALUES ('lan', '阿兰的店', 'pdd', %s)", ("{}",)
    )
    desk.conn.commit()
    arrivals = [
        (1 + n % 2, Arrival(one, repr(one), NOON)) for n in range(count) for one in news(n // 2 * 3 + n % 2)
    ]
    with desk.conn.transaction():
        actions.merge(desk.conn, actions.staged(arrivals), desk.now)
        desk.decider.decide(desk.now)


def facts_read(desk: Desk) -> dict[tuple[int, str], dict[str, Value | None]]:
    """What each live decision read."""
    query = """SELECT d.shop_id, d.case_id, d.facts, b.reads FROM handling h
      JOIN decision d ON d.shop_id = h.shop_id AND d.case_id = h.case_id AND d.id = h.decision_id
      JOIN book_version b ON b.version = d.book_version"""
    return {
        (shop, case): facts_of(text, reads, books.catalogue().facts)
        for shop, case, text, reads in desk.all(query)
    }
