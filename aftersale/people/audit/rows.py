"""The rows of the log, of both tables as one list, newest first."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.rows import first, read
from aftersale.people.audit import acts, told
from aftersale.people.audit.acts import Act
from aftersale.people.audit.asked import Asked, Mark
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.audit")
SOURCE = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """`more`: what else is known, as JSON."""

    id: int
    at: datetime
    who: str
    shop_id: int | None
    what: str
    target: str
    why: str
    more: str


@dataclass(frozen=True, slots=True)
class Row(Entry):
    """An entry for a reader whose shops have these names by code."""

    shop_names: Mapping[str, str]

    @property
    def mark(self) -> Mark:
        return Mark(self.at, SOURCE, self.id)

    @property
    def by(self) -> str:
        return self.who

    @property
    def title(self) -> str:
        return titles().get(self.what, self.what)

    @property
    def details(self) -> Iterator[tuple[str, str]]:
        return told.details(self.what, self.target, json.loads(self.more), self.shop_names)

    @property
    def subject(self) -> str:
        return told.subject(self.what, self.target, self.shop_names)

    @property
    def case_id(self) -> str:
        return ""

    @property
    def amount_fen(self) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class Shops:
    """How many shops this installation has."""

    shops: int


def titles() -> dict[str, str]:
    """What can be written down outside of cases, in words."""
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
        "token": _("生成令牌"),
        "token_end": _("停用令牌"),
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


def rows_of(shops: Collection[Shop], asked: Asked, most: int) -> list[Act | Row]:
    """Newest first. What concerns no single shop is for who may read the log of every shop."""
    shown = [shop.id for shop in shops if asked.shop in ("", shop.code)]
    wanted = {
        "who": asked.who or None,
        "what": asked.what or None,
        "rows": most,
    }
    found: list[Act | Row] = []
    if asked.what not in titles():
        found += _acts(shown, asked, wanted)
    if asked.what not in acts.titles():
        places = [*shown, *_everywhere(shops, asked)]
        targets = told.targets([shop.code for shop in shops], asked.case) if asked.case else None
        values = {**wanted, **asked.span(SOURCE), "shop_ids": places, "targets": targets}
        names = {shop.code: shop.name for shop in shops}
        found += [Row(**asdict(entry), shop_names=names) for entry in read(Entry, SQL["rows"], values)]
    return sorted(found, key=_place, reverse=True)[:most]


def _acts(shop_ids: Collection[int], asked: Asked, wanted: Mapping[str, Any]) -> list[Act]:
    known = list(acts.titles())
    which = [act for act in known if asked.what in ("", act)]
    values = {**wanted, **asked.span(acts.SOURCE), "shop_ids": list(shop_ids), "acts": which}
    return read(Act, SQL["acts"], {**values, "case_id": asked.case or None})


def _everywhere(shops: Collection[Shop], asked: Asked) -> tuple[int, ...]:
    """Place 0, where what concerns no single shop stands."""
    there = first(Shops, SQL["shops"], {})
    return (0,) if not asked.shop and there is not None and len(shops) == there.shops > 0 else ()


_place = attrgetter("mark.at", "mark.source", "mark.id")
