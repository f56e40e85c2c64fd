"""What a higher limit would have covered, and what a day can hold."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from aftersale.core.money import Fen


@dataclass(frozen=True, slots=True)
class LimitWhatIf:
    """`below_current`: covered cases that the current limit would have let through too: their reason is another one.
    `recommended_limit`: the smallest limit that covers the wanted share; None without cases."""

    covered_by_proposal: int
    still_manual: int
    below_current: int
    covered_amount: Fen
    recommended_limit: Fen | None


@dataclass(frozen=True, slots=True)
class Throughput:
    capacity: int
    enough: bool
    operators_needed: int


def limit_what_if(
    *,
    manual_unshipped_amounts: tuple[Fen, ...],
    proposed_limit: Fen,
    current_limit: Fen | None = None,
    limit_coverage_share: Fraction,
) -> LimitWhatIf:
    """How many manual cases a higher limit would have covered; an amount equal to the limit is covered (R-025)."""
    amounts = sorted(manual_unshipped_amounts)
    covered = [one for one in amounts if one <= proposed_limit]
    wanted = ceil(len(amounts) * limit_coverage_share)
    return LimitWhatIf(
        len(covered),
        len(amounts) - len(covered),
        sum(current_limit is not None and one <= current_limit for one in covered),
        Fen(sum(covered)),
        amounts[max(wanted, 1) - 1] if amounts else None,
    )


def throughput(
    *,
    refunds: int,
    operators: int = 1,
    promo: bool | str | None = None,
    normal_refunds_per_operator: int,
    promo_refunds_per_operator: int,
) -> Throughput:
    """Refunds a day that so many people can do with the batch tool, in turns during a promotion (R-031)."""
    each = (
        promo_refunds_per_operator if promo not in (None, False, "none", "") else normal_refunds_per_operator
    )
    return Throughput(each * operators, refunds <= each * operators, ceil(Fraction(refunds, each)))
