"""Orders that mix offers, gifts, points or a presale are harder to settle (R-008)."""

from dataclasses import dataclass
from typing import Literal

from aftersale.core.money import Fen


@dataclass(frozen=True, slots=True)
class OrderMarks:
    """What is known of an order; amounts in fen."""

    promotions: tuple[str, ...] | None = ()
    gifts: tuple[object, ...] | None = ()
    points: int | None = 0
    order_kind: Literal["spot", "presale"] | None = None
    deposit: Fen | None = None
    balance: Fen | None = None
    amount_paid: Fen | None = None


@dataclass(frozen=True, slots=True)
class Complexity:
    """`marks`: what makes the order complex."""

    complex: bool
    marks: tuple[str, ...]


def order_complexity(*, order: OrderMarks) -> Complexity:
    """An order with at least one promotion, gift, use of points or presale payment is complex (R-008)."""
    marks = {
        "promotions": bool(order.promotions),
        "gifts": bool(order.gifts),
        "points": bool(order.points),
        "presale": order.order_kind == "presale" or bool(order.deposit) or bool(order.balance),
    }
    found = tuple(name for name, there in marks.items() if there)
    return Complexity(bool(found), found)
