"""The audit log under the filter of its page."""

from collections.abc import Sequence
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.people.audit.page import asked_of, rows_of
from aftersale.people.export.table import Column, Known, Rows, Table
from aftersale.people.rights import shops_with


def _columns() -> Sequence[Column]:
    return (
        Column(_("时间"), "time"),
        Column(_("谁")),
        Column(_("做了什么")),
        Column(_("店铺")),
        Column(_("对象")),
        Column(_("原因")),
        Column(_("详情")),
    )


def _rows(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    shops = shops_with(user, "audit")
    names = {shop.id: shop.name for shop in shops}
    for row in rows_of(shops, asked_of(query), most):
        more = "；".join(f"{name}：{value}" for name, value in row.details)
        yield (row.at, row.who, row.title, names.get(row.shop_id or 0), row.subject, row.why, more)


TABLE = Table(lambda: _("操作记录"), "audit", _columns, _rows)
