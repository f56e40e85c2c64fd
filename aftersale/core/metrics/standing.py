"""Where a shop stands: composite index, targets and gates, better or worse than yesterday, comparison, DSR."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from aftersale.core.metrics.share import share

Direction = Literal["smaller_better", "larger_better"]


@dataclass(frozen=True, slots=True)
class Composite:
    """0 is best, 100 worst."""

    value: Fraction | None
    event_signup_allowed: bool | None
    metric: str = "composite_index"


@dataclass(frozen=True, slots=True)
class EventGate:
    """`near`: the warning mark is reached, whether or not events are blocked already."""

    event_signup_allowed: bool | None
    near: bool | None
    alert: bool | None
    blocked_events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetState:
    target_met: bool | None
    gap: Fraction | None


@dataclass(frozen=True, slots=True)
class Change:
    """`cause_note_required`: worse, and nobody has written why yet."""

    worse: bool | None
    alert: bool | None
    cause_note_required: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    gap_top10: Fraction | None
    gap_category: Fraction | None
    above_top10: bool | None
    above_category: bool | None


@dataclass(frozen=True, slots=True)
class DsrState:
    """`green`: below the industry (飘绿)."""

    green: bool | None
    alert: bool | None
    gap: Fraction | None


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of event sign-up; `state` is unknown while value or limit is."""

    code: str
    value: Fraction | None
    limit: Fraction | None
    state: Literal["open", "blocked", "unknown"]


@dataclass(frozen=True, slots=True)
class RegisterGates:
    blocked_by: tuple[str, ...]
    event_signup_allowed: bool
    gates: tuple[Gate, ...]


@dataclass(frozen=True, slots=True)
class TrendLine:
    """One value a day, the last `points` days; `values` only where they were told."""

    points: int
    values: tuple[Fraction | None, ...]


@dataclass(frozen=True, slots=True)
class WindowCount:
    counted: int


@dataclass(frozen=True, slots=True)
class Availability:
    available: bool


def composite_index(
    *,
    rank_dispute: Fraction | None = None,
    rank_refund_duration: Fraction | None = None,
    rank_self_completion: Fraction | None = None,
    composite_weights: tuple[int, ...],
    event_gate_index: Fraction,
) -> Composite:
    """Peer-rank percentiles weighted 3:2:1 (R-242); unknown when one of them is, or without a weight for each."""
    ranks = (rank_dispute, rank_refund_duration, rank_self_completion)
    known = [rank for rank in ranks if rank is not None]
    if len(known) < len(ranks) or len(composite_weights) != len(ranks):
        return Composite(None, None)
    weighted = sum((w * rank for w, rank in zip(composite_weights, known, strict=True)), Fraction(0))
    value = share(weighted, sum(composite_weights))
    return Composite(value, None if value is None else value <= event_gate_index)


def event_gate(
    *,
    index: Fraction | None = None,
    event_gate_index: Fraction,
    event_gate_warn_index: Fraction,
    events: tuple[str, ...] = (),
) -> EventGate:
    """Above the gate no event takes the shop; at it all do (R-244). Near or above: alert (R-356)."""
    if index is None:
        return EventGate(None, None, None, ())
    blocked, near = index > event_gate_index, index >= event_gate_warn_index
    return EventGate(not blocked, near, near or blocked, tuple(events) if blocked else ())


def index_target(
    *,
    index: Fraction | None = None,
    shop_index_target: Fraction,
    platform_index_target: Fraction | None = None,
) -> TargetState:
    """The shop's own upper target (R-245); the platform's is stored beside it and decides nothing."""
    if index is None:
        return TargetState(None, None)
    return TargetState(index <= shop_index_target, index - shop_index_target)


def is_worse(before: Fraction, after: Fraction, direction: Direction) -> bool:
    return after > before if direction == "smaller_better" else after < before


def daily_change(
    *,
    yesterday: Fraction | None = None,
    today: Fraction | None = None,
    metric_direction: Direction,
    cause_note: str | None = None,
) -> Change:
    """Worse than yesterday alarms and asks for the cause (R-243, R-255, R-352)."""
    if yesterday is None or today is None:
        return Change(None, None, None)
    worse = is_worse(yesterday, today, metric_direction)
    return Change(worse, worse, worse and not (cause_note or "").strip())


def comparison(
    *, own: Fraction | None = None, top10_mean: Fraction | None = None, category_mean: Fraction | None = None
) -> Comparison:
    """Own level against the mean of the best tenth and of the category (R-238)."""
    top = None if own is None or top10_mean is None else own - top10_mean
    category = None if own is None or category_mean is None else own - category_mean
    return Comparison(
        top, category, None if top is None else top > 0, None if category is None else category > 0
    )


def dsr_state(
    *, dsr: Fraction | None = None, industry: Fraction | None = None, item: str | None = None
) -> DsrState:
    """A score below the industry is green (R-254, R-360)."""
    if dsr is None or industry is None:
        return DsrState(None, None, None)
    return DsrState(dsr < industry, dsr < industry, dsr - industry)


def register_gates(
    *,
    index: Fraction | None = None,
    dsr_logistics: Fraction | None = None,
    industry: Fraction | None = None,
    quality_refund_rate: Fraction | None = None,
    event_gate_index: Fraction,
    quality_gate_rate: Fraction,
) -> RegisterGates:
    """Composite index, DSR and quality refund rate as gates of event sign-up (R-264, R-226)."""
    gates = (
        _gate("composite_index", index, event_gate_index, "smaller_better"),
        _gate("dsr_logistics", dsr_logistics, industry, "larger_better"),
        _gate("quality_refund_rate", quality_refund_rate, quality_gate_rate, "smaller_better"),
    )
    blocked = tuple(gate.code for gate in gates if gate.state == "blocked")
    return RegisterGates(blocked, not blocked, gates)


def _gate(code: str, value: Fraction | None, limit: Fraction | None, direction: Direction) -> Gate:
    """At the limit the gate is open."""
    if value is None or limit is None:
        return Gate(code, value, limit, "unknown")
    return Gate(code, value, limit, "blocked" if is_worse(limit, value, direction) else "open")


def trend(*, daily_values: int | tuple[Fraction | None, ...], trend_days: int) -> TrendLine:
    """The last days of the composite rank (R-247); a count of days stands for days without values."""
    if isinstance(daily_values, int):
        return TrendLine(min(daily_values, trend_days), ())
    values = daily_values[-trend_days:]
    return TrendLine(len(values), values)


def events_in_window(*, event_ages_days: tuple[Fraction, ...], metric_window_days: Fraction) -> WindowCount:
    """Events younger than the window (R-241); what lies in the future is not in it."""
    return WindowCount(sum(1 for age in event_ages_days if 0 <= age < metric_window_days))


def topic_available(
    *, topic: str, query: str | None = None, withheld_topics: tuple[str, ...]
) -> Availability:
    """Changing buyers' reviews has no script, no target and no KPI (R-261, annex 2)."""
    return Availability(topic not in withheld_topics)
