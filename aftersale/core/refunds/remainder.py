"""What of an order is still there: the fen not yet given back, the pieces that have left, what is withheld."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aftersale.core.refunds.order import FREIGHT, FREIGHT_LINE, Line, Policy, Shares, Source, Split, Unit


@dataclass(frozen=True, slots=True)
class Claim:
    """What the buyer keeps without the goods it was given for: a discount (of that source) whose minimum is no
    longer met, or a gift (of that line). Under `claw_back` money of pieces that have left is withheld for it."""

    kind: Literal["minimum", "gift"]
    name: str
    policy: Policy
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`left`: shares not yet given back; `gone`: pieces that no longer belong to the order."""

    split: Split
    left: Shares
    gone: frozenset[Unit]

    def kept(self) -> tuple[Unit, ...]:
        """Goods that still belong to the order."""
        return tuple(unit for unit in self.split.goods() if unit not in self.gone)

    def refundable_fen(
        self, units: Collection[Unit] | None = None, places: Sequence[int] | None = None
    ) -> int:
        """The buyer's money not yet given back: of these pieces (all, with freight), of these payments (all).
        With what is withheld."""
        chosen = self.split.payments() if places is None else places
        return sum(
            self.left[unit][place] for unit in (self.left if units is None else units) for place in chosen
        )

    def claims(self) -> tuple[Claim, ...]:
        """What stands against the pieces kept, under either policy."""
        return tuple(claim for claim in (*_minimums(self), *_gifts(self)) if claim.amount_fen > 0)

    def clawed_fen(self) -> int:
        return sum(claim.amount_fen for claim in self.claims() if claim.policy == "claw_back")

    def withheld_fen(self) -> int:
        """Of the pieces that have left, what is not given back for the claims."""
        return sum(self.left[unit][place] for unit in self.gone for place in self.split.payments())

    def with_left(self, cells: Mapping[tuple[Unit, int], int], gone: frozenset[Unit]) -> "Standing":
        """After these cells (piece, place of source) have come to these amounts."""
        left = dict(self.left)
        for (unit, place), fen in cells.items():
            assert 0 <= fen <= left[unit][place], f"{unit}: {fen} of {left[unit][place]} fen"
            left[unit] = (*left[unit][:place], fen, *left[unit][place + 1 :])
        return Standing(self.split, left, gone)


def _minimums(now: Standing) -> Iterator[Claim]:
    kept = now.kept()
    shares = now.split.shares
    charged = (*kept, FREIGHT) if kept else ()
    for place, source in enumerate(now.split.purchase.sources):
        worth_fen = sum(sum(shares[unit]) for unit in kept if _counts(source, unit))
        if worth_fen < source.minimum_fen:
            at_stake_fen = sum(shares[unit][place] for unit in charged)
            yield Claim("minimum", source.source_id, source.when_broken, at_stake_fen)


def _counts(source: Source, unit: Unit) -> bool:
    """Whether a piece counts towards the minimum: those discounted; all, where freight is free from a minimum."""
    return source.lines is None or FREIGHT_LINE in source.lines or unit.line_id in source.lines


def _gifts(now: Standing) -> Iterator[Claim]:
    for line in now.split.purchase.lines:
        if line.gift is not None:
            worth_fen = _excess(now, line, line.gift.lines) * line.gift.worth_fen
            yield Claim("gift", line.line_id, line.gift.when_kept, worth_fen)


def _excess(now: Standing, line: Line, mains: Collection[str]) -> int:
    """Gifts kept beyond those due: in proportion to the goods kept, begun ones counted whole."""
    goods, kept = now.split.goods(), now.kept()
    due = -(-_count(goods, (line.line_id,)) * _count(kept, mains) // _count(goods, mains))
    return max(_count(kept, (line.line_id,)) - due, 0)


def _count(units: Collection[Unit], line_ids: Collection[str]) -> int:
    return sum(1 for unit in units if unit.line_id in line_ids)
