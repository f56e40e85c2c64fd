"""The pure functions that answer questions, by name: parameters are fields, settings or `now`."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from aftersale.ask.convert import number, read, shown
from aftersale.ask.questions import Unclear
from aftersale.core.expression import SECONDS
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books

_AGE = re.compile(r"(minutes|hours|days)_(since_[a-z_]+)")


@dataclass(frozen=True, slots=True)
class Formula:
    """`book`: whose settings fill parameters of the same name that a question leaves out."""

    function: Callable[..., Any]
    book: str | None = None

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function).parameters

    @property
    def says(self) -> str:
        return (inspect.getdoc(self.function) or "").split("\n\n", 1)[0].replace("\n", " ")


@cache
def formulas() -> Mapping[str, Formula]:
    """By name: the tables of the registry's parts, which share no name."""
    from aftersale.ask import registry

    found: dict[str, Formula] = {}
    for book, functions in registry.TABLES:
        for function in functions:
            assert function.__name__ not in found, f"two formulas are called {function.__name__}"
            found[function.__name__] = Formula(function, book)
    return found


def call(
    formula: Formula,
    given: Mapping[str, Any],
    settings: Mapping[str, object],
    platform: str | None,
    now: datetime,
) -> tuple[Any, dict[str, Any]]:
    """(result, what it read). `settings`: the shop's own. Raises Unclear when a parameter is missing."""
    kinds, bound = get_type_hints(formula.function), {}
    own = _settings(formula, settings, platform, now)
    for name, parameter in formula.parameters.items():
        found = field(name, given)
        if given.get(found) is not None or (found in given and name not in own and _takes_none(kinds[name])):
            bound[name] = read(found, kinds[name], _aged(found, name, given[found]))
        elif name in own:
            bound[name] = own[name]
        elif name == "now":
            bound[name] = now
        elif name == "own_settings":
            bound[name] = settings
        elif parameter.default is inspect.Parameter.empty:
            raise Unclear(f"缺少字段 {name}")
    return formula.function(**bound), {name: shown(value, kinds[name]) for name, value in bound.items()}


def _takes_none(kind: Any) -> bool:
    """Where null is a value of its own; elsewhere it is as if the field was left out."""
    return kind in (Any, object) or NoneType in get_args(kind)


def field(name: str, given: Mapping[str, Any]) -> str:
    """The given field that a parameter reads: its own name, or the same age in another unit."""
    match = _AGE.fullmatch(name)
    if name in given or match is None:
        return name
    return next((f"{unit}_{match[2]}" for unit in SECONDS if f"{unit}_{match[2]}" in given), name)


def _aged(found: str, name: str, value: Any) -> Any:
    """An age in the unit of the parameter, exactly."""
    if found == name or value is None:
        return value
    seconds = Fraction(str(number(found, value))) * SECONDS[found.partition("_")[0]]
    exact = seconds / SECONDS[name.partition("_")[0]]
    return int(exact) if exact == int(exact) else float(exact)


def _settings(
    formula: Formula, settings: Mapping[str, object], platform: str | None, now: datetime
) -> Mapping[str, Any]:
    if formula.book is None:
        return {}
    book = books.book(formula.book)
    own = {name: value for name, value in settings.items() if name in book.settings}
    values = resolve_settings(book, own, platform, now)
    return {name: _plain(value, book.settings[name].type.kind) for name, value in values.items()}


def _plain(value: Any, kind: str) -> Any:
    return Fraction(value) if kind == "decimal" else value
