"""Which clock hurts first, whom to tell when, and where one clock stands in another's way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aftersale.core.clocks.clock import Clock
from aftersale.core.look import JUST_AFTER


@dataclass(frozen=True, slots=True)
class Alert:
    """`soon`: within the lead before it is due; `breached`: missed; `over`: a wait has ended, act now."""

    clock: Clock
    level: Literal["soon", "breached", "over"]


@dataclass(frozen=True, slots=True)
class Squeeze:
    """`wait` ends only when `deadline` has passed already: the two rules leave no moment to act (annex 3 no. 17)."""

    wait: Clock
    deadline: Clock


def burns_next(clocks: Iterable[Clock]) -> tuple[Clock, ...]:
    """The deadlines of ours that can still be kept or made good, what hurts first at the front.

    By due time, then by what a miss does, its money, and the name. Not among them: waits, the buyer's own
    windows, what is done, what stands still, and what was missed for good.
    """
    return tuple(sorted((one for one in clocks if _burns(one)), key=_urgency))


def alerts(clocks: Iterable[Clock], now: datetime) -> tuple[Alert, ...]:
    """What people are told at the moment `now`, in the order of `burns_next` (R-349); nothing of what is done
    or stands still, or is the buyer's."""
    told = ((one, _level(one, now)) for one in sorted(clocks, key=_urgency))
    return tuple(Alert(one, level) for one, level in told if level is not None)


def next_change(clocks: Iterable[Clock], now: datetime) -> datetime | None:
    """The first moment after `now` at which an alert or a state changes, all else as it is."""
    moments = (at for one in clocks if one.open and one.state != "paused" for at in _moments(one))
    return min((at for at in moments if at > now), default=None)


def squeezed(clocks: Iterable[Clock]) -> tuple[Squeeze, ...]:
    """Waits that end after the last moment of a deadline which they hold up."""
    known = {one.name: one for one in clocks}
    held = ((one, known.get(name)) for one in known.values() for name in one.terms.holds_up)
    return tuple(
        Squeeze(wait, deadline)
        for wait, deadline in held
        if deadline is not None and deadline.open and wait.open and _first(wait) > _last(deadline)
    )


def _burns(one: Clock) -> bool:
    lost = one.state == "breached" and one.terms.final
    return _counts(one) and not one.terms.waits and not lost


def _counts(one: Clock) -> bool:
    return one.open and one.state != "paused" and one.terms.whose != "buyer"


def _urgency(one: Clock) -> tuple[datetime, int, int, str]:
    return one.due_at, -one.terms.severity, -(one.terms.cost_fen or 0), one.name


def _level(one: Clock, now: datetime) -> Literal["soon", "breached", "over"] | None:
    if not _counts(one):
        return None
    if one.state in ("breached", "over"):
        return one.state
    return "soon" if one.alert_at is not None and now >= one.alert_at else None


def _moments(one: Clock) -> tuple[datetime, ...]:
    ends = one.due_at + JUST_AFTER if one.terms.inclusive else one.due_at
    return (ends,) if one.alert_at is None else (one.alert_at, ends)


def _first(wait: Clock) -> datetime:
    """When what was waited for may be done."""
    return wait.due_at + JUST_AFTER if wait.terms.inclusive else wait.due_at


def _last(deadline: Clock) -> datetime:
    """The last moment in time."""
    return deadline.due_at if deadline.terms.inclusive else deadline.due_at - JUST_AFTER
