"""Interventions, appeals and alerts through the question door: just below, at and above each threshold."""

from typing import Any

import pytest

from aftersale.ask.answer import answer
from aftersale.rulebooks import books
from tests.rules.asking import NOW, answered, check, rows, silent_rules, suspicious, untitled

TABLES = ("appeal_questions", "alert_questions")
BOOKS = ("appeals", "appeal_results", "appeal_paths", "appeal_checks", "interventions", "alerts")
READ_BY_FORMULAS = {"appeals", "interventions", "alerts"}


@pytest.mark.parametrize(("ask", "given", "expected"), rows(*TABLES))
def test_the_answer(ask: str, given: dict[str, Any], expected: Any) -> None:
    check(ask, given, expected)


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_speaks_in_a_table(name: str) -> None:
    assert silent_rules(name, *TABLES) == set()


@pytest.mark.parametrize("name", BOOKS)
def test_lint_finds_nothing_unreachable_or_unused(name: str) -> None:
    assert suspicious(name, read_by_formulas=READ_BY_FORMULAS) == set()


@pytest.mark.parametrize("name", BOOKS)
def test_every_code_that_people_see_has_its_titles(name: str) -> None:
    assert untitled(name, ("hindrance", "reasons", "alerts")) == set()


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
def test_what_a_shop_sets_is_what_isanswered(
    ask: str, given: dict[str, Any], setting: str, value: object
) -> None:
    assert answered(f"intervention_appeal:{ask}", given)["outcome"]["allowed"] is False
    assert answered(f"intervention_appeal:{ask}", given, {setting: value})["outcome"]["allowed"] is True


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
