"""Thresholds: every setting of the books, and a change with what it will do, before it is kept."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from aftersale.cases import audit
from aftersale.cases.access import Shop
from aftersale.cases.rows import moment, read, record_connection
from aftersale.cases.settings import set_settings
from aftersale.core.expression import Value
from aftersale.core.facts import RulebookError
from aftersale.core.language.wording import CLOCK, clock
from aftersale.core.look import decide
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import resolve_settings, setting_value
from aftersale.people import words
from aftersale.people.jobs.saying import worded
from aftersale.people.rights import needs
from aftersale.people.settings.form import ROLES
from aftersale.people.settings.frame import may, shop_of, shown
from aftersale.people.settings.known import (
    SQL,
    Line,
    choices_of,
    history_of,
    line_of,
    lines_of,
    own_of,
)
from aftersale.people.settings.known import shown as told
from aftersale.rulebooks import books
from aftersale.rulebooks.told import told_value

SAMPLE_ROWS = 200
OWNERS = frozenset({"permissions", "access", "breaker"})
"""Books whose settings limit people or stop money: nobody below the owner changes what limits them."""
MEMBERS = {"mfa_required_roles": frozenset(ROLES)}
"""What a list may hold that its book does not limit."""


@dataclass(frozen=True, slots=True)
class Case:
    case_id: str
    facts: str


@dataclass(frozen=True, slots=True)
class Other:
    """A waiting case that would be decided otherwise."""

    case_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the change does to the first `seen` open cases; `others`: examples of the `n` that change."""

    text: str
    seen: int
    n: int
    others: tuple[Other, ...]


@needs("settings_read")
@require_GET
def page(request: HttpRequest, shop_code: str) -> HttpResponse:
    """`?q=` words or a name, `?own=1` only what the shop has changed."""
    shop = shop_of(request, shop_code)
    q, own = request.GET.get("q", "").strip()[:64], request.GET.get("own") == "1"
    found = [
        line
        for line in lines_of(shop)
        if (not own or line.own is not None)
        and q.lower()
        in f"{line.setting.name} {line.setting.title} {line.setting.title_en} {line.book}".lower()
    ]
    groups: dict[str, list[Line]] = {}
    for line in found:
        groups.setdefault(line.book, []).append(line)
    titled = [(_title(code), lines) for code, lines in groups.items()]
    return shown(request, "thresholds", "thresholds", shop, groups=titled, q=q, own=own, n=len(found))


def _title(code: str) -> str:
    book = books.book(code)
    return book.title if words.language() == "zh" else book.title_en


@needs("settings_read", post="settings_edit")
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, shop_code: str, name: str) -> HttpResponse:
    """One setting: its history, a preview of `?value=`, and the change itself."""
    shop = shop_of(request, shop_code)
    line = line_of(shop, name)
    if line is None:
        raise Http404
    edits = may(shop, "settings_edit") and (line.book not in OWNERS or shop.role == "owner")
    if request.method == "POST":
        if not edits:
            raise PermissionDenied
        return _keep(request, shop, line)
    given = ",".join(filter(None, request.GET.getlist("value"))) if "value" in request.GET else None
    context: dict[str, Any] = {"line": line, "edits": edits, "book": _title(line.book), "given": given}
    if given is not None:
        value = _value(line, given)
        wrong = value if isinstance(value, Refusal) else None
        context["wrong" if wrong else "preview"] = wrong or _preview(shop, line, value)  # type: ignore[arg-type]
    book = books.book(line.book)

    def text(kept: str | None) -> str:
        value = None if kept is None else setting_value(line.setting.type.kind, json.loads(kept))
        return _("默认") if value is None else told(book, line.setting, value)

    history = [(one, text(one.before), text(one.after)) for one in history_of(shop, name)]
    context |= {"history": history, **_field(line, given, own_of(shop).get(name), shop)}
    return shown(request, "threshold", "thresholds", shop, **context)


def _field(line: Line, given: str | None, own: Value | None, shop: Shop) -> dict[str, Any]:
    """What the form holds: what was given, else the shop's own value; codes to choose from begin with the default's."""
    codes = choices_of(line.setting.type.values or MEMBERS.get(line.setting.name, ()))
    field = _written(line, line.setting.usual(shop.platform) if codes and own is None else own)
    field = field if given is None else given
    chosen = field.split(",")
    return {"field": field, "choices": [(code, title, code in chosen) for code, title in codes]}


def _keep(request: HttpRequest, shop: Shop, line: Line) -> HttpResponse:
    name, who, now = line.setting.name, request.user.get_username(), moment()
    value = None if request.POST.get("back") == "1" else _value(line, request.POST.get("value", ""))
    if isinstance(value, Refusal):
        messages.error(request, value.why, extra_tags="warning")
        return redirect("settings-threshold", shop.code, name)
    conn = record_connection()
    with conn.transaction():
        done = set_settings(conn, shop.code, {name: value}, who, now)
        assert not isinstance(done, Refusal), done
        more = {"value": _written(line, value)}
        audit.note(conn, who, "setting", name, now, shop_id=shop.id, more=more)
    messages.success(
        request, _("已保存，%(n)d 张未结的售后单会按新的设置重新判断。") % {"n": done}, extra_tags="success"
    )
    return redirect("settings-threshold", shop.code, name)


def _value(line: Line, text: str) -> Value | Refusal:
    """As people write it: money in yuan, lists with commas."""
    kind, time = line.setting.type.kind, re.fullmatch(r"([0-9]{1,2})[:：]([0-9]{2})", text.strip())
    if line.setting.unit == CLOCK and time and int(time[2]) < 60:
        text = str(int(time[1]) * 60 + int(time[2]))
    plain = text.strip().replace("，", ",").replace("\n", ",") if kind == "list" else text.strip()
    try:
        value = told_value(books.book(line.book), line.setting, plain[:2000])
    except RulebookError as error:
        timed = line.setting.unit == CLOCK
        return Refusal("value", _("时刻请写成 09:00，从 00:00 到 24:00") if timed else worded(error.why))
    if line.setting.name in MEMBERS and not set(value) <= MEMBERS[line.setting.name]:  # type: ignore[arg-type]
        return Refusal("value", _("只能写这些角色：agent、lead、finance、warehouse、owner、helper"))
    return value


def _preview(shop: Shop, line: Line, value: Value) -> Preview:
    """The book of cases asked twice about the first open ones."""
    book, now = books.book(words.BOOK), moment()
    text = told(books.book(line.book), line.setting, value)
    if line.setting.name not in book.settings:
        return Preview(text, 0, 0, ())
    own = {name: one for name, one in own_of(shop).items() if name in book.settings}
    before = resolve_settings(book, own, shop.platform, at=now)
    after = resolve_settings(book, {**own, line.setting.name: value}, shop.platform, at=now)
    seen = read(Case, SQL["open_cases"], {"shop_id": shop.id, "rows": SAMPLE_ROWS})
    others = [other for case in seen if (other := _other(case, before, after, now)) is not None]
    return Preview(text, len(seen), len(others), tuple(others[:5]))


def _other(case: Case, before: dict[str, Value], after: dict[str, Value], now: datetime) -> Other | None:
    book, facts = books.book(words.BOOK), words.facts_of(case.facts)
    was, will = (decide(book, facts, settings, now) for settings in (before, after))
    if (was.rule, was.outcome) == (will.rule, will.outcome):
        return None
    return Other(case.case_id, words.rule(was.rule or "otherwise"), words.rule(will.rule or "otherwise"))


def _written(line: Line, value: Value | None) -> str:
    """As the form takes it back."""
    if value is None:
        return ""
    if line.setting.type.kind == "fen" and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    if line.setting.unit == CLOCK and isinstance(value, int):
        return clock(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
