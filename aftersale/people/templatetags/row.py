"""A row of the queue. A page has fifty, and this takes a sixth of what fifty templates take."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from django import template
from django.template import loader
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from aftersale.people import words
from aftersale.people.templatetags.desk import ago, fen

if TYPE_CHECKING:
    from aftersale.people.queue import Line

register = template.Library()


@register.simple_tag
def row(line: "Line", now: datetime, instead: bool = False) -> SafeString:
    """The row of a case; `instead`: it takes the place of the one that is shown."""
    mark = ' class="changed"' * line.changed + ' hx-swap-oob="true"' * instead
    html = {
        "mark": mark,
        "left": line.left,
        "tracking": _tracking(line, now),
        "owner": _owner(line.row.owner),
    }
    said = {name: escape(text) for name, text in _said(line).items()}
    return mark_safe(_letter(get_language()).format_map(said | html))


@cache
def _letter(language: str | None) -> str:
    """The row with a name in braces for each value, in the active language."""
    return loader.render_to_string("people/_row.html").strip()


def _said(line: "Line") -> dict[str, str]:
    row, shop, word = line.row, line.shop, words.word
    return {
        "shop_code": shop.code,
        "shop_name": shop.name,
        "platform": shop.platform,
        "platform_mark": word("platform_mark", shop.platform),
        "case_id": row.case_id,
        "address": line.address,
        "dock_address": line.dock_address,
        "key": line.key,
        "pick_words": line.pick_words,
        "state": f"{line.key}|{line.mark}|{line.pill}",
        "kind": word("aftersale_type", row.aftersale_type),
        "reason": word("reason", row.reason),
        "dot": " · " if row.title else "",
        "title": row.title or "",
        "goods": word("goods_state", row.goods),
        "amount": fen(row.amount_fen),
        "action": word("action", row.action),
        "rule": word("rule", row.rule),
    }


def _tracking(line: "Line", now: datetime) -> SafeString:
    """The last that the courier said."""
    text = line.row.tracking_text
    if not text:
        return format_html('<div class="sub">{}</div>', _("没有物流信息"))
    age = ago(line.row.tracking_at, now)
    return format_html('<div class="sub" title="{}"><span class="age">{}</span>{}</div>', text, age, text)


def _owner(owner: str | None) -> SafeString:
    return escape(owner) if owner else format_html('<span class="none">{}</span>', _("待认领"))
