"""The contact governor: may the buyer be contacted now, how often still, and what was done so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aftersale.cases.casework.contacts import Counts, Judge, Ruling, counts
from aftersale.cases.casework.place import Place
from aftersale.cases.rows import first, read
from aftersale.core.contact.channels import contact_channels
from aftersale.core.contact.moments import contact_override, contact_time
from aftersale.core.expression import Value
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.people.playbook.found import SQL, Facts, ruling, settings_of
from aftersale.people.playbook.guide import SHANGHAI

CHANNELS = ("phone", "im", "sms")


@dataclass(frozen=True, slots=True)
class Contact:
    id: int
    channel: str
    purpose: str
    reached: bool
    counts: bool
    by_whom: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """One contact more, asked for and perhaps granted."""

    id: int
    why: str
    asked_by: str
    granted_by: str | None


@dataclass(frozen=True, slots=True)
class May:
    allowed: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One channel: whether it may be used now, and why not."""

    channel: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Governor:
    """`sentence`: what is left today; `first`: the channel to use; `override`: asked for, perhaps granted."""

    sentence: str
    first: str | None
    ways: tuple[Way, ...]
    over_cap: bool
    quiet: bool
    waits: bool
    contacts: tuple[Contact, ...]
    override: Override | None
    may_grant: bool


def midnight(now: datetime) -> datetime:
    """The beginning of the day in Shanghai."""
    return now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def judge_of(channel: str, by: str, facts: Facts, own: str, platform: str, now: datetime) -> Judge:
    """The book `contact` as a judge of one contact."""

    def judge(found: Counts) -> Ruling:
        granted = contact_override(
            override_reason=found.override_why, approver=found.granted_by, agent=by
        ).override_granted
        more: dict[str, Value | None] = {
            "channel": channel,
            "inbound_pending": found.waits,
            "calls_today": found.calls_today,
            "contacts_last_7d": found.contacts_last_7d,
            "contact_minute": contact_time(contact_clock=now).contact_minute,
            "override_granted": granted,
        }
        said = ruling("contact", dict(facts) | more, own, platform, now).outcome
        if said["allowed"] is True:
            return Ruling(said["counts"] is True, said.get("audited") is True)
        code = str(said["why"])
        return Ruling(refusal=Refusal(code, words.word("why", code)))

    return judge


def governor(
    conn: Any, place: Place, buyer_ref: str | None, facts: Facts, own: str, platform: str
) -> Governor:
    """What the page says about contacting this buyer."""
    now = place.now
    found = counts(conn, place, buyer_ref, midnight(now))
    terms = settings_of("contact", own, platform, now)
    judged = {
        channel: judge_of(channel, place.by, facts, own, platform, now)(found).refusal for channel in CHANNELS
    }
    codes = {refusal.code for refusal in judged.values() if refusal}
    order = {name: _texts(terms[name]) for name in ("channel_order", "order_channels", "sms_first_hints")}
    calls = int(str(terms["calls_per_phone_per_day"]))
    ways = contact_channels(calls_today=found.calls_today, calls_per_phone_per_day=calls, **order)
    where = place.values()
    may = first(May, SQL["may_override"], where)
    return Governor(
        _left(found, terms),
        next((one for one in ways.next if judged.get(one) is None), None),
        tuple(Way(channel, refusal.why if refusal else "") for channel, refusal in judged.items()),
        bool(codes & {"calls_per_day", "contacts_per_week"}),
        "quiet_hours" in codes,
        found.waits,
        tuple(read(Contact, SQL["contacts"], where)),
        first(Override, SQL["override"], where),
        may is not None and may.allowed,
    )


def _texts(value: object) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return tuple(map(str, value))


def _left(found: Counts, terms: Mapping[str, Any]) -> str:
    """'今日可再致电 1 次，七天内还可联系 2 次。'"""
    week = max(terms["contacts_per_case_per_week"] - found.contacts_last_7d, 0)
    calls = max(min(terms["calls_per_phone_per_day"] - found.calls_today, week), 0)
    called = (
        ngettext("今日可再致电 %(n)d 次", "今日可再致电 %(n)d 次", calls) % {"n": calls}
        if calls
        else _("今日不能再致电")
    )
    rest = (
        ngettext("七天内还可主动联系 %(n)d 次", "七天内还可主动联系 %(n)d 次", week) % {"n": week}
        if week
        else _("七天内的主动联系已经用完")
    )
    return _("%(calls)s，%(rest)s。") % {"calls": called, "rest": rest}
