"""Complaints about malicious orders: their orders, and the chances of a calendar month (R-199 – R-201)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aftersale.core.language.grammar import SHANGHAI

Order = str | int


@dataclass(frozen=True, slots=True)
class ComplaintOrders:
    """`order_count`: different orders listed; `orders_match`: each is one that the description speaks of."""

    order_count: int | None
    orders_match: bool | None
    strange_orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MonthUse:
    used_this_month: int


def complaint_orders(
    *,
    listed_orders: tuple[Order, ...] | None = None,
    described_order: Order | None = None,
    described_orders: tuple[Order, ...] | None = None,
) -> ComplaintOrders:
    """What is listed against what is described; unknown where one of the two was not told (R-200, R-201)."""
    if listed_orders is None:
        return ComplaintOrders(None, None, ())
    listed = tuple(dict.fromkeys(str(one) for one in listed_orders))
    described = {str(one) for one in described_orders or ()}
    described |= {str(described_order)} if described_order is not None else set()
    strange = tuple(one for one in listed if one not in described) if described else ()
    return ComplaintOrders(len(listed), not strange if described else None, strange)


def complaints_this_month(*, filed_at: tuple[datetime, ...], now: datetime) -> MonthUse:
    """Chances used in the calendar month of `now` where the shop is (R-199)."""
    return MonthUse(in_month(filed_at, now))


def in_month(moments: Iterable[datetime], now: datetime, zone: tzinfo = SHANGHAI) -> int:
    """How many lie in the calendar month of `now` in the zone, up to now."""
    today = now.astimezone(zone)
    local = (at.astimezone(zone) for at in moments if at <= now)
    return sum((at.year, at.month) == (today.year, today.month) for at in local)
