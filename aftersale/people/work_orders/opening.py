"""Opening a work order: choose its kind, fill in its form; from a case most of it is filled in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aftersale.cases.access import Shop, case_for
from aftersale.cases.rows import moment
from aftersale.cases.work_orders import orders
from aftersale.cases.work_orders.orders import Wanted, of_case
from aftersale.core.refusal import Refusal
from aftersale.core.workorders.template import Field, Template, filled, prefilled
from aftersale.people.acts import record_connection, said
from aftersale.people.rights import needs, shops_with
from aftersale.people.work_orders import found
from aftersale.people.work_orders.board import titled
from aftersale.people.work_orders.order import asked
from aftersale.rulebooks.workorders.templates import departments, templates


@dataclass(frozen=True, slots=True)
class Place:
    """Where the order is opened: in a shop, perhaps for a case."""

    shop: Shop
    case_id: str
    template: Template | None


@needs("work_order")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, shop_code: str) -> HttpResponse:
    """`/work-orders/<shop>/new?case=&template=`; the form opens the order."""
    place = _place(request, shop_code)
    if place.template is None:
        return render(request, "people/work_orders/kinds.html", _kinds(place))
    if request.method == "GET":
        return _form(request, place, place.template, _known(place, place.template))
    made = _open(request, place, place.template)
    if isinstance(made, Refusal):
        messages.error(request, said(made), extra_tags="warning")
        return _form(request, place, place.template, asked(request.POST), request.POST)
    messages.success(request, _("工单已开，相关部门已经能看到。"), extra_tags="success")
    return redirect("work-order", place.shop.code, made)


def _place(request: HttpRequest, shop_code: str) -> Place:
    shop = next((one for one in shops_with(request.user, "work_order") if one.code == shop_code), None)
    given = request.POST if request.method == "POST" else request.GET
    case_id = given.get("case", "")
    if shop is None or (case_id and case_for(request.user, shop_code, case_id) is None):
        raise Http404
    return Place(shop, case_id, templates().get(given.get("template", "")))


def _kinds(place: Place) -> dict[str, Any]:
    return {
        "here": "work_orders",
        "shop": place.shop,
        "case_id": place.case_id,
        "kinds": [(one, titled(one), _route(one)) for one in templates().values()],
    }


def _route(one: Template) -> str:
    """'快递 → 仓库 → 客服'; departments that work side by side are joined by a plus."""
    return " → ".join(
        " + ".join(titled(departments()[step.department]) for step in stage) for stage in one.stages
    )


def _form(
    request: HttpRequest,
    place: Place,
    template: Template,
    values: Mapping[str, str],
    given: QueryDict | None = None,
) -> HttpResponse:
    context = {
        "here": "work_orders",
        "shop": place.shop,
        "case_id": place.case_id,
        "template": template,
        "title": titled(template),
        "route": _route(template),
        "fields": [
            (field, titled(field), _options(field), values.get(field.name, "")) for field in template.fields
        ],
        "subject": given.get("subject", "") if given else _subject(place, template),
        "token": given.get("token", "") if given else _token(place, template),
        "page_address": _address(place, template),
    }
    return render(request, "people/work_orders/new.html", context)


def _address(place: Place, template: Template) -> str:
    named = {"template": template.code, **({"case": place.case_id} if place.case_id else {})}
    return f"{reverse('work-order-new', args=[place.shop.code])}?{urlencode(named)}"


def _options(field: Field) -> list[tuple[str, str]]:
    return [(one.code, titled(one)) for one in field.choices]


def _subject(place: Place, template: Template) -> str:
    known = found.known(place.shop.id, place.case_id) if place.case_id else None
    return (
        f"{titled(template)} · {known.title}"[: orders.SUBJECT_MAX]
        if known and known.title
        else titled(template)
    )


def _token(place: Place, template: Template) -> str:
    """What makes a form count once: for a case how many orders of this kind it has behind it, else chance."""
    return str(found.rounds(place.shop.id, place.case_id, template.code)) if place.case_id else uuid4().hex


def _known(place: Place, template: Template) -> dict[str, str]:
    """What the case already knows of the form."""
    known = found.known(place.shop.id, place.case_id) if place.case_id else None
    return prefilled(template.fields, asdict(known)) if known else {}


def _open(request: HttpRequest, place: Place, template: Template) -> int | Refusal:
    form, now = request.POST, moment()
    token = form.get("token", "")
    if not (token.isascii() and token.isalnum() and len(token) <= 32):
        return Refusal("bad_value", "这张表已经过期，请重新打开")
    fields = filled(template.fields, asked(form))
    if isinstance(fields, Refusal):
        return fields
    cause = of_case(place.case_id, template.code) if place.case_id else "form"
    cases = (place.case_id,) if place.case_id else ()
    wanted = Wanted(f"{cause}:{token}", template, form.get("subject", ""), fields, cases)
    by, calendar = request.user.get_username(), found.calendar(place.shop.id, now)
    return orders.open_order(record_connection(), place.shop.id, wanted, by, now, calendar)
