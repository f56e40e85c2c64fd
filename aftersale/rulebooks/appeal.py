"""When an appeal may be filed: the clock book read for what the appeal is counted from (R-190, R-194, R-195)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache

from aftersale.core.appeals.windows import RAPID, RIGHTS, WAIT, Kind, Window, window_of
from aftersale.core.clocks.calendar import Calendar
from aftersale.core.clocks.reading import clocks
from aftersale.core.expression import Value
from aftersale.core.rulebook import Book, resolve_settings
from aftersale.rulebooks import books

NO_SHIFTS = Calendar(week=((), (), (), (), (), (), ()))
"""The platform's windows run in plain hours."""

HOURS_MAX = 1_000_000
KINDS: Mapping[str, Kind] = {
    "rights": "rights", "freight": "freight", "rapid_refund": "rapid_refund", "return_dispute": "return_dispute",
}  # fmt: skip
NO_WINDOW = Window(None, None, None, ())


def appeal_window(
    *,
    appeal: str | None = None,
    scene: str | None = None,
    rapid_refund: bool | None = None,
    hours_since_refund_success: Fraction | None = None,
    hours_since_rapid_refund: Fraction | None = None,
    hours_since_return: Fraction | None = None,
    refund_success_at: datetime | None = None,
    returned_at: datetime | None = None,
    rights_appeal_hours: int,
    rapid_refund_appeal_days: int,
    return_dispute_wait_hours: int,
    now: datetime,
) -> Window:
    """Whether the time for this appeal has not come, is now, or has passed; both clocks where two rules meet.

    Without `appeal` it is the one that what is told belongs to, else a rights appeal. An appeal without a window
    has none here."""
    age = hours_since_rapid_refund if hours_since_refund_success is None else hours_since_refund_success
    refunded = refund_success_at or _before(now, age)
    returned = returned_at or _before(now, hours_since_return)
    if appeal is not None and appeal not in KINDS:
        return NO_WINDOW
    told = KINDS[appeal] if appeal else _told_kind(scene, returned, rapid_refund, hours_since_rapid_refund)
    kind = told or "rights"
    rapid = kind == "rapid_refund" or (kind == "return_dispute" and rapid_refund is True)
    disputed = kind != "rapid_refund" or scene is not None
    facts: dict[str, Value | None] = {
        "platform": "pdd",
        "refund_success_at": refunded if refunded is not None and refunded <= now else None,
        "returned_at": returned if returned is not None and returned <= now else None,
        "rapid_refund": rapid,
        "rights_appeal_wanted": not rapid,
        "return_dispute": disputed,
    }
    own = {
        "rights_appeal_hours": rights_appeal_hours,
        "rapid_refund_appeal_days": rapid_refund_appeal_days,
        "return_dispute_wait_hours": return_dispute_wait_hours,
    }
    book = _clock_book()
    found = window_of(kind, clocks(book, facts, resolve_settings(book, own), NO_SHIFTS, now))
    return replace(found, appeal=told)


@cache
def _clock_book() -> Book:
    """The clocks of appeals alone."""
    book = books.book("deadlines")
    return replace(book, rules=tuple(one for one in book.rules if one.name in (RIGHTS, RAPID, WAIT)))


def _told_kind(
    scene: str | None, returned: datetime | None, rapid_refund: bool | None, since_rapid: Fraction | None
) -> Kind | None:
    if scene is not None or returned is not None:
        return "return_dispute"
    return "rapid_refund" if rapid_refund or since_rapid is not None else None


def _before(now: datetime, age: Fraction | None) -> datetime | None:
    """The moment that long before, to the microsecond; ages beyond a century are a century."""
    if age is None:
        return None
    hours = max(Fraction(-HOURS_MAX), min(age, Fraction(HOURS_MAX)))
    return now - timedelta(microseconds=round(hours * 3_600_000_000))
