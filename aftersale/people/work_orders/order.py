"""One work order: what it is about, whose turn it is, everything that was done and said; and what people do to it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Shop
from aftersale.cases.rows import moment
from aftersale.cases.work_orders import orders
from aftersale.cases.work_orders.orders import Change
from aftersale.core.money import yuan_text
from aftersale.core.refusal import Refusal
from aftersale.core.workorders import template as forms
from aftersale.core.workorders.template import Field, Template
from aftersale.people.acts import record_connection, said
from aftersale.people.rights import needs, shops_with
from aftersale.people.work_orders import found
from aftersale.people.work_orders.board import about, titled
from aftersale.people.work_orders.found import Order, Step
from aftersale.rulebooks.workorders.templates import departments, templates

LEADS = frozenset({"lead", "owner"})


@dataclass(frozen=True, slots=True)
class Part:
    """A step as the page shows it. `mine`: this person may do it now; `leads`: may give it
    back for the other who took it; `fields`: with title and what the form shows of it; `earlier`: where it can be sent
    back to."""

    step: Step
    title: str
    department: str
    mine: bool
    leads: bool
    fields: tuple[tuple[Field, str, str], ...]
    note: str
    values: tuple[tuple[str, str], ...]
    earlier: tuple[tuple[str, str], ...]


def theirs(request: HttpRequest, shop_code: str, order_id: int) -> tuple[Shop, Order]:
    """The order, when it is the person's. Raises Http404 alike for what is not theirs and what is not."""
    shop = next((one for one in shops_with(request.user, "work_order") if one.code == shop_code), None)
    order = found.order(shop.id, order_id) if shop and order_id < 2**63 else None
    if shop is None or order is None:
        raise Http404
    return shop, order


@needs("work_order")
@require_GET
def page(request: HttpRequest, shop_code: str, order_id: int) -> HttpResponse:
    return _shown(request, *theirs(request, shop_code, order_id))


def _shown(request: HttpRequest, shop: Shop, order: Order, typed: QueryDict | None = None) -> HttpResponse:
    """The page; `typed`: what was sent and refused, to be put right."""
    known = templates().get(order.template)
    steps = found.steps(shop.id, order.id)
    me = request.user.get_username()
    names = {step.code: _step_title(known, step.code) for step in steps}
    context: dict[str, Any] = {
        "here": "work_orders",
        "shop": shop,
        "order": order,
        "title": titled(known) if known else order.template,
        "about": about(order.template, order.subject),
        "values": values(known.fields if known else (), order.fields),
        "cases": found.cases_of(shop.id, order.id),
        "parts": [_part(known, shop, step, steps, me, typed) for step in steps],
        "remarks": [(one, names.get(one.step or "", "")) for one in found.remarks(shop.id, order.id)],
        "typed": typed or {},
        "page_address": reverse("work-order", args=[shop.code, order.id]),
        "may_cancel": order.state == "open" and found.DESK in found.works_for(shop.role),
    }
    return render(request, "people/work_orders/order.html", context, status=200 if typed is None else 422)


def _step_title(known: Template | None, code: str) -> str:
    step = known.steps.get(code) if known else None
    return titled(step) if step else code


def _part(
    known: Template | None, shop: Shop, step: Step, steps: list[Step], me: str, typed: QueryDict | None
) -> Part:
    plan = known.steps.get(step.code) if known else None
    room = departments().get(step.department)
    mine = step.live and step.department in found.works_for(shop.role) and step.owner in (None, me)
    fields = plan.fields if plan else ()
    own = typed is not None and typed.get("step") == step.code and "to" not in typed
    given = typed if own else None
    earlier = [one for one in steps if one.stage < step.stage and one.state == "done"] if mine else []
    return Part(
        step,
        _step_title(known, step.code),
        titled(room) if room else step.department,
        mine,
        step.live and not mine and shop.role in LEADS,
        tuple(
            (field, titled(field), text)
            for field, text in zip(fields, _texts(fields, step, given), strict=True)
        ),
        given.get("note", "") if given else step.note or "",
        () if mine else values(fields, step.fields),
        tuple((one.code, _step_title(known, one.code)) for one in earlier),
    )


def _texts(fields: tuple[Field, ...], step: Step, given: QueryDict | None) -> list[str]:
    """What stands in the fields of a step's form: what was just typed, else what is kept."""
    kept: dict[str, Any] = json.loads(step.fields)
    if given is not None:
        return [given.get(f"f_{field.name}", "") for field in fields]
    return [forms.written(field, kept.get(field.name)) for field in fields]


def values(fields: tuple[Field, ...], written: str) -> tuple[tuple[str, str], ...]:
    """What was filled in, as people read it; what no field names any longer under its own name."""
    given: dict[str, Any] = json.loads(written)
    known = {field.name: field for field in fields}
    return tuple(
        (titled(known[name]) if name in known else name, _read(known.get(name), value))
        for name, value in given.items()
        if value is not None
    )


def _read(field: Field | None, value: Any) -> str:
    if field is not None and field.kind == "fen":
        return yuan_text(int(value))
    if field is not None and field.kind == "choice":
        return next((titled(one) for one in field.choices if one.code == value), str(value))
    return str(value)


@needs("work_order")
@require_POST
def do(request: HttpRequest, shop_code: str, order_id: int, act: str) -> HttpResponse:
    """Carries out `act` and goes back to the order, or to the board it came from, with one sentence about it."""
    shop, order = theirs(request, shop_code, order_id)
    form = request.POST
    done = ACTS.get(act)
    if done is None:
        raise Http404
    step = next((one for one in found.steps(shop.id, order.id) if one.code == form.get("step")), None)
    _allowed(shop, act, step, request.user.get_username())
    refusal = done(_change(request, shop, order), order, form, step)
    board = form.get("back", "")
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
        if not board:
            return _shown(request, *theirs(request, shop_code, order_id), typed=form)
    else:
        messages.success(request, _sentence(act), extra_tags="success")
    if board.startswith("/work-orders?"):
        return redirect(board)
    return redirect("work-order", shop.code, order.id)


def _allowed(shop: Shop, act: str, step: Step | None, me: str) -> None:
    """A step is for who works for its department, what another took only for who leads the shop; cancelling is the
    desk's; everybody may speak."""
    rooms = found.works_for(shop.role)
    if act in ("take", "give_back", "finish", "send_back"):
        if step is None:
            raise Http404
        others = act == "give_back" and step.owner not in (None, me) and shop.role not in LEADS
        if step.department not in rooms or others:
            raise PermissionDenied
    elif act == "cancel" and found.DESK not in rooms:
        raise PermissionDenied


def _change(request: HttpRequest, shop: Shop, order: Order) -> Change:
    seen, now = request.POST.get("version", ""), moment()
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 18 else 0
    return Change(shop.id, order.id, version, request.user.get_username(), now, found.calendar(shop.id, now))


def _take(change: Change, order: Order, form: QueryDict, _step: Step | None) -> Refusal | None:
    return _moved(orders.take, change, order, form)


def _give_back(change: Change, order: Order, form: QueryDict, _step: Step | None) -> Refusal | None:
    return _moved(orders.give_back, change, order, form)


def _moved(
    move: Callable[..., Refusal | None], change: Change, order: Order, form: QueryDict
) -> Refusal | None:
    """With what the form says already; a board's card has no fields and leaves them as they are."""
    given = asked(form)
    fields = forms.begun(_fields(order, form), given) if given else None
    if isinstance(fields, Refusal):
        return fields
    return move(record_connection(), change, form.get("step", ""), form.get("note", ""), fields)


def _fields(order: Order, form: QueryDict) -> tuple[Field, ...]:
    known = templates().get(order.template)
    plan = known.steps.get(form.get("step", "")) if known else None
    return plan.fields if plan else ()


def _finish(change: Change, order: Order, form: QueryDict, step: Step | None) -> Refusal | None:
    filled = forms.filled(_fields(order, form), asked(form))
    if isinstance(filled, Refusal):
        return filled
    return orders.finish(record_connection(), change, form.get("step", ""), form.get("note", ""), filled)


def _send_back(change: Change, _order: Order, form: QueryDict, _step: Step | None) -> Refusal | None:
    return orders.send_back(
        record_connection(), change, form.get("step", ""), form.get("to", ""), form.get("note", "")
    )


def _cancel(change: Change, _order: Order, form: QueryDict, _step: Step | None) -> Refusal | None:
    return orders.cancel(record_connection(), change, form.get("note", ""))


def _say(change: Change, order: Order, form: QueryDict, _step: Step | None) -> Refusal | None:
    return orders.say(
        record_connection(), change.shop_id, order.id, change.by, form.get("text", ""), change.now
    )


def _attach(change: Change, order: Order, form: QueryDict, _step: Step | None) -> Refusal | None:
    number = form.get("evidence", "")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 18):
        return Refusal("bad_value", "证据编号是一个数字，在售后单的举证清单里能看到")
    conn = record_connection()
    return orders.attach(conn, change.shop_id, order.id, change.by, int(number), change.now)


ACTS: Mapping[str, Callable[[Change, Order, QueryDict, Step | None], Refusal | None]] = {
    "take": _take,
    "give_back": _give_back,
    "finish": _finish,
    "send_back": _send_back,
    "cancel": _cancel,
    "say": _say,
    "attach": _attach,
}


def asked(form: QueryDict) -> dict[str, str]:
    """The template's fields of a form, by their names."""
    return {name.removeprefix("f_"): str(value) for name, value in form.items() if name.startswith("f_")}


def _sentence(act: str) -> str:
    return {
        "take": _("已接手，做完请点完成。"),
        "give_back": _("已放回，部门里的同事都可以接手。"),
        "finish": _("这一步已完成，下一步的部门马上会看到。"),
        "send_back": _("已退回，那一步要重新做。"),
        "cancel": _("工单已取消。"),
        "say": _("留言已保存。"),
        "attach": _("已附上证据。"),
    }[act]
