"""What a row of the audit log was about, in words of the page; codes that nobody knows stay as they are."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from aftersale.core.money import yuan_text
from aftersale.people import words
from aftersale.people.rules.thresholds import title_of
from aftersale.people.settings.known import index
from aftersale.rulebooks import books


def subject(what: str, target: str) -> str:
    """On what it was done."""
    if what.startswith("rule_"):
        name, _space, rest = target.partition(" ")
        return f"{_book(name)} {rest}".strip() if name in books.shipped() else target
    if what == "export":
        return lists().get(target, target)
    if what == "setting":
        return _setting(target)
    if what == "switch":
        return _("全部店铺") if target == "everything" else target
    return target


def details(more: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What else is known; what is empty is not said."""
    names = _names()
    for name, value in more.items():
        if isinstance(value, Mapping):
            inner = "，".join(f"{one} {said}" for one, said in details(value))
            yield names.get(name, name), inner
        elif value not in (None, "", []):
            yield names.get(name, name), _value(name, value)


def lists() -> dict[str, str]:
    """Lists that can be taken away."""
    from aftersale.people.export.lists import TABLES  # the audit log is one of them

    return {name: table.title() for name, table in TABLES.items()}


def _names() -> dict[str, str]:
    return {
        "rows": _("行数"), "filter": _("筛选"), "share": _("比例 %"), "version": _("版本"), "budget_fen": _("最多自动付"),
        "approved_by": _("复核人"), "back_to": _("退回到版本"), "value": _("数值"), "stopped": _("停止"),
        "action": _("动作"), "role": _("角色"), "refund_right": _("退款权"), "max_amount_fen": _("退款上限"),
        "helper_job": _("支援的工作"), "access_ends_at": _("结束时间"), "account": _("平台账号"),
        "department": _("部门"), "skills": _("擅长的事"), "before": _("之前"), "after": _("之后"),
        "starts_at": _("开始时间"), "ends_at": _("结束时间"), "withdrawn": _("撤回的邀请"), "ended": _("提前结束"),
        "cases": _("放回的售后单"),
    }  # fmt: skip


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if name.endswith("_fen") and isinstance(value, int):
        return yuan_text(value)
    if name == "skills" and isinstance(value, list):
        return "、".join(words.tabs().get(str(one), str(one)) for one in value)
    if name in ("role", "department", "helper_job", "account"):
        return words.word(name, str(value))
    if name == "action":
        return words.intent(str(value))
    return str(value)


def _book(name: str) -> str:
    book = books.book(name)
    return book.title if words.language() == "zh" else book.title_en


def _setting(name: str) -> str:
    if name not in index():
        return _("平台授权到期日") if name == "authorised_until" else name
    book, _readers = index()[name]
    return title_of(books.book(book).settings[name])
