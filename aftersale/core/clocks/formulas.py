"""The clock's arithmetic for questions that give how long it has run instead of when it began."""

from dataclasses import dataclass
from fractions import Fraction

from aftersale.core.clocks.clock import is_over


@dataclass(frozen=True, slots=True)
class DeadlineAlert:
    """`alert`: people are told now; `breached`: it is too late; `left_hours`: negative when it is."""

    alert: bool
    breached: bool
    left_hours: Fraction


def deadline_alert(
    *, hours_passed: Fraction, deadline_hours: Fraction, deadline_lead_hours: Fraction, done: bool = False
) -> DeadlineAlert:
    """Whether a deadline is to be told of: from the lead on and again once it is breached, never when done
    (R-349, R-354). At the deadline itself one is still in time."""
    breached = not done and is_over(hours_passed, deadline_hours, inclusive=True)
    near = hours_passed >= deadline_hours - deadline_lead_hours
    return DeadlineAlert(not done and (near or breached), breached, deadline_hours - hours_passed)
