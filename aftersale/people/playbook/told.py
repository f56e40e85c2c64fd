"""What was done along the guide, as the timeline tells it. `what` is JSON, as cases/casework wrote it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from aftersale.people import words
from aftersale.people.playbook.guide import step_title


def _step(what: Mapping[str, Any]) -> str:
    said = {
        "step": _("问题归类") if what["step"] == "issue" else step_title(what["step"]),
        "why": what.get("why") or "",
    }
    if what["outcome"] == "skipped":
        return _("跳过「%(step)s」：%(why)s") % said
    if what["outcome"] == "undone":
        return _("撤回「%(step)s」") % said
    return _("做完「%(step)s」：%(why)s") % said if said["why"] else _("做完「%(step)s」") % said


def _contact(what: Mapping[str, Any]) -> str:
    said = {"channel": words.word("channel", what["channel"]), "purpose": what["purpose"]}
    text = _("用%(channel)s联系买家：%(purpose)s") % said
    if not what["reached"]:
        text = _("用%(channel)s联系买家，没有接通：%(purpose)s") % said
    return text + (
        _("（超次数，%(who)s 批准）") % {"who": what["granted_by"]} if what.get("granted_by") else ""
    )


def _override(what: Mapping[str, Any]) -> str:
    if "asked" in what:
        return _("申请超次数再联系一次：%(why)s") % {"why": what["asked"]}
    return _("批准超次数再联系一次")


def _promise(what: Mapping[str, Any]) -> str:
    if "given" in what:
        kind = words.word("promise", what["kind"])
        return _("答应买家（%(kind)s）：%(text)s") % {"kind": kind, "text": what["given"]}
    said = {"text": what["text"], "state": words.word("promise_state", what["settled"])}
    if what.get("late") and what["settled"] == "kept":
        return _("承诺「%(text)s」做到了，但晚了") % said
    return _("承诺「%(text)s」：%(state)s") % said


def _handover(what: Mapping[str, Any]) -> str:
    if "seen" in what:
        return _("接手了交接")
    to = what["to"] or words.word("role", what["department"])
    note = _("；").join(what[part] for part in ("found", "promised", "next_step", "due") if what.get(part))
    return (
        _("交接给 %(to)s：%(note)s") % {"to": to, "note": note} if note else _("交接给 %(to)s") % {"to": to}
    )


def _evidence(what: Mapping[str, Any]) -> str:
    for key, sentence in (
        ("added", _("上传凭证「%(kind)s」")),
        ("removed", _("撤下凭证「%(kind)s」")),
        ("restored", _("恢复凭证「%(kind)s」")),
    ):
        if key in what:
            return sentence % {"kind": words.word("evidence_kind", what[key])}
    return _("用 %(n)d 份凭证举证") % {"n": what["used"]}


def _refusing(what: Mapping[str, Any]) -> str:
    said = {"reason": what["reason"], "message": what["message"]}
    text = _("拒绝的理由「%(reason)s」，写给买家：%(message)s") % said
    return text + _("（附图片凭证）") if what["proof"] else text


def _told(tell: Callable[[Mapping[str, Any]], str]) -> Callable[[str], str]:
    return lambda what: tell(json.loads(what))


OF: Mapping[str, Callable[[str], str]] = {
    "step": _told(_step),
    "contact": _told(_contact),
    "override": _told(_override),
    "promise": _told(_promise),
    "handover": _told(_handover),
    "evidence": _told(_evidence),
    "refusing": _told(_refusing),
}
