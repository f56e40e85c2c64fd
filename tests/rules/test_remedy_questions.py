"""Received goods, freight and intake through the question door: just below, at and above each threshold."""

from typing import Any

import pytest

from tests.rules.asking import answered, check, rows, silent_rules, suspicious, untitled

TABLES = ("remedies_questions", "freight_questions", "intake_questions")
READ_BY_FORMULAS = {"remedies", "freight_cover", "promises"}
BOOKS = (
    "remedies", "corrections", "inquiries", "freight", "freight_cover", "closing", "promises", "intake",
    "issue_class", "lanes",
)  # fmt: skip


TITLED = (
    "action", "why", "issue_class", "lane", "freight_payer", "excess_payer", "freight_mode", "refund_when", "options",
)  # fmt: skip


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
    assert untitled(name, TITLED) == set()


def test_help_never_hangs_on_a_declined_offer_once_the_buyer_demands_a_return() -> None:
    histories: tuple[list[str] | None, ...] = ([], ["compensation_refused"], ["exchange_refused"], None)
    for platform in ("tmall", "taobao", "pdd"):
        for history in histories:
            found = answered(
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
