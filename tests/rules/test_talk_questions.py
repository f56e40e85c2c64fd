"""Complaints, the desk, work orders, self-service and reviews through the question door, and every rule speaks."""

from typing import Any

import pytest

from aftersale.core.expression import Lit
from aftersale.core.rulebook import Const
from aftersale.rulebooks import books
from tests.rules.asking import answered, check, rows, silent_rules, suspicious, untitled

TABLES = ("talk_questions",)
BOOKS = ("selling", "payment_reminders", "outsourcing", "complaints", "workorders", "self_service")


@pytest.mark.parametrize(("ask", "given", "expected"), rows(*TABLES))
def test_the_answer(ask: str, given: dict[str, Any], expected: Any) -> None:
    check(ask, given, expected)


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_speaks_in_a_table(name: str) -> None:
    assert silent_rules(name, *TABLES) == set()


@pytest.mark.parametrize("name", BOOKS)
def test_lint_finds_nothing_unreachable_or_unused(name: str) -> None:
    assert suspicious(name, read_by_formulas=BOOKS) == set()


@pytest.mark.parametrize("name", BOOKS)
def test_every_code_that_people_see_has_its_titles(name: str) -> None:
    assert (
        untitled(name, ("action", "task", "suggest", "why", "helper_job", "wait_in", "tag", "note")) == set()
    )


def test_every_script_that_a_rule_names_is_in_the_library() -> None:
    for name in books.shipped():
        book = books.book(name)
        for then in (*(rule.then for rule in book.rules), book.otherwise):
            found = then.get("script")
            if isinstance(found, (Lit, Const)) and found.value is not None:
                assert found.value in books.scripts().scripts, (name, found.value)


@pytest.mark.parametrize(
    ("ask", "given", "setting", "before", "after"),
    [
        ("desk:n_pay_remind", {"unpaid_seconds": 90, "product_has_rule": True}, {"pay_remind_after_s": 90}, {"prompt": True}, {"prompt": False}),
        ("desk:n_quick_overuse", {"share": 0.7}, {"quick_reply_share_max": "0.6"}, {"warn": False}, {"warn": True}),
        ("desk:n_segment", {"text_chars": 200}, {"segment_chars": 100}, {"parts": 1}, {"parts": 2}),
        ("desk:n_pay_roles", {"role": "cs"}, {"reminder_price_roles": ["cs"]}, {"allowed": False}, {"allowed": True}),
        ("desk:n_banned", {"message": "亲"}, {"banned_words": ["亲"]}, {"can_send": True}, {"can_send": False}),
        ("complaint:l_contact", {"contacted": False}, {"complaint_contact_hours": 1}, {"due_hours": 2}, {"due_hours": 1}),
        ("complaint:l_attitude", {"severity_level": 2}, {"attitude_measures": ["2=警告"]}, {"measure": None}, {"measure": "警告"}),
        ("complaint:l_patrol_3h", {"hours_since_intervention_refresh": 4}, {"intervention_patrol_hours": 4}, {"alert": True}, {"alert": False}),
        ("workorder:p_emotion", {"during_promo": True, "open_conversations": 30}, {"promo_agent_load_max": 30}, {"hand_over_to": None}, {"hand_over_to": "other_agent"}),
        ("self_service:q_deposit", {"kind": "invoice"}, {"self_service_kinds": ["invoice"]}, {"accepted": False}, {"accepted": True}),
    ],
)  # fmt: skip
def test_a_shops_own_setting_decides(
    ask: str, given: dict[str, Any], setting: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert answered(ask, given)["outcome"].items() >= before.items()
    assert answered(ask, given, setting)["outcome"].items() >= after.items()
