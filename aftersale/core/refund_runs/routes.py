"""By which route refunds are executed, and that each is executed once (R-032, R-039, R-043)."""

from collections.abc import Mapping
from dataclasses import dataclass

from aftersale.core.money import Fen

ROUTES: Mapping[str, str] = {"erp": "erp", "tool": "batch_tool", "manual": "manual_sub_account"}
"""In order: what a route is called where its state is reported → what it is called where it is chosen."""


@dataclass(frozen=True, slots=True)
class Route:
    """`route` None: nothing can execute refunds now, they wait."""

    route: str | None
    unavailable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """What reached the buyer; `repeats`: routes that sent the same refund again and were turned away."""

    money_refunded: Fen
    executed_times: int
    executed_by: str | None
    repeats: tuple[str, ...]


def refund_route(*, routes: Mapping[str, str]) -> Route:
    """The first route that is up: ERP batch, batch tool, then sub-accounts by hand (R-032).

    A route without a report is not used, except people: they are there unless reported otherwise."""
    states = {name: _state(routes, name, chosen) for name, chosen in ROUTES.items()}
    up = [ROUTES[name] for name, state in states.items() if state == "up"]
    down = tuple(ROUTES[name] for name, state in states.items() if state != "up")
    return Route(up[0] if up else None, down)


def _state(routes: Mapping[str, str], name: str, chosen: str) -> str:
    usual = "up" if name == "manual" else "down"
    return routes.get(name, routes.get(chosen, usual))


def executed_once(*, executions: tuple[str, ...], amount: Fen, refund_id: str | None = None) -> Execution:
    """One refund id is executed once, whatever routes send it (R-032): the first wins, the others change nothing."""
    first, repeats = (executions[0], tuple(executions[1:])) if executions else (None, ())
    return Execution(amount if first else Fen(0), int(first is not None), first, repeats)
