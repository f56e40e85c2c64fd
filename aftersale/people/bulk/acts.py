"""The acts that many cases can take, and the words of what becomes of each."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from aftersale.cases.people import KINDS
from aftersale.people import words
from aftersale.rulebooks import books

PLAIN = ("give", "note", "move")
ACTS = (*KINDS, *PLAIN)
MOST = 10_000
ROLES = ["agent", "lead", "finance", "owner"]


def title(act: str) -> str:
    """What the act is called."""
    own = {"give": _("交给同事"), "note": _("写备注"), "move": _("移到别的队列")}
    return own[act] if act in own else words.intent(act)


def titles() -> list[tuple[str, str]]:
    return [(act, title(act)) for act in ACTS]


def why(code: str) -> str:
    """Why a case is left out, in a sentence."""
    own: Mapping[str, str] = {
        "not_waiting": _("已经不在队列里，不用再处理。"),
        "role": _("您在这家店铺的角色不能这样做。"),
        "not_member": _("这位同事不在这家店铺。"),
        "same": _("已经是这样了，不用再改。"),
        "finished": _("这张售后单已经结束。"),
        "no_return": _("这种申请现在不能同意退货。"),
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
    return words.word("why", code) if code in books.titles()["why"] else own["gone"]
