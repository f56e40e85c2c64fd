"""What is followed up every day, and how long news took (R-311, R-313)."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from aftersale.core.language.grammar import SHANGHAI

TODAY = "today"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """`tasks`: what is still owed today."""

    task_today: bool
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeTimes:
    """Hours between two moments of an exchange or return; None while one of them is missing or they are the wrong
    way round. `hours`: until the desk knew, for an exchange without that until the parcel left."""

    hours: Fraction | None
    hours_to_reship: Fraction | None


def follow_up_today(
    *,
    issue: str | None = None,
    open: bool | None = None,
    last_follow_up: Literal["today", "yesterday", "day_before_yesterday", "earlier", "never"]
    | datetime
    | None = None,
    buyer_replied_today: bool | None = None,
    daily_follow_up_issues: tuple[str, ...],
    now: datetime,
) -> FollowUp:
    """An open logistics problem is followed up, and its buyer answered, once a calendar day until solved (R-311).

    `last_follow_up`: its moment, or "today", "yesterday", "never"."""
    if open is False or (issue is not None and issue not in daily_follow_up_issues):
        return FollowUp(False, ())
    followed = _is_today(last_follow_up, now)
    tasks = (
        *(() if followed else ("follow_up",)),
        *(() if followed and buyer_replied_today is not False else ("reply_buyer",)),
    )
    return FollowUp(bool(tasks), tasks)


def _is_today(last: object, now: datetime) -> bool:
    if isinstance(last, datetime):
        return last.astimezone(SHANGHAI).date() == now.astimezone(SHANGHAI).date()
    return last == TODAY


def node_times(
    *,
    warehouse_signed_at: datetime | None = None,
    cs_informed_at: datetime | None = None,
    exchange_triggered_at: datetime | None = None,
    reshipped_at: datetime | None = None,
) -> NodeTimes:
    """From the warehouse's signature to the desk, and from an exchange's trigger to its parcel (R-313)."""
    reship = _hours(exchange_triggered_at, reshipped_at)
    signed = warehouse_signed_at is not None or cs_informed_at is not None
    return NodeTimes(_hours(warehouse_signed_at, cs_informed_at) if signed else reship, reship)


def _hours(start: datetime | None, end: datetime | None) -> Fraction | None:
    if start is None or end is None or end < start:
        return None
    passed = end - start
    return Fraction(
        passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds, 3_600_000_000
    )
