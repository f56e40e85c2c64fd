"""Promises to buyers and whether they were kept (R-103, R-105, R-205, R-216)."""

from dataclasses import dataclass
from fractions import Fraction

RESEND = "resend"
RISKS = ("platform_refund_only", "platform_compensation")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a promise stands. `breached` is None when nobody noted when it was due or fulfilled.

    `alert` and `appeal_risk` last as long as the promise is open, `appeal_blocked` stays after a breach."""

    deadline_hours: int | None
    breached: bool | None
    appeal_blocked: bool | None
    risk: tuple[str, ...]
    alert: bool
    appeal_risk: bool


def promise_standing(
    *,
    promise: str,
    hours_to_fulfil: Fraction | None = None,
    hours_since_promise: Fraction | None = None,
    fulfilled: bool | None = None,
    done: bool | None = None,
    due_passed: bool | None = None,
    resend_promise_hours: int,
) -> Standing:
    """Whether a promise was kept in time; a promised resend has the shop's deadline, any other its own due moment.

    At exactly the deadline it is in time. `hours_to_fulfil`: from promise to fulfilment, known once fulfilled."""
    kept = bool(fulfilled or done or (hours_to_fulfil is not None and fulfilled is not False))
    deadline = resend_promise_hours if promise == RESEND else None
    breached = _late(deadline, hours_to_fulfil if kept else hours_since_promise)
    if breached is None and due_passed is not None:
        breached = due_passed and not kept
    if breached is None and kept:
        breached = False
    risks = RISKS if breached and promise == RESEND else ()
    return Standing(deadline, breached, breached, risks, not kept, not kept)


def _late(deadline_hours: int | None, hours: Fraction | None) -> bool | None:
    return None if deadline_hours is None or hours is None else hours > deadline_hours


@dataclass(frozen=True, slots=True)
class Coverage:
    promise_covers: bool


def promise_covers(
    *, promised: bool | str | tuple[str, ...] | None = None, reason: str | None = None
) -> Coverage:
    """Whether something promised explicitly covers the buyer's reason (R-109).

    `promised`: the text of the promise noted for this case, the reasons and texts it names, or whether there is one."""
    if isinstance(promised, tuple):
        return Coverage(any(bool(reason and reason in one) or not one.isascii() for one in promised))
    return Coverage(bool(promised.strip()) if isinstance(promised, str) else bool(promised))
