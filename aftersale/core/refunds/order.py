"""What was bought and who paid which part of it, frozen down to the single piece."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from aftersale.core.money import yuan_text
from aftersale.core.refunds.shares import even, spread
from aftersale.core.refusal import Refusal

Funder = Literal[
    "cash", "deposit", "balance", "gift_card", "points", "voucher", "platform", "shop", "other", "unpaid"
]  # fmt: skip
Recipient = Literal["buyer", "platform", "shop", "other", "nobody"]
Policy = Literal["keep", "claw_back"]

RECIPIENTS: Mapping[Funder, Recipient] = {
    "cash": "buyer",
    "deposit": "buyer",
    "balance": "buyer",
    "gift_card": "buyer",
    "points": "buyer",
    "voucher": "buyer",  # bought for money; a coupon that was given is a discount of its giver
    "platform": "platform",
    "shop": "shop",  # no money moves: the discount is no longer granted
    "other": "other",
    "unpaid": "nobody",
}
"""Whose money a funder's part is, and so who has it back."""

FREIGHT_LINE = "freight"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a kit that can come back alone; `worth_fen` is its weight within the kit."""

    part_id: str
    worth_fen: int


@dataclass(frozen=True, slots=True)
class Gift:
    """What the pieces of a line are given for. `claw_back`: a gift kept without its goods is charged."""

    lines: tuple[str, ...]
    worth_fen: int
    when_kept: Policy = "keep"


@dataclass(frozen=True, slots=True)
class Line:
    """`value_fen`: all units of the line before any discount."""

    line_id: str
    value_fen: int
    quantity: int = 1
    title: str = ""
    parts: tuple[Part, ...] = ()
    gift: Gift | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One discount or payment. `lines` None: all goods, and the freight too if the buyer paid with it.

    A discount with a minimum was given for goods worth that much before discounts; `when_broken` says what
    happens to its part on the goods kept when the rest leaves.
    """

    source_id: str
    funder: Funder
    amount_fen: int
    lines: tuple[str, ...] | None = None
    title: str = ""
    minimum_fen: int = 0
    when_broken: Policy = "keep"

    def recipient(self) -> Recipient:
        return RECIPIENTS[self.funder]


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order as it was paid. Sources apply one after another, each to what those before it left open:
    discounts first, payments last; together they make up the value of goods, surcharge and freight."""

    lines: tuple[Line, ...]
    sources: tuple[Source, ...]
    freight_fen: int = 0
    surcharge_fen: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One piece of goods: of a line, counted from 1, and of a kit its part."""

    line_id: str
    unit_no: int
    part_id: str = ""


FREIGHT = Unit(FREIGHT_LINE, 1)

Shares = Mapping[Unit, tuple[int, ...]]
"""Per piece the fen of each source, in the purchase's order of sources; together the value of the piece."""


@dataclass(frozen=True, slots=True)
class Split:
    """A purchase with its shares, freight last. Shares on record are taken as they are, never computed anew."""

    purchase: Purchase
    shares: Shares

    def goods(self) -> tuple[Unit, ...]:
        return tuple(unit for unit in self.shares if unit != FREIGHT)

    def payments(self) -> tuple[int, ...]:
        """Places of the sources that are the buyer's own money."""
        sources = enumerate(self.purchase.sources)
        return tuple(place for place, source in sources if source.recipient() == "buyer")

    def paid_fen(self, unit: Unit) -> int:
        """What the buyer paid for one piece."""
        return sum(self.shares[unit][place] for place in self.payments())


def freeze(purchase: Purchase) -> Split | Refusal:
    """Every source over lines, units and parts, to the fen. Refused: what does not add up."""
    fault = next(_faults(purchase), None)
    if fault is not None:
        return fault
    extra = spread(purchase.surcharge_fen, [line.value_fen for line in purchase.lines])
    values = [line.value_fen + more for line, more in zip(purchase.lines, extra, strict=True)]
    rows = _over_lines(purchase, [*values, purchase.freight_fen])
    if isinstance(rows, Refusal):
        return rows
    shares: dict[Unit, tuple[int, ...]] = {}
    for line, row in zip(purchase.lines, rows, strict=False):
        for unit_no, cells in enumerate(_over_units(row, line.quantity), 1):
            shares |= _over_parts(line, unit_no, cells)
    return Split(purchase, shares | {FREIGHT: rows[-1]})


def _faults(purchase: Purchase) -> Iterator[Refusal]:
    line_ids = [line.line_id for line in purchase.lines]
    amounts = [purchase.freight_fen, purchase.surcharge_fen]
    amounts += [source.amount_fen for source in purchase.sources]
    amounts += [line.value_fen for line in purchase.lines]
    amounts += [part.worth_fen for line in purchase.lines for part in line.parts]
    named = [name for source in purchase.sources for name in source.lines or ()]
    given = [name for line in purchase.lines if line.gift for name in line.gift.lines]
    if not purchase.lines:
        yield Refusal("no_lines", "订单里没有商品")
    if min(amounts) < 0:
        yield Refusal("negative", "订单里有负的金额")
    if any(line.quantity < 1 for line in purchase.lines):
        yield Refusal("quantity", "商品的件数至少是 1")
    if any(line.gift and not line.gift.lines for line in purchase.lines):
        yield Refusal("unknown_line", "赠品没有写明随哪些商品赠送")
    ids = [*line_ids, FREIGHT_LINE]
    sources = [source.source_id for source in purchase.sources]
    parts = [(line.line_id, part.part_id) for line in purchase.lines for part in line.parts]
    if any(len(set(names)) < len(names) for names in (ids, sources, parts)):
        yield Refusal("repeated", "订单里有重复的编号")
    unknown = {*named} - {*ids} | {*given} - {*line_ids}
    if unknown:
        yield Refusal("unknown_line", f"订单里没有这些商品行：{', '.join(sorted(unknown))}")


def _over_lines(purchase: Purchase, values: Sequence[int]) -> list[tuple[int, ...]] | Refusal:
    """Per line, freight last, the fen of each source, by what the sources before it left open."""
    ids = [*(line.line_id for line in purchase.lines), FREIGHT_LINE]
    left = list(values)
    columns = []
    for source in purchase.sources:
        weights = [fen if _covers(source, name) else 0 for name, fen in zip(ids, left, strict=True)]
        over_fen = source.amount_fen - sum(weights)
        if over_fen > 0:
            return Refusal("over_value", f"{source.source_id} 比它能抵的商品多出 {yuan_text(over_fen)}")
        column = spread(source.amount_fen, weights)
        left = [fen - part for fen, part in zip(left, column, strict=True)]
        columns.append(column)
    if sum(left) > 0:
        return Refusal("not_covered", f"还有 {yuan_text(sum(left))} 没有说明由谁支付")
    return [tuple(column[place] for column in columns) for place in range(len(ids))]


def _covers(source: Source, line_id: str) -> bool:
    if source.lines is None:
        return line_id != FREIGHT_LINE or source.recipient() in ("buyer", "nobody")
    return line_id in source.lines


def _over_units(row: Sequence[int], quantity: int) -> list[tuple[int, ...]]:
    """Per unit the fen of each source. What all sources up to one pay is split evenly, so no unit is overpaid."""
    bounds = [even(fen, quantity) for fen in accumulate(row)]
    columns = [
        [after - before for before, after in zip(earlier, bound, strict=True)]
        for earlier, bound in zip([(0,) * quantity, *bounds], bounds, strict=False)
    ]
    return [tuple(column[place] for column in columns) for place in range(quantity)]


def _over_parts(line: Line, unit_no: int, cells: tuple[int, ...]) -> dict[Unit, tuple[int, ...]]:
    if not line.parts:
        return {Unit(line.line_id, unit_no): cells}
    left = list(spread(sum(cells), [part.worth_fen for part in line.parts]))
    columns = []
    for fen in cells:
        column = spread(fen, left)
        left = [open_fen - taken for open_fen, taken in zip(left, column, strict=True)]
        columns.append(column)
    return {
        Unit(line.line_id, unit_no, part.part_id): tuple(column[place] for column in columns)
        for place, part in enumerate(line.parts)
    }
