"""A work order in one line of a case's timeline."""

from django.utils.translation import gettext as _

from aftersale.people import words
from aftersale.rulebooks.workorders.templates import templates


def ordered(what: str) -> str:
    """`created 12 resend`: what became of which order of which kind."""
    became, number, template = (*what.split(" "), "", "")[:3]
    known = templates().get(template)
    title = template if known is None else known.title if words.language() == "zh" else known.title_en
    parts = {"number": number, "title": title}
    return {
        "created": _("开了工单 #%(number)s「%(title)s」"),
        "done": _("工单 #%(number)s「%(title)s」全部完成"),
        "cancelled": _("取消了工单 #%(number)s「%(title)s」"),
        "given_back": _("工单 #%(number)s「%(title)s」的步骤交回部门"),
    }.get(became, what) % parts
