"""What a contact needs to know besides its counts: the time of day, an override, a promised answer."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from aftersale.core.language.grammar import SHANGHAI


@dataclass(frozen=True, slots=True)
class ContactTime:
    contact_minute: int | None


def contact_time(*, contact_clock: time | datetime | None = None) -> ContactTime:
    """The minute of the day in Shanghai of a contact; quiet hours are counted by it (R-302)."""
    if contact_clock is None:
        return ContactTime(None)
    at = contact_clock.astimezone(SHANGHAI) if isinstance(contact_clock, datetime) else contact_clock
    return ContactTime(at.hour * 60 + at.minute)


@dataclass(frozen=True, slots=True)
class Override:
    override_granted: bool


def contact_override(
    *, override_reason: str | None = None, approver: str | None = None, agent: str | None = None
) -> Override:
    """An override has a reason that says something, and an approver who is not the agent himself (R-298)."""
    reason, by = (override_reason or "").strip(), (approver or "").strip()
    return Override(bool(reason) and bool(by) and by != (agent or "").strip())


@dataclass(frozen=True, slots=True)
class PromisedAnswer:
    """`in_ledger`: the promise is tracked; `alert`: it is told of now; at the promised moment one is in time."""

    in_ledger: bool
    alert: bool
    breached: bool
    promised_until: datetime


def answer_promise(
    *, promised_until: datetime, now: datetime, fulfilled: bool = False, deadline_lead_hours: int
) -> PromisedAnswer:
    """Every "we answer by then" is tracked, and told of before the moment comes (R-304)."""
    near = now >= promised_until - timedelta(hours=deadline_lead_hours)
    return PromisedAnswer(
        True, near and not fulfilled, now > promised_until and not fulfilled, promised_until
    )
