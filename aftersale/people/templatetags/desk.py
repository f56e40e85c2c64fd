"""How values look on every page."""

import hashlib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from aftersale.core.language.saying import Saying
from aftersale.core.money import yuan_text
from aftersale.people import words
from aftersale.people.jobs.saying import worded as whole
from aftersale.people.rights import masking

register = template.Library()

RED = timedelta(hours=2)
AMBER = timedelta(hours=12)


@register.filter
def fen(amount_fen: int | None) -> str:
    """1230 → '¥12.30'; unknown → '—'."""
    return "—" if amount_fen is None else yuan_text(amount_fen)


@register.filter
def word(code: str | None, kind: str) -> str:
    """The title of a code of this kind."""
    return words.word(kind, code)


@register.filter
def worded(told: Saying) -> str:
    """A sentence that was kept with its values apart."""
    return whole(told)


@register.filter
def masked(text: str | None) -> str:
    """What identifies a buyer is never shown whole."""
    return masking.masked(text)


@register.filter
def masked_words(text: str | None) -> str:
    """What somebody wrote, without numbers and addresses by which one could reach them."""
    return masking.masked_words(text)


@register.filter
def minute(at: datetime | None) -> str:
    """'11-21 18:50' in the pages' zone."""
    return timezone.localtime(at).strftime("%m-%d %H:%M") if at else "—"


@register.filter
def ago(at: datetime | None, now: datetime) -> str:
    """How old something is, in one unit."""
    return _("%(span)s前") % {"span": rough(now - at)} if at else "—"


def span(length: timedelta) -> str:
    """'3天4小时', '2小时5分', '5分钟': at most two units, for people."""
    minutes = max(int(length.total_seconds() // 60), 0)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return _("%(days)d天%(hours)d小时") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d小时%(minutes)d分") % {"hours": hours, "minutes": minutes % 60}
    return _("%(minutes)d分钟") % {"minutes": minutes}


def rough(length: timedelta) -> str:
    """The largest unit alone: '3天', '2小时', '5分钟'."""
    minutes = max(int(length.total_seconds() // 60), 0)
    if minutes >= 1440:
        return _("%(days)d天") % {"days": minutes // 1440}
    if minutes >= 60:
        return _("%(hours)d小时") % {"hours": minutes // 60}
    return _("%(minutes)d分钟") % {"minutes": minutes}


def urgency(due_at: datetime | None, now: datetime) -> str:
    """`late`, `red` under 2 h, `amber` under 12 h, `grey`, `none` without a deadline."""
    if due_at is None:
        return "none"
    left = due_at - now
    return "late" if left < timedelta(0) else "red" if left < RED else "amber" if left < AMBER else "grey"


def is_own_target(due_at: datetime | None, platform_due_at: datetime | None) -> bool:
    """Whether it is the shop's own target or promise that is due, and the platform's deadline lies later."""
    return due_at is not None and (platform_due_at is None or due_at < platform_due_at)


def left_text(due_at: datetime | None, now: datetime, own: bool = False) -> str:
    """The words of the time-left pill."""
    if due_at is None:
        return _("无期限")
    if due_at < now:
        late = {"span": span(now - due_at)}
        return _("内部时限 已超 %(span)s") % late if own else _("已超时 %(span)s") % late
    return _("内部时限 %(span)s") % {"span": span(due_at - now)} if own else span(due_at - now)


@register.simple_tag
def left(due_at: datetime | None, now: datetime) -> SafeString:
    """The time-left pill."""
    title = _("截止 %(at)s") % {"at": minute(due_at)} if due_at else _("平台和店铺都没有给出期限")
    return _pill(urgency(due_at, now), title, left_text(due_at, now))


@register.simple_tag
def left_of_both(due_at: datetime | None, platform_due_at: datetime | None, now: datetime) -> SafeString:
    """The time-left pill of a case; red only by the platform's deadline."""
    if not is_own_target(due_at, platform_due_at):
        return left(due_at, now)
    at = {"at": minute(due_at), "platform": minute(platform_due_at)}
    title = _("内部时限 %(at)s，平台期限 %(platform)s") % at
    calm = {"late": "own", "red": "amber"}
    found = urgency(due_at, now)
    return _pill(calm.get(found, found), title, left_text(due_at, now, own=True))


def _pill(look: str, title: str, words: str) -> SafeString:
    return format_html('<span class="left left-{}" title="{}">{}</span>', look, title, words)


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """An icon of the sprite; decoration only."""
    return format_html(
        '<svg class="icon" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2"'
        ' stroke-linecap="round" stroke-linejoin="round"><use href="{}#{}"/></svg>',
        asset("vendor/icons/sprite.svg"),
        name,
    )


@register.simple_tag
@cache
def asset(path: str) -> str:
    """The address of a static file with its hash, so that browsers may keep it for ever."""
    found = finders.find(path)
    assert isinstance(found, str), f"no static file {path}"
    return f"{static(path)}?v={hashlib.sha256(Path(found).read_bytes()).hexdigest()[:10]}"
