"""The queue as its page shows it, under the same filter and in the same order."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.cases.access import UNCLAIMED, Shop, all_for, counts_for, shops_of
from aftersale.people import words
from aftersale.people.export.table import Column, Known, Rows, Table, Terms, Value, shop_term
from aftersale.people.queue import PLAIN, Line, asked, choices, lines
from aftersale.people.rights import shops_with
from aftersale.people.rights.masking import masked_words

BATCH = 500


def _columns() -> Sequence[Column]:
    return (
        Column(_("售后单号")),
        Column(_("店铺")),
        Column(_("平台")),
        Column(_("订单号")),
        Column(_("售后类型")),
        Column(_("申请原因")),
        Column(_("售后状态")),
        Column(_("商品名称")),
        Column(_("货物状态")),
        Column(_("申请金额"), "fen"),
        Column(_("处理截止时间"), "time"),
        Column(_("进入队列的时间"), "time"),
        Column(_("队列")),
        Column(_("建议动作")),
        Column(_("规则")),
        Column(_("负责人")),
        Column(_("最新物流")),
        Column(_("最新物流时间"), "time"),
    )


def _rows(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    counts = counts_for(user)
    _tab, wanted = asked(query, counts)
    mine = {shop.id for shop in shops_with(user, "export")}
    shops = shops_of(user)
    places = [place for place in all_for(user, wanted, counts, now, most) if place.shop_id in mine]
    for at in range(0, len(places), BATCH):
        for line in lines(places[at : at + BATCH], shops, now):
            yield _row(line, line.shop)


def _row(line: Line, shop: Shop) -> Sequence[Value]:
    row = line.row
    return (
        row.case_id,
        shop.name,
        words.word("platform", shop.platform),
        row.order_id,
        words.word("aftersale_type", row.aftersale_type),
        words.word("reason", row.reason),
        words.word("state", row.state),
        row.title,
        words.word("goods_state", row.goods),
        row.amount_fen,
        row.due_at,
        row.since,
        words.word("queue", row.queue),
        words.word("action", row.action),
        words.word("rule", row.rule),
        row.owner,
        masked_words(row.tracking_text),
        row.tracking_at,
    )


def _terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    """The tab and the chips; a value that nobody knows narrows as it stands, or not at all."""
    tab = query.get("tab", "all")
    if tab != "all" and tab in words.tabs():
        yield _("工作种类"), words.tabs()[tab]
    yield from shop_term(query, shop_names)
    known = choices({}, words.values("platform"), {UNCLAIMED: words.unclaimed()})
    for name, options in known.items():
        value = query.get(name, "")
        if name != "shop" and (value in options or (value and name in PLAIN)):
            yield words.chips()[name], options.get(value, value)


TABLE = Table(lambda: _("队列"), "queue", _columns, _rows, _terms)
