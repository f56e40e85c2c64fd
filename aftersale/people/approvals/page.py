"""What waits for a yes, with what speaks for caution; and work for the main account. R-344, P14."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Shop, case_for, shops_of
from aftersale.cases.approvals import RESOLUTIONS, decide_approval, resolve
from aftersale.cases.rows import first, moment, read
from aftersale.core.money import yuan_text
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.people.acts import record_connection, said
from aftersale.people.approvals import rules
from aftersale.people.case import ACTING
from aftersale.people.rights import needs
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.approvals", "approvals.sql")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request. `order_left_fen`: what has left for this order already; `others`: its other applications;
    `rule`: what the book said; `allowed`: may this person say yes?"""

    id: int
    shop_id: int
    case_id: str
    kind: str
    amount_fen: int
    platform_version: int
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    why: str
    order_id: str
    aftersale_type: str | None
    reason: str | None
    due_at: datetime | None
    title: str | None
    asked_fen: int | None
    paid_fen: int | None
    order_left_fen: int
    others: int
    rule: str | None
    allowed: bool
    why_not: str | None

    @property
    def marks(self) -> list[str]:
        """What speaks for caution, in sentences."""
        found = [_("%(why)s（%(who)s）") % {"why": words.word("why", self.why), "who": self.requested_by}]
        if self.order_left_fen:
            found.append(_("这个订单已经退过 %(amount)s") % {"amount": yuan_text(self.order_left_fen)})
        if self.others:
            found.append(_("这个订单还有 %(n)d 张售后单") % {"n": self.others})
        if self.paid_fen is not None and self.amount_fen >= self.paid_fen:
            found.append(_("退的是订单的全部实付"))
        return found


@dataclass(frozen=True, slots=True)
class ByHand:
    """What the platform wants a person for; `outcome` in its words."""

    shop_id: int
    case_id: str
    kind: str
    amount_fen: int
    outcome: str | None
    changed_at: datetime
    order_id: str
    planned_by: str
    aftersale_type: str | None
    reason: str | None
    due_at: datetime | None
    title: str | None
    allowed: bool
    why_not: str | None


@needs("approve")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    shops = {shop.id: shop for shop in shops_of(request.user)}
    by = request.user.get_username()
    where = {"shop_ids": list(shops), "by": by}
    waiting = [
        (one, shops[one.shop_id], _not_theirs(one, by)) for one in read(Waiting, SQL["waiting"], where)
    ]
    by_hand = [(one, shops[one.shop_id]) for one in read(ByHand, SQL["with_person"], where)]
    drafts = rules.waiting_for(request.user, by)
    context = {
        "here": "approvals",
        "waiting": waiting,
        "by_hand": by_hand,
        "drafts": drafts,
        "total": len(waiting) + len(by_hand) + len(drafts),
    }
    return render(request, "people/approvals.html", context)


def _not_theirs(one: Waiting, by: str) -> str:
    """Why this person cannot answer; empty when they can."""
    if one.requested_by == by:
        return _("自己提交的要由另一位同事复核")
    if one.why_not == "above_limit":
        return _("超过您的额度，请额度更高的同事复核，例如店主")
    return "" if one.allowed else words.word("why", one.why_not)


@dataclass(frozen=True, slots=True)
class Held:
    held: bool


@needs("approve")
@require_POST
def answer(request: HttpRequest, shop_code: str, approval_id: int, yes: str) -> HttpResponse:
    """A yes or a no to the amount and version that the form showed."""
    shop = _acting(request, shop_code)
    form = request.POST
    refusal = decide_approval(
        record_connection(),
        shop.id,
        approval_id,
        yes == "yes",
        request.user.get_username(),
        form.get("why", "")[:500],
        moment(),
        seen_amount_fen=_number(form, "amount_fen"),
        seen_version=_number(form, "version"),
    )
    if refusal:
        return _back(request, refusal, "")
    return _back(
        request, None, _agreed(shop, approval_id) if yes == "yes" else _("已退回，售后单会重新判断。")
    )


def _agreed(shop: Shop, approval_id: int) -> str:
    found = first(Held, SQL["held"], {"shop_id": shop.id, "id": approval_id})
    if found and found.held:
        return _("已同意，但已经停止，恢复后才会发出，在此之前可以到售后单上撤回。")
    return _("已同意，30 秒后发出，在此之前可以到售后单上撤回。")


@needs("approve")
@require_POST
def by_hand(request: HttpRequest, shop_code: str, case_id: str, kind: str, how: str) -> HttpResponse:
    """Send again, cancel, or have the platform asked."""
    shop = _acting(request, shop_code)
    if how not in RESOLUTIONS or case_for(request.user, shop_code, case_id) is None:
        raise Http404
    by = request.user.get_username()
    refusal = resolve(record_connection(), shop.id, case_id, kind, how, by, moment())
    done = {
        "again": _("马上再试一次，结果会出现在售后单上。"),
        "cancel": _("已取消，售后单会重新判断。"),
        "done_there": _("正在向平台核对，以平台的记录为准。"),
    }
    return _back(request, refusal, done[how])


def _acting(request: HttpRequest, shop_code: str) -> Shop:
    shop = next((one for one in shops_of(request.user) if one.code == shop_code), None)
    if shop is None:
        raise Http404
    if shop.role not in ACTING:
        raise PermissionDenied
    return shop


def _number(form: Mapping[str, Any], name: str) -> int:
    text = str(form.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _back(request: HttpRequest, refusal: Refusal | None, done: str) -> HttpResponse:
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
    else:
        messages.success(request, done, extra_tags="success")
    return redirect("approvals")
