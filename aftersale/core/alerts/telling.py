"""What people are told: from the alerts that the book collected, and from timers and ranks (group U)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from aftersale.core.clocks.clock import is_over
from aftersale.core.clocks.formulas import DeadlineAlert, deadline_alert
from aftersale.core.metrics.quality import in_tail

HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class AlertState:
    """`alert`: "immediate" opens by itself over whatever is on the screen."""

    alert: bool | Literal["immediate"]
    popup: bool


@dataclass(frozen=True, slots=True)
class ExtendedTimer:
    """A refund timer that the platform extended; `shown_apart`: not among the ordinary ones."""

    shown_apart: bool
    timeout_days: int | None
    remaining_days: Fraction | None
    alert: bool
    breached: bool


@dataclass(frozen=True, slots=True)
class TailAlert:
    alert: bool
    risk: str | None


def alert_state(*, alerts: tuple[str, ...] = (), levels: tuple[str, ...] = ()) -> AlertState:
    """Whether anything the book `alerts` collected is to be told, and how loudly (R-350, R-351, R-353, R-359)."""
    at_once = "immediate" in levels
    return AlertState("immediate" if at_once else bool(alerts), at_once)


def work_order_alert(
    *,
    hours_since_created: Fraction,
    evidence_hours: Fraction,
    deadline_lead_hours: Fraction,
    evidence_submitted: bool = False,
) -> DeadlineAlert:
    """A platform work order that waits for evidence, before its end and after it (R-354)."""
    return deadline_alert(
        hours_passed=hours_since_created, deadline_hours=evidence_hours,
        deadline_lead_hours=deadline_lead_hours, done=evidence_submitted,
    )  # fmt: skip


def double11_timer(
    *,
    promo: str | None = None,
    days_since_applied: Fraction | None = None,
    days_after_promo: Fraction | None = None,
    d11_timeout_days: int,
    d11_extension_hours: int,
    deadline_lead_hours: Fraction,
) -> ExtendedTimer:
    """The refund timer of Double 11 with its remaining days, negative when it is breached (R-358)."""
    extension = Fraction(d11_extension_hours, HOURS_A_DAY)
    if promo != "double11" or (days_after_promo is not None and days_after_promo >= extension):
        return ExtendedTimer(False, None, None, False, False)
    if days_since_applied is None:
        return ExtendedTimer(True, d11_timeout_days, None, False, False)
    remaining = d11_timeout_days - days_since_applied
    over = is_over(days_since_applied, Fraction(d11_timeout_days), inclusive=True)
    near = remaining * HOURS_A_DAY <= deadline_lead_hours
    return ExtendedTimer(True, d11_timeout_days, remaining, near or over, over)


def tail_alert(
    *, rank: int | None = None, ranked: int | None = None, quality_tail_share: Fraction
) -> TailAlert:
    """A product in the worst share of the ranking by quality refund rate; rank 1 is best (R-357)."""
    hit = rank is not None and ranked is not None and in_tail(rank, ranked, quality_tail_share)
    return TailAlert(hit, "spot_check" if hit else None)
