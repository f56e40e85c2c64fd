"""Dispute refunds: what counts, the rate, and how the platform displays it."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from aftersale.core.metrics.share import Rounding, percent_text, share


@dataclass(frozen=True, slots=True)
class DisputeCount:
    counts_dispute: bool


@dataclass(frozen=True, slots=True)
class DisputeRate:
    """`display`: as the platform shows it; `below_threshold`: so small that it shows 0."""

    metric: str
    numerator: int | None
    denominator: int | None
    value: Fraction | None
    below_threshold: bool | None
    display: str | None


def old_rule(decided_on: date | None, dispute_rule_from_day: int) -> bool:
    """Whether a decision of this day (yyyymmdd) is counted whoever was at fault (R-185); unknown = today's rule."""
    return decided_on is not None and _day(decided_on) < dispute_rule_from_day


def counts_dispute(
    *,
    intervention: bool | None = None,
    refund_success: bool | None = None,
    fault: str | None = None,
    decided_on: date | None = None,
    fault_appeal_won: bool = False,
    dispute_rule_from_day: int,
) -> DisputeCount:
    """Intervention, refund and the seller's fault; before 2017-04-21 any intervention (R-184, R-185, R-191)."""
    counted = intervention is True and refund_success is True and fault == "seller"
    if old_rule(decided_on, dispute_rule_from_day):
        counted = intervention is True
    return DisputeCount(counted and not fault_appeal_won)


def dispute_rate(
    *,
    orders: int | None = None,
    counted: int | None = None,
    interventions: int | None = None,
    seller_fault: int | None = None,
    fault_appeals_won: int = 0,
    decided_on: date | None = None,
    rule: str | None = None,
    rate: Fraction | None = None,
    metric: str | None = None,
    dispute_rule_from_day: int,
    display_zero_below: Fraction,
    display_decimals: int,
    display_rounding: Rounding,
) -> DisputeRate:
    """Counted interventions / orders, won fault appeals taken out (R-239, R-240, R-257).

    `counted` as it is; else all `interventions` under the old rule, those of `seller_fault` under today's. The rule
    is that of `decided_on`, or the one named: `before_2017_04_21`, `from_2017_04_21`. `rate`: where it is known."""
    named = None if rule is None else rule.startswith(("before", "old"))
    old = old_rule(decided_on, dispute_rule_from_day) if named is None else named
    told = counted if counted is not None else interventions if old else seller_fault
    numerator = None if told is None else max(0, told - fault_appeals_won)
    value = share(numerator, orders) if rate is None else rate
    below = None if value is None else value < display_zero_below
    shown = (
        None if value is None else "0" if below else percent_text(value, display_decimals, display_rounding)
    )
    name = metric or ("refund_dispute_rate" if old else "dispute_refund_rate")
    return DisputeRate(name, numerator, orders, value, below, shown)


def _day(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
