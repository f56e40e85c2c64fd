"""One person of a shop: what they may do, their rights, more for a while, a new password, leaving."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Shop
from aftersale.cases.rows import moment
from aftersale.core.refusal import Refusal
from aftersale.people.accounts import invite, lost, members, rights
from aftersale.people.accounts.members import Member
from aftersale.people.accounts.rights import Grant
from aftersale.people.rights import needs
from aftersale.people.settings.form import BAD_MOMENT, amount, choices, grant_from, when
from aftersale.people.settings.frame import may, shop_of, shown, user_of

Done = Refusal | str


@needs("case")
@require_GET
def page(request: HttpRequest, shop_code: str, user_id: int) -> HttpResponse:
    """One's own, or anybody's for those who see the settings."""
    shop = shop_of(request, shop_code)
    if user_id != request.user.pk and not may(shop, "settings_read"):
        raise PermissionDenied
    return _page(request, shop, _member(shop, user_id, moment()))


def _page(request: HttpRequest, shop: Shop, member: Member, **more: Any) -> HttpResponse:
    user = user_of(request)
    mine = member.user_id == user.pk
    others = may(shop, "people_edit") and not mine
    refused = rights.beyond(shop.id, user.pk, shop.role, member.grant) if others else None
    keeps = lost.why_not(shop, member, user)
    context = {
        "member": member,
        "mine": mine,
        "edits": others and refused is None,
        "why_not": _(refused.why) if refused else "",
        "found": rights.rights_of(shop.id, member.user_id, member.name),
        "more": members.more_of(shop.id, member.user_id),
        "keeps_step": keeps and _(keeps.why),
        "page_address": reverse("settings-person", args=[shop.code, member.user_id]),
        **choices(),
    }
    return shown(request, "person", "people", shop, **context, **more)


@needs("people_edit")
@require_POST
def act(request: HttpRequest, shop_code: str, user_id: int, act: str) -> HttpResponse:
    """Carries out one form of the page."""
    shop, now = shop_of(request, shop_code), moment()
    member = _member(shop, user_id, now)
    if act == "password":
        token = invite.invite_back(shop, member, user_of(request), now)
        if isinstance(token, Refusal):
            messages.error(request, _(token.why), extra_tags="warning")
            return redirect("settings-person", shop_code, user_id)
        return _page(
            request, shop, member, link=request.build_absolute_uri(reverse("invitation", args=[token]))
        )
    if act not in ACTS:
        raise Http404
    done = ACTS[act](request, shop, member, now)
    if isinstance(done, Refusal):
        messages.error(request, _(done.why), extra_tags="warning")
    else:
        messages.success(request, done, extra_tags="success")
    if act == "leave" and isinstance(done, str):
        return redirect("settings-people", shop_code)
    return redirect("settings-person", shop_code, user_id)


def _rights(request: HttpRequest, shop: Shop, member: Member, now: datetime) -> Done:
    grant = grant_from(request.POST, now)
    if not isinstance(grant, Grant):
        return grant
    refused = members.change(shop, member.user_id, grant, user_of(request), now)
    return refused or _("%(name)s 的权限已经改好，马上生效。") % {"name": member.name}


def _more(request: HttpRequest, shop: Shop, member: Member, now: datetime) -> Done:
    form = request.POST
    fen, until = amount(form.get("max_amount", "")), when(form.get("until", ""))
    if isinstance(fen, Refusal):
        return fen
    if not isinstance(until, datetime):
        return until or BAD_MOMENT
    refunds, why = form.get("refund_right") == "1", form.get("why", "")
    refused = members.give_more(shop, member.user_id, fen, refunds, until, why, user_of(request), now)
    return refused or _("临时权限已经给出，到时自动结束。")


def _end_more(request: HttpRequest, shop: Shop, member: Member, now: datetime) -> Done:
    number = request.POST.get("number", "")
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else 0
    return members.end_more(shop, member.user_id, wanted, user_of(request), now) or _("临时权限已经结束。")


def _leave(request: HttpRequest, shop: Shop, member: Member, now: datetime) -> Done:
    done = members.leave(shop, member.user_id, user_of(request), now)
    if isinstance(done, Refusal):
        return done
    return _(
        "%(name)s 已离开，登录已经结束。%(cases)d 张售后单回到队列，%(unsent)d 个还没发出的决定已撤回，"
        "%(steps)d 个工单步骤和 %(promises)d 个承诺交回部门。"
    ) % {"name": member.name, **asdict(done)}


def _second_step(request: HttpRequest, shop: Shop, member: Member, now: datetime) -> Done:
    refused = lost.reset(shop, member, request.POST.get("why", ""), user_of(request), now)
    return refused or _("%(name)s 的两步验证已重设，登录已经结束，下次登录时要先重新设置。") % {
        "name": member.name
    }


def _end(request: HttpRequest, shop: Shop, member: Member, now: datetime) -> Done:
    refused = rights.beyond(shop.id, user_of(request).pk, shop.role, member.grant)
    if refused:
        return refused
    members.end_sessions(member.user_id)
    members.told(shop.id, "sessions", member.name, user_of(request), now, {})
    return _("%(name)s 在所有地方的登录都已结束。") % {"name": member.name}


ACTS: Mapping[str, Callable[[HttpRequest, Shop, Member, datetime], Done]] = {
    "rights": _rights,
    "more": _more,
    "end-more": _end_more,
    "leave": _leave,
    "sessions": _end,
    "second-step": _second_step,
}


def _member(shop: Shop, user_id: int, now: datetime) -> Member:
    """Raises Http404."""
    found = members.members_of([shop.id], now, user_id)
    if not found:
        raise Http404
    return found[0]
