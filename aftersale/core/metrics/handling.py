"""How fast and how far by ourselves: refund duration, self-completion, automation, repurchase."""

from dataclasses import dataclass
from fractions import Fraction

from aftersale.core.metrics.share import mean, share

Hours = tuple[Fraction, ...] | None


@dataclass(frozen=True, slots=True)
class RefundDuration:
    """Mean hours from application to refund, of each kind and of all cases."""

    unshipped: Fraction | None
    shipped: Fraction | None
    return_refund: Fraction | None
    overall: Fraction | None
    metric: str = "refund_duration_h"


@dataclass(frozen=True, slots=True)
class SelfCompletion:
    value: Fraction | None
    benchmark_met: bool | None
    metric: str = "self_completion_rate"


@dataclass(frozen=True, slots=True)
class Operations:
    """`targets_met`: None while one of the figures is n/a."""

    automation_rate: Fraction | None
    mean_handling_h: Fraction | None
    targets_met: bool | None


@dataclass(frozen=True, slots=True)
class Repurchase:
    value: Fraction | None
    above_benchmark: bool | None
    metric: str = "complaint_repurchase_rate"


def refund_duration(
    *, unshipped_h: Hours = (), shipped_h: Hours = (), return_h: Hours = ()
) -> RefundDuration:
    """Means over cases, not over the three means (R-248)."""
    kinds = (unshipped_h or (), shipped_h or (), return_h or ())
    every = [hours for kind in kinds for hours in kind]
    return RefundDuration(mean(kinds[0]), mean(kinds[1]), mean(kinds[2]), mean(every))


def self_completion(
    *,
    finished: int | None = None,
    finished_without_platform: int | None = None,
    self_handling_benchmark: Fraction,
) -> SelfCompletion:
    """Refunds finished without the platform / refunds finished (R-249); at the benchmark is met."""
    value = share(finished_without_platform, finished)
    return SelfCompletion(value, None if value is None else value >= self_handling_benchmark)


def operations(
    *,
    steps_total: int | None = None,
    steps_auto: int | None = None,
    handling_hours: Hours = (),
    kpi_automation_rate: Fraction,
    kpi_handling_hours: Fraction,
) -> Operations:
    """Steps advanced automatically / all steps, mean handling hours, both against their targets (R-260)."""
    automation, hours = share(steps_auto, steps_total), mean(handling_hours or ())
    unknown = automation is None or hours is None
    met = None if unknown else automation >= kpi_automation_rate and hours <= kpi_handling_hours  # type: ignore[operator]
    return Operations(automation, hours, met)


def complaint_repurchase(
    *, solved_complaints: int | None = None, repurchased: int | None = None, repurchase_benchmark: Fraction
) -> Repurchase:
    """Buyers with a quickly solved complaint who ordered again (R-228, R-362); the benchmark must be passed."""
    value = share(repurchased, solved_complaints)
    return Repurchase(value, None if value is None else value > repurchase_benchmark)
