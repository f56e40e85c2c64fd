"""One rule of the draft as rows of fact, relation and value; saving rewrites its lines and no others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from aftersale.cases.rows import moment, record_connection
from aftersale.core.facts import RulebookError, read_yaml
from aftersale.core.language.wording import Language
from aftersale.people import words
from aftersale.people.acts import said
from aftersale.people.jobs.saying import worded
from aftersale.people.rules.edit import number
from aftersale.people.rules.page import rights_in, shop_of
from aftersale.people.rules.shown import parsed, told
from aftersale.people.rules.thresholds import title_of
from aftersale.publishing import edits
from aftersale.publishing.edits import Edit
from aftersale.rights import needs
from aftersale.rulebooks import books
from aftersale.rulebooks.editing import blocks
from aftersale.rulebooks.editing.fit import reading
from aftersale.rulebooks.editing.rows import RELATIONS, Row, joined, rows

NEW, SPARE, ROWS_MAX = "new", 2, 40
FIRST = ("action", "queue", "amount", "due_hours")


@dataclass(frozen=True, slots=True)
class Line:
    """A condition as it is edited; `words`: as people read it."""

    row: Row
    words: str | None = None


@needs("rule_edit")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, shop_code: str, name: str) -> HttpResponse:
    """The rule as a form; `new?before=` begins another."""
    shop = shop_of(request, shop_code)
    edit = edits.edit_of(record_connection(), shop.id)
    if edit is None:
        return redirect("rule-edit", shop.code)
    try:
        found = _rule(edit.text, name)
    except RulebookError:
        messages.error(request, _("草稿的文本还有错误，请先在文本里改好，再用表格改。"), extra_tags="warning")
        return redirect("rule-edit", shop.code)
    problem = None
    if request.method == "POST":
        found = asked(request.POST)
        problem = _keep(request, shop.id, edit, name, found)
        if problem is None:
            messages.success(request, _("规则已保存到草稿，还没有发布。"), extra_tags="success")
            return redirect("rule-edit", shop.code)
    context = {
        "here": "rules", "shop": shop, "edit": edit, "name": name, "problem": problem, "may": rights_in(shop),
        **form(found, edit.text, name),
    }  # fmt: skip
    return render(request, "people/rules/row.html", context, status=200 if problem is None else 422)


def _rule(text: str, name: str) -> Mapping[str, Any]:
    if name == NEW:
        return {"name": "", "title": "", "title_en": "", "when": "", "then": {"action": "manual_review"}}
    data = read_yaml(text, "refund")
    found = next((one for one in data.get("rules") or () if one.get("name") == name), None)
    if found is None:
        raise Http404
    return dict(found)


def form(rule: Mapping[str, Any], text: str, name: str) -> dict[str, Any]:
    """What the form shows of a rule."""
    facts = books.catalogue().facts
    when = rule.get("when", "")
    given = _in_words(rows(when, facts), text, name) if isinstance(when, str) else [Line(one) for one in when]
    then = dict(rule.get("then") or {})
    rest = {key: value for key, value in then.items() if key not in FIRST}
    lost = blocks.lost_comments(text, name) if name != NEW else 0
    return {
        "rule": rule, "conditions": [*given, *(Line(Row("", "=", "")) for _n in range(SPARE))], "relations": relations(),
        "facts": _facts(words.language()), "fact_names": facts.keys(), "values": _values(words.language()), "lost": lost,
        "settings": [(one.name, title_of(one)) for one in books.book("refund").settings.values()],
        "actions": words.actions(), "queues": {code: words.word("queue", code) for code in books.queues()},
        "then": {key: _shown(then.get(key)) for key in FIRST}, "rest": blocks.flow(rest) if rest else "",
        "platforms": [
            (one, words.word("platform", one), one in (rule.get("platforms") or ()))
            for one in facts["platform"].values
        ],
    }  # fmt: skip


def _in_words(given: Sequence[Row], text: str, name: str) -> list[Line]:
    """The conditions of a rule of the draft; what limits it to platforms and days comes before them in its words."""
    book = parsed(text)
    said = next((one.conditions for one in told(book) if one.name == name), ()) if book else ()
    own = said[len(said) - len(given) :] if len(said) >= len(given) else ()
    return [Line(one, words) for one, words in zip_longest(given, own)]


def _shown(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else blocks.flow(value)


@lru_cache(maxsize=4)
def _facts(language: Language) -> tuple[tuple[str, str], ...]:
    facts = books.catalogue().facts.values()
    return tuple((one.name, one.title if language == "zh" else one.title_en) for one in facts)


@lru_cache(maxsize=4)
def _values(language: Language) -> tuple[tuple[str, str], ...]:
    """Values that facts may have, as rules write them."""
    found: dict[str, str] = {}
    for fact in books.catalogue().facts.values():
        for value in fact.values:
            found.setdefault(f"'{value}'", books.title(fact.name, value, language))
    return tuple(found.items())


def relations() -> list[tuple[str, str]]:
    told = {
        "=": "=", "<>": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥", "in": _("属于"), "not in": _("不属于"),
        "true": _("成立"), "false": _("明确不成立"), "not true": _("不成立或未知"), "not false": _("成立或未知"),
        "null": _("没有信息"), "known": _("有信息"),
    }  # fmt: skip
    return [(one, told[one]) for one in RELATIONS]


def asked(given: Any) -> dict[str, Any]:
    """The rule of a submitted form; its condition as rows."""
    told = []
    for n in range(ROWS_MAX):
        fact, value = (given.get(f"{part}-{n}", "").strip() for part in ("fact", "value"))
        relation = given.get(f"relation-{n}", "=")
        if (relation in RELATIONS or not fact) and (fact or value):
            told.append(Row(fact, relation if fact else "", value))
    then = {"action": given.get("action", ""), "queue": given.get("queue") or None}
    amount, due = given.get("amount", "").strip(), given.get("due_hours", "").strip()
    rest = (
        read_yaml(given.get("rest", "").strip() or "{}", "refund") if _readable(given.get("rest", "")) else {}
    )
    then |= {"amount": int(amount) if amount.isdecimal() else amount} if amount else {}
    then |= rest | ({"due_hours": int(due) if due.isdecimal() else due} if due else {})
    keys = ("name", "title", "title_en", "requirement")
    whole = {key: given.get(key, "").strip() for key in keys}
    days = {key: _day(given.get(key, "").strip()) for key in ("from", "until")}
    return {**whole, **days, "platforms": given.getlist("platforms"), "when": tuple(told), "then": then}


def _day(text: str) -> date | str:
    """A text that is no day is left for the reader to refuse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _readable(text: str) -> bool:
    try:
        read_yaml(text.strip() or "{}", "refund")
    except RulebookError:
        return False
    return True


def _keep(request: HttpRequest, shop_id: int, edit: Edit, name: str, rule: Mapping[str, Any]) -> str | None:
    """The draft with this rule in place of the old one; why not, as a sentence."""
    if not _readable(request.POST.get("rest", "")):
        return _("「其余结果」读不懂，请写成：名称: 值，放在花括号里，用逗号分开。")
    parts = joined(rule["when"])
    if not parts:
        return _("请至少写一个条件。")
    whole = {**rule, "when": parts, "note": _rule(edit.text, name).get("note")}
    if name == NEW:
        before = request.POST.get("before", "")
        text = blocks.inserted(edit.text, before or None, whole)
    else:
        text = blocks.replaced(edit.text, name, whole)
    read = reading(text, edits.known_values(edit))
    mine = [one for one in read.remarks if one.level == "error"]
    if mine and not reading(edit.text, edits.known_values(edit)).remarks:
        return worded(mine[0].told)
    refusal = edits.save(
        record_connection(), edit, text, edit.values, request.user.get_username(), moment(), number(request.POST, "revision")
    )  # fmt: skip
    return said(refusal) if refusal else None


@needs("rule_edit")
@require_POST
def change(request: HttpRequest, shop_code: str, name: str, how: str) -> HttpResponse:
    """Move the rule up or down, or take it out."""
    shop = shop_of(request, shop_code)
    conn = record_connection()
    edit = edits.edit_of(conn, shop.id)
    if edit is None or how not in ("up", "down", "remove"):
        raise Http404
    try:
        if how == "remove":
            text = blocks.removed(edit.text, name)
        else:
            text = blocks.moved(edit.text, name, -1 if how == "up" else 1)
    except RulebookError as error:
        messages.error(request, worded(error.told), extra_tags="warning")
        return redirect("rule-edit", shop.code)
    by, revision = request.user.get_username(), number(request.POST, "revision")
    refusal = edits.save(conn, edit, text, edit.values, by, moment(), revision)
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
    return redirect("rule-edit", shop.code)
