"""The four steps of a return and refund, and how long each took (R-072, R-083)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

NEW = "new"
_MICROSECOND = timedelta(microseconds=1)
_ENDED = frozenset({"refunded", "closed", "cancelled"})
_ANYWHERE = {"buyer_cancel": "cancelled", "platform_close": "closed", "direct_refund": "refunded"}
_STEPS: Mapping[str, Mapping[str, str]] = {
    NEW: {"buyer_apply": "applied"},
    "applied": {"seller_agree_return": "return_agreed", "seller_refuse": "refused"},
    "return_agreed": {"buyer_fill_number": "return_shipped", "advance_refund": "refunded"},
    "return_shipped": {
        "seller_agree_refund": "refunded",
        "advance_refund": "refunded",
        "seller_refuse": "refused",
    },
    "refused": {"buyer_modify": "applied"},
}
_LACKS = {NEW: "not_applied", "applied": "return_not_agreed", "return_agreed": "return_number_missing"}
_REFUNDS = frozenset({"seller_agree_refund", "advance_refund", "buyer_fill_number"})


@dataclass(frozen=True, slots=True)
class Steps:
    """`states` up to the first event that may not happen there; `reason` and `event` say which and why."""

    states: tuple[str, ...]
    allowed: bool
    reason: str | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """A case in one step; `left_at` None: it is still there."""

    step: str
    entered_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepTimes:
    hours_by_step: Mapping[str, Fraction]
    total_hours: Fraction
    longest_step: str | None


def four_steps(*, events: tuple[str, ...]) -> Steps:
    """Apply, agree, number, refund: no step is skipped but by an advance or a direct refund (R-072)."""
    state = NEW
    states: list[str] = []
    for event in events:
        after = _after(state, event)
        if after is None:
            return Steps(tuple(states), False, _why(state, event), event)
        states.append(state := after)
    return Steps(tuple(states), True)


def _after(state: str, event: str) -> str | None:
    found = _STEPS.get(state, {}).get(event)
    return found or (_ANYWHERE.get(event) if state != NEW and state not in _ENDED else None)


def _why(state: str, event: str) -> str:
    if state in _ENDED:
        return "already_finished"
    return (
        _LACKS.get(state, "step_not_possible") if state == NEW or event in _REFUNDS else "step_not_possible"
    )


def step_times(*, stays: tuple[Stay, ...], now: datetime) -> StepTimes:
    """Hours spent in each step, repeated stays added up (R-083)."""
    hours: dict[str, Fraction] = {}
    for stay in stays:
        spent = (stay.left_at or now) - stay.entered_at
        hours[stay.step] = hours.get(stay.step, Fraction(0)) + Fraction(spent // _MICROSECOND, 3_600_000_000)
    longest = max(hours, key=lambda step: hours[step], default=None)
    return StepTimes(hours, sum(hours.values(), Fraction(0)), longest)
