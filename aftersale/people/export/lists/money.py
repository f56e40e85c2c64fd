"""What the money page and the approvals page list."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.rows import read
from aftersale.people import words
from aftersale.people.approvals.page import SQL, Waiting
from aftersale.people.export.table import Column, Known, Rows, Table, Terms, exported, shop_term
from aftersale.people.money import found

BATCH = 1000


def _waiting_columns() -> Sequence[Column]:
    return (
        Column(_("售后单号")),
        Column(_("店铺")),
        Column(_("订单号")),
        Column(_("动作")),
        Column(_("金额"), "fen"),
        Column(_("申请金额"), "fen"),
        Column(_("实付金额"), "fen"),
        Column(_("谁提交的")),
        Column(_("提交时间"), "time"),
        Column(_("过期时间"), "time"),
        Column(_("原因")),
        Column(_("规则")),
    )


def _waiting(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    shops = _shops(user, "approve")
    where = {"shop_ids": list(shops), "by": user.get_username()}
    for one in read(Waiting, SQL["waiting"], where)[:most]:
        why = words.word("why", one.why)
        yield (
            one.case_id,
            shops[one.shop_id].name,
            one.order_id,
            words.intent(one.kind),
            one.amount_fen,
            one.asked_fen,
            one.paid_fen,
            one.requested_by,
            one.requested_at,
            one.expires_at,
            why,
            words.word("rule", one.rule),
        )


def _ledger_columns() -> Sequence[Column]:
    return (
        Column(_("时间"), "time"),
        Column(_("店铺")),
        Column(_("售后单号")),
        Column(_("订单号")),
        Column(_("第几笔"), "number"),
        Column(_("金额"), "fen"),
        Column(_("谁退的")),
    )


def _ledger(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    """The day, shop and origin that the page shows."""
    return islice(_all_of_the_day(user, query, now), most)


def _all_of_the_day(user: Known, query: QueryDict, now: datetime) -> Rows:
    shops = _shops(user, "money", query.get("shop", ""))
    day, origin = _day(query) or found.today(now), _origin(query)
    since, until = found.midnight(day), found.midnight(day + timedelta(days=1))
    skip = 0
    while page := found.rows(list(shops), since, until, origin, skip=skip, rows=BATCH):
        for one in page:
            who, name = words.word("origin", one.origin), shops[one.shop_id].name
            yield (one.at, name, one.case_id, one.order_id, one.entry, one.amount_fen, who)
        skip += BATCH


def _day(query: QueryDict) -> date | None:
    try:
        day = parse_date(query.get("day", ""))
    except ValueError:
        return None
    return day if day and 2000 <= day.year < 2100 else None


def _origin(query: QueryDict) -> str:
    given = query.get("origin", "")
    return given if given in found.ORIGINS else ""


def _ledger_terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    yield from shop_term(query, shop_names)
    yield _("日期"), str(_day(query) or "")
    if origin := _origin(query):
        yield _("谁退的"), words.word("origin", origin)


def _difference_columns() -> Sequence[Column]:
    return (
        Column(_("店铺")),
        Column(_("售后单号")),
        Column(_("差异")),
        Column(_("我们"), "fen"),
        Column(_("平台"), "fen"),
        Column(_("发现时间"), "time"),
    )


def _differences(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    shops = _shops(user, "money", query.get("shop", ""))
    for one in found.differences(list(shops))[:most]:
        kind = words.word("difference", one.kind)
        yield (shops[one.shop_id].name, one.case_id, kind, one.ours_fen, one.theirs_fen, one.found_at)


def _shops(user: Known, right: str, code: str = "") -> dict[int, Shop]:
    """Where the person has this right and the one to export; of them the one of this code."""
    return {shop.id: shop for shop in exported(user, right) if code in ("", shop.code)}


APPROVALS = Table(lambda: _("待复核"), "approve", _waiting_columns, _waiting)
LEDGER = Table(lambda: _("账本"), "money", _ledger_columns, _ledger, _ledger_terms)
DIFFERENCES = Table(lambda: _("和平台不一致"), "money", _difference_columns, _differences, shop_term)
