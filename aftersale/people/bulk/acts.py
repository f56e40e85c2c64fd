"""The acts that many cases can take, and the words of what becomes of each."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from aftersale.cases.people import KINDS
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.rulebooks import books

PLAIN = ("give", "note", "move")
ONE_BY_ONE = frozenset({"refuse"})  # what the buyer reads is written for one application
ACTS = (*(kind for kind in KINDS if kind not in ONE_BY_ONE), *PLAIN)
MOST = 10_000
ROLES = ["agent", "lead", "finance", "owner"]


def title(act: str) -> str:
    """What the act is called."""
    own = {"give": _("交给同事"), "note": _("写备注"), "move": _("移到别的队列")}
    return own[act] if act in own else words.intent(act)


def titles() -> list[tuple[str, str]]:
    return [(act, title(act)) for act in ACTS]


def impossible() -> frozenset[str]:
    """What the book `possible` says of cases that no platform would take."""
    return frozenset(str(getattr(rule.then["why"], "value", "")) for rule in books.book("possible").rules)


def written(refusal: Refusal) -> str:
    """A refusal's code as it is kept, with the limit that was exceeded."""
    return refusal.code if refusal.fen is None else f"{refusal.code}:{refusal.fen}"


def why(code: str) -> str:
    """Why a case is left out, in a sentence; `code` as it was written."""
    own: Mapping[str, str] = {
        "not_waiting": _("已经不在队列里，不用再处理。"),
        "role": _("您在这家店铺的角色不能这样做。"),
        "not_member": _("这位同事不在这家店铺。"),
        "same": _("已经是这样了，不用再改。"),
        "amount": _("买家没有申请金额，要逐单处理。"),
        "already": _("已经有一笔在进行，不能再做一次。"),
        "over_paid": _("金额超过订单还可以退的数额。"),
        "needs_approval": _("超过您的额度，会提交复核。"),
        "changed": _("预览之后有人或平台改动了这张售后单，没有执行。"),
        "stopped": _("任务停止时还没有轮到。"),
        "gone": _("没有执行，请打开这张售后单看看。"),
    }
    if code in own:
        return own[code]
    code, _colon, fen = code.partition(":")
    if code not in books.titles()["why"]:
        return own["gone"]
    return _("%(why)s。") % {"why": words.why(code, int(fen) if fen else None)}
