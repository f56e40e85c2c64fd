"""Tables of questions and what the tests of every book ask of them.

`## slug family {common fields}`, then rows `{fields} => {outcome}`, or `{fields} => what the error says`.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aftersale.ask.answer import answer
from aftersale.core.expression import Lit
from aftersale.core.lint import lint
from aftersale.core.rulebook import Const
from aftersale.rulebooks import books

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
WRONG = {"unreachable", "never_known", "no_setting", "unused_setting"}
Row = tuple[str, dict[str, Any], Any]


@cache
def rows(*tables: str) -> tuple[Row, ...]:
    """The rows of text files beside this one: question, fields, outcome or part of the error."""
    return tuple(row for name in tables for row in _table(name))


def _table(name: str) -> Iterator[Row]:
    ask, common = "", {}
    for line in (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            slug, family, text = line[3:].split(" ", 2)
            ask, common = f"{family}:{slug}", yaml.safe_load(text)
        elif line.strip():
            given, _, expected = line.rpartition(" => ")
            said = yaml.safe_load(expected) if expected.startswith("{") else expected
            yield ask, {**common, **yaml.safe_load(given)}, said


def answered(ask: str, given: dict[str, Any], settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """`settings`: a shop's own values; without them no shop asks."""
    plain = {key: str(one) if hasattr(one, "isoformat") else one for key, one in given.items()}
    return answer({"id": "q", "given": {"ask": ask, **plain}}, NOW, trace=False, settings=settings or None)


def check(ask: str, given: dict[str, Any], expected: Any) -> None:
    """The outcome holds what is expected; null expects nothing."""
    found = answered(ask, given)
    if isinstance(expected, str):
        assert expected in found["error"]
        return
    assert "error" not in found, found
    outcome = {key: found["outcome"].get(key) for key in expected}
    assert {key: None if one in (None, "", [], {}) else one for key, one in outcome.items()} == {
        key: None if one in (None, "", [], {}) else _keys_as_text(one) for key, one in expected.items()
    }


def _keys_as_text(value: Any) -> Any:
    """As JSON has them."""
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else value


def silent_rules(name: str, *tables: str) -> set[str]:
    """Rules of the book that no row of the tables makes speak."""
    spoken: set[str] = set()
    for ask, given, _ in rows(*tables):
        spoken |= set(str(answered(ask, given).get("rule")).replace(" + ", ", ").split(", "))
    return {rule.name for rule in books.book(name).rules} - spoken


def suspicious(name: str, *, read_by_formulas: Collection[str] = ()) -> set[tuple[str, str | None]]:
    """What lint finds wrong; formulas may read settings that no rule reads."""
    allowed = {("unused_setting", None)} if name in read_by_formulas else set()
    return {(one.code, one.rule) for one in lint(books.book(name)) if one.code in WRONG} - allowed


def untitled(name: str, keys: Collection[str] | None = None, alias: dict[str, str] | None = None) -> set[str]:
    """Codes of these outcome keys (of all) that people would see without a title. `alias`: whose titles count."""
    book, found = books.book(name), set()
    for then in (*(rule.then for rule in book.rules), book.otherwise):
        for key in set(then) & set(keys if keys is not None else then):
            output = then[key]
            said = output.value if isinstance(output, (Lit, Const)) else None
            for code in said if isinstance(said, list) else [said]:
                if isinstance(code, str) and books.title((alias or {}).get(key, key), code) == code:
                    found.add(f"{key} {code}")
    return found
