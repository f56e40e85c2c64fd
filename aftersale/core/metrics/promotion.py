"""Promotion figures: peak mode, staff, load against capacity, goals, temporary rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from fractions import Fraction
from math import ceil
from typing import Literal

from aftersale.core.metrics.standing import Direction, is_worse


@dataclass(frozen=True, slots=True)
class HourMode:
    """`batch`: whole groups of cases are settled by one decision per activity type."""

    mode: Literal["emergency", "normal"]
    batch: bool


@dataclass(frozen=True, slots=True)
class Staff:
    staff: int | None


@dataclass(frozen=True, slots=True)
class Load:
    """`short_by`: people missing in this hour; `capacity`: refunds that the roster can do."""

    overloaded: bool | None
    short_by: int | None
    capacity: Fraction | None


@dataclass(frozen=True, slots=True)
class Goals:
    """`achieved`: None while no goal can be compared; `missed` and `open` name metrics."""

    achieved: bool | None
    missed: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterWarning:
    warn: bool


def hour_mode(
    *, hour: int | None = None, promo: bool | str | None = None, promo_peak_hours: tuple[int, ...]
) -> HourMode:
    """Emergency in the peak hours of a promotion, else normal (R-329, R-330)."""
    emergency = is_promo(promo) and hour in promo_peak_hours
    return HourMode("emergency" if emergency else "normal", emergency)


def is_promo(promo: bool | str | None) -> bool:
    """Given as yes or no, or by its name."""
    return promo not in (None, False, "", "none")


def staffing(
    *, refunds: int | None = None, per_person_per_hour: Fraction, hours: Fraction = Fraction(1)
) -> Staff:
    """ceil(expected refunds / (refunds per person and hour x hours)) (R-332); None when nobody could do any."""
    each = per_person_per_hour * hours
    if not refunds:
        return Staff(refunds)
    return Staff(ceil(refunds / each) if each > 0 else None)


def hour_load(
    *,
    planned_refunds: int | None = None,
    staff: int | None = None,
    per_person_per_hour: Fraction,
    hour: int | None = None,
) -> Load:
    """An hour is overloaded when more is planned than its people can do (R-328)."""
    if planned_refunds is None or staff is None:
        return Load(None, None, None)
    needed = staffing(refunds=planned_refunds, per_person_per_hour=per_person_per_hour).staff
    capacity = staff * per_person_per_hour
    return Load(planned_refunds > capacity, None if needed is None else max(0, needed - staff), capacity)


def goals_met(
    goals: Mapping[str, Fraction | None],
    actuals: Mapping[str, Fraction | None],
    directions: Mapping[str, Direction],
) -> Goals:
    """At or better than each goal, in the direction of the metric (R-327)."""
    known = {
        name: (goal, actual)
        for name, goal in goals.items()
        if goal is not None and (actual := actuals.get(name)) is not None
    }
    missed = tuple(name for name, (goal, actual) in known.items() if is_worse(goal, actual, directions[name]))
    unknown = tuple(name for name, goal in goals.items() if goal is not None and name not in known)
    return Goals(False if missed else True if known and not unknown else None, missed, unknown)


def night_roster(
    *,
    start: time,
    night_shift_staff: int | None = 0,
    promo: bool | str | None = "other",
    promo_night_starts: tuple[str, ...],
) -> RosterWarning:
    """A promotion that begins at midnight needs a night shift (R-334)."""
    needed = is_promo(promo) and start.isoformat("minutes") in promo_night_starts
    return RosterWarning(needed and (night_shift_staff or 0) < 1)
