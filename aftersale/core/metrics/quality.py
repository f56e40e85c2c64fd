"""Quality refunds: rate, what it takes to reach a target, the tail of the ranking, logistics abnormality."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from aftersale.core.metrics.share import share


@dataclass(frozen=True, slots=True)
class OrderRate:
    metric: str
    numerator: int | None
    denominator: int | None
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class OrdersNeeded:
    """`value`: further good orders until the rate is at the target; None = no number of orders reaches it."""

    value: int | None
    rate: Fraction | None
    target_met: bool | None
    metric: str = "orders_needed"


@dataclass(frozen=True, slots=True)
class PlusOne:
    """The rate before and after one more quality refund, the orders unchanged."""

    before: Fraction | None
    after_plus_one: Fraction | None


@dataclass(frozen=True, slots=True)
class Tail:
    """Ranks counted from 1 = lowest rate, in ascending order."""

    flagged_ranks: tuple[int, ...]
    alert: bool


@dataclass(frozen=True, slots=True)
class ProductCount:
    product: str
    orders: int
    quality_refund_orders: int


@dataclass(frozen=True, slots=True)
class ProductQuality:
    """A line of the product list. `rank_share`: its rank, 1 = best, over the products that have a rate."""

    product: str
    orders: int
    quality_refund_orders: int
    rate: Fraction | None
    rank_share: Fraction | None
    tail: bool


@dataclass(frozen=True, slots=True)
class ProductQualities:
    products: tuple[ProductQuality, ...]
    flagged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReasonCounts:
    counts_quality: bool


@dataclass(frozen=True, slots=True)
class AftersaleOrders:
    aftersale_orders: int
    applications: int


def quality_refund_rate(
    *, orders: int | None = None, quality_refund_orders: int | None = None, malicious_excluded: int = 0
) -> OrderRate:
    """Orders refunded for quality / orders; won malicious-order complaints taken out (R-250, R-256, R-198)."""
    return _excluded("quality_refund_rate", quality_refund_orders, malicious_excluded, orders)


def logistics_abnormal_rate(
    *, orders: int | None = None, abnormal_orders: int | None = None, malicious_excluded: int = 0
) -> OrderRate:
    """Orders with abnormal logistics / orders; won malicious-order complaints taken out (R-259, R-256)."""
    return _excluded("logistics_abnormal_rate", abnormal_orders, malicious_excluded, orders)


def _excluded(metric: str, counted: int | None, excluded: int, orders: int | None) -> OrderRate:
    numerator = None if counted is None else max(0, counted - excluded)
    return OrderRate(metric, numerator, orders, share(numerator, orders))


def orders_needed(
    *,
    quality_refund_orders: int | None = None,
    orders: int | None = None,
    quality_target: Fraction,
    malicious_excluded: int = 0,
) -> OrdersNeeded:
    """max(0, ceil(Q / t) - N), exactly (R-252)."""
    if quality_refund_orders is None or orders is None:
        return OrdersNeeded(None, None, None)
    refunds = max(0, quality_refund_orders - malicious_excluded)
    rate = share(refunds, orders)
    if refunds and quality_target <= 0:
        return OrdersNeeded(None, rate, False)
    needed = max(0, ceil(refunds / quality_target) - orders) if refunds else 0
    return OrdersNeeded(needed, rate, needed == 0)


def one_more_quality_refund(
    *, orders: int | None = None, quality_refund_orders: int | None = None
) -> PlusOne:
    """How hard one more refund hits a small shop (R-262)."""
    more = None if quality_refund_orders is None else quality_refund_orders + 1
    return PlusOne(share(quality_refund_orders, orders), share(more, orders))


def in_tail(rank: int, ranked: int, tail_share: Fraction) -> bool:
    """Rank 1 is best; the worst `tail_share` of the ranks are in the tail, a begun one included (R-250, R-357)."""
    return rank > ranked * (1 - tail_share)


def quality_tail(*, quality_rates_by_rank: tuple[Fraction, ...], quality_tail_share: Fraction) -> Tail:
    """The ranks in the tail, of products with any quality refund at all (R-250, R-357)."""
    ordered = sorted(quality_rates_by_rank)
    flagged = tuple(
        rank
        for rank, rate in enumerate(ordered, 1)
        if rate > 0 and in_tail(rank, len(ordered), quality_tail_share)
    )
    return Tail(flagged, bool(flagged))


def product_qualities(
    *, products: tuple[ProductCount, ...], quality_tail_share: Fraction
) -> ProductQualities:
    """Products by quality refund rate, worst first; equal rates share the better rank (R-253)."""
    rates = [share(one.quality_refund_orders, one.orders) for one in products]
    known = [rate for rate in rates if rate is not None]
    found = [
        ProductQuality(one.product, one.orders, one.quality_refund_orders, None, None, False)
        for one, rate in zip(products, rates, strict=True)
        if rate is None
    ]
    for one, rate in zip(products, rates, strict=True):
        if rate is not None:
            rank = 1 + sum(1 for other in known if other < rate)
            tail = rate > 0 and in_tail(rank, len(known), quality_tail_share)
            position = Fraction(rank, len(known))
            found.append(
                ProductQuality(one.product, one.orders, one.quality_refund_orders, rate, position, tail)
            )
    ordered = sorted(found, key=lambda one: (one.rate is None, -(one.rate or 0), one.product))
    return ProductQualities(tuple(ordered), tuple(one.product for one in ordered if one.tail))


def reason_counts_quality(*, reason: str | None = None, quality_reasons: tuple[str, ...]) -> ReasonCounts:
    """Whether refunds of this reason count as quality refunds (R-251)."""
    return ReasonCounts(reason in quality_reasons)


def aftersale_orders(*, applications: tuple[Mapping[str, object], ...]) -> AftersaleOrders:
    """Any number of applications on one order weigh one (R-010, R-258)."""
    orders = {str(one["order"]) for one in applications if one.get("order") is not None}
    return AftersaleOrders(len(orders), len(applications))
