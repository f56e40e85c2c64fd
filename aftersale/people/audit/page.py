"""The audit log: who looked at personal data, took a file away, changed a right, a rule, a setting or a switch."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from aftersale.cases.access import Shop
from aftersale.cases.rows import first, read
from aftersale.people.audit import told
from aftersale.people.rights import needs, shops_with
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.audit")
PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """`more`: what else is known, as JSON."""

    id: int
    at: datetime
    who: str
    shop_id: int | None
    what: str
    target: str
    why: str
    more: str

    @property
    def title(self) -> str:
        return titles().get(self.what, self.what)

    @property
    def details(self) -> Iterator[tuple[str, str]]:
        return told.details(json.loads(self.more))

    @property
    def subject(self) -> str:
        return told.subject(self.what, self.target)


@dataclass(frozen=True, slots=True)
class Shops:
    """How many shops this installation has."""

    shops: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the log is asked for; empty = all. `before`: only rows with a smaller id."""

    shop: str = ""
    who: str = ""
    what: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None

    def address(self, **changes: str) -> str:
        given = {"shop": self.shop, "who": self.who, "what": self.what}
        days = {"since": str(self.since or ""), "until": str(self.until or "")}
        return "?" + urlencode({name: value for name, value in {**given, **days, **changes}.items() if value})


def titles() -> dict[str, str]:
    """What can be written down, in words."""
    return {
        "unmask": _("查看买家信息"),
        "export": _("导出"),
        "rights": _("修改权限"),
        "temporary_right": _("临时权限"),
        "invite": _("邀请同事"),
        "join": _("加入店铺"),
        "leave": _("离开店铺"),
        "password": _("修改密码"),
        "password_link": _("生成重设密码的链接"),
        "second_step": _("重设两步验证"),
        "sessions": _("结束别人的登录"),
        "setting": _("修改设置"),
        "switch": _("拨动总闸"),
        "rule_edit": _("修改规则草稿"),
        "rule_drop": _("丢弃规则草稿"),
        "rule_ask": _("提交规则复核"),
        "rule_approve": _("复核规则：同意"),
        "rule_refuse": _("复核规则：退回"),
        "rule_try": _("试行规则"),
        "rule_try_stop": _("停止试行规则"),
        "rule_publish": _("发布规则"),
        "rule_back": _("回退规则"),
    }


@needs("audit")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/audit?shop=&who=&what=&since=&until=&before=`; days are those of the pages' zone, both included."""
    shops = shops_with(request.user, "audit")
    asked = asked_of(request.GET)
    found = rows_of(shops, asked, PAGE_ROWS + 1)
    names = {shop.id: shop.name for shop in shops}
    context: dict[str, Any] = {
        "here": "audit",
        "asked": asked,
        "shops": shops,
        "titles": titles(),
        "rows": [(row, names.get(row.shop_id or 0)) for row in found[:PAGE_ROWS]],
        "narrowed": asked != Asked(),
        "newest": asked.address(),
        "older": asked.address(before=str(found[PAGE_ROWS - 1].id)) if len(found) > PAGE_ROWS else "",
    }
    return render(request, "people/audit/page.html", context)


def rows_of(shops: Collection[Shop], asked: Asked, most: int) -> list[Row]:
    """Newest first. What concerns no single shop is for who may read the log of every shop."""
    there = first(Shops, SQL["shops"], {})
    wanted = {
        "shop_ids": [shop.id for shop in shops if asked.shop in ("", shop.code)],
        "whole": not asked.shop and there is not None and len(shops) == there.shops > 0,
        "who": asked.who or None,
        "what": asked.what or None,
        "since": _midnight(asked.since),
        "until": _midnight(asked.until and asked.until + timedelta(days=1)),
        "before": asked.before,
        "rows": most,
    }
    return read(Row, SQL["rows"], wanted)


def asked_of(given: QueryDict) -> Asked:
    """What the address names wrongly counts as not named."""
    before = given.get("before", "")
    return Asked(
        given.get("shop", ""),
        given.get("who", "").strip()[:150].replace("\0", ""),
        given.get("what", "").replace("\0", ""),
        _day(given.get("since", "")),
        _day(given.get("until", "")),
        int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and 2000 <= found.year < 2200 else None


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), timezone.get_current_timezone())
