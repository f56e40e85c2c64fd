"""The scan page: one big input that takes a waybill, then how the pieces came, then the next waybill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Shop
from aftersale.cases.returns import find, record
from aftersale.cases.returns.find import Match, Parcel
from aftersale.cases.rows import moment, pace
from aftersale.core.refusal import Refusal
from aftersale.core.returns.receipt import CONDITIONS
from aftersale.people.acts import UNDO_S, record_connection, said
from aftersale.people.returns import photos
from aftersale.people.returns.candidates import Candidate, candidates
from aftersale.people.returns.orders import look_into
from aftersale.people.returns.sheet import Sheet, advice, read_marks, read_sheet, sheet
from aftersale.people.rights import needs, shops_with

RIGHT = "return_scan"
TEMPLATE = "people/returns/scan.html"


@dataclass(frozen=True, slots=True)
class Look:
    """What a scanned code turned out to be; `choice`: shops that all know it."""

    code: str
    waybill: str | None = None
    already: tuple[Shop, Parcel] | None = None
    sheet: Sheet | None = None
    choice: Sequence[Shop] = ()
    nameless: bool = False
    candidates: Sequence[Candidate] = ()
    advice: str = ""


def here(request: HttpRequest, shop_code: str) -> Shop:
    """The shop of the address, in which the person may scan."""
    shop = next((one for one in shops_with(request.user, RIGHT) if one.code == shop_code), None)
    if shop is None:
        raise Http404
    return shop


@needs(RIGHT)
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Nothing scanned, a parcel to be looked at, or one that is done."""
    return _page(request, request.GET)


def _page(request: HttpRequest, asked: QueryDict, **more: Any) -> HttpResponse:
    shops, now = shops_with(request.user, RIGHT), moment()
    mine = [shop for shop in shops if asked.get("shop", "") in ("", shop.code)]
    look = _look(mine, asked, now, more.get("form"))
    context = {
        "here": "returns",
        "shops": shops,
        "homes": _likely_first(shops, look),
        "shop": asked.get("shop", ""),
        "chosen": asked.get("case", ""),
        "look": look,
        "done": _done(shops, asked.get("done", "")),
        "today": today(shops, now),
        "conditions": CONDITIONS,
        "key": uuid4(),
        "undo_s": UNDO_S,
        "page_address": f"{reverse('returns')}?{asked.urlencode()}",
        **more,
    }
    return render(request, TEMPLATE, context)


def _likely_first(shops: Sequence[Shop], look: Look | None) -> list[Shop]:
    """The shops that a nameless parcel can be put to; Enter takes the first, so that is the likeliest."""
    likely = [one.shop.id for one in look.candidates] if look else []
    return sorted(shops, key=lambda shop: likely.index(shop.id) if shop.id in likely else len(likely))


def today(shops: Sequence[Shop], now: datetime) -> dict[str, int]:
    """Parcels since midnight, and those that wait for a name."""
    since = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    ids = [shop.id for shop in shops]
    counted = find.tally(ids, since, since + timedelta(days=1))
    return {
        "parcels": sum(one.many for one in counted if one.what == "found"),
        "nameless": find.nameless(ids).many,
    }


def _look(shops: Sequence[Shop], asked: QueryDict, now: datetime, form: QueryDict | None) -> Look | None:
    code = asked.get("code", "").strip()
    if not code:
        return None
    waybill = find.waybill_of(code)
    if waybill is None:
        return Look(code)
    by_id = {shop.id: shop for shop in shops}
    before = find.parcels(list(by_id), waybill=waybill)
    if before:
        return Look(code, waybill, already=(by_id[before[0].shop_id], before[0]))
    found = _found(by_id, waybill, asked.get("case", ""))
    if len(found) == 1:
        return Look(code, waybill, sheet=sheet(by_id[found[0].shop_id], found[0], now, form))
    if found:
        return Look(code, waybill, choice=[by_id[match.shop_id] for match in found])
    told = record.Marks()
    return Look(
        code,
        waybill,
        nameless=True,
        candidates=candidates(list(shops), waybill, None, told),
        advice=advice(None, now),
    )


def _found(shops: dict[int, Shop], waybill: str, chosen: str) -> list[Match]:
    """By the waybill; or the case that a person named, written shop:case."""
    if not chosen:
        return find.matches(list(shops), waybill)
    code, _colon, case_id = chosen.partition(":")
    match = next((find.match_of_case(shop.id, case_id) for shop in shops.values() if shop.code == code), None)
    return [match] if match else []


def _done(shops: Sequence[Shop], told: str) -> tuple[Shop, Parcel] | None:
    code, _colon, number = told.partition(":")
    shop = next((one for one in shops if one.code == code), None)
    if shop is None or not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    parcel = find.parcel_of(shop.id, int(number))
    return (shop, parcel) if parcel else None


@needs(RIGHT)
@require_POST
def receive(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Keeps a parcel as it was found; the same form twice is the same parcel."""
    shop, form = here(request, shop_code), request.POST
    waybill, key = find.waybill_of(form.get("waybill", "")), _key(form)
    if waybill is None or key is None:
        raise Http404
    found = _found({shop.id: shop}, waybill, form.get("case", ""))
    told = (
        read_sheet(form, found[0]) if found else Refusal("changed", _("应有的货刚刚变了，请再看一遍再确认。"))
    )
    if isinstance(told, Refusal):
        first = find.parcels([shop.id], waybill=waybill)
        if not first:
            again = QueryDict(mutable=True)
            again.update({"code": waybill, "shop": shop.code, "case": form.get("case", "")})
            return _page(request, again, form=form, problem=told.why, next_code=_another(form, waybill))
        units: list[record.Found] = []
    else:
        units = told
    return _received(request, shop, waybill, key, units, record.Marks())


def _another(form: QueryDict, waybill: str) -> str | None:
    """The next parcel's waybill, when that was scanned before this one was finished."""
    code = find.waybill_of(form.get("said") or form.get("phone_tail", ""))
    return code if code and len(code) > 6 and code != waybill else None


@needs(RIGHT)
@require_POST
def register(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Keeps a parcel that nobody announced."""
    shop, form = here(request, shop_code), request.POST
    waybill, key = find.waybill_of(form.get("waybill", "")), _key(form)
    if waybill is None or key is None:
        raise Http404
    marks = read_marks(form)
    if isinstance(marks, Refusal):
        again = QueryDict(mutable=True)
        again.update({"code": waybill})
        return _page(request, again, form=form, problem=marks.why, next_code=_another(form, waybill))
    if find.matches([shop.id], waybill):
        messages.error(request, _("这个单号刚刚有了售后单，请按它验货。"), extra_tags="warning")
        return redirect(f"{reverse('returns')}?{urlencode({'code': waybill, 'shop': shop.code})}")
    return _received(request, shop, waybill, key, [], marks)


def _key(form: QueryDict) -> UUID | None:
    try:
        return UUID(form.get("key", ""))
    except ValueError:
        return None


def _received(
    request: HttpRequest,
    shop: Shop,
    waybill: str,
    key: UUID,
    units: Sequence[record.Found],
    marks: record.Marks,
) -> HttpResponse:
    by = request.user.get_username()
    done = record.receive(
        record_connection(), shop.id, waybill, key, by, moment(), units, marks, round(UNDO_S * pace())
    )
    if isinstance(done, Refusal):
        messages.error(request, said(done), extra_tags="warning")
        return redirect(f"{reverse('returns')}?{urlencode({'code': waybill, 'shop': shop.code})}")
    photos.keep(request, shop, done.id)
    if not done.again:
        look_into(shop, done.id, waybill, units, by, moment())
    if done.again:
        messages.success(request, _("这张表单已经记过一次，没有重复记录。"), extra_tags="info")
    return redirect(f"{reverse('returns')}?{urlencode({'done': f'{shop.code}:{done.id}'})}")
