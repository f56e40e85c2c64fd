"""The shipped definitions of the indexes, and what needs to know which way each of them is better."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from aftersale.core.facts import RulebookError
from aftersale.core.metrics.definition import Definitions, parse_definitions
from aftersale.core.metrics.promotion import Goals, goals_met
from aftersale.core.metrics.standing import Direction
from aftersale.rulebooks import books

Figures = Mapping[str, Fraction | None]


@cache
def definitions() -> Definitions:
    """Raises RulebookError when the file is wrong."""
    return parse_definitions(books.text("metric_definitions.yaml"), books.book("metrics").settings)


@cache
def directions() -> Mapping[str, Direction]:
    """By every name of a metric."""
    found = definitions()
    return {name: found.metrics[code].better for name, code in found.names.items()}


def promo_goals(
    *,
    goal_index: Fraction | None = None,
    actual_index: Fraction | None = None,
    goal_refund_duration: Fraction | None = None,
    actual_refund_duration: Fraction | None = None,
    goal_dispute_rate: Fraction | None = None,
    actual_dispute_rate: Fraction | None = None,
    goal_reply_rate: Fraction | None = None,
    actual_reply_rate: Fraction | None = None,
    goal_review_handling: Fraction | None = None,
    actual_review_handling: Fraction | None = None,
    goals: Figures | None = None,
    actuals: Figures | None = None,
    promo: bool | str | None = None,
) -> Goals:
    """Whether a promotion's after-sales goals were met, each in the direction of its metric (R-327).

    `goals` and `actuals` hold further ones under any name of a metric."""
    named = {
        "index": (goal_index, actual_index),
        "refund_duration": (goal_refund_duration, actual_refund_duration),
        "dispute_rate": (goal_dispute_rate, actual_dispute_rate),
        "reply_rate": (goal_reply_rate, actual_reply_rate),
        "review_handling": (goal_review_handling, actual_review_handling),
    }
    wanted = {name: goal for name, (goal, _) in named.items() if goal is not None} | dict(goals or {})
    found = {name: actual for name, (_, actual) in named.items()} | dict(actuals or {})
    strange = [name for name in wanted if name not in directions()]
    if strange:
        raise RulebookError("metric_definitions", None, None, f"没有名为 {strange[0]} 的指标")
    return goals_met(wanted, found, directions())
