"""Dunned shipments by method and logistics cases by problem (R-135, R-145)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

METHODS: Mapping[str, str] = {
    "soothe": "soothe", "wrong_number": "wrong_number", "courier": "courier", "out_of_stock": "out_of_stock",
    "delay_plan_1": "delay", "delay_plan_2": "delay", "delay_plan_3": "delay",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Methods:
    """Counts by method, all five named; `by_delay_plan`: the delays taken apart; `undecided`: no method yet."""

    by_method: Mapping[str, int]
    by_delay_plan: Mapping[str, int]
    undecided: int


@dataclass(frozen=True, slots=True)
class LogisticsRisk:
    """Cases that may pull down the DSR for logistics, by problem, the most frequent first."""

    at_risk: int
    by_issue: Mapping[str, int]


def dunning_methods(*, plans: tuple[str | None, ...]) -> Methods:
    """How dunned shipments were answered, one plan a case."""
    counted = Counter(METHODS.get(plan or "") for plan in plans)
    delays = Counter(plan for plan in plans if METHODS.get(plan or "") == "delay" and plan)
    by_method = {method: counted[method] for method in dict.fromkeys(METHODS.values())}
    return Methods(by_method, dict(sorted(delays.items())), counted[None])


def logistics_risk(*, issues: tuple[str | None, ...], dsr_logistics_issues: tuple[str, ...]) -> LogisticsRisk:
    """Cases of logistics problems, one issue a case; others do not count."""
    found = Counter(issue for issue in issues if issue in dsr_logistics_issues)
    return LogisticsRisk(sum(found.values()), {str(issue): count for issue, count in found.most_common()})
