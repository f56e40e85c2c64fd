"""The people of a shop: who they are, who is invited, and what each role may do up to which amount."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.rows import moment
from aftersale.core.refusal import Refusal
from aftersale.people.accounts import invite, members, rights
from aftersale.people.accounts.rights import Grant
from aftersale.people.rights import needs
from aftersale.people.settings.form import HELPS, ROLES, choices, grant_from
from aftersale.people.settings.frame import may, shop_of, shown, user_of


@needs("settings_read")
@require_GET
def page(request: HttpRequest, shop_code: str) -> HttpResponse:
    return _page(request, shop_code)


def _page(
    request: HttpRequest, shop_code: str, given: QueryDict | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    shop = shop_of(request, shop_code)
    context = {
        "members": members.members_of([shop.id], moment()),
        "waiting": invite.waiting(shop.id),
        "may": may(shop, "people_edit"),
        "given": given or Grant("agent"),
        "page_address": reverse("settings-people", args=[shop_code]),
        **choices(),
    }
    return shown(request, "people", "people", shop, status, **context, **more)


@needs("people_edit")
@require_POST
def invited(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Makes a link; it is shown on the page that answers, and never again."""
    shop, now = shop_of(request, shop_code), moment()
    grant = grant_from(request.POST, now)
    made = grant
    if isinstance(grant, Grant):
        made = invite.invite(shop, grant, request.POST.get("note", ""), user_of(request), now)  # type: ignore[assignment]
    if isinstance(made, Refusal):
        messages.error(request, _(made.why), extra_tags="warning")
        return _page(request, shop_code, request.POST, status=422)
    return _page(request, shop_code, link=request.build_absolute_uri(reverse("invitation", args=[made])))


@needs("people_edit")
@require_POST
def withdraw(request: HttpRequest, shop_code: str, number: int) -> HttpResponse:
    refused = invite.withdraw(shop_of(request, shop_code), number, user_of(request), moment())
    if refused:
        messages.error(request, _(refused.why), extra_tags="warning")
    else:
        messages.success(request, _("邀请已收回，链接不能再用。"), extra_tags="success")
    return redirect("settings-people", shop_code)


@needs("settings_read")
@require_GET
def matrix(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Roles × actions × amounts, as the book has it with the shop's own values."""
    shop = shop_of(request, shop_code)
    ends = moment().replace(year=moment().year + 1)
    columns: list[tuple[str, str, list[rights.Right]]] = []
    for role in ROLES:
        if role == "helper":
            columns += [
                (role, job, rights.rights_with(shop.id, Grant(role, helper_job=job, access_ends_at=ends)))
                for job in HELPS
            ]
        else:
            columns.append((role, "", rights.rights_with(shop.id, Grant(role))))
    heads = [(role, job) for role, job, _found in columns]
    rows = [
        (rights_of[0].action, [(*head, right) for head, right in zip(heads, rights_of, strict=True)])
        for rights_of in zip(*(found for _role, _job, found in columns), strict=True)
    ]
    return shown(request, "rights", "rights", shop, heads=heads, rows=rows)
