"""What people do along the guide: steps, messages, contacts, promises, hand-overs. Each goes back to the case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aftersale.cases.access import Case
from aftersale.cases.casework import contacts as record_contacts
from aftersale.cases.casework import promises as record_promises
from aftersale.cases.casework.place import Place
from aftersale.cases.casework.steps import take_step
from aftersale.cases.rows import first, moment, record_connection
from aftersale.core.money import FEN_MAX, fen_from_yuan
from aftersale.core.refusal import Refusal
from aftersale.people import case as pages
from aftersale.people import words
from aftersale.people.acts import UNDO_S, said
from aftersale.people.playbook import promises, scripts
from aftersale.people.playbook.contacts import judge_of, midnight
from aftersale.people.playbook.found import issues
from aftersale.people.playbook.guide import answer, facts_of, local_moment, step_of, step_title
from aftersale.people.playbook.panel import DEPARTMENTS, known_of
from aftersale.people.rights import needs
from aftersale.people.timeline import intents_of

Done = tuple[Refusal | None, str]


@dataclass(frozen=True, slots=True)
class Doing:
    """One submitted form at one case."""

    case: Case
    place: Place
    form: QueryDict
    head: pages.Head
    facts: Mapping[str, Any]

    @property
    def platform(self) -> str:
        return self.case.shop.platform

    @property
    def now(self) -> datetime:
        return self.place.now

    def text(self, name: str) -> str:
        return self.form.get(name, "").replace("\r\n", "\n").strip()

    def id(self) -> int:
        text = self.form.get("id", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


@needs("act")
@require_POST
def do(request: HttpRequest, shop_code: str, case_id: str, what: str) -> HttpResponse:
    """Carries out `what` and goes back with one sentence about it."""
    case = pages.theirs(request, shop_code, case_id)
    if what not in ACTS:
        raise Http404
    if case.shop.role not in pages.ACTING:
        raise PermissionDenied
    now = moment()
    head = first(pages.Head, pages.SQL["head"], {"shop_id": case.shop.id, "case_id": case.case_id})
    assert head is not None, "a case that was just seen"
    place = Place(case.shop.id, case.case_id, request.user.get_username(), now)
    refusal, sentence = ACTS[what](Doing(case, place, request.POST, head, words.facts_of(head.facts)))
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
    else:
        messages.success(request, sentence, extra_tags="success")
    return redirect("case", shop_code, case_id)


def _step(doing: Doing) -> Done:
    """Done, passed over with a reason, or taken back; what was answered with it becomes known."""
    code, outcome = doing.text("step")[:64], doing.text("outcome")
    if outcome not in ("done", "skipped", "undone") or not code:
        return Refusal("unknown_step", "不认识的步骤"), ""
    known, checklist = known_of(doing.case, doing.head, doing.facts, doing.now)
    step = step_of(code, known.issue)
    at_hand = {one.kind for one in checklist.wanted if one.pieces}
    if outcome == "done" and step.evidence and step.evidence not in at_hand:
        return Refusal("no_evidence", "这一步要先上传对应的凭证，拿不到时请写明原因并跳过"), ""
    catalogue = facts_of(known.playbook)
    answers = {
        name: answer(catalogue[name], doing.text(f"f_{name}")) for name in step.asks if name in catalogue
    }
    if outcome == "done" and step.asks and all(value is None for value in answers.values()):
        return Refusal("no_answer", "请先填写这一步查到的结果"), ""
    facts = {} if outcome == "undone" else {**step.sets, **_plain(answers)}
    choice = doing.text("choice")
    why = step_title(choice) if choice and outcome == "done" else doing.text("why")
    refusal = take_step(record_connection(), doing.place, code, outcome, facts, why)
    told = {
        "done": _("已记下「%(step)s」。"),
        "skipped": _("已跳过「%(step)s」。"),
        "undone": _("已撤回「%(step)s」。"),
    }
    return refusal, told[outcome] % {"step": step_title(code)}


def _plain(answers: Mapping[str, Any]) -> dict[str, object]:
    """Answers as the record keeps them."""
    known = {name: value for name, value in answers.items() if value is not None}
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in known.items()}


def _issue(doing: Doing) -> Done:
    """People say which problem it is; empty = as the record has it."""
    code = doing.text("issue")
    if code and code not in issues():
        return Refusal("unknown_issue", "不认识的问题"), ""
    outcome = "done" if code else "undone"
    refusal = take_step(record_connection(), doing.place, "issue", outcome, {"issue": code} if code else {})
    title = words.word("issue", code) if code else ""
    return refusal, _("按「%(issue)s」处理。") % {"issue": title} if code else _("已改回按记录判断。")


def _say(doing: Doing) -> Done:
    """A text goes to the buyer through the platform, unless it may not."""
    text = doing.text("text")
    unfit = scripts.unfit(text, doing.platform, doing.head.settings, doing.now)
    if unfit:
        return unfit, ""
    code = doing.text("script")
    script = code if code in scripts.titles() else ""
    purpose = scripts.titles().get(script, _("给买家留言"))
    wish = record_contacts.Wish("im", purpose, text=text, script=script)
    refusal = _contacted(doing, wish)
    if refusal is None and any(
        intent.held and intent.kind.startswith("message")
        for intent in intents_of(doing.place.shop_id, doing.place.case_id)
    ):
        return None, _("消息已经停止，恢复后才会发出，在此之前可以撤回。")
    return refusal, _("消息将在 %(seconds)d 秒后发出，在此之前可以撤回。") % {"seconds": UNDO_S}


def _contact(doing: Doing) -> Done:
    """A call or text message that a person made, written down before the next one is allowed."""
    channel = doing.text("channel")
    if channel not in ("phone", "sms", "im"):
        return Refusal("unknown_channel", "请选择联系的渠道"), ""
    wish = record_contacts.Wish(channel, doing.text("purpose"), doing.text("reached") == "yes")
    return _contacted(doing, wish), _("已记下这次联系。")


def _contacted(doing: Doing, wish: record_contacts.Wish) -> Refusal | None:
    judge = judge_of(
        wish.channel, doing.place.by, doing.facts, doing.head.settings, doing.platform, doing.now
    )
    return record_contacts.contact(record_connection(), doing.place, wish, midnight(doing.now), judge, UNDO_S)


def _ask_override(doing: Doing) -> Done:
    refusal = record_contacts.ask_override(record_connection(), doing.place, doing.text("why"))
    return refusal, _("已提出，等主管批准后可以再联系一次。")


def _grant_override(doing: Doing) -> Done:
    refusal = record_contacts.grant_override(record_connection(), doing.place, doing.id())
    return refusal, _("已批准再联系一次。")


def _promise(doing: Doing) -> Done:
    """With a moment of its own, or the one that the book of deadlines counts."""
    kind, written, money = doing.text("kind"), doing.text("due"), doing.text("amount")
    if kind not in promises.KINDS:
        return Refusal("unknown_kind", "请选择承诺的种类"), ""
    given = local_moment(written) if written else None
    if written and given is None:
        return Refusal("no_time", "时间写得不对，请按 2026-11-12 18:00 的样子填写"), ""
    due_at = promises.due_of(kind, given, doing.head.settings, doing.platform, doing.now)
    if due_at is None:
        return Refusal("no_time", "请写明最晚什么时候做到"), ""
    amount_fen = fen_from_yuan(money) if money else None
    if money and (amount_fen is None or not 0 < amount_fen <= FEN_MAX):
        return Refusal("amount", "金额要大于零，最多两位小数"), ""
    vow = record_promises.Vow(kind, doing.text("text"), due_at, amount_fen)
    return record_promises.give_promise(record_connection(), doing.place, vow), _(
        "已记下承诺，到期之前会排在前面。"
    )


def _settle(doing: Doing) -> Done:
    state = doing.text("state")
    refusal = record_promises.settle_promise(record_connection(), doing.place, doing.id(), state)
    told = {"kept": _("承诺已经做到。"), "broken": _("已记下没有做到。"), "withdrawn": _("承诺已经取消。")}
    return refusal, told.get(state, "")


def _hand(doing: Doing) -> Done:
    """`to` is `person:NAME` or `department:ROLE`. A parcel in trouble is handed over with its note (R-310)."""
    kind, _colon, name = doing.text("to").partition(":")
    department = name if kind == "department" and name in DEPARTMENTS else None
    texts = [doing.text(one) for one in ("found", "promised", "next_step", "due")]
    if (lacking := _lacking(doing, texts)) is not None:
        return lacking, ""
    handing = record_promises.Handing(name if kind == "person" and name else None, department, *texts)
    refusal = record_promises.hand_over(record_connection(), doing.place, handing)
    shown = name if handing.to_whom else words.word("role", department)
    return refusal, _("已交给 %(who)s，对方打开这张售后单时会先看到您的交接。") % {"who": shown}


def _lacking(doing: Doing, texts: list[str]) -> Refusal | None:
    known, _checklist = known_of(doing.case, doing.head, doing.facts, doing.now)
    return promises.handover_fault(known, texts, doing.head.settings, doing.platform, doing.now)


def _seen(doing: Doing) -> Done:
    refusal = record_promises.see_handover(record_connection(), doing.place, doing.id(), doing.case.shop.role)
    return refusal, _("已接手，交接留在时间线里。")


ACTS: Mapping[str, Callable[[Doing], Done]] = {
    "step": _step,
    "issue": _issue,
    "say": _say,
    "contact": _contact,
    "contact-more": _ask_override,
    "contact-allow": _grant_override,
    "promise": _promise,
    "promise-settle": _settle,
    "hand-over": _hand,
    "seen": _seen,
}
