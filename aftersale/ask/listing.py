"""What a shop may choose from."""

from dataclasses import dataclass
from typing import Literal

from aftersale.rulebooks import books


@dataclass(frozen=True, slots=True)
class StrategyList:
    count: int
    templates: tuple[str, ...] | None = None
    scenarios: tuple[str, ...] | None = None


def strategy_list(
    *, query: Literal["list_templates", "list_scenarios"], platform: str | None = None
) -> StrategyList:
    """The automatic strategies of a platform, or the situations they can be bound to (R-015, R-016)."""
    if query == "list_scenarios":
        situations = tuple(one.title for one in books.scenarios())
        return StrategyList(len(situations), scenarios=situations)
    found = tuple(one.title for one in books.strategies() if platform is None or platform in one.platforms)
    return StrategyList(len(found), templates=found)
