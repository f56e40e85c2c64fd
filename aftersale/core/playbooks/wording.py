"""What the messages of the playbooks must state (R-128 – R-133), and until when an answer is promised (R-136)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from aftersale.core.language.grammar import SHANGHAI

NEXT_MORNING = "next_morning_at_latest"


@dataclass(frozen=True, slots=True)
class MustSay:
    """Texts the message has to contain; None: nothing in particular."""

    message_must_include: tuple[str, ...] | None


def must_say(
    *,
    plan: str | None = None,
    courier: str | None = None,
    correct_number: str | None = None,
    restock_at: datetime | None = None,
    restock_in_days: Fraction | None = None,
    first_tracking_hours: int,
    delay_plan_ship_hours: int,
) -> MustSay:
    """Courier and number after a wrong waybill, hours after a pickup or a delay, a day when out of stock."""
    said: dict[str | None, tuple[str | None, ...]] = {
        "wrong_number": (courier, correct_number),
        "courier": (f"{first_tracking_hours}小时",),
        "delay_plan_1": (f"{delay_plan_ship_hours}小时",),
        "out_of_stock": (_day(restock_at) or _days(restock_in_days),),
    }
    return MustSay(tuple(one for one in said.get(plan, ()) if one) or None)


def _day(at: datetime | None) -> str | None:
    local = at and at.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日" if local else None


def _days(count: Fraction | None) -> str | None:
    return None if count is None else f"{-(-count.numerator // count.denominator)}天"


@dataclass(frozen=True, slots=True)
class PromisedReply:
    promise_reply_at: datetime | None


def promised_reply(
    *, promise_reply: str | None = None, now: datetime, answer_days: int, answer_until_minute: int
) -> PromisedReply:
    """The latest moment of an answer promised for the next morning, in the shop's days; None: nothing promised."""
    if promise_reply != NEXT_MORNING:
        return PromisedReply(None)
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return PromisedReply(today + timedelta(days=answer_days, minutes=answer_until_minute))
