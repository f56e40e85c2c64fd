"""Clocks without a book, for the tests of the pure functions: hours from a Monday, 9:00."""

from datetime import datetime, timedelta
from typing import Any

from aftersale.core.clocks.calendar import Calendar, Shift
from aftersale.core.clocks.clock import Pause, Terms
from aftersale.core.language.grammar import SHANGHAI

TICK = timedelta(microseconds=1)
START = datetime(2026, 1, 5, 9, tzinfo=SHANGHAI)  # a Monday
DAILY: Any = ((Shift(540, 720), Shift(810, 1080)),) * 5 + ((), ())
OFFICE = Calendar(week=DAILY)


def h(hours: float) -> timedelta:
    return timedelta(hours=hours)


def terms(**changes: Any) -> Terms:
    said: dict[str, Any] = {
        "name": "a", "title": "一", "title_en": "One", "requirement": "R-001", "slot": "a", "whose": "own",
        "started_at": START, "length": h(10), "pauses_on": ("waiting",), **changes,
    }  # fmt: skip
    return Terms(**said)


def pause(since: float, until: float | None = None, kind: str = "waiting") -> Pause:
    return Pause(kind, START + h(since), None if until is None else START + h(until))


def hours(length: timedelta) -> float:
    return length / h(1)
