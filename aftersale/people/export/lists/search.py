"""What a search found."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.cases.access import search_for
from aftersale.people.export.table import Column, Known, Rows, Table, Terms
from aftersale.people.rights import shops_with
from aftersale.people.rights.masking import masked_words


def _columns() -> Sequence[Column]:
    return (Column(_("售后单号")), Column(_("店铺")))


def _rows(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    mine = {shop.id for shop in shops_with(user, "export")}
    text = query.get("q", "").replace("\0", "").strip()
    for case in (search_for(user, text) if text else [])[:most]:
        if case.shop.id in mine:
            yield (case.case_id, case.shop.name)


def _terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    yield _("搜索"), masked_words(query.get("q", "").strip())


TABLE = Table(lambda: _("搜索"), "search", _columns, _rows, _terms)
