"""`/rules/<shop>/edit`: the shop's draft as text or rows, with what is wrong beside the line, and the steps to publish it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from aftersale.cases.access import Shop
from aftersale.cases.rows import moment, record_connection
from aftersale.core.facts import RulebookError
from aftersale.core.rulebook import Book
from aftersale.people.acts import said
from aftersale.people.rules import shown
from aftersale.people.rules.changed import in_words
from aftersale.people.rules.page import rights_in, shop_of
from aftersale.people.rules.thresholds import asked_values, thresholds
from aftersale.publishing import edits, live, release, trial
from aftersale.publishing.edits import Edit
from aftersale.rights import needs
from aftersale.rulebooks.editing.difference import Change, changes
from aftersale.rulebooks.editing.fit import Remark, reading, remarks

EXAMPLES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Position:
    """How far an edit is on its way. `money`: None while the text cannot be read."""

    book: Book | None
    remarks: tuple[Remark, ...]
    linted: bool
    changes: tuple[Change, ...]
    money: bool | None

    @property
    def errors(self) -> int:
        return sum(one.level == "error" for one in self.remarks)


@needs("rule_edit")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, shop_code: str) -> HttpResponse:
    """The draft; a form keeps its text, its values, or begins one."""
    shop = shop_of(request, shop_code)
    conn, by = record_connection(), request.user.get_username()
    if request.method == "POST":
        return _save(request, shop)
    edit = edits.edit_of(conn, shop.id)
    if edit is None:
        return redirect("rule-book", shop.code, live.BOOK)
    said_yes = edits.approvals(conn, edit)
    waiting = next((one for one in said_yes if one.waits), None)
    mine = by in edit.authors or (waiting is not None and waiting.asked_by == by)
    context: dict[str, Any] = {
        "here": "rules", "shop": shop, "edit": edit, "may": rights_in(shop), "answers": said_yes[:5],
        "waiting": waiting, "approved": edits.approved(conn, edit), "mine": mine, "budget": "200",
        "tab": request.GET.get("tab") or ("changes" if waiting and not mine else "rows"),
        **standing(edit), **_tried(shop),
    }  # fmt: skip
    return render(request, "people/rules/edit.html", context)


def _save(request: HttpRequest, shop: Shop) -> HttpResponse:
    conn, by, now = record_connection(), request.user.get_username(), moment()
    edit = edits.edit_of(conn, shop.id)
    if edit is None or "begin" in request.POST:
        edits.begin(conn, shop.id, by, now)
        return redirect("rule-edit", shop.code)
    text = request.POST.get("text", edit.text)
    values, wrong = asked_values(shown.parsed(edit.text), edit, request.POST)
    if wrong:
        messages.error(request, wrong, extra_tags="warning")
        return redirect(f"{request.path}?tab=values")
    refusal = edits.save(conn, edit, text, values, by, now, number(request.POST, "revision"))
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
    else:
        messages.success(request, _("草稿已保存，还没有发布。"), extra_tags="success")
    tab = request.POST.get("tab", "rows")
    return redirect(f"{request.path}?tab={tab if tab in ('rows', 'text', 'values') else 'rows'}")


def standing(edit: Edit) -> dict[str, Any]:
    """What a page about the edit shows of it."""
    conn = record_connection()
    read = reading(edit.text, edits.known_values(edit))
    found = release.known_check(conn, read.book) if read.book else None
    lint = remarks(edit.text, found) if found else ()
    before = live.live_text(conn, edit.shop_id)
    book = read.book or shown.parsed(edit.text)
    place = Position(
        read.book, (*read.remarks, *lint), found is not None, _changed(conn, edit, before),
        edits.moves_money(conn, edit, read.book) if read.book else None,
    )  # fmt: skip
    rules = shown.told(book) if book else ()
    by_rule = {one.rule: one for one in place.remarks if one.rule}
    return {
        "place": place,
        "rules": [(rule, by_rule.get(rule.name)) for rule in rules],
        "thresholds": thresholds(book, live.own_values(conn, edit.shop_id, book), edit) if book else (),
    }


def _changed(conn: Any, edit: Edit, before: str) -> tuple[Change, ...]:
    book = shown.parsed(edit.text)
    own = live.own_values(conn, edit.shop_id, book) if book else {}
    was = {name: own.get(name) for name in edit.values}
    try:
        return in_words(changes(before, edit.text, (was, edit.values)), book)
    except (RulebookError, KeyError, TypeError, AttributeError):
        return ()


def _tried(shop: Shop) -> dict[str, Any]:
    conn = record_connection()
    found = next((one for one in trial.drafts(conn, shop.code) if one.ended_at is None), None)
    if found is None:
        return {"tried": None}
    moves = trial.moves(conn, found.id)
    changed = [one for one in moves if one.changed]
    return {
        "tried": found,
        "moves": changed[:EXAMPLES_SHOWN],
        "tried_cases": sum(one.cases for one in moves),
        "tried_changed": sum(one.cases for one in changed),
        "tried_fen": (sum(one.live_fen for one in moves), sum(one.fen for one in moves)),
    }


@needs("rule_edit")
@require_POST
def lint(request: HttpRequest, shop_code: str) -> HttpResponse:
    """What is wrong with the text as it is being typed; nothing is kept."""
    shop = shop_of(request, shop_code)
    edit = edits.edit_of(record_connection(), shop.id)
    text = request.POST.get("text", "")[: edits.TEXT_MAX].replace("\r\n", "\n")
    read = reading(text, edits.known_values(edit) if edit else {})
    found = release.known_check(record_connection(), read.book) if read.book else None
    context = {
        "shop": shop, "typing": True, "linted": found is not None,
        "remarks": (*read.remarks, *(remarks(text, found) if found else ())),
    }  # fmt: skip
    return render(request, "people/rules/_remarks.html", context)


@needs("rule_edit")
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, shop_code: str) -> HttpResponse:
    """The whole lint of the draft as it is kept; takes seconds the first time."""
    shop = shop_of(request, shop_code)
    conn = record_connection()
    edit = edits.edit_of(conn, shop.id)
    read = reading(edit.text, edits.known_values(edit)) if edit else None
    if request.method == "POST" and read is not None and read.book is not None:
        release.checked(conn, read.book, moment())
    return redirect("rule-edit", shop.code)


def number(form: Mapping[str, Any], name: str) -> int:
    text = str(form.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
