"""The audit log under the filter of its page."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.people.audit import acts
from aftersale.people.audit.asked import asked_of
from aftersale.people.audit.rows import rows_of, titles
from aftersale.people.export.table import Column, Known, Rows, Table, Terms, shop_term
from aftersale.people.rights import shops_with


def _columns() -> Sequence[Column]:
    return (
        Column(_("时间"), "time"),
        Column(_("谁")),
        Column(_("做了什么")),
        Column(_("店铺")),
        Column(_("售后单")),
        Column(_("金额"), "fen"),
        Column(_("对象")),
        Column(_("原因")),
        Column(_("详情")),
    )


def _rows(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    shops = shops_with(user, "audit")
    names = {shop.id: shop.name for shop in shops}
    for row in rows_of(shops, asked_of(query), most):
        more = _("；").join(
            _("%(key)s：%(value)s") % {"key": name, "value": value} for name, value in row.details
        )
        about = (names.get(row.shop_id or 0), row.case_id, row.amount_fen, row.subject)
        yield (row.at, row.by, row.title, *about, row.why, more)


def _terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    asked = asked_of(query)
    yield from shop_term(query, shop_names)
    yield _("什么人"), asked.who
    yield _("做了什么"), {**acts.titles(), **titles()}.get(asked.what, asked.what)
    yield _("售后单"), asked.case
    yield _("从"), str(asked.since or "")
    yield _("到"), str(asked.until or "")


TABLE = Table(lambda: _("操作记录"), "audit", _columns, _rows, _terms)
