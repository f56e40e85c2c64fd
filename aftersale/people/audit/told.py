"""What a row of the audit log was about, in words of the page; codes that nobody knows stay as they are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from aftersale.core.facts import RulebookError
from aftersale.core.money import yuan_text
from aftersale.people import words
from aftersale.people.rules.thresholds import title_of
from aftersale.people.settings.known import index, shown
from aftersale.rulebooks import books
from aftersale.rulebooks.told import told_value


def subject(what: str, target: str, shop_names: Mapping[str, str]) -> str:
    """On what it was done; the names are those of the reader's shops by code."""
    if what.startswith("rule_"):
        name, _space, rest = target.partition(" ")
        return f"{_book(name)} {rest}".strip() if name in books.shipped() else target
    if what == "unmask":
        return _looked_at(*target.split("/"))
    if what == "export":
        return lists().get(target, target)
    if what == "setting":
        return _setting(target)
    if what == "switch":
        return _("全部店铺") if target == "everything" else shop_names.get(target, target)
    return target


def _looked_at(*parts: str) -> str:
    """`tea/260…/buyer`: which part of which case."""
    if len(parts) != 3 or parts[2] not in _parts():
        return "/".join(parts)
    return _parts()[parts[2]] % {"case": parts[1]}


def _parts() -> dict[str, str]:
    return {"buyer": _("售后单 %(case)s 的买家"), "words": _("售后单 %(case)s 里买家的原话")}


def targets(shop_codes: Collection[str], case_id: str) -> list[str]:
    """What is written down when somebody looks at personal data of this case of one of the shops."""
    return [f"{code}/{case_id}/{part}" for code in shop_codes for part in _parts()]


def details(
    what: str, target: str, more: Mapping[str, Any], shop_names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What else is known; what is empty is not said."""
    for name, value in more.items():
        if what == "export" and name == "filter":
            if said := _joined(_terms(target, str(value), shop_names)):
                yield _names()[name], said
        elif what == "setting" and name == "value":
            yield _names()[name], _kept(target, str(value))
        else:
            yield from _known(name, value)


def _known(name: str, value: object) -> Iterator[tuple[str, str]]:
    names = _names()
    if isinstance(value, Mapping):
        yield (
            names.get(name, name),
            _joined(pair for one, said in value.items() for pair in _known(one, said)),
        )
    elif value not in (None, "", []):
        yield names.get(name, name), _value(name, value)


def _joined(terms: Iterable[tuple[str, str]]) -> str:
    return _("，").join(f"{name} {text}".strip() for name, text in terms if text)


def _terms(name: str, filter_text: str, shop_names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Under which filter a list was taken away, as its page says it."""
    from aftersale.people.export.lists import TABLES  # the audit log is one of them

    return (
        TABLES[name].terms(QueryDict(filter_text), shop_names)
        if name in TABLES
        else iter([("", filter_text)])
    )


def _kept(name: str, text: str) -> str:
    """A setting's value as the settings' pages say it; it was written down as people type it."""
    if name not in index():
        return text or _("没有登记")
    book = books.book(index()[name][0])
    try:
        return (
            shown(book, book.settings[name], told_value(book, book.settings[name], text))
            if text
            else _("默认")
        )
    except RulebookError:  # of an earlier kind
        return text


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
        "starts_at": _("开始时间"), "withdrawn": _("撤回的邀请"), "ended": _("提前结束"),
        "cases": _("放回的售后单"), "unsent": _("撤回的决定"), "steps": _("交回的工单步骤"), "promises": _("交回的承诺"),
        "ends_at": _("结束时间"), "acts": _("可以办理"),
    }  # fmt: skip


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if name.endswith("_fen") and isinstance(value, int):
        return yuan_text(value)
    if name == "skills" and isinstance(value, list):
        return _("、").join(words.tabs().get(str(one), str(one)) for one in value)
    if name in ("role", "department", "helper_job", "account"):
        return words.word(name, str(value))
    if name.endswith("_at") and (at := parse_datetime(str(value))):
        return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if timezone.is_aware(at) else str(value)
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
