"""What is stopped now, said above every page of those who work in these shops."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.rows import read
from aftersale.people import words
from aftersale.people.templatetags.desk import minute
from aftersale.pg.sql import queries

SQL = queries("aftersale.people")
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Stop:
    """Shop 0 is every shop, action '' every action."""

    shop_id: int
    action: str
    by_whom: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """The widest stops as sentences, and how many more there are."""

    sentences: tuple[str, ...]
    more: int


def told(shops: Collection[Shop]) -> Told | None:
    """None while nothing of these shops is stopped."""
    names = {0: _("全部店铺"), **{shop.id: shop.name for shop in shops}}
    stops = read(Stop, SQL["stopped"], {"shop_ids": [shop.id for shop in shops]}) if shops else []
    held = {(stop.shop_id, stop.action) for stop in stops}
    wide = [stop for stop in stops if not held & _wider(stop)]
    sentences = tuple(_sentence(stop, names[stop.shop_id]) for stop in wide[:SHOWN])
    return Told(sentences, len(wide) - len(sentences)) if wide else None


def _wider(stop: Stop) -> set[tuple[int, str]]:
    """Stops in which this one is contained."""
    wider = {(0, ""), (0, stop.action), (stop.shop_id, "")}
    return wider - {(stop.shop_id, stop.action)}


def _sentence(stop: Stop, name: str) -> str:
    by = {"who": words.by_whom(stop.by_whom), "at": minute(stop.at)}
    return said(stop.action, name) + _("（%(who)s，%(at)s 起）") % by


def said(action: str, name: str) -> str:
    """What is stopped there, and whether people can go on."""
    if action == "":
        return _("%(shop)s已全部停止，人工的也不会发出") % {"shop": name}
    if action == "automatic_money":
        return _("%(shop)s已停止自动付款，人工照常") % {"shop": name}
    return _("%(shop)s已停止「%(action)s」，其他照常") % {"shop": name, "action": words.intent(action)}
