"""By which channel a buyer is contacted first, and by which afterwards (R-299 – R-301, R-303)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PHONE, SMS = "phone", "sms"
_SAME: Mapping[str, str] = {
    "call": PHONE, "text": SMS, "message": "im", "chat": "im", "wangwang": "im", "platform_im": "im",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Channels:
    """`first_channel`: used now; `next`: all that may be used now; `refused`: not given with the order."""

    first_channel: str | None
    next: tuple[str, ...]
    refused: tuple[str, ...]


def contact_channels(
    *,
    channels: tuple[str, ...] | None = None,
    tried: tuple[str, ...] = (),
    hint: str | tuple[str, ...] | None = None,
    consented: tuple[str, ...] = (),
    calls_today: int | None = None,
    channel_order: tuple[str, ...],
    order_channels: tuple[str, ...],
    sms_first_hints: tuple[str, ...],
    calls_per_phone_per_day: int,
) -> Channels:
    """The phone first, then messages; an SMS instead of the phone where a hint says so or it was called enough.

    `channels`: those at hand, by default the shop's; `consented`: others that the buyer agreed to;
    `sms_first_hints`: words of a hint."""
    named = [_SAME.get(one, one) for one in (order_channels if channels is None else channels)]
    known = {*order_channels, *consented}
    hints = {hint} if isinstance(hint, str) else set(hint or ())
    hinted = any(word in one for one in hints for word in sms_first_hints)
    silent = hinted or (calls_today or 0) >= calls_per_phone_per_day
    usable = [one for one in dict.fromkeys(named) if one in known and not (silent and one == PHONE)]
    done = {_SAME.get(one, one) for one in tried}
    left = next(
        (group for step in _steps(channel_order, consented, silent) if (group := _in(step, usable, done))), ()
    )
    refused = tuple(one for one in dict.fromkeys(named) if one not in known)
    return Channels(left[0] if left else None, left, refused)


def _steps(order: Sequence[str], consented: Sequence[str], silent: bool) -> list[Sequence[str]]:
    """Groups of channels, one after another; those of one group go out together."""
    messages = [one for one in order if one != PHONE]
    if silent:
        return [[SMS], [one for one in messages if one != SMS], consented]
    phone = [PHONE] if PHONE in order else []
    return [phone, messages, consented]


def _in(step: Sequence[str], usable: Sequence[str], done: set[str]) -> tuple[str, ...]:
    return tuple(one for one in step if one in usable and one not in done)
