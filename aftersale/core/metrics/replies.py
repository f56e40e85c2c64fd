"""Replies in conversations: the 3-minute rate and its window, the 30-second rate, conversion, alarms."""

from dataclasses import dataclass
from datetime import datetime, time
from fractions import Fraction

from aftersale.core.language.grammar import SHANGHAI
from aftersale.core.metrics.share import mean, share

Delay = Fraction | None
"""Seconds from a message to its reply; None = no reply."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One message of a buyer, with the delay of whichever replies it got. Without `at` it is in the window."""

    at: time | datetime | None = None
    delay_s: Delay = None
    human_reply_delay_s: Delay = None
    robot_reply_delay_s: Delay = None

    @property
    def first_reply_s(self) -> Delay:
        """A robot's reply is worth a person's (R-234)."""
        found = (self.delay_s, self.human_reply_delay_s, self.robot_reply_delay_s)
        return min((one for one in found if one is not None), default=None)

    @property
    def manual_reply_s(self) -> Delay:
        return self.human_reply_delay_s if self.human_reply_delay_s is not None else self.delay_s


@dataclass(frozen=True, slots=True)
class Inquirer:
    """A user with messages, or with the delays of messages whose times are not told."""

    id: str | int
    messages: tuple[Inquiry, ...] = ()
    reply_delays_s: tuple[Delay, ...] = ()

    @property
    def inquiries(self) -> tuple[Inquiry, ...]:
        return (*self.messages, *(Inquiry(delay_s=delay) for delay in self.reply_delays_s))


@dataclass(frozen=True, slots=True)
class ReplyRate:
    """`over`: users of whom any message had no reply in time."""

    inquirers: int | None
    over: int | None
    value: Fraction | None
    metric: str = "three_min_reply_rate"


@dataclass(frozen=True, slots=True)
class Counted:
    counted: bool


@dataclass(frozen=True, slots=True)
class QuickRate:
    """`value`: share of messages answered within the limit; `avg_response_s`: mean of the manual replies."""

    messages: int
    within: int
    value: Fraction | None
    avg_response_s: Fraction | None
    metric: str = "thirty_sec_rate"


@dataclass(frozen=True, slots=True)
class Conversion:
    value: Fraction | None
    metric: str = "inquiry_conversion"


@dataclass(frozen=True, slots=True)
class ReplyAlarm:
    """`late`: already over the limit."""

    alert: bool
    late: bool


def in_reply_window(at: time | datetime, from_minute: int, until_minute: int) -> bool:
    """From the first minute on, before the last (R-232: [08:00, 23:00)). Microseconds count."""
    clock = at.astimezone(SHANGHAI).time() if isinstance(at, datetime) and at.tzinfo else at
    seconds = clock.hour * 3600 + clock.minute * 60 + clock.second
    return from_minute * 60 <= seconds < until_minute * 60


def inquiry_counts(
    *, time: time | datetime, three_min_from_minute: int, three_min_until_minute: int
) -> Counted:
    """Whether a message of this time counts in the 3-minute rate (R-232)."""
    return Counted(in_reply_window(time, three_min_from_minute, three_min_until_minute))


def three_min_reply_rate(
    *,
    users: tuple[Inquirer, ...] | None = None,
    inquirers: int | None = None,
    over: int | None = None,
    all_in_window: bool = False,
    three_min_limit_s: Fraction,
    three_min_from_minute: int,
    three_min_until_minute: int,
) -> ReplyRate:
    """(N - U) / N: a user is over when any message in the window has no reply within the limit (R-231, R-234)."""
    if users is None:
        in_time = None if inquirers is None or over is None else inquirers - over
        return ReplyRate(inquirers, over, share(in_time, inquirers))
    asked: set[str | int] = set()
    missed: set[str | int] = set()
    for user in users:
        for one in user.inquiries:
            if (
                all_in_window
                or one.at is None
                or in_reply_window(one.at, three_min_from_minute, three_min_until_minute)
            ):
                asked.add(user.id)
                first = one.first_reply_s
                missed |= {user.id} if first is None or first > three_min_limit_s else set()
    return ReplyRate(len(asked), len(missed), share(len(asked) - len(missed), len(asked)))


def thirty_sec_rate(
    *,
    delays_s: tuple[Delay, ...] | None = None,
    messages: tuple[Inquiry, ...] = (),
    thirty_sec_limit_s: Fraction,
) -> QuickRate:
    """Share of messages answered within 30 s, and the mean manual response (R-235, R-236)."""
    asked = tuple(messages) if delays_s is None else tuple(Inquiry(delay_s=delay) for delay in delays_s)
    within = sum(1 for one in asked if (s := one.first_reply_s) is not None and s <= thirty_sec_limit_s)
    manual = [s for one in asked if (s := one.manual_reply_s) is not None]
    return QuickRate(len(asked), within, share(within, len(asked)), mean(manual))


def inquiry_conversion(*, inquirers: int | None = None, paid_inquirers: int | None = None) -> Conversion:
    """Inquirers who paid / inquirers (R-237)."""
    return Conversion(share(paid_inquirers, inquirers))


def unreplied_alarm(
    *,
    time: time | datetime,
    unreplied_s: Fraction | None,
    warn_at_s: Fraction,
    three_min_limit_s: Fraction,
    three_min_from_minute: int,
    three_min_until_minute: int,
) -> ReplyAlarm:
    """A message in the window that waits `warn_at_s` or longer (R-355); None: nothing waits."""
    if unreplied_s is None or not in_reply_window(time, three_min_from_minute, three_min_until_minute):
        return ReplyAlarm(alert=False, late=False)
    return ReplyAlarm(unreplied_s >= warn_at_s, unreplied_s > three_min_limit_s)
