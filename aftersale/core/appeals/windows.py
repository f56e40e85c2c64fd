"""From when until when an appeal may be filed, read off the case's clocks (R-190, R-194, R-195; annex 3 no. 17)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from aftersale.core.clocks.burning import squeezed
from aftersale.core.clocks.clock import Clock, State

Kind = Literal["rights", "freight", "rapid_refund", "return_dispute"]
Stand = Literal["early", "open", "passed"]

WAIT = "return_dispute_wait"
RIGHTS, RAPID = "rights_appeal", "rapid_refund_appeal"
NEEDED: Mapping[Kind, tuple[str, ...]] = {
    "rights": (RIGHTS,), "freight": (RIGHTS,), "rapid_refund": (RAPID,), "return_dispute": (WAIT,),
}  # fmt: skip
"""Clocks without which nobody can say whether the appeal may be filed."""

CLOSING: Mapping[Kind, str] = {
    "rights": RIGHTS, "freight": RIGHTS, "rapid_refund": RAPID, "return_dispute": RAPID,
}  # fmt: skip
"""The clock that ends the window; a return dispute without rapid refund has none, only a warning."""

WAITING: frozenset[Kind] = frozenset({"rapid_refund", "return_dispute"})
"""Kinds that wait for the returned goods, where these are what the appeal is about."""


@dataclass(frozen=True, slots=True)
class ShownClock:
    """`left_hours`: negative when it is past."""

    clock: str
    title: str
    due_at: datetime
    state: State
    left_hours: Fraction


@dataclass(frozen=True, slots=True)
class Window:
    """`window` None: a moment it is counted from is unknown. From `opens_at` to `closes_at`, both inclusive.

    `warn`, `warning`: the wait lasts longer than the time to appeal; `clocks`: both, for people to see. `appeal`:
    the kind, where what was told shows it."""

    window: Stand | None
    opens_at: datetime | None
    closes_at: datetime | None
    clocks: tuple[ShownClock, ...]
    warn: Literal[True] | None = None
    warning: str | None = None
    appeal: Kind | None = None


def window_of(kind: Kind, clocks: Iterable[Clock]) -> Window:
    """The window of an appeal of this kind, from the clocks that run for it."""
    known = {one.name: one for one in clocks if one.name in (WAIT, RIGHTS, RAPID)}
    wait, closing = known.get(WAIT), known.get(CLOSING[kind])
    tight = bool(squeezed(known.values()))
    return Window(
        window=_stand(wait if kind in WAITING else None, closing)
        if all(name in known for name in NEEDED[kind])
        else None,
        opens_at=wait.due_at if wait else None,
        closes_at=closing.due_at if closing else None,
        clocks=tuple(_shown(one) for one in known.values()),
        warn=True if tight else None,
        warning="wait_outlasts_window" if tight else None,
    )


def _stand(wait: Clock | None, closing: Clock | None) -> Stand:
    """A window that has closed stays closed, however long one had to wait."""
    if closing is not None and closing.state == "breached":
        return "passed"
    return "early" if wait is not None and wait.state == "running" else "open"


def _shown(one: Clock) -> ShownClock:
    left_us = (one.left.days * 86_400 + one.left.seconds) * 1_000_000 + one.left.microseconds
    return ShownClock(one.name, one.terms.title, one.due_at, one.state, Fraction(left_us, 3_600_000_000))
