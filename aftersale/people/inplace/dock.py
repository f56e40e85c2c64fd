"""The bar under the queue: what may be done with the row under the cursor, and what came of it."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Case
from aftersale.cases.people import KINDS
from aftersale.cases.rows import moment
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.people.acts import ACTS, Act, perform, said
from aftersale.people.case import ACTING, choices, head_of, theirs
from aftersale.people.inplace.fate import Notice, ended, fates
from aftersale.people.rights import needs
from aftersale.people.why import decision_of, why

STAY = frozenset({"note", "message", "facts"})


@needs("queue")
@require_GET
def dock(request: HttpRequest, shop_code: str, case_id: str) -> HttpResponse:
    """The buttons of one row, each with its amount."""
    case = theirs(request, shop_code, case_id)
    return render(request, "people/queue/_dock.html", _dock(case, request.user.get_username()))


@needs("act")
@require_POST
def do(request: HttpRequest, shop_code: str, case_id: str, kind: str) -> HttpResponse:
    """Carries out `kind`; the bar tells what came of it, and for what can be taken back a notice appears."""
    case = theirs(request, shop_code, case_id)
    refusal, sentence = perform(Act(case, request.user.get_username(), moment(), request.POST), kind)
    return told(request, case, kind, refusal, sentence)


def told(request: HttpRequest, case: Case, kind: str, refusal: Refusal | None, sentence: str) -> HttpResponse:
    """The bar after an act."""
    context: dict[str, Any] = {"said": said(refusal), "refused": True} if refusal else {"said": sentence}
    if refusal is None and kind not in STAY:
        context["notice"] = _notice(case, kind, sentence)
    context |= _dock(case, request.user.get_username())
    context["undone"] = refusal is None and kind == "undo"  # it comes back once it is decided anew
    answer = render(request, "people/queue/_done.html", context)
    row = {
        "key": f"{case.shop.code}:{case.case_id}",
        "gone": not context["waits"],
        "undone": context["undone"],
        "ok": refusal is None,
    }
    answer["HX-Trigger-After-Settle"] = json.dumps({"desk:done": row})
    return answer


def _notice(case: Case, kind: str, sentence: str) -> Notice:
    """What was just done; an intent can be taken back for a while, and the notice follows it to its end."""
    fate = next((f for f in fates(case.shop.id, case.case_id) if f.kind == kind and kind in KINDS), None)
    return Notice(case.shop, case.case_id, sentence, fate, fate.seconds(moment()) if fate else 0)


def _dock(case: Case, by: str) -> dict[str, Any]:
    head = head_of(case)
    may_act = case.shop.role in ACTING and head.open
    buttons = choices(case, head, by) if may_act and head.queue else []
    keys = {"intercept": "i", "refuse": "r"}
    decision = decision_of(case.shop.id, case.case_id) if head.queue else None
    first = next((kind for kind, _fen, _asks in buttons if kind not in keys), None)
    return {
        "case": case,
        "head": head,
        "waits": head.queue is not None,
        "fate": None if head.queue else ended(case.shop.id, case.case_id),
        "why": why(decision) if decision else None,
        "may_act": may_act,
        "may_message": may_act and "message" in ACTS,
        "buttons": [
            (kind, fen, asks, "a" if kind == first else keys.get(kind, ""), words.intent(kind))
            for kind, fen, asks in buttons
        ],
    }
