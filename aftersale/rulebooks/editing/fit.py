"""What stands in the way of a book that shall decide live cases, and what is only suspicious, each with its line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aftersale.core.facts import RulebookError
from aftersale.core.language.saying import Named, Saying, closest, named, plain, saying
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
    told: Saying

    @property
    def text(self) -> str:
        return plain(self.told)


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
        return Reading(None, (Remark("error", "text", error.rule, line, _placed(error)),))
    if why is None:
        return Reading(book, ())
    about = why["values"].get("rule")
    rule = next(
        (name for name in rule_lines(text) if isinstance(about, dict) and about["name"] == name), None
    )
    return Reading(None, (Remark("error", "fit", rule, rule_lines(text).get(rule or ""), why),))


def _placed(error: RulebookError) -> Saying:
    if error.position is None:
        return error.why
    return saying("%(why)s（%(position)s）", why=error.why, position=error.position)


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
            one.told,
        )
        for one in findings
    )


def fault(book: Book, settings: Mapping[str, object]) -> Saying | None:
    """Why this book cannot decide live cases; None when it can."""
    try:
        resolve_settings(book, settings, exactly=True)
    except RulebookError as error:
        return error.told
    if book.name != "refund" or book.hit != "first":
        return saying("只有 refund 规则书能处理售后单，这一本是 %(book)s", book=book.name)
    unfit = [one.name for one in book.settings.values() if one.history or one.type.kind == "decimal"]
    if unfit:
        return saying(
            "设置 %(name)s 有 history 或是小数，处理售后单的规则书里不能用：请给规则写 from/until，或用整数",
            name=unfit[0],
        )
    return next(_misfits(book), None)


def _misfits(book: Book) -> Iterator[Saying]:
    otherwise = named("otherwise", "otherwise", "otherwise")
    for rule, then in [*((rule.named, rule.then) for rule in book.rules), (otherwise, book.otherwise)]:
        why = _misfit(rule, then)
        if why:
            yield why


def _misfit(rule: Named, then: Mapping[str, Output]) -> Saying | None:
    """What the pipeline could not carry out of one rule."""
    action, queue = (getattr(then.get(key), "value", None) for key in ("action", "queue"))
    if not isinstance(action, str) or action not in books.actions():
        near, name = closest(str(action), books.actions()), str(action)
        return saying(
            "规则 %(rule)s：没有名为 %(name)s 的动作%(nearest)s", rule=rule, name=name, nearest=near
        )
    if queue is not None and queue not in books.queues():
        near, name = closest(str(queue), books.queues()), str(queue)
        return saying(
            "规则 %(rule)s：没有名为 %(name)s 的队列%(nearest)s", rule=rule, name=name, nearest=near
        )
    if books.actions()[action].money and queue is None and then.get("amount") is None:
        return saying("规则 %(rule)s 会自动付款，必须写 amount", rule=rule)
    return None
