"""What a person does to a case. Each act goes through cases.people, which may refuse."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aftersale.cases import people as record
from aftersale.cases.access import Case
from aftersale.cases.again import again
from aftersale.cases.approvals import UNDO_S as UNDO_S  # noqa: PLC0414 -- handed on
from aftersale.cases.rows import left_s, moment
from aftersale.cases.rows import record_connection as record_connection  # noqa: PLC0414 -- handed on
from aftersale.core.money import yuan_text
from aftersale.core.refusal import Refusal
from aftersale.people import timeline, words
from aftersale.people.case import ACTING, theirs
from aftersale.people.jobs.saying import worded
from aftersale.people.rights import needs
from aftersale.people.templatetags.desk import minute
from aftersale.rulebooks import books


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
    tell(request, refusal, sentence)
    return redirect("case", shop_code, case_id)


def tell(request: HttpRequest, refusal: Refusal | None, sentence: str) -> None:
    """The next page says what came of it."""
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
    else:
        messages.success(request, sentence, extra_tags="success")


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
    if refusal.code in books.titles()["why"]:
        return _("没有执行：%(why)s。") % {"why": words.why(refusal.code, refusal.fen)}
    return _(refusal.why) if refusal.told is None else worded(refusal.told)


Done = tuple[Refusal | None, str]


def _intent(act: Act, kind: str) -> Done:
    amount_fen = act.number("amount_fen")
    refusal = again(
        lambda: record.person_intent(
            record_connection(),
            act.case.shop.id,
            act.case.case_id,
            kind,
            amount_fen,
            act.number("version"),
            act.by,
            act.now,
            UNDO_S,
        ),
        tries_max=2,
    )
    title = f"{words.intent(kind)} {yuan_text(amount_fen)}" if record.KINDS[kind] else words.intent(kind)
    return refusal, "" if refusal else leaving(act.case, kind, title)


def leaving(case: Case, kind: str, title: str) -> str:
    """What was just planned and waits: for a second person, for a switch, or for its time to be taken back."""
    intents = timeline.intents_of(case.shop.id, case.case_id)
    if any(intent.state == "planned" for intent in intents):
        return _("超过您的额度，已提交复核，同事同意后才会发出。")
    if any(intent.held and intent.kind == kind for intent in intents):
        return _("「%(intent)s」已经停止，恢复后才会发出，在此之前可以撤回。") % {"intent": title}
    return _("「%(intent)s」将在 %(seconds)d 秒后发出，在此之前可以撤回。") % {
        "intent": title,
        "seconds": _seconds(intents, kind, moment()),
    }


def _seconds(intents: Collection[timeline.Intent], kind: str, now: datetime) -> int:
    """How long it can be taken back; near the platform's deadline that is less."""
    due = (one.due_at for one in intents if one.kind == kind and one.state == "approved")
    return min((ceil(left_s(at, now)) for at in due), default=UNDO_S)


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
