"""Interventions, appeals and alerts through the question door: just below, at and above each threshold."""

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
BOOKS = ("appeals", "appeal_results", "appeal_paths", "appeal_checks", "interventions", "alerts")
READ_BY_FORMULAS = {"appeals", "interventions", "alerts"}
Row = tuple[str, dict[str, Any], Any]


@cache
def _rows() -> tuple[Row, ...]:
    return (*_table("appeal_questions"), *_table("alert_questions"))


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


def _answered(ask: str, given: dict[str, Any], **settings: object) -> dict[str, Any]:
    plain = {key: str(one) if hasattr(one, "isoformat") else one for key, one in given.items()}
    return answer({"id": "q", "given": {"ask": ask, **plain}}, NOW, trace=False, settings=settings)


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
    by_formulas = {("unused_setting", None)} if name in READ_BY_FORMULAS else set()
    codes = {(one.code, one.rule) for one in lint(books.book(name))} - by_formulas
    assert [
        one for one in codes if one[0] in ("unreachable", "never_known", "no_setting", "unused_setting")
    ] == []


@pytest.mark.parametrize("name", BOOKS)
@pytest.mark.parametrize("key", ["hindrance", "reasons", "alerts"])
def test_every_code_that_people_see_has_its_titles(name: str, key: str) -> None:
    book = books.book(name)
    for then in (*(rule.then for rule in book.rules), book.otherwise):
        output = then.get(key)
        said = output.value if isinstance(output, (Lit, Const)) else None
        for code in said if isinstance(said, list) else [said]:
            assert code is None or books.title(key, str(code)) != code, (key, code)


@pytest.mark.parametrize("catalogue", ["appeal", "appeal_check", "intervention", "alert"])
def test_every_value_of_a_fact_has_its_title(catalogue: str) -> None:
    for fact in books.catalogue(catalogue).facts.values():
        assert set(fact.values) <= set(books.titles().get(fact.name, {})), fact.name


def test_the_settings_with_lists_name_what_has_titles() -> None:
    titles, settings = books.titles(), books.book("appeals").settings
    for key, setting in (
        ("malicious_category", "malicious_categories"),
        ("scene", "dispute_scenes"),
        ("freight_cause", "freight_causes"),
    ):
        assert list(titles[key]) == list(settings[setting].default)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ask", "given", "setting", "value"),
    [
        ("k_appeal_48h", {"appeal": "rights", "hours_since_refund_success": 49}, "rights_appeal_hours", 49),
        ("k_fast_refund_7d", {"hours_since_refund_success": 169}, "rapid_refund_appeal_days", 8),
        ("k_72h", {"scene": "A", "hours_since_return": 71}, "return_dispute_wait_hours", 71),
        ("k_bad_10", {"used_this_month": 10}, "malicious_complaints_per_month", 11),
        ("k_bad_20", {"order_count": 21}, "orders_per_appeal", 21),
        ("k_malicious_list", {"category": "J"}, "malicious_categories", ["J"]),
    ],
)
def test_what_a_shop_sets_is_what_is_answered(
    ask: str, given: dict[str, Any], setting: str, value: object
) -> None:
    assert _answered(f"intervention_appeal:{ask}", given)["outcome"]["allowed"] is False
    assert _answered(f"intervention_appeal:{ask}", given, **{setting: value})["outcome"]["allowed"] is True


def test_an_appeal_is_never_let_through_on_what_nobody_knows() -> None:
    for kind in (
        "rights",
        "rapid_refund",
        "return_dispute",
        "freight",
        "abnormal_order",
        "malicious_complaint",
    ):
        asked = {"ask": "intervention_appeal:k_appeal_48h", "appeal": kind}
        found = answer({"id": "q", "given": asked}, NOW, strict=True, trace=False)
        assert found["outcome"]["allowed"] is False, kind
