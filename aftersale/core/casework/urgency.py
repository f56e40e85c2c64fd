"""Which of several cases comes first (R-012, R-338)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

FAR = datetime.max.replace(tzinfo=UTC)
RANKS = {"seller": 0, "courier": 1}
ORDINARY = 2


@dataclass(frozen=True, slots=True)
class OpenCase:
    """`deadline_at` or `hours_left`: the next deadline; without one a case waits behind those that have one."""

    id: str
    fault: str | None = None
    deadline_at: datetime | None = None
    hours_left: Fraction | None = None
    courier_trouble: bool | None = None
    escalation_risk: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Urgency:
    """Ids, the most urgent first."""

    first: str | None
    order: tuple[str, ...]


def most_urgent(*, cases: tuple[OpenCase, ...], same_deadline: bool = False) -> Urgency:
    """The earliest deadline first; with the same deadline own fault, then courier trouble, then the ordinary ones,
    each by escalation risk (R-012, R-338). Equals keep their order."""
    ids = tuple(one.id for one in sorted(cases, key=lambda one: _rank(one, same_deadline)))
    return Urgency(ids[0] if ids else None, ids)


def _rank(one: OpenCase, same_deadline: bool) -> tuple[datetime, bool, Fraction, int, Fraction]:
    due = FAR if same_deadline or one.deadline_at is None else one.deadline_at
    left = None if same_deadline else one.hours_left
    fault = min(RANKS.get(one.fault or "", ORDINARY), RANKS["courier"] if one.courier_trouble else ORDINARY)
    return due, left is None, left or Fraction(0), fault, -(one.escalation_risk or Fraction(0))
