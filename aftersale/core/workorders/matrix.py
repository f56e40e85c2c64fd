"""Urgent and important (R-308, R-309)."""

from dataclasses import dataclass
from datetime import UTC, datetime

LAST = datetime.max.replace(tzinfo=UTC)
PREVENTION = "root_cause"


@dataclass(frozen=True, slots=True)
class Ticket:
    """`deadline_at`: the deadline that the case has, where the ticket has none of its own."""

    id: int | str
    urgent: bool | None = None
    important: bool | None = None
    deadline: datetime | None = None
    deadline_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """`quadrant` 1-4; `board`: where important things are worked on before they become urgent."""

    quadrant: int
    board: str | None


@dataclass(frozen=True, slots=True)
class Ordered:
    first: int | str | None
    order: tuple[int | str, ...]
    quadrants: tuple[int, ...]


def priority_quadrant(*, urgent: bool | None = None, important: bool | None = None) -> Place:
    """Both 1, important alone 2, urgent alone 3, neither 4; what is unknown is not."""
    quadrant = {(True, True): 1, (False, True): 2, (True, False): 3, (False, False): 4}[
        bool(urgent), bool(important)
    ]
    return Place(quadrant, PREVENTION if quadrant == 2 else None)


def order_tickets(*, tickets: tuple[Ticket, ...]) -> Ordered:
    """By quadrant, then by deadline, those without one last, then as they came."""
    ranked = sorted(
        ((_quadrant(one), one.deadline or one.deadline_at or LAST, at) for at, one in enumerate(tickets))
    )
    order = tuple(tickets[at].id for _, _, at in ranked)
    return Ordered(next(iter(order), None), order, tuple(quadrant for quadrant, _, _ in ranked))


def _quadrant(one: Ticket) -> int:
    return priority_quadrant(urgent=one.urgent, important=one.important).quadrant
