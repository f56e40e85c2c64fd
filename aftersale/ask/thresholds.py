"""One threshold by name, as it holds for a platform at a moment (R-368)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

from aftersale.ask.convert import in_yuan, shown
from aftersale.ask.questions import Unclear
from aftersale.core.expression import Knob, walk
from aftersale.core.language.grammar import nearest
from aftersale.core.rulebook import Book, Const, Rule, resolve_settings, used
from aftersale.rulebooks import books

SPOKEN: Mapping[str, tuple[str, int]] = {
    "three_min_limit": ("three_min_limit_s", 1),
    "pay_remind_after": ("pay_remind_after_s", 1),
    "agree_return_target_h": ("agree_return_target_hours", 1),
    "seven_day_window": ("seven_day_hours", 1),
    "seven_day_window_days": ("seven_day_hours", 24),
    "d11_extension_window_days": ("d11_extension_hours", 24),
    "long_case_days": ("long_case_hours", 24),
}
"""What people call a threshold → the setting that holds it, and how many of its units make one of theirs."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` None: no rule of the platform reads it. `unit` yuan for money; `book`: where it is defined."""

    name: str
    value: Any
    unit: str | None
    book: str
    title: str


def threshold(
    *,
    name: str,
    query: Literal["param"] = "param",
    platform: str | None = None,
    now: datetime,
    own_settings: Mapping[str, object],
) -> Threshold:
    """The shop's own value, else the default of platform and moment. Raises Unclear for an unknown name."""
    asked, (name, per) = name, SPOKEN.get(name, (name, 1))
    book = next((one for one in _all() if name in one.settings and name not in _borrowed(one)), None)
    if book is None:
        known = {setting for one in _all() for setting in one.settings}
        raise Unclear(f"没有名为 {name} 的参数{nearest(name, known)}")
    setting = book.settings[name]
    own = {name: own_settings[name]} if name in own_settings else {}
    value = resolve_settings(book, own, platform, now)[name] if _holds(name, platform) else None
    money = setting.type.kind == "fen"
    told = in_yuan(value) if money and isinstance(value, int) else shown(value)
    if per > 1 and isinstance(value, (int, float)):
        return Threshold(asked, shown(Fraction(str(value)) / per), "d", book.name, setting.title)
    return Threshold(asked, told, "yuan" if money else setting.unit, book.name, setting.title)


def _all() -> tuple[Book, ...]:
    return tuple(books.book(name) for name in books.shipped())


def _borrowed(book: Book) -> frozenset[str]:
    return frozenset(name for names in used(books.text(f"{book.name}.yaml")).values() for name in names)


def _holds(name: str, platform: str | None) -> bool:
    """A threshold holds on a platform where a rule of that platform reads it, or where only functions do."""
    readers = [rule for book in _all() if name in book.settings for rule in _readers(book, name)]
    return not readers or any(
        platform is None or not one.platforms or platform in one.platforms for one in readers
    )


def _readers(book: Book, name: str) -> Iterator[Rule]:
    for rule in book.rules:
        nodes = [rule.when, *(one for one in rule.then.values() if not isinstance(one, Const))]
        if any(part == Knob(name) for node in nodes for part in walk(node)):
            yield rule
