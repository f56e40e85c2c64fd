"""What stands in the way of a book that shall decide live cases, and what is only suspicious, each with its line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import nearest
from aftersale.core.lint import Finding, lint
from aftersale.core.rulebook import Book, Output, resolve_settings
from aftersale.rulebooks import books
from aftersale.rulebooks.editing.blocks import line_of, rule_lines

PROVED = frozenset({"unreachable", "never_known"})
"""Findings with which no book is published; the others are for people to weigh."""


@dataclass(frozen=True, slots=True)
class Remark:
    """`level` error: it cannot be published so. `line` from 1, where it is known."""

    level: Literal["error", "warning"]
    code: str
    rule: str | None
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as far as it can be read: a book that could decide live cases, or why it cannot."""

    book: Book | None
    remarks: tuple[Remark, ...]


def reading(text: str, settings: Mapping[str, object]) -> Reading:
    """Quick enough while somebody types; what takes seconds is `suspicions`."""
    try:
        book = books.parse(text)
        why = fault(book, settings)
    except RulebookError as error:
        line = line_of(text, error)
        place = f"（{error.position}）" if error.position else ""
        return Reading(None, (Remark("error", "text", error.rule, line, f"{error.reason}{place}"),))
    if why is None:
        return Reading(book, ())
    rule = next(
        (name for name in rule_lines(text) if f"规则 {name}：" in why or f"规则 {name} " in why), None
    )
    return Reading(None, (Remark("error", "fit", rule, rule_lines(text).get(rule or ""), why),))


def suspicions(book: Book) -> tuple[Finding, ...]:
    """What the lint of the whole book says; seconds for a large one."""
    return lint(book)


def remarks(text: str, findings: tuple[Finding, ...]) -> tuple[Remark, ...]:
    """Findings beside the lines of this text."""
    lines = rule_lines(text)
    return tuple(
        Remark(
            "error" if one.code in PROVED else "warning",
            one.code,
            one.rule,
            lines.get(one.rule or ""),
            one.text,
        )
        for one in findings
    )


def fault(book: Book, settings: Mapping[str, object]) -> str | None:
    """Why this book cannot decide live cases; None when it can."""
    try:
        resolve_settings(book, settings)
    except RulebookError as error:
        return str(error)
    if book.name != "refund" or book.hit != "first":
        return f"只有 refund 规则书能处理售后单，这一本是 {book.name}"
    unfit = [one.name for one in book.settings.values() if one.history or one.type.kind == "decimal"]
    if unfit:
        return f"设置 {unfit[0]} 有 history 或是小数，处理售后单的规则书里不能用：请给规则写 from/until，或用整数"
    return next(_misfits(book), None)


def _misfits(book: Book) -> Iterator[str]:
    for name, then in [*((rule.name, rule.then) for rule in book.rules), ("otherwise", book.otherwise)]:
        why = _misfit(name, then)
        if why:
            yield why


def _misfit(rule: str, then: Mapping[str, Output]) -> str | None:
    """What the pipeline could not carry out of one rule."""
    action, queue = (getattr(then.get(key), "value", None) for key in ("action", "queue"))
    if not isinstance(action, str) or action not in books.actions():
        return f"规则 {rule}：没有名为 {action} 的动作{nearest(str(action), books.actions())}"
    if queue is not None and queue not in books.queues():
        return f"规则 {rule}：没有名为 {queue} 的队列{nearest(str(queue), books.queues())}"
    if books.actions()[action].money and queue is None and then.get("amount") is None:
        return f"规则 {rule} 会自动付款，必须写 amount"
    return None
