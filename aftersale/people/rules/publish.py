"""What people do with a draft: have it approved, tried, published, dropped; or go back to an earlier version."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aftersale.cases.access import Shop
from aftersale.cases.rows import moment, record_connection
from aftersale.core.money import fen_from_yuan
from aftersale.core.refusal import Refusal
from aftersale.people.acts import said
from aftersale.people.rules.edit import number
from aftersale.people.rules.page import shop_of
from aftersale.publishing import edits, live, release, steps
from aftersale.rights import needs

Done = tuple[object, str]


@needs("rule_publish")
@require_POST
def do(request: HttpRequest, shop_code: str, what: str) -> HttpResponse:
    """One step with the text that the form showed; one sentence about it."""
    shop = shop_of(request, shop_code)
    act = ACTS.get(what)
    if act is None:
        raise Http404
    found, sentence = act(shop, request.user.get_username(), request.POST)
    _tell(request, found, sentence)
    open_edit = edits.edit_of(record_connection(), shop.id)
    return redirect("rule-edit", shop.code) if open_edit else redirect("rule-book", shop.code, live.BOOK)


@needs("rule_publish")
@require_POST
def back(request: HttpRequest, shop_code: str, release_id: int) -> HttpResponse:
    """An earlier version decides again."""
    shop = shop_of(request, shop_code)
    by = request.user.get_username()
    found = release.roll_back(record_connection(), shop.code, shop.id, release_id, by, moment())
    _tell(request, found, _("已退回到版本 %(id)d，下一批售后单就按它判断。") % {"id": release_id})
    return redirect("rule-book", shop.code, live.BOOK)


def _tell(request: HttpRequest, found: object, sentence: str) -> None:
    if isinstance(found, Refusal):
        messages.error(request, said(found), extra_tags="warning")
    else:
        messages.success(request, sentence, extra_tags="success")


def _ask(shop: Shop, by: str, form: Mapping[str, Any]) -> Done:
    edit = edits.edit_of(record_connection(), shop.id)
    found = edit and edits.ask(
        record_connection(), edit, by, form.get("why", ""), form.get("sha256", ""), moment()
    )
    return found, _("已请同事复核；之后再改内容，这次复核就作废。")


def _answer(shop: Shop, by: str, form: Mapping[str, Any]) -> Done:
    edit = edits.edit_of(record_connection(), shop.id)
    yes = form.get("yes") == "1"
    found = edit and edits.answer(
        record_connection(), edit, by, form.get("sha256", ""), yes, form.get("why", ""), moment()
    )
    return found, _("已同意这份内容，可以发布了。") if yes else _("已退回，写的人会看到原因。")


def _publish(shop: Shop, by: str, form: Mapping[str, Any]) -> Done:
    found = release.publish(
        record_connection(), shop.code, shop.id, by, form.get("why", ""), form.get("sha256", ""), moment()
    )
    return found, _("已发布，下一批售后单就按它判断；没有结束的售后单会重新判断。")


def _try(shop: Shop, by: str, form: Mapping[str, Any]) -> Done:
    share = number(form, "share")
    budget_fen = fen_from_yuan(form.get("budget", "")) if share else 0
    found = steps.step(
        record_connection(), shop.code, shop.id, share, budget_fen or 0, by, form.get("sha256", ""), moment()
    )
    if share:
        return found, _("草稿开始决定 %(share)d%% 的售后单，结果在下面。") % {"share": share}
    return found, _("草稿开始旁观，不决定任何售后单；它会怎么判断在下面。")


def _stop(shop: Shop, by: str, _form: Mapping[str, Any]) -> Done:
    steps.stop(record_connection(), shop.code, shop.id, by, moment())
    return None, _("试行已停下，售后单按已发布的规则判断。")


def _drop(shop: Shop, by: str, _form: Mapping[str, Any]) -> Done:
    conn = record_connection()
    edit = edits.edit_of(conn, shop.id)
    if edit is not None:
        steps.stop(conn, shop.code, shop.id, by, moment())
        edits.drop(conn, edit, by, moment())
    return None, _("草稿已放弃，已发布的规则没有变。")


ACTS: Mapping[str, Callable[[Shop, str, Mapping[str, Any]], Done]] = {
    "ask": _ask,
    "answer": _answer,
    "publish": _publish,
    "try": _try,
    "stop": _stop,
    "drop": _drop,
}
