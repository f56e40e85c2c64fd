"""Counting what happened lately: in rolling days, or on the calendar day where the shop is (annex 3 no. 29)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from aftersale.core.clocks.calendar import NOTHING
from aftersale.core.language.grammar import SHANGHAI


def in_rolling_days(moments: Iterable[datetime], now: datetime, days: int) -> int:
    """How many lie within the last `days` x 24 h: what is exactly that old, or to come, is outside."""
    return sum(NOTHING <= _age(at, now) < timedelta(days=days) for at in moments)


def on_same_day(moments: Iterable[datetime], now: datetime, zone: tzinfo = SHANGHAI) -> int:
    """How many lie on the calendar day of `now` in the zone, up to now."""
    today = now.astimezone(zone).date()
    return sum(_age(at, now) >= NOTHING and at.astimezone(zone).date() == today for at in moments)


def frees_at(moments: Iterable[datetime], days: int, limit: int) -> datetime | None:
    """From when on fewer than `limit` (at least 1) of the moments are within the rolling window; None: always."""
    latest = sorted((at.astimezone(UTC) for at in moments), reverse=True)
    return latest[limit - 1] + timedelta(days=days) if len(latest) >= limit else None


def _age(at: datetime, now: datetime) -> timedelta:
    return now.astimezone(UTC) - at.astimezone(UTC)
