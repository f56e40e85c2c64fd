"""One scanned parcel: what was in it, what became of its cases; naming a nameless one; taking a scan back."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Shop
from aftersale.cases.returns import find, record
from aftersale.cases.returns.find import Match, Parcel
from aftersale.cases.rows import moment, pace
from aftersale.core.money import yuan_text
from aftersale.core.refusal import Refusal
from aftersale.core.returns.receipt import CONDITIONS
from aftersale.people.acts import UNDO_S, record_connection, said
from aftersale.people.returns import photos
from aftersale.people.returns.candidates import candidates
from aftersale.people.returns.orders import drop, look_into
from aftersale.people.returns.scan import RIGHT, here
from aftersale.people.returns.sheet import read_sheet, sheet
from aftersale.people.rights import needs, shops_with


def theirs(request: HttpRequest, shop_code: str, scan_id: int) -> tuple[Shop, Parcel]:
    """The parcel, or 404 where it does not exist or is not theirs."""
    shop = here(request, shop_code)
    parcel = find.parcel_of(shop.id, scan_id) if scan_id < 2**63 else None
    if parcel is None:
        raise Http404
    return shop, parcel


@needs(RIGHT)
@require_GET
def page(request: HttpRequest, shop_code: str, scan_id: int) -> HttpResponse:
    """The parcel; with `case=shop:number` in the address also the sheet of that case."""
    shop, parcel = theirs(request, shop_code, scan_id)
    return _page(request, shop, parcel)


def _page(request: HttpRequest, shop: Shop, parcel: Parcel, **more: Any) -> HttpResponse:
    shops, now = shops_with(request.user, RIGHT), moment()
    chosen = request.POST.get("case") or request.GET.get("case", "")
    found = _case(shops, chosen) if parcel.found == "anonymous" and not parcel.undone_at else None
    marks = record.Marks(parcel.phone_tail, parcel.weight_g, parcel.goods)
    nameless = parcel.found == "anonymous" and not parcel.undone_at and not found
    context = {
        "here": "returns",
        "shop": shop,
        "parcel": parcel,
        "units": find.kept(parcel),
        "became": find.became(parcel),
        "photos": find.photos(parcel),
        "orders": find.work_orders(shop.id, parcel.id),
        "chosen": chosen,
        "sheet": sheet(found[0], found[1], now, more.get("form")) if found else None,
        "candidates": candidates(shops, parcel.waybill, shop.id, marks) if nameless else [],
        "conditions": CONDITIONS,
        **more,
    }
    return render(request, "people/returns/parcel.html", context)


def _case(shops: tuple[Shop, ...], chosen: str) -> tuple[Shop, Match] | None:
    """The case that a person named: its number, with `shop:` before it where several shops are meant."""
    code, _colon, case_id = chosen.strip().rpartition(":")
    for shop in shops:
        match = find.match_of_case(shop.id, case_id) if case_id and code in ("", shop.code) else None
        if match:
            return shop, match
    return None


@needs(RIGHT)
@require_POST
def link(request: HttpRequest, shop_code: str, scan_id: int) -> HttpResponse:
    """A nameless parcel gets its case and what was in it."""
    shop, parcel = theirs(request, shop_code, scan_id)
    found = _case(shops_with(request.user, RIGHT), request.POST.get("case", ""))
    if found is None:
        messages.error(request, _("没有找到这张售后单，包裹还是匿名件。"), extra_tags="warning")
        return redirect("returns-parcel", shop_code, scan_id)
    to_shop, match = found
    told = read_sheet(request.POST, match)
    if isinstance(told, Refusal):
        return _page(request, shop, parcel, form=request.POST, problem=told.why)
    by, case_id = request.user.get_username(), match.cases[0].case_id
    refused = record.link(
        record_connection(), shop.id, scan_id, to_shop.id, case_id, told, by, moment(), round(UNDO_S * pace())
    )
    if refused:
        messages.error(request, said(refused), extra_tags="warning")
        return redirect("returns-parcel", shop_code, scan_id)
    photos.keep(request, to_shop, scan_id)
    look_into(to_shop, scan_id, parcel.waybill, told, by, moment())
    messages.success(request, _("已关联到售后单 %(case)s。") % {"case": case_id}, extra_tags="success")
    return redirect("returns-parcel", to_shop.code, scan_id)


@needs(RIGHT)
@require_POST
def undo(request: HttpRequest, shop_code: str, scan_id: int) -> HttpResponse:
    """The scan is taken back; says what has left already and does not come back by this."""
    shop, parcel = theirs(request, shop_code, scan_id)
    by, why = request.user.get_username(), request.POST.get("why", "")
    done = record.undo(record_connection(), shop.id, scan_id, by, why, moment())
    if isinstance(done, Refusal):
        messages.error(request, said(done), extra_tags="warning")
        return redirect("returns-parcel", shop_code, scan_id)
    drop(shop.id, scan_id, by, moment())
    if done.money_fen:
        told = _("已撤回收货，但退款 %(amount)s 已经发出，不会因此回来，请告诉主管。")
        messages.error(request, told % {"amount": yuan_text(done.money_fen)}, extra_tags="danger")
    else:
        told = _("已撤回 %(waybill)s 的扫描，可以重新扫描。")
        messages.success(request, told % {"waybill": parcel.waybill}, extra_tags="success")
    return redirect("returns")
