"""The audit log: who did what on cases, looked at personal data, took a file away, changed a right, a rule or a setting."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from aftersale.people.audit import acts
from aftersale.people.audit.asked import Asked, asked_of
from aftersale.people.audit.rows import rows_of, titles
from aftersale.people.rights import needs, shops_with

PAGE_ROWS = 100


@needs("audit")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/audit?shop=&who=&what=&case=&since=&until=&before=`; days are those of the pages' zone, both included."""
    shops = shops_with(request.user, "audit")
    asked = asked_of(request.GET)
    found = rows_of(shops, asked, PAGE_ROWS + 1)
    by_id = {shop.id: shop for shop in shops}
    context: dict[str, Any] = {
        "here": "audit",
        "asked": asked,
        "shops": shops,
        "groups": {_("办理售后单"): acts.titles(), _("查看、导出和修改"): titles()},
        "rows": [(row, by_id.get(row.shop_id or 0)) for row in found[:PAGE_ROWS]],
        "narrowed": asked != Asked(),
        "newest": asked.address(),
        "older": asked.address(before=str(found[PAGE_ROWS - 1].mark)) if len(found) > PAGE_ROWS else "",
    }
    return render(request, "people/audit/page.html", context)
