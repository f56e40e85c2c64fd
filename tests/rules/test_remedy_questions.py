"""Received goods, freight and intake through the question door: just below, at and above each threshold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftersale.ask.answer import answer
from aftersale.core.expression import Lit
from aftersale.core.lint import lint
from aftersale.core.rulebook import Const
from aftersale.rulebooks import books

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
FILES = ("remedies_questions", "freight_questions", "intake_questions")
BOOKS = (
    "remedies", "corrections", "inquiries", "freight", "freight_cover", "closing", "promises", "intake",
    "issue_class", "lanes",
)  # fmt: skip
Row = tuple[str, dict[str, Any], Any]


@cache
def _rows() -> tuple[Row, ...]:
    return tuple(row for name in FILES for row in _table(name))


def _table(name: str) -> Iterator[Row]:
    """`## slug family {common fields}`, then `{fields} => {outcome}`, or `=> the error says`."""
    ask, common = "", {}
    for line in (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            slug, family, text = line[3:].split(" ", 2)
            ask, common = f"{family}:{slug}", yaml.safe_load(text)
        elif line.strip():
            given, _, expected = line.partition(" => ")
            said = yaml.safe_load(expected) if expected.startswith("{") else expected
            yield ask, {**common, **yaml.safe_load(given)}, said


def _answered(ask: str, given: dict[str, Any]) -> dict[str, Any]:
    plain = {key: str(one) if hasattr(one, "isoformat") else one for key, one in given.items()}
    return answer({"id": "q", "given": {"ask": ask, **plain}}, NOW, trace=False)


@pytest.mark.parametrize(("ask", "given", "expected"), _rows())
def test_the_answer(ask: str, given: dict[str, Any], expected: Any) -> None:
    found = _answered(ask, given)
    if isinstance(expected, str):
        assert expected in found["error"]
        return
    assert "error" not in found, found
    assert {key: found["outcome"].get(key) for key in expected} == expected


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_speaks_in_a_table(name: str) -> None:
    spoken = set()
    for ask, given, _ in _rows():
        spoken |= set(str(_answered(ask, given).get("rule")).replace(" + ", ", ").split(", "))
    assert {rule.name for rule in books.book(name).rules} - spoken == set()


@pytest.mark.parametrize("name", BOOKS)
def test_lint_finds_nothing_unreachable_or_unused(name: str) -> None:
    codes = {(one.code, one.rule) for one in lint(books.book(name))}
    assert {
        code for code in codes if code[0] in ("unreachable", "never_known", "no_setting", "unused_setting")
    } <= _by_formulas(name)


def _by_formulas(name: str) -> set[tuple[str, str | None]]:
    """Settings that only formulas read."""
    return {("unused_setting", None)} if name in ("remedies", "freight_cover", "promises") else set()


TITLED = (
    "action", "why", "issue_class", "lane", "freight_payer", "excess_payer", "freight_mode", "refund_when", "options",
)  # fmt: skip


@pytest.mark.parametrize("name", BOOKS)
def test_every_code_that_people_see_has_its_titles(name: str) -> None:
    book = books.book(name)
    for then in (*(rule.then for rule in book.rules), book.otherwise):
        for key in TITLED:
            found = then.get(key)
            said = found.value if isinstance(found, (Lit, Const)) else None
            for code in said if isinstance(said, list) else [said]:
                assert code is None or books.title(key, str(code)) != code, (key, code)


def test_help_never_hangs_on_a_declined_offer_once_the_buyer_demands_a_return() -> None:
    histories: tuple[list[str] | None, ...] = ([], ["compensation_refused"], ["exchange_refused"], None)
    for platform in ("tmall", "taobao", "pdd"):
        for history in histories:
            found = _answered(
                "triage:f_ladder",
                {
                    "platform": platform,
                    "reason": "defect",
                    "quality_confirmed": True,
                    "buyer_demands_return": True,
                    "ladder_history": history,
                },
            )
            assert found["outcome"]["action"] == "agree_return_refund"
            assert found["outcome"]["refuse_allowed"] is False
