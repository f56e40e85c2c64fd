"""Weighted routing of conversations (R-271, R-315)."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from aftersale.core.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Routing:
    """Conversations by agent, everyone named; `waiting`: nobody can take them."""

    assigned: Mapping[str, int]
    waiting: int


def route_conversations(
    *,
    agents: Mapping[str, Fraction],
    conversations: int,
    offline: tuple[str, ...] = (),
    load_max: int | None = None,
) -> Routing | Refusal:
    """Conversations in proportion to weight, whole ones by largest remainder, earlier named first on a tie.

    Who is offline or has weight 0 gets none. `load_max`: nobody gets more; the rest goes to the others, then waits."""
    if conversations < 0 or any(weight < 0 for weight in agents.values()):
        return Refusal("negative", "会话数和权重不能是负数")
    assigned = dict.fromkeys(agents, 0)
    open_for = {name: weight for name, weight in agents.items() if weight > 0 and name not in offline}
    left = conversations
    while left and open_for:
        shares = _largest_remainder(left, open_for)
        for name, count in shares.items():
            room = count if load_max is None else max(0, min(count, load_max - assigned[name]))
            assigned[name] += room
            left -= room
        open_for = {
            name: w for name, w in open_for.items() if load_max is not None and assigned[name] < load_max
        }
    return Routing(assigned, left)


def _largest_remainder(count: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    total = sum(weights.values(), Fraction(0))
    exact = {name: count * weight / total for name, weight in weights.items()}
    whole = {name: int(share) for name, share in exact.items()}
    by_rest = sorted(exact, key=lambda name: exact[name] - whole[name], reverse=True)
    for name in by_rest[: count - sum(whole.values())]:
        whole[name] += 1
    return whole
