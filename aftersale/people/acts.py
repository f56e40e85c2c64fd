"""What a person does to a case. Each act goes through cases.people, which may refuse."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aftersale.cases import people as record
from aftersale.cases.access import Case
from aftersale.cases.rows import moment
from aftersale.cases.rows import record_connection as record_connection  # noqa: PLC0414 -- handed on
from aftersale.core.money import yuan_text
from aftersale.core.refusal import Refusal
from aftersale.people import timeline, words
from aftersale.people.case import ACTING, theirs
from aftersale.people.rights import needs
from aftersale.people.templatetags.desk import minute
from aftersale.rulebooks import books

UNDO_S = 30


@dataclass(frozen=True, slots=True)
class Act:
    """One submitted form: on what, by whom, when."""

    case: Case
    by: str
    now: datetime
    form: QueryDict

    def number(self, name: str) -> int:
        text = self.form.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


@needs("act")
@require_POST
def do(request: HttpRequest, shop_code: str, case_id: str, kind: str) -> HttpResponse:
    """Carries out `kind` and goes back to the case with one sentence about it."""
    case = theirs(request, shop_code, case_id)
    if case.shop.role not in ACTING:
        raise PermissionDenied
    refusal, sentence = perform(Act(case, request.user.get_username(), moment(), request.POST), kind)
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
    else:
        messages.success(request, sentence, extra_tags="success")
    return redirect("case", shop_code, case_id)


def perform(act: Act, kind: str) -> "Done":
    """Carries out `kind`: why not, and one sentence about it. Raises Http404 for what is no act."""
    how = ACTS.get(kind) or (_intent if kind in record.KINDS else None)
    if how is None:
        raise Http404
    return how(act, kind)


def said(refusal: Refusal) -> str:
    """A refusal as a sentence of the page: who was first, or the book's reason."""
    if refusal.who and refusal.at:
        told = {"who": timeline.who(refusal.who), "at": minute(refusal.at), "why": _(refusal.why)}
        return _("%(who)s 在 %(at)s 已经先处理：%(why)s") % told
    reasons = books.titles()["why"]
    if refusal.code in reasons:
        return _("没有执行：%(why)s。") % {"why": words.word("why", refusal.code)}
    return _(refusal.why)


Done = tuple[Refusal | None, str]


def _intent(act: Act, kind: str) -> Done:
    amount_fen = act.number("amount_fen")
    refusal = record.person_intent(
        record_connection(),
        act.case.shop.id,
        act.case.case_id,
        kind,
        amount_fen,
        act.number("version"),
        act.by,
        act.now,
        UNDO_S,
    )
    intents = [] if refusal else timeline.intents_of(act.case.shop.id, act.case.case_id)
    if any(intent.state == "planned" for intent in intents):
        return None, _("超过您的额度，已提交复核，同事同意后才会发出。")
    title = f"{words.intent(kind)} {yuan_text(amount_fen)}" if record.KINDS[kind] else words.intent(kind)
    if any(intent.held and intent.kind == kind for intent in intents):
        return None, _("「%(intent)s」已经停止，恢复后才会发出，在此之前可以撤回。") % {"intent": title}
    return refusal, _("「%(intent)s」将在 %(seconds)d 秒后发出，在此之前可以撤回。") % {
        "intent": title,
        "seconds": UNDO_S,
    }


def _undo(act: Act, _kind: str) -> Done:
    intent = act.form.get("intent", "")
    refusal = record.undo(record_connection(), act.case.shop.id, act.case.case_id, intent, act.by, act.now)
    return refusal, _("已撤回「%(intent)s」，这张售后单会重新判断。") % {"intent": words.intent(intent)}


def _note(act: Act, _kind: str) -> Done:
    text = act.form.get("text", "")
    refusal = record.note(record_connection(), act.case.shop.id, act.case.case_id, act.by, text, act.now)
    return refusal, _("备注已保存。")


def _give(act: Act, _kind: str) -> Done:
    owner = act.form.get("owner", "") or act.by
    refusal = record.assign(record_connection(), act.case.shop.id, act.case.case_id, owner, act.by, act.now)
    return refusal, _("已交给 %(owner)s。") % {"owner": owner}


def _facts(act: Act, _kind: str) -> Done:
    name, value = act.form.get("fact", ""), act.form.get("value", "")
    if name not in record.PERSON_FACTS:
        return Refusal("unknown_fact", "这些事实不能由人填写。"), ""
    facts: Mapping[str, object] = {name: {"True": True, "False": False, "": None}.get(value, value)}
    refusal = record.set_facts(
        record_connection(), act.case.shop.id, act.case.case_id, facts, act.by, act.now
    )
    return refusal, _("已记下「%(fact)s」，这张售后单会重新判断。") % {"fact": words.fact(name)}


ACTS: Mapping[str, Callable[[Act, str], Done]] = {
    "undo": _undo,
    "note": _note,
    "give": _give,
    "facts": _facts,
}
